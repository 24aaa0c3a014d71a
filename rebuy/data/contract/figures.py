"""Figures of the rows, in Athena SQL, and what they say that no rule of `sql/checks` does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rebuy.data.contract.advice import ADVICE
from tasks.functions.first_look import Finding

Figure = list[list[Any]]  # [value, count] by value
FEW_USERS = 100  # of a set: below, its figures say little
ENOUGH_ORDERS = 1_000  # so many, and an hour without any is no chance
SETS = ("training", "validation", "holdout")

# The split of the Glue job (tasks/glue_jobs/join_features.py), 10 percent for either small set:
# the same customers are kept aside always, the week says in which of the two each is.
_SPLIT = """
SELECT
    CASE
        WHEN crc32(to_utf8('rebuy-split-1:' || digits)) % 100 BETWEEN 10 AND 89
            THEN 'training'
        WHEN
            from_base(
                substr(to_hex(sha256(to_utf8('rebuy-holdout-{week}:' || digits))), 1, 8), 16
            ) % 20 < 10
            THEN 'validation'
        ELSE 'holdout'
    END AS value,
    count(*) AS found
FROM (
    SELECT DISTINCT CAST(TRY_CAST(user_id AS bigint) AS varchar) AS digits
    FROM {raw}.orders
    WHERE trim(eval_set) = 'train'
) AS users
GROUP BY 1
ORDER BY 1
"""


def _by(expression: str, table: str) -> str:
    return (
        f"SELECT {expression} AS value, count(*) AS found FROM {{raw}}.{table}"
        f" GROUP BY {expression} ORDER BY 1"
    )


def _of_counts(key: str, table: str) -> str:
    return (
        f"SELECT n AS value, count(*) AS found FROM (SELECT count(*) AS n FROM {{raw}}.{table}"
        f" GROUP BY {key}) AS counted GROUP BY n ORDER BY n"
    )


# Name: (what it shows, Athena SQL). A row a value: `value`, `found`.
FIGURES: dict[str, tuple[str, str]] = {
    "eval_sets": ("Orders by eval_set", _by("trim(eval_set)", "orders")),
    "orders_per_user": ("Customers by their number of orders", _of_counts("user_id", "orders")),
    "days": ("Orders by day of the week", _by("TRY_CAST(order_dow AS integer)", "orders")),
    "hours": ("Orders by hour of the day", _by("TRY_CAST(order_hour_of_day AS integer)", "orders")),
    "gaps": (
        "Orders by days since the one before",
        _by("CAST(floor(TRY_CAST(days_since_prior_order AS double)) AS integer)", "orders"),
    ),
    "lines_per_order": (
        "Orders by their number of lines",
        _of_counts("order_id", "order_products"),
    ),
    "reordered": (
        "Lines by whether the product was bought before",
        _by("TRY_CAST(reordered AS integer)", "order_products"),
    ),
    "users_per_set": ("Customers with a train order by their set of the week", _SPLIT),
}


def count(rows: Callable[[str], list[dict[str, Any]]], raw: str, week: str) -> dict[str, Figure]:
    """`week`: the `holdout_week` of a run."""
    return {
        name: [[row["value"], row["found"]] for row in rows(sql.format(raw=raw, week=week))]
        for name, (_, sql) in FIGURES.items()
    }


def judge(found: dict[str, Figure]) -> tuple[list[Finding], list[str]]:
    """(findings, notes): too few users to split, hours without orders, orders without lines."""
    users = dict(map(tuple, found["users_per_set"]))
    empty = [name for name in SETS if not users.get(name)]
    findings = []
    if empty:
        findings.append(
            Finding(
                "users_fill_every_set", "orders", None,
                ", ".join(f"{name}: {users.get(name, 0)}" for name in SETS),
                f"no customer with a train order falls into {' and '.join(empty)},"
                " and the run ends after its Glue job",
                ADVICE["users_fill_every_set"],
            )
        )  # fmt: skip
    notes = [
        f"only {users[name]} customers fall into the {name} set: its figures will say little"
        for name in SETS
        if 0 < users.get(name, 0) < FEW_USERS
    ]
    for name, said, every in (("days", "days of the week", 7), ("hours", "hours", 24)):
        seen = {value for value, _ in found[name]}
        lacking = [str(value) for value in range(every) if value not in seen]
        if lacking and sum(n for _, n in found[name]) >= ENOUGH_ORDERS:
            notes.append(f"no order at all in the {said} {', '.join(lacking)}: a gap in time?")
    orders = sum(n for value, n in found["eval_sets"] if value in ("prior", "train"))
    with_lines = sum(n for _, n in found["lines_per_order"])
    if orders > with_lines:
        notes.append(f"{orders - with_lines:,} prior or train orders have no line")
    return findings, notes

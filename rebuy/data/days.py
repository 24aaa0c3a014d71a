"""A made-up shop as its files come: what it sold so far in one file, then a file a day.

Instacart's orders have no dates, but the days between them. Here every customer's last order falls
on one of the last LAST_DAYS days, and the ones before it so many days earlier as they say. Nobody
marks an order to predict: `eval_set` is empty, and the orders that are only announced (`test`) are
left out.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb

from configuration.errors import InputError
from rebuy.data import files

LAST_DAYS = 14
MOST_DAYS = 365
HISTORY = "history"
_DATED = """
CREATE TABLE dated AS
WITH orders AS (
    FROM read_csv(?, all_varchar = true) SELECT *,
        order_number::INT AS number, coalesce(days_since_prior_order, '0')::DOUBLE::INT AS gap
    WHERE eval_set <> 'test'
)
SELECT
    * EXCLUDE (number, gap),
    ?::DATE - (user_id::BIGINT * 7919 % ?)::INT - (
        sum(gap) OVER of_user - sum(gap) OVER (of_user ORDER BY number)
    )::INT AS day
FROM orders
WINDOW of_user AS (PARTITION BY user_id)
"""


@dataclass(frozen=True)
class Days:
    """What was written: the folder, its files, oldest first, and the days of the daily ones."""

    folder: Path
    files: tuple[Path, ...]
    days: tuple[date, ...]


def split(folder: Path, out: Path, days: int, last: date) -> Days:
    """Writes the six files of `folder` as `out`/<table>/<file>: the catalogue as it is, and of
    orders and their lines <table>-history.csv and <table>-<day>.csv for each of the `days` days up
    to `last`. The same files give the same bytes.

    Raises InputError if `days` is not 1 to 365, or `out` is there already.
    """
    if not 1 <= days <= MOST_DAYS:
        raise InputError(f"days is {days!r}; a whole number from 1 to {MOST_DAYS} is wanted.")
    if out.exists():
        raise InputError(f"{out} is there already; a new folder is wanted.")
    written = []
    for file in (files.AISLES, files.DEPARTMENTS, files.PRODUCTS):
        (out / file.table).mkdir(parents=True)
        written.append(out / file.table / file.name)
        shutil.copyfile(folder / file.name, written[-1])
    every = tuple(last - timedelta(days=back) for back in reversed(range(days)))
    with duckdb.connect() as connection:
        orders = str(folder / files.ORDERS.name)
        connection.execute(_DATED, [orders, last, LAST_DAYS])
        lines = [str(folder / file.name) for file in (files.PRIOR, files.TRAIN)]
        connection.execute(
            "CREATE TABLE lines AS SELECT lines.*, day FROM read_csv(?, all_varchar = true) AS"
            " lines JOIN dated USING (order_id)",
            [lines],
        )
        for day in (None, *every):
            name = HISTORY if day is None else day.isoformat()
            when = f"day < '{every[0]}'" if day is None else f"day = '{day}'"
            for table, select in _SELECTS.items():
                (out / table).mkdir(exist_ok=True)
                written.append(out / table / f"{table}-{name}.csv")
                connection.execute(
                    f"COPY ({select.format(when=when)}) TO '{written[-1]}' (HEADER, FORMAT csv)"
                )
    return Days(out, tuple(written), every)


_SELECTS = {
    "orders": """
        SELECT order_id, user_id, NULL AS eval_set, order_number, order_dow, order_hour_of_day,
            days_since_prior_order
        FROM dated WHERE {when} ORDER BY user_id::BIGINT, order_number::INT""",
    "order_products": """
        SELECT order_id, product_id, add_to_cart_order, reordered
        FROM lines WHERE {when} ORDER BY order_id::BIGINT, add_to_cart_order::INT""",
}

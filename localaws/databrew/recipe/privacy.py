"""Personal data: masking, digests, random values, shuffling."""

from __future__ import annotations

from localaws.databrew.recipe.conditions import condition_sql
from localaws.databrew.recipe.shapes import Compile
from localaws.databrew.recipe.sql import ident, literal, to_text, to_time
from localaws.databrew.recipe.steps import Step
from localaws.databrew.recipe.table import ROW, Context, Selected, Table

_DIGESTS = {"MD5": "md5", "SHA1": "sha1", "SHA256": "sha256"}


def _changed(step: Step, table: Table, values: dict[str, str], kind: str) -> Selected:
    """Several columns replaced at once, under the step's conditions."""
    when = condition_sql(step, table)
    columns = dict(table.columns)
    written = []
    for name, value in values.items():
        old = to_text(ident(name), step.kind(table, name)) if kind == "VARCHAR" else ident(name)
        chosen = f"CASE WHEN {when} THEN {value} ELSE {old} END" if when else value
        written.append(f"CAST({chosen} AS {kind}) AS {ident(name)}")
        columns[name] = kind
    return Selected(f"SELECT * REPLACE ({', '.join(written)}) FROM {table.name}", columns)


def _plain(step: Step) -> None:
    if step.has("entityTypeFilter"):
        step.fail("parameter 'entityTypeFilter' is not emulated by localaws: it detects nothing.")


def cryptographic_hash(step: Step, table: Table, context: Context) -> Selected:
    """The digest as base64 text; null stays null."""
    _plain(step)
    algorithm = step.text("algorithm", "HMAC_SHA256")
    if algorithm not in _DIGESTS:
        step.fail(
            f"algorithm {algorithm} is not emulated by localaws; it has {', '.join(_DIGESTS)}."
        )
    return _changed(
        step,
        table,
        {
            name: f"base64(unhex({_DIGESTS[algorithm]}"
            f"({to_text(ident(name), step.kind(table, name))})))"
            for name in step.columns(table)
        },
        "VARCHAR",
    )


def mask_range(step: Step, table: Table, context: Context) -> Selected:
    """Masks the characters from `start` (counted from 0) up to `stop`, which is not masked."""
    _plain(step)
    for parameter in ("maskMode", "firstN"):
        if step.has(parameter):
            step.fail(f"parameter {parameter!r} is not emulated by localaws; give start and stop.")
    start = step.integer("start", 0)
    stop = step.integer("stop") if step.has("stop") else None
    if start < 0 or (stop is not None and stop < 0):
        step.fail("a negative start or stop is not emulated by localaws.")
    symbol = step.text("maskSymbol")
    shown = set(step.texts("alphabet")) if step.has("alphabet") else set()
    masked = {
        frozenset(): r"(?s:.)",
        frozenset({"SYMBOLS"}): r"[\p{L}\p{N}\s]",
        frozenset({"WHITESPACE"}): r"\S",
        frozenset({"SYMBOLS", "WHITESPACE"}): r"[\p{L}\p{N}]",
    }.get(frozenset(shown))
    if masked is None:
        step.fail("'alphabet' may list SYMBOLS and WHITESPACE.")
    values = {}
    for name in step.columns(table):
        text = to_text(ident(name), step.kind(table, name))
        length = f"greatest({stop} - {start}, 0)" if stop is not None else f"length({text})"
        middle = f"substring({text}, {start + 1}, {length})"
        hidden = f"regexp_replace({middle}, {literal(masked)}, {literal(symbol)}, 'g')"
        rest = f" || substring({text}, {max(stop, start) + 1})" if stop is not None else ""
        values[name] = f"left({text}, {start}) || {hidden}{rest}"
    return _changed(step, table, values, "VARCHAR")


def random_between(step: Step, table: Table, context: Context) -> Selected:
    """Whole random numbers; both bounds can occur."""
    low, high = step.number_text("lowerBound"), step.number_text("upperBound")
    value = f"floor(random() * ({high} - {low} + 1)) + {low}"
    return _changed(step, table, dict.fromkeys(step.columns(table), value), "BIGINT")


def random_date_between(step: Step, table: Table, context: Context) -> Selected:
    start, end = (to_time(literal(step.text(name)), "VARCHAR") for name in ("startDate", "endDate"))
    seconds = f"floor(random() * (epoch({end}) - epoch({start}) + 1))"
    value = f"strftime({start} + to_seconds({seconds}), '%Y-%m-%d %H:%M:%S')"
    return _changed(step, table, dict.fromkeys(step.columns(table), value), "VARCHAR")


def shuffle_rows(step: Step, table: Table, context: Context) -> Selected:
    """The columns' values, together, among the rows (of a group, if groups are named)."""
    columns = step.columns(table)
    groups: list[str] = []
    if step.has("groupByColumns") and step.texts("groupByColumns"):
        groups = step.columns(table, "groupByColumns")
    named = ", ".join(f"{ident(name)} AS __g{place}" for place, name in enumerate(groups))
    partition = f"PARTITION BY {', '.join(ident(name) for name in groups)} " if groups else ""
    values = ", ".join(ident(name) for name in columns)
    same = "".join(
        f" AND a.{ident(name)} IS NOT DISTINCT FROM b.__g{place}"
        for place, name in enumerate(groups)
    )
    replaced = ", ".join(f"b.{ident(name)} AS {ident(name)}" for name in columns)
    kept = f"SELECT *, row_number() OVER ({partition}ORDER BY {ROW}) AS __k FROM {table.name}"
    mixed = (
        f"SELECT {values}, {named + ', ' if named else ''}"
        f"row_number() OVER ({partition}ORDER BY __random) AS __k"
        f" FROM (SELECT *, random() AS __random FROM {table.name})"
    )
    return Selected(
        f"SELECT a.* EXCLUDE (__k) REPLACE ({replaced})"
        f" FROM ({kept}) AS a JOIN ({mixed}) AS b ON a.__k = b.__k{same}",
        dict(table.columns),
        twice=True,
    )


OPERATIONS: dict[str, Compile] = {
    "CRYPTOGRAPHIC_HASH": cryptographic_hash,
    "MASK_RANGE": mask_range,
    "REPLACE_WITH_RANDOM_BETWEEN": random_between,
    "REPLACE_WITH_RANDOM_DATE_BETWEEN": random_date_between,
    "SHUFFLE_ROWS": shuffle_rows,
}
ORDERED = frozenset({"SHUFFLE_ROWS"})

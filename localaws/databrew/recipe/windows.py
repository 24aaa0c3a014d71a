"""Window functions: neighbours, rolling aggregates, running numbers, sessions.

Rows stand in file order unless the step names an order; nulls come first, as in Spark.
"""

from __future__ import annotations

from collections.abc import Callable

from localaws.databrew.recipe.dates import UNITS
from localaws.databrew.recipe.quality import MODES
from localaws.databrew.recipe.shapes import Compile, add
from localaws.databrew.recipe.sql import blank_null, ident, to_number, to_time
from localaws.databrew.recipe.steps import Step
from localaws.databrew.recipe.table import ROW, Context, Selected, Table

_SECONDS = {
    "WEEKS": 604800,
    "DAYS": 86400,
    "HOURS": 3600,
    "MINUTES": 60,
    "SECONDS": 1,
    "MILLISECONDS": 0.001,
    "MICROSECONDS": 0.000001,
}


def _order(step: Step, table: Table) -> str:
    if step.has("orderByColumn"):
        return f"{ident(step.column(table, 'orderByColumn'))} NULLS FIRST, {ROW}"
    return ROW


def _frame(step: Step, table: Table) -> str:
    before = step.integer("numRowsBefore", at_least=0)
    after = step.integer("numRowsAfter", at_least=0)
    return (
        f"OVER (ORDER BY {_order(step, table)}"
        f" ROWS BETWEEN {before} PRECEDING AND {after} FOLLOWING)"
    )


def shifted(function: str) -> Compile:
    """The value some rows before or after; null outside the data."""

    def compile_step(step: Step, table: Table, context: Context) -> Selected:
        column = step.column(table)
        rows = step.integer("numRows", at_least=0)
        value = f"{function}({ident(column)}, {rows}) OVER (ORDER BY {_order(step, table)})"
        return add(step, table, value, step.kind(table, column))

    return compile_step


def rolling(write: Callable[[Step, str, str], str], kind: str | None = None) -> Compile:
    """`write(step, number, frame)`, of the column's own type of numbers or of `kind`; nulls in the
    window are skipped."""

    def compile_step(step: Step, table: Table, context: Context) -> Selected:
        column = step.column(table)
        number, own = to_number(ident(column), step.kind(table, column))
        value = write(step, number, _frame(step, table))
        return add(step, table, f"TRY_CAST({value} AS {kind or own})", kind or own)

    return compile_step


def _aggregate(name: str, kind: str | None = None) -> Compile:
    return rolling(lambda step, number, frame: f"{name}({number}) {frame}", kind)


def _filled(number: str, frame: str) -> str:
    return f"coalesce(list({number}) FILTER (WHERE {number} IS NOT NULL) {frame}, [])"


def _kth(step: Step, numbers: str) -> str:
    return f"list_reverse_sort({numbers})[{step.integer('value', at_least=1)}]"


def rolling_mode(step: Step, table: Table, context: Context) -> Selected:
    mode = step.choice("modeType", MODES, "NONE")
    if mode == "AVERAGE":
        step.fail("modeType AVERAGE is not emulated by localaws for ROLLING_MODE.")
    column = step.column(table)
    number, kind = to_number(ident(column), step.kind(table, column))
    values = _filled(number, _frame(step, table))
    # Negated for the minimum, so that the greatest of equally frequent values is the one wanted.
    sign = "" if mode == "MAXIMUM" else "-"
    times = f"len(list_filter({values}, lambda __w: __w = __v))"
    counted = f"list_transform({values}, lambda __v: {{'n': {times}, 'v': {sign}__v}})"
    return add(step, table, f"{sign}(list_reverse_sort({counted})[1].v)", kind)


def rolling_count(step: Step, table: Table, context: Context) -> Selected:
    column = step.column(table)
    filled = blank_null(ident(column), step.kind(table, column))
    return add(step, table, f"count({filled}) {_frame(step, table)}", "BIGINT")


def fill(step: Step, table: Table, context: Context) -> Selected:
    """A copy in which a missing cell takes the latest filled cell of the window."""
    column = step.column(table)
    kind = step.kind(table, column)
    filled = blank_null(ident(column), kind)
    latest = f"last_value({filled} IGNORE NULLS) {_frame(step, table)}"
    return add(step, table, f"coalesce({filled}, {latest})", kind)


def _groups(step: Step, table: Table) -> str:
    if not step.has("groupByColumns") or not step.texts("groupByColumns"):
        return ""
    columns = step.columns(table, "groupByColumns")
    return f"PARTITION BY {', '.join(ident(name) for name in columns)} "


def _orders(step: Step, table: Table) -> str:
    keys = [f"{ident(name)} NULLS FIRST" for name in step.columns(table, "orderByColumns")]
    return "ORDER BY " + ", ".join([*keys, ROW] if table.ordered else keys)


def row_number(step: Step, table: Table, context: Context) -> Selected:
    """1, 2, ... within each group; ties are in no particular order, as in Spark."""
    place = f"row_number() OVER ({_groups(step, table)}{_orders(step, table)})"
    return add(step, table, place, "INTEGER")


def session(step: Step, table: Table, context: Context) -> Selected:
    """Numbers sessions from 1: a new one starts when the gap is longer than `value` units."""
    units = step.choice("units", list(UNITS))
    if units not in _SECONDS:
        step.fail(f"units {units}, which have no fixed length, are not emulated by localaws.")
    column = step.column(table)
    moment = f"epoch({to_time(ident(column), step.kind(table, column))})"
    groups = _groups(step, table)
    order = _orders(step, table) if step.has("orderByColumns") else f"ORDER BY {moment}, {ROW}"
    window = f"OVER ({groups}{order})"
    gap = f"{moment} - lag({moment}) {window}"
    limit = step.integer("value", at_least=0) * _SECONDS[units]
    target = step.new_column(table)
    inner = f"SELECT *, CASE WHEN {gap} > {limit} THEN 1 ELSE 0 END AS __starts FROM {table.name}"
    return Selected(
        f"SELECT * EXCLUDE (__starts), CAST(1 + sum(__starts) {window} AS BIGINT)"
        f" AS {ident(target)} FROM ({inner})",
        table.columns | {target: "BIGINT"},
    )


OPERATIONS: dict[str, Compile] = {
    "FILL": fill,
    "NEXT": shifted("lead"),
    "PREV": shifted("lag"),
    "ROLLING_AVERAGE": _aggregate("avg", "DOUBLE"),
    "ROLLING_COUNT_A": rolling_count,
    "ROLLING_KTH_LARGEST": rolling(lambda step, n, frame: _kth(step, _filled(n, frame))),
    "ROLLING_KTH_LARGEST_UNIQUE": rolling(
        lambda step, n, frame: _kth(step, f"list_distinct({_filled(n, frame)})")
    ),
    "ROLLING_MAX": _aggregate("max"),
    "ROLLING_MIN": _aggregate("min"),
    "ROLLING_MODE": rolling_mode,
    "ROLLING_STANDARD_DEVIATION": _aggregate("stddev_samp", "DOUBLE"),
    "ROLLING_STDEV": _aggregate("stddev_samp", "DOUBLE"),
    "ROLLING_SUM": _aggregate("sum"),
    "ROLLING_VAR": _aggregate("var_samp", "DOUBLE"),
    "ROLLING_VARIANCE": _aggregate("var_samp", "DOUBLE"),
    "ROW_NUMBER": row_number,
    "SESSION": session,
}
ORDERED = frozenset(OPERATIONS) - {"ROW_NUMBER"}

"""Data quality: missing cells, invalid cells, duplicates, and the filter REMOVE_VALUES.

Missing is null or the empty text; invalid is present but not convertible to the named type.
Statistics are over the whole column, whatever the step's conditions.
"""

from __future__ import annotations

from collections.abc import Callable

from localaws.databrew.recipe.conditions import condition_sql, invalid
from localaws.databrew.recipe.shapes import Compile, add, flag
from localaws.databrew.recipe.sql import (
    TYPES,
    blank_null,
    cast,
    ident,
    is_integer,
    is_number,
    is_whole,
    literal,
    missing,
    to_double,
    to_number,
    to_text,
)
from localaws.databrew.recipe.steps import Step
from localaws.databrew.recipe.table import (
    ROW,
    Context,
    Selected,
    Table,
    with_changed,
    with_rows,
)

WHOLE = "WHOLE"  # a DOUBLE that is a whole number where the column has whole numbers
MODES = ("NONE", "MINIMUM", "MAXIMUM", "AVERAGE")
BEFORE = f"OVER (ORDER BY {ROW} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"

# (step, table, column) to the SQL of the value that goes into the cell, as a DOUBLE or a text.
Value = Callable[[Step, Table, str], str]


def _numbers(step: Step, table: Table, column: str) -> str:
    return to_number(ident(column), step.kind(table, column))[0]


def statistic(aggregate: str) -> Value:
    """A statistic over the column's numbers."""

    def value(step: Step, table: Table, column: str) -> str:
        return f"(SELECT {aggregate}({_numbers(step, table, column)}) FROM {table.name})"

    return value


def mode_of(step: Step, table: Table, column: str) -> str:
    """The most frequent number; `modeType` settles ties (NONE: the smallest, to be stable)."""
    pick = {"MAXIMUM": "max", "AVERAGE": "avg"}.get(step.choice("modeType", MODES, "NONE"), "min")
    number = _numbers(step, table, column)
    counts = (
        f"SELECT {number} AS v, count(*) AS n FROM {table.name}"
        f" WHERE {number} IS NOT NULL GROUP BY 1"
    )
    return f"(SELECT {pick}(v) FROM (FROM ({counts}) QUALIFY rank() OVER (ORDER BY n DESC) = 1))"


def most_frequent(step: Step, table: Table, column: str) -> str:
    """The most frequent filled cell; of several the smallest."""
    name = ident(column)
    return (
        f"(SELECT {name} FROM {table.name} WHERE NOT {missing(name, step.kind(table, column))}"
        f" GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1)"
    )


def _put(
    step: Step, table: Table, column: str, value: str, value_kind: str, cells: str
) -> Selected:
    """`value` into the chosen cells; the column keeps its type if that has such values."""
    own = step.kind(table, column)
    # A mean of whole numbers is none: the column becomes one of doubles, nothing is cut off.
    kind = value_kind if value_kind == "DOUBLE" and is_integer(own) else own
    if value_kind == WHOLE:
        kind = "BIGINT" if is_integer(own) else own
        fitted = f"TRY_CAST({value} AS {kind})" if is_whole(own) else cast(value, "DOUBLE", kind)
    else:
        fitted = cast(value, value_kind, kind)
    expression = f"CASE WHEN {cells} THEN {fitted} ELSE {cast(ident(column), own, kind)} END"
    changed = with_changed(table, column, expression, kind, condition_sql(step, table))
    return Selected(changed.sql, changed.columns, twice="(SELECT" in value)


def _kind(step: Step, own: str, kind: str) -> str:
    """The type of a step's value: "" is the column's own; a mean of modes is no whole number."""
    if kind == WHOLE and step.optional("modeType") == "AVERAGE":
        return "DOUBLE"
    return kind or own


def fill(value: Value, kind: str = "DOUBLE") -> Compile:
    """Missing cells get the value."""

    def compile_step(step: Step, table: Table, context: Context) -> Selected:
        column = step.column(table)
        own = step.kind(table, column)
        cells = missing(ident(column), own)
        return _put(step, table, column, value(step, table, column), _kind(step, own, kind), cells)

    return compile_step


def fill_with_custom(step: Step, table: Table, context: Context) -> Selected:
    """Missing cells get a constant; under IS_INVALID conditions the invalid ones do (exports)."""
    column = step.column(table)
    kind = step.kind(table, column)
    value = literal(step.text("value"))
    if context.query(f"SELECT 1 WHERE {cast(value, 'VARCHAR', kind)} IS NULL"):
        if step.text("columnDataType", "string") not in ("string", "unsupported"):
            step.fail(f"the value {step.text('value')!r} is none of column {column!r}, a {kind}.")
        # A text among numbers, as no cell may stay unfilled.
        text = to_text(ident(column), kind)
        table = Table(
            table.columns | {column: "VARCHAR"},
            f"(SELECT * REPLACE ({text} AS {ident(column)}) FROM {table.name})",
            table.ordered,
        )
        kind = "VARCHAR"
    cells = missing(ident(column), kind)
    if any(condition.condition == "IS_INVALID" for condition in step.conditions):
        cells = "true"
    if is_integer(kind) and not context.query(
        f"SELECT 1 WHERE {to_double(value, 'VARCHAR')} = {cast(value, 'VARCHAR', kind)}"
    ):
        return _put(step, table, column, to_double(value, "VARCHAR"), "DOUBLE", cells)
    return _put(step, table, column, value, "VARCHAR", cells)


def fill_with_empty(step: Step, table: Table, context: Context) -> Selected:
    """Null becomes the empty text; the column becomes text."""
    column = step.column(table)
    text = to_text(ident(column), step.kind(table, column))
    return with_changed(
        table, column, f"coalesce({text}, '')", "VARCHAR", condition_sql(step, table)
    )


def fill_with_null(step: Step, table: Table, context: Context) -> Selected:
    column = step.column(table)
    kind = step.kind(table, column)
    expression = blank_null(ident(column), kind)
    return with_changed(table, column, expression, kind, condition_sql(step, table))


def fill_with_last_valid(step: Step, table: Table, context: Context) -> Selected:
    """Missing cells get the nearest earlier filled one; leading ones stay missing."""
    column = step.column(table)
    kind = step.kind(table, column)
    filled = blank_null(ident(column), kind)
    expression = f"coalesce({filled}, last_value({filled} IGNORE NULLS) {BEFORE})"
    return with_changed(table, column, expression, kind, condition_sql(step, table))


def _target(step: Step, default: str | None = None) -> str:
    """The SQL type that valid cells have."""
    if step.has("advancedDataType"):
        step.fail("parameter 'advancedDataType': localaws does not tell semantic types.")
    name = step.text("columnDataType", default)
    if name == "unsupported":
        step.fail("columnDataType 'unsupported' names no type that could be checked.")
    if name not in TYPES:
        step.fail(f"parameter 'columnDataType' is {name!r}; it must be one of {', '.join(TYPES)}.")
    return TYPES[name]


def replace_invalid(value: Value, kind: str = "DOUBLE") -> Compile:
    """Invalid cells get the value; missing ones are untouched."""

    def compile_step(step: Step, table: Table, context: Context) -> Selected:
        column = step.column(table)
        own = step.kind(table, column)
        cells = invalid(ident(column), own, _target(step, "number"))
        return _put(step, table, column, value(step, table, column), _kind(step, own, kind), cells)

    return compile_step


def replace_with_custom(step: Step, table: Table, context: Context) -> Selected:
    columns = step.columns(table) if step.has("sourceColumns") else [step.column(table)]
    target = _target(step)
    when = condition_sql(step, table)
    changed = []
    for column in columns:
        kind = step.kind(table, column)
        cells = invalid(ident(column), kind, target) + (f" AND {when}" if when else "")
        value = cast(literal(step.text("value")), "VARCHAR", kind)
        changed.append(
            f"CASE WHEN {cells} THEN {value} ELSE {ident(column)} END AS {ident(column)}"
        )
    return Selected(
        f"SELECT * REPLACE ({', '.join(changed)}) FROM {table.name}", dict(table.columns)
    )


def _last_valid(step: Step, table: Table, column: str) -> str:
    kind = step.kind(table, column)
    name = ident(column)
    good = f"CASE WHEN {cast(name, kind, _target(step))} IS NOT NULL THEN {name} END"
    return f"last_value({good} IGNORE NULLS) {BEFORE}"


def _rolling(aggregate: str) -> Value:
    def value(step: Step, table: Table, column: str) -> str:
        period = step.integer("period", at_least=1)
        frame = f"OVER (ORDER BY {ROW} ROWS BETWEEN {period} PRECEDING AND 1 PRECEDING)"
        return f"{aggregate}({_numbers(step, table, column)}) {frame}"

    return value


def remove_invalid(step: Step, table: Table, context: Context) -> Selected:
    column = step.column(table)
    bad = invalid(ident(column), step.kind(table, column), _target(step))
    return with_rows(table, f"NOT coalesce({bad}, false)")


def remove_missing(step: Step, table: Table, context: Context) -> Selected:
    column = step.column(table)
    return with_rows(table, f"NOT {missing(ident(column), step.kind(table, column))}")


def remove_values(step: Step, table: Table, context: Context) -> Selected:
    """Drops the rows that meet all the step's conditions."""
    step.column(table)
    when = condition_sql(step, table)
    if when is None:
        step.fail("it needs ConditionExpressions: they say which rows to remove.")
    return with_rows(table, f"NOT ({when})")


def remove_duplicates(step: Step, table: Table, context: Context) -> Selected:
    """Keeps the first row of each value of one column; nulls count as one value."""
    column = step.column(table)
    return Selected(
        f"SELECT * FROM {table.name}"
        f" QUALIFY row_number() OVER (PARTITION BY {ident(column)} ORDER BY {ROW}) = 1",
        dict(table.columns),
    )


def _every_column(table: Table) -> str:
    return ", ".join(ident(name) for name in table.columns) or "1"


def delete_duplicate_rows(step: Step, table: Table, context: Context) -> Selected:
    """Keeps the first of the rows that are equal in every column."""
    return Selected(
        f"SELECT * FROM {table.name} QUALIFY"
        f" row_number() OVER (PARTITION BY {_every_column(table)} ORDER BY {ROW}) = 1",
        dict(table.columns),
    )


def flag_duplicate_rows(step: Step, table: Table, context: Context) -> Selected:
    """Flags rows that repeat an earlier one; the first occurrence is not flagged."""
    place = f"row_number() OVER (PARTITION BY {_every_column(table)} ORDER BY {ROW})"
    return add(step, table, flag(step, f"{place} > 1"), "VARCHAR")


def flag_duplicates_in_column(step: Step, table: Table, context: Context) -> Selected:
    column = step.column(table)
    place = f"row_number() OVER (PARTITION BY {ident(column)} ORDER BY {ROW})"
    return add(step, table, flag(step, f"{place} > 1"), "VARCHAR")


def _empty(step: Step, table: Table, column: str) -> str:
    if is_number(step.kind(table, column)):
        return "NULL"
    return "''"


def _null(step: Step, table: Table, column: str) -> str:
    return "NULL"


OPERATIONS: dict[str, Compile] = {
    "FILL_WITH_AVERAGE": fill(statistic("avg")),
    "FILL_WITH_CUSTOM": fill_with_custom,
    "FILL_WITH_EMPTY": fill_with_empty,
    "FILL_WITH_LAST_VALID": fill_with_last_valid,
    "FILL_WITH_MEDIAN": fill(statistic("median")),
    "FILL_WITH_MODE": fill(mode_of, WHOLE),
    "FILL_WITH_MOST_FREQUENT": fill(most_frequent, ""),
    "FILL_WITH_NULL": fill_with_null,
    "FILL_WITH_SUM": fill(statistic("sum"), WHOLE),
    "REPLACE_WITH_AVERAGE": replace_invalid(statistic("avg")),
    "REPLACE_WITH_CUSTOM": replace_with_custom,
    "REPLACE_WITH_EMPTY": replace_invalid(_empty, "VARCHAR"),
    "REPLACE_WITH_LAST_VALID": replace_invalid(_last_valid, ""),
    "REPLACE_WITH_MEDIAN": replace_invalid(statistic("median")),
    "REPLACE_WITH_MODE": replace_invalid(mode_of, WHOLE),
    "REPLACE_WITH_MOST_FREQUENT": replace_invalid(most_frequent, ""),
    "REPLACE_WITH_NULL": replace_invalid(_null, ""),
    "REPLACE_WITH_ROLLING_AVERAGE": replace_invalid(_rolling("avg")),
    "REPLACE_WITH_ROLLING_SUM": replace_invalid(_rolling("sum")),
    "REPLACE_WITH_SUM": replace_invalid(statistic("sum"), WHOLE),
    "REMOVE_DUPLICATES": remove_duplicates,
    "REMOVE_INVALID": remove_invalid,
    "REMOVE_MISSING": remove_missing,
    "REMOVE_VALUES": remove_values,
    "DELETE_DUPLICATE_ROWS": delete_duplicate_rows,
    "FLAG_DUPLICATE_ROWS": flag_duplicate_rows,
    "FLAG_DUPLICATES_IN_COLUMN": flag_duplicates_in_column,
}
ORDERED = frozenset(
    {
        "DELETE_DUPLICATE_ROWS",
        "FILL_WITH_LAST_VALID",
        "FLAG_DUPLICATE_ROWS",
        "FLAG_DUPLICATES_IN_COLUMN",
        "REMOVE_DUPLICATES",
        "REPLACE_WITH_LAST_VALID",
        "REPLACE_WITH_ROLLING_AVERAGE",
        "REPLACE_WITH_ROLLING_SUM",
    }
)

"""Column structure: results of logical tests, flags, and columns split into several."""

from __future__ import annotations

import re

from localaws.databrew.recipe import expressions
from localaws.databrew.recipe.shapes import Compile, add, flag
from localaws.databrew.recipe.sql import ident, literal, missing, to_text
from localaws.databrew.recipe.steps import Step
from localaws.databrew.recipe.table import ROW, Context, Selected, Table

MAXIMUM_SPLITS = 20


def boolean_operation(step: Step, table: Table, context: Context) -> Selected:
    """One of two results by a test; an unknown test counts as false."""
    aggregates = expressions.named_aggregates(step, table)
    test = expressions.condition(step, table, step.text("valueExpression"), aggregates)
    yes = expressions.result_of(step, table, "trueValueExpression", aggregates)
    no = expressions.result_of(step, table, "falseValueExpression", aggregates)
    (yes_sql, no_sql), kind = expressions.common([yes, no])
    made = add(step, table, f"CASE WHEN {test} THEN {yes_sql} ELSE {no_sql} END", kind)
    return Selected(made.sql, made.columns, twice=bool(aggregates))


def case_operation(step: Step, table: Table, context: Context) -> Selected:
    aggregates = expressions.named_aggregates(step, table)
    value = expressions.case(step, table, step.text("valueExpression"), aggregates)
    made = add(step, table, value.sql, value.kind)
    return Selected(made.sql, made.columns, twice=bool(aggregates))


def flag_from_null(step: Step, table: Table, context: Context) -> Selected:
    column = step.column(table)
    step.choice("flagType", ["Null values"])
    test = missing(ident(column), step.kind(table, column))
    return add(step, table, flag(step, test), "VARCHAR")


def flag_from_pattern(step: Step, table: Table, context: Context) -> Selected:
    """Flags values in which the pattern is found; null counts as not found."""
    column = step.column(table)
    text = to_text(ident(column), step.kind(table, column))
    return add(
        step, table, flag(step, f"regexp_matches({text}, {step.regex('pattern')})"), "VARCHAR"
    )


def split(step: Step, table: Table, column: str, parts: list[str]) -> Selected:
    """The column replaced by `<column>_1`, `<column>_2`, ... in its place."""
    names = [f"{column}_{number}" for number in range(1, len(parts) + 1)]
    for name in names:
        if name in table.columns:
            step.fail(f"the new column {name!r} is there already.")
    listed: list[str] = []
    columns: dict[str, str] = {}
    for name, kind in table.columns.items():
        if name != column:
            columns[name] = kind
            listed.append(ident(name))
            continue
        columns |= dict.fromkeys(names, "VARCHAR")
        listed += [
            f"CAST({part} AS VARCHAR) AS {ident(new)}"
            for part, new in zip(parts, names, strict=True)
        ]
    if table.ordered:
        listed.append(ROW)
    return Selected(f"SELECT {', '.join(listed)} FROM {table.name}", columns)


def _text(step: Step, table: Table) -> tuple[str, str]:
    column = step.column(table)
    return column, to_text(ident(column), step.kind(table, column))


def _limit(step: Step) -> int:
    limit = step.integer("limit", 1, at_least=1)
    if limit > MAXIMUM_SPLITS:
        step.fail(f"parameter 'limit' is {limit}; it must be at most {MAXIMUM_SPLITS}.")
    return limit


def split_single(step: Step, table: Table, context: Context) -> Selected:
    """At most `limit` splits: limit + 1 columns, the last takes the rest, absent parts are null."""
    column, text = _text(step, table)
    if step.flag("includeInSplit"):
        step.fail("includeInSplit=true is not emulated by localaws (its side is undocumented).")
    limit = _limit(step)
    pattern = step.text("pattern")
    if step.flag("isText", default=True):
        pattern = re.escape(pattern)
    else:
        step.regex("pattern")
    return split(step, table, column, _pieces(text, pattern, limit))


def split_multiple(step: Step, table: Table, context: Context) -> Selected:
    column, text = _text(step, table)
    options = step.json("patternOptions", list)
    patterns = []
    for option in options:
        if not isinstance(option, dict) or "pattern" not in option:
            step.fail("each of patternOptions must be an object with a pattern.")
        if str(option.get("includeInSplit", "false")).lower() == "true":
            step.fail("includeInSplit=true is not emulated by localaws.")
        patterns.append(re.escape(str(option["pattern"])))
    return split(step, table, column, _pieces(text, "|".join(patterns), _limit(step)))


def _pieces(text: str, pattern: str, limit: int) -> list[str]:
    # The rest, with its delimiters, is what follows the first `limit` delimiters.
    pieces = f"string_split_regex({text}, {literal(pattern)})"
    parts = [f"{pieces}[{number}]" for number in range(1, limit + 1)]
    rest = literal(f"^(?s:(?:.*?(?:{pattern})){{{limit}}}(.*))$")
    parts.append(f"CASE WHEN len({pieces}) > {limit} THEN regexp_extract({text}, {rest}, 1) END")
    return parts


def split_from_start(step: Step, table: Table, context: Context) -> Selected:
    column, text = _text(step, table)
    place = step.integer("position", at_least=0)
    return split(step, table, column, [f"left({text}, {place})", f"substring({text}, {place + 1})"])


def split_from_end(step: Step, table: Table, context: Context) -> Selected:
    column, text = _text(step, table)
    place = step.integer("position", at_least=0)
    start = f"greatest(length({text}) - {place}, 0)"
    return split(step, table, column, [f"left({text}, {start})", f"right({text}, {place})"])


def split_between_positions(step: Step, table: Table, context: Context) -> Selected:
    column, text = _text(step, table)
    start = step.integer("startPosition", at_least=0)
    end = step.integer("endPosition", at_least=start)
    parts = [
        f"left({text}, {start})",
        f"substring({text}, {start + 1}, {end - start})",
        f"substring({text}, {end + 1})",
    ]
    return split(step, table, column, parts)


OPERATIONS: dict[str, Compile] = {
    "BOOLEAN_OPERATION": boolean_operation,
    "CASE_OPERATION": case_operation,
    "FLAG_COLUMN_FROM_NULL": flag_from_null,
    "FLAG_COLUMN_FROM_PATTERN": flag_from_pattern,
    "SPLIT_COLUMN_BETWEEN_POSITIONS": split_between_positions,
    "SPLIT_COLUMN_FROM_END": split_from_end,
    "SPLIT_COLUMN_FROM_START": split_from_start,
    "SPLIT_COLUMN_MULTIPLE_DELIMITER": split_multiple,
    "SPLIT_COLUMN_SINGLE_DELIMITER": split_single,
}
ORDERED: frozenset[str] = frozenset()

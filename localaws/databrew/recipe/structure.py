"""Column structure: results of logical tests, flags, and columns split into several."""

from __future__ import annotations

import re
from typing import Any

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
    limit = _limit(step)
    pattern = step.text("pattern")
    if step.flag("isText", default=True):
        pattern = re.escape(pattern)
    else:
        step.regex("pattern")
    kept = step.flag("includeInSplit")
    pieces = _pieces(text, [] if kept else [pattern], [pattern] if kept else [], limit)
    return split(step, table, column, pieces)


def split_multiple(step: Step, table: Table, context: Context) -> Selected:
    column, text = _text(step, table)
    options = [_option(step, each, "patternOptions") for each in step.json("patternOptions", list)]
    dropped = [pattern for pattern, included in options if not included]
    kept = [pattern for pattern, included in options if included]
    return split(step, table, column, _pieces(text, dropped, kept, _limit(step)))


def _option(step: Step, option: Any, parameter: str) -> tuple[str, bool]:
    """(the delimiter as a pattern, includeInSplit)."""
    if not isinstance(option, dict) or "pattern" not in option:
        step.fail(f"{parameter} must have an object with a pattern.")
    included = str(option.get("includeInSplit", "false")).lower() == "true"
    return re.escape(str(option["pattern"])), included


_MARK = "\x1f"  # ASCII's unit separator, between pieces that keep their delimiters


def _pieces(text: str, dropped: list[str], kept: list[str], limit: int) -> list[str]:
    """The pieces between delimiters; one that is kept begins the next piece (inferred)."""
    if not kept:
        pattern = "|".join(dropped)
        pieces = f"string_split_regex({text}, {literal(pattern)})"
        # The rest, with its delimiters, is what follows the first `limit` delimiters.
        rest = literal(f"^(?s:(?:.*?(?:{pattern})){{{limit}}}(.*))$")
        last = f"CASE WHEN len({pieces}) > {limit} THEN regexp_extract({text}, {rest}, 1) END"
    else:
        again = literal(_MARK + r"\1")
        cut = f"regexp_replace({text}, {literal('(' + '|'.join(kept) + ')')}, {again}, 'g')"
        if dropped:
            gone = literal("|".join(dropped))
            cut = f"regexp_replace({cut}, {gone}, {literal(_MARK)}, 'g')"
        pieces = f"string_split({cut}, {literal(_MARK)})"
        last = f"nullif(array_to_string({pieces}[{limit + 1}:], ''), '')"
    return [*(f"{pieces}[{number}]" for number in range(1, limit + 1)), last]


def split_between_delimiters(step: Step, table: Table, context: Context) -> Selected:
    """Before the first delimiter, between it and the second, after that; delimiters that are kept
    go to the middle (inferred). Without both of them the text is the first part."""
    column, text = _text(step, table)
    (first, keep_first), (second, keep_second) = (
        _option(step, step.json(name, dict), name) for name in ("patternOption1", "patternOption2")
    )
    shape = f"(?s)^(.*?)({first})(.*?)({second})(.*)$"
    found = f"regexp_matches({text}, {literal(shape)})"

    def part(*groups: int) -> str:
        return " || ".join(f"regexp_extract({text}, {literal(shape)}, {n})" for n in groups)

    middle = part(*([2] if keep_first else []), 3, *([4] if keep_second else []))
    parts = [
        f"CASE WHEN {found} THEN {part(1)} ELSE {text} END",
        f"CASE WHEN {found} THEN {middle} END",
        f"CASE WHEN {found} THEN {part(5)} END",
    ]
    return split(step, table, column, parts)


def split_with_intervals(step: Step, table: Table, context: Context) -> Selected:
    """Pieces of `interval` characters from `startPosition` on; what stands before that is the
    first piece, so that nothing is lost (inferred)."""
    column, text = _text(step, table)
    start = step.integer("startPosition", at_least=0)
    interval = step.integer("interval", at_least=1)
    rows = context.query(f"SELECT max(length({text})) FROM {table.name}")
    longest = int((rows[0][0] if rows else None) or 0)
    number = max(1, -(-(longest - start) // interval))
    if number > MAXIMUM_SPLITS:
        step.fail(f"it would make {number} columns; a column splits into {MAXIMUM_SPLITS} at most.")
    parts = [f"left({text}, {start})"] if start else []
    parts += [
        f"nullif(substring({text}, {start + place * interval + 1}, {interval}), '')"
        for place in range(number)
    ]
    made = split(step, table, column, parts)
    return Selected(made.sql, made.columns, twice=True)


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
    "SPLIT_COLUMN_BETWEEN_DELIMITER": split_between_delimiters,
    "SPLIT_COLUMN_BETWEEN_POSITIONS": split_between_positions,
    "SPLIT_COLUMN_FROM_END": split_from_end,
    "SPLIT_COLUMN_FROM_START": split_from_start,
    "SPLIT_COLUMN_MULTIPLE_DELIMITER": split_multiple,
    "SPLIT_COLUMN_SINGLE_DELIMITER": split_single,
    "SPLIT_COLUMN_WITH_INTERVALS": split_with_intervals,
}
ORDERED: frozenset[str] = frozenset()

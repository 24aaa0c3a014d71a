"""Data cleaning: letter case, dates as text, affixes, extraction, removal, replacement."""

from __future__ import annotations

import re

from localaws.databrew.recipe import dates
from localaws.databrew.recipe.shapes import Compile, add, change, text_in_place
from localaws.databrew.recipe.sql import ident, literal, to_text, to_time, upper
from localaws.databrew.recipe.steps import Step
from localaws.databrew.recipe.table import Context, Selected, Table

WHITE = r"[\s\x{00a0}]"
PUNCTUATION = "[.!,?]"
QUOTES = "[\"']"

# Positions count from 0 and the end is exclusive, as a console lab shows for the start; the
# guide is silent. One place to correct.
FIRST_POSITION = 0


def _everywhere(text: str, pattern: str, by: str = "''") -> str:
    return f"regexp_replace({text}, {literal(pattern)}, {by}, 'g')"


def capital_case(text: str) -> str:
    words = f"string_split(lower({text}), ' ')"
    return f"array_to_string(list_transform({words}, lambda w: upper(w[1]) || w[2:]), ' ')"


def _sentence_case(text: str) -> str:
    sentences = f"regexp_extract_all(lower({text}), '[^.!?]+[.!?]*')"
    start = r"regexp_extract(x, '^\s*')"
    raised = f"{start} || upper(ltrim(x)[1]) || ltrim(x)[2:]"
    return f"array_to_string(list_transform({sentences}, lambda x: {raised}), '')"


def format_date(step: Step, table: Table, context: Context) -> Selected:
    """A date as text in the target layout; what is no date becomes null."""
    column = step.column(table)
    layout = dates.strftime(step, step.text("targetDateFormat"))
    moment = to_time(ident(column), step.kind(table, column))
    return change(step, table, column, f"strftime({moment}, {literal(layout)})", "VARCHAR")


# The flags of REMOVE_COMBINED in the order in which we apply them (the guide names none).
_REMOVALS = {
    "removeLetters": "[A-Za-z]",
    "removeNumbers": "[0-9]",
    "removeSpecialCharacters": "[^A-Za-z0-9\\s]",
    "removeAllPunctuation": PUNCTUATION,
    "removeAllQuotes": QUOTES,
    "removeAllWhitespace": WHITE,
    "removeLeadingAndTrailingPunctuation": f"^{PUNCTUATION}+|{PUNCTUATION}+$",
    "removeLeadingAndTrailingQuotes": f"^{QUOTES}+|{QUOTES}+$",
    "removeLeadingAndTrailingWhitespace": f"^{WHITE}+|{WHITE}+$",
}


def remove_combined(step: Step, table: Table, context: Context) -> Selected:
    """Deletes the kinds of characters whose flags are on; null stays null."""
    column = step.column(table)
    text = to_text(ident(column), step.kind(table, column))
    if step.flag("removeCustomValue"):
        text = f"replace({text}, {literal(step.text('customValue'))}, '')"
    if step.flag("removeCustomCharacters"):
        text = f"translate({text}, {literal(step.text('customCharacters'))}, '')"
    for name, pattern in _REMOVALS.items():
        if step.flag(name):
            text = _everywhere(text, pattern)
    if step.flag("collapseConsecutiveWhitespace"):
        text = _everywhere(text, f"{WHITE}+", "' '")
    return change(step, table, column, text, "VARCHAR")


def _between(step: Step) -> tuple[str, str]:
    """The two delimiter patterns, checked, as raw texts."""
    step.regex("startPattern")
    step.regex("endPattern")
    return step.text("startPattern"), step.text("endPattern")


def extract_between_delimiters(step: Step, table: Table, context: Context) -> Selected:
    start, end = _between(step)
    text = _source_text(step, table)
    if re.search(r"(?<!\\)\((?!\?)", start):
        step.fail("a group in startPattern, which localaws does not have.")
    found = f"regexp_extract({text}, {literal(f'(?:{start})(.*?)(?:{end})')}, 1)"
    return add(step, table, f"nullif({found}, '')", "VARCHAR")


def _replace_between(step: Step, text: str) -> str:
    start, end = _between(step)
    if re.search(r"(?<!\\)\((?!\?)", start + end):
        step.fail("a group in startPattern or endPattern, which localaws does not have.")
    pattern = literal(f"({start}).*?({end})")
    value = literal(step.text("value").replace("\\", "\\\\"))  # no group of its patterns
    return f"regexp_replace({text}, {pattern}, '\\1' || {value} || '\\2', 'g')"


def positions(step: Step) -> tuple[int, int]:
    """(characters before the range, length of the range)."""
    start = step.integer("startPosition", at_least=0) - FIRST_POSITION
    end = step.integer("endPosition", at_least=0) - FIRST_POSITION
    if end < start:
        step.fail(f"endPosition {end} is before startPosition {start}.")
    return start, end - start


def extract_between_positions(step: Step, table: Table, context: Context) -> Selected:
    before, length = positions(step)
    text = _source_text(step, table)
    return add(step, table, f"substring({text}, {before + 1}, {length})", "VARCHAR")


def _replace_positions(step: Step, text: str) -> str:
    before, length = positions(step)
    value = literal(step.text("value"))
    return f"(left({text}, {before}) || {value} || substring({text}, {before + length + 1}))"


def _source_text(step: Step, table: Table) -> str:
    column = step.column(table)
    return to_text(ident(column), step.kind(table, column))


def extract_pattern(step: Step, table: Table, context: Context) -> Selected:
    """The first match of the pattern; null without one."""
    found = f"regexp_extract({_source_text(step, table)}, {step.regex('pattern')}, 0)"
    return add(step, table, f"nullif({found}, '')", "VARCHAR")


def extract_value(step: Step, table: Table, context: Context) -> Selected:
    """One element of a JSON text, struct, map or list column, by path.

    `user`.`zip`[1]; the first step may repeat the source column's name.
    """
    column = step.column(table)
    kind = step.kind(table, column)
    path = step.text("path")
    parts = re.findall(r"`([^`]*)`|\[(\d+)\]|([^.`\[\]]+)", path)
    keys: list[str | int] = [
        int(index) if index else (quoted or bare) for quoted, index, bare in parts
    ]
    if keys and keys[0] == column:
        keys = keys[1:]
    if not keys:
        step.fail(f"the path {path!r} names no element.")
    json_path = "$" + "".join(
        f"[{key}]" if isinstance(key, int) else '."' + key.replace('"', '\\"') + '"' for key in keys
    )
    document = ident(column) if kind == "VARCHAR" else f"CAST(to_json({ident(column)}) AS VARCHAR)"
    value = f"json_extract_string({document}, {literal(json_path)})"
    guarded = f"CASE WHEN json_valid({document}) THEN {value} END"
    return add(step, table, guarded, "VARCHAR")


OPERATIONS: dict[str, Compile] = {
    "CAPITAL_CASE": text_in_place(lambda step, text: capital_case(text)),
    "LOWER_CASE": text_in_place(lambda step, text: f"lower({text})"),
    "UPPER_CASE": text_in_place(lambda step, text: upper(text)),
    "SENTENCE_CASE": text_in_place(lambda step, text: _sentence_case(text)),
    "FORMAT_DATE": format_date,
    "ADD_DOUBLE_QUOTES": text_in_place(lambda step, text: f"('\"' || {text} || '\"')"),
    "ADD_SINGLE_QUOTES": text_in_place(lambda step, text: f"('''' || {text} || '''')"),
    "ADD_PREFIX": text_in_place(lambda step, text: f"({literal(step.text('pattern'))} || {text})"),
    "ADD_SUFFIX": text_in_place(lambda step, text: f"({text} || {literal(step.text('pattern'))})"),
    "EXTRACT_BETWEEN_DELIMITERS": extract_between_delimiters,
    "EXTRACT_BETWEEN_POSITIONS": extract_between_positions,
    "EXTRACT_PATTERN": extract_pattern,
    "EXTRACT_VALUE": extract_value,
    "REMOVE_COMBINED": remove_combined,
    "REPLACE_BETWEEN_DELIMITERS": text_in_place(_replace_between),
    "REPLACE_BETWEEN_POSITIONS": text_in_place(_replace_positions),
    "REPLACE_TEXT": text_in_place(
        lambda step, text: (
            f"regexp_replace({text}, {step.regex('pattern')}, {step.replacement('value')}, 'g')"
        )
    ),
}
ORDERED: frozenset[str] = frozenset()

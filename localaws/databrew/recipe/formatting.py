"""Numbers, phone numbers and URLs as other texts; texts searched and cut into words."""

from __future__ import annotations

import re

from localaws.databrew.recipe.shapes import Compile, add, change, of_text
from localaws.databrew.recipe.sql import INTEGERS, WIDE, ident, literal, to_double, to_text
from localaws.databrew.recipe.steps import Step
from localaws.databrew.recipe.table import Context, Selected, Table

_UNITS = {"THOUSAND": 1e3, "MILLION": 1e6, "BILLION": 1e9, "TRILLION": 1e12}


def _optional(step: Step, name: str) -> str:
    """A parameter that exports also write as the text `null`."""
    value = step.optional(name) or ""
    return "" if value == "null" else value


def number_format(step: Step, table: Table, context: Context) -> Selected:
    """A number as text with its separators and unit; halves are rounded away from zero."""
    column = step.column(table)
    kind = step.kind(table, column)
    number = to_double(ident(column), kind)
    places = step.integer("decimalPlaces", at_least=0)
    if places > 18:
        step.fail(f"parameter 'decimalPlaces' is {places}; it must be at most 18.")
    point = step.choice("numericDecimalSeparator", [".", ","])
    thousands = _optional(step, "numericThousandSeparator")
    if thousands == point:
        step.fail("the separators of decimals and thousands are the same.")
    unit = _optional(step, "numericAbbreviatedUnit")
    if unit and unit not in _UNITS:
        step.fail(f"numericAbbreviatedUnit is {unit!r}; it must be one of {', '.join(_UNITS)}.")
    scaled = f"round(({number}) / {_UNITS.get(unit, 1)}, {places})"
    text = f"format({literal('{:,.' + str(places) + 'f}')}, {scaled})"
    if kind in INTEGERS - WIDE and not unit:  # with every digit
        fraction = literal("." + "0" * places) if places else "''"
        text = f"format('{{:,}}', CAST({ident(column)} AS BIGINT)) || {fraction}"
    text = f"translate({text}, ',.', {literal((thousands or chr(1)) + point)})"
    text = f"replace({text}, chr(1), '')" if not thousands else text
    suffix = literal(_optional(step, "numericUnitAbbreviation") if unit else "")
    return change(step, table, column, f"{text} || {suffix}", "VARCHAR")


def format_phone_number(step: Step, table: Table, context: Context) -> Selected:
    """E.164. What is no number, or has neither + nor a region, stays as it is."""
    step.choice("phoneNumberFormat", ["E164"], "E164")
    column = step.column(table)
    if step.has("defaultRegion"):
        region = step.text("defaultRegion")
        if not re.fullmatch("[A-Z]{2,3}", region):
            step.fail(f"parameter 'defaultRegion' is {region!r}; it has 2 or 3 capital letters.")
        where = literal(region)
    else:
        name = step.column(table, "defaultRegionColumn")
        where = f"coalesce({to_text(ident(name), step.kind(table, name))}, '')"
    text = to_text(ident(column), step.kind(table, column))
    return change(step, table, column, f"databrew_phone({text}, {where})", "VARCHAR")


def _search(step: Step) -> tuple[str, str, int]:
    """(pattern, its options, the place to begin at, from 1)."""
    place = step.integer("position", 1)
    return step.regex("pattern"), "'i'" if step.flag("ignoreCase") else "'c'", max(place, 1)


def _find(step: Step, text: str) -> str:
    # The page says that it finds strings that match and returns the result: the matched text.
    pattern, case, place = _search(step)
    return f"nullif(regexp_extract(substring({text}, {place}), {pattern}, 0, {case}), '')"


def _right_find(step: Step, text: str) -> str:
    pattern, case, place = _search(step)
    before = f"left({text}, greatest(length({text}) - {place - 1}, 0))"
    return f"regexp_extract_all({before}, {pattern}, 0, {case})[-1]"


def tokenization(step: Step, table: Table, context: Context) -> Selected:
    """A list of words; contractions are written out first, stems come last (inferred)."""
    column = step.column(table)
    text = to_text(ident(column), step.kind(table, column))
    contractions = step.choice("expandContractions", ["ENABLED", ""], "")
    stemming = step.choice("stemmingMode", ["PORTER", "LANCASTER", ""], "")
    stop_words = step.choice("stopWordRemovalMode", ["DEFAULT", ""], "")
    if step.has("customStopWords"):
        step.texts("customStopWords")
        stop_words = step.text("customStopWords")
    given = (step.text("delimiter", " ") or " ", contractions, stemming, stop_words)
    arguments = ", ".join(literal(each) for each in given)
    return add(step, table, f"databrew_tokens({text}, {arguments})", "VARCHAR[]")


OPERATIONS: dict[str, Compile] = {
    "FIND": of_text(_find),
    "FORMAT_PHONE_NUMBER": format_phone_number,
    "NUMBER_FORMAT": number_format,
    "RIGHT_FIND": of_text(_right_find),
    "TOKENIZATION": tokenization,
    "URL_PARAMS": of_text(lambda step, text: f"databrew_url_params({text})"),
}
ORDERED: frozenset[str] = frozenset()

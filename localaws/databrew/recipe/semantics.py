"""Advanced data types: what a phone number, a date, a card or a URL says about itself.

How DataBrew spells the details (a network, a time zone) is not published; these are inferred.
"""

from __future__ import annotations

from localaws.databrew.recipe.conditions import condition_sql
from localaws.databrew.recipe.shapes import Compile, add, flag
from localaws.databrew.recipe.sql import ident, literal, to_text, to_time
from localaws.databrew.recipe.steps import Step
from localaws.databrew.recipe.table import Context, Selected, Table, with_changed, with_rows

PATTERNS = {
    "Phone": ("AREA_CODE", "TIME_ZONE", "COUNTRY_CODE"),
    "DateTime": ("DAY", "MONTH", "MONTH_NAME", "WEEK", "QUARTER", "YEAR"),
    "CreditCard": ("LENGTH", "NETWORK"),
    "URL": ("PROTOCOL", "TLD", "DOMAIN"),
    "ZipCode": ("TIME_ZONE", "COUNTRY", "STATE", "CITY", "TYPE", "REGION"),
    "State": ("TIME_ZONE",),
}
_DATES = {
    "DAY": "day",
    "MONTH": "month",
    "MONTH_NAME": "monthname",
    "WEEK": "week",
    "QUARTER": "quarter",
    "YEAR": "year",
}
_URL = {
    "PROTOCOL": r"^([A-Za-z][A-Za-z0-9+.-]*)://",
    "DOMAIN": r"^(?:[A-Za-z][A-Za-z0-9+.-]*://)?(?:[^/?#@]*@)?([^/?#:]+\.[A-Za-z]{2,})(?:[/?#:]|$)",
    "TLD": r"^(?:[A-Za-z][A-Za-z0-9+.-]*://)?(?:[^/?#@]*@)?[^/?#:]+\.([A-Za-z]{2,})(?:[/?#:]|$)",
}
_NETWORKS = (
    ("Visa", r"4\d{12}(\d{3})?(\d{3})?"),
    ("Mastercard", r"(5[1-5]\d{2}|222[1-9]|22[3-9]\d|2[3-6]\d{2}|27[01]\d|2720)\d{12}"),
    ("American Express", r"3[47]\d{13}"),
    ("Discover", r"6(011|5\d{2}|4[4-9]\d)\d{12}"),
    ("Diners Club", r"3(0[0-5]|[68]\d)\d{11}"),
    ("JCB", r"35(2[89]|[3-8]\d)\d{12}"),
)


def _detail(step: Step, table: Table) -> str:
    """The asked detail of each cell as text; null where the cell is no such thing."""
    pattern = step.text("pattern")
    kinds = [kind for kind, patterns in PATTERNS.items() if pattern in patterns]
    kind = step.text("advancedDataType", kinds[0] if kinds else "").replace(" ", "")
    if kind in ("ZipCode", "State"):
        step.fail(f"details of {kind} are not emulated by localaws: they need AWS's gazetteer.")
    if pattern not in PATTERNS.get(kind, ()):
        step.fail(f"pattern {pattern!r} is no detail of {kind or 'an advanced data type'}.")
    column = step.column(table)
    own = step.kind(table, column)
    text = to_text(ident(column), own)
    if kind == "Phone":
        return f"nullif(databrew_phone_detail({text}, {literal(pattern)}), '')"
    if kind == "DateTime":
        return f"CAST({_DATES[pattern]}({to_time(ident(column), own)}) AS VARCHAR)"
    if kind == "URL":
        return f"nullif(regexp_extract({text}, {literal(_URL[pattern])}, 1), '')"
    digits = f"regexp_replace({text}, '[ -]', '', 'g')"
    networks = " ".join(
        f"WHEN regexp_full_match({digits}, {literal(shape)}) THEN {literal(name)}"
        for name, shape in _NETWORKS
    )
    if pattern == "NETWORK":
        return f"CASE {networks} END"
    return f"CASE WHEN (CASE {networks} END) IS NOT NULL THEN CAST(length({digits}) AS VARCHAR) END"


def _listed(step: Step, table: Table) -> str:
    """Whether the detail is one of the filterValues; never null."""
    values = ", ".join(literal(value) for value in step.texts("filterValues"))
    if not values:
        step.fail("'filterValues' is empty.")
    return f"coalesce({_detail(step, table)} IN ({values}), false)"


def extract(step: Step, table: Table, context: Context) -> Selected:
    return add(step, table, _detail(step, table), "VARCHAR")


def flagged(step: Step, table: Table, context: Context) -> Selected:
    return add(step, table, flag(step, _listed(step, table)), "VARCHAR")


def filtered(step: Step, table: Table, context: Context) -> Selected:
    """Rows kept or left out, or cells cleared: those listed, or all others."""
    column = step.column(table)
    strategy = step.choice(
        "strategy", ["KEEP_ROWS", "DISCARD_ROWS", "CLEAR_FILTERS", "CLEAR_OTHERS"]
    )
    listed, when = _listed(step, table), condition_sql(step, table)
    if strategy.endswith("ROWS"):
        wanted = listed if strategy == "KEEP_ROWS" else f"NOT {listed}"
        return with_rows(table, f"({wanted})" + (f" OR NOT ({when})" if when else ""))
    kind = step.kind(table, column)
    empty = "NULL"
    value = ident(column)
    if step.flag("clearWithEmpty"):
        value, kind, empty = to_text(value, kind), "VARCHAR", "''"
    cleared = listed if strategy == "CLEAR_FILTERS" else f"NOT {listed}"
    return with_changed(
        table, column, f"CASE WHEN {cleared} THEN {empty} ELSE {value} END", kind, when
    )


OPERATIONS: dict[str, Compile] = {
    "ADVANCED_DATATYPE_FILTER": filtered,
    "ADVANCED_DATATYPE_FLAG": flagged,
    "EXTRACT_ADVANCED_DATATYPE_DETAILS": extract,
}
ORDERED: frozenset[str] = frozenset()

"""Text functions into a new column, and the web functions."""

from __future__ import annotations

from localaws.databrew.recipe.cleaning import WHITE, capital_case, positions
from localaws.databrew.recipe.shapes import Compile, add, of_number, of_text
from localaws.databrew.recipe.sql import ident, literal, to_text, upper
from localaws.databrew.recipe.steps import Step
from localaws.databrew.recipe.table import Context, Selected, Table

_PART = r"(25[0-5]|2[0-4]\d|1?\d?\d)"
IPV4 = rf"({_PART}\.){{3}}{_PART}"


def _pair(step: Step, table: Table) -> tuple[str, str]:
    left = to_text(*step.operand(table, ["sourceColumn1"], ["value1"]))
    right = to_text(*step.operand(table, ["sourceColumn2"], ["value2"]))
    return left, right


def compare(operator: str) -> Compile:
    """`True` or `False`; null when one side is null."""

    def compile_step(step: Step, table: Table, context: Context) -> Selected:
        left, right = _pair(step, table)
        test = f"{left} {operator} {right}"
        answer = f"CASE WHEN {test} THEN 'True' WHEN NOT ({test}) THEN 'False' END"
        return add(step, table, answer, "VARCHAR")

    return compile_step


def exact(step: Step, table: Table, context: Context) -> Selected:
    left, right = _pair(step, table)
    answer = f"CASE WHEN {left} IS NOT DISTINCT FROM {right} THEN 'True' ELSE 'False' END"
    return add(step, table, answer, "VARCHAR")


def merge(step: Step, table: Table, context: Context) -> Selected:
    """Several columns as one text; nulls are skipped (Spark's concat_ws)."""
    cells = ", ".join(to_text(ident(name), step.kind(table, name)) for name in step.columns(table))
    delimiter = literal(step.optional("delimiter") or "")
    return add(step, table, f"concat_ws({delimiter}, {cells})", "VARCHAR")


def _anchored(before: str, after: str) -> Compile:
    def write(step: Step, text: str) -> str:
        step.regex("pattern")
        return f"regexp_matches({text}, {literal(before + step.text('pattern') + after)})"

    return of_text(write, "BOOLEAN")


def _substring(step: Step, text: str) -> str:
    before, length = positions(step)
    return f"substring({text}, {before + 1}, {length})"


def _ip_to_int(step: Step, text: str) -> str:
    parts = f"list_transform(string_split({text}, '.'), lambda x: CAST(x AS BIGINT))"
    number = f"list_reduce({parts}, lambda a, b: a * 256 + b)"
    return f"CASE WHEN regexp_full_match({text}, {literal(IPV4)}) THEN {number} END"


def _int_to_ip(step: Step, number: str) -> str:
    whole = f"CAST(trunc({number}) AS BIGINT)"
    parts = ", ".join(f"({whole} >> {shift}) & 255" for shift in (24, 16, 8, 0))
    return f"CASE WHEN {number} BETWEEN 0 AND 4294967295 THEN concat_ws('.', {parts}) END"


OPERATIONS: dict[str, Compile] = {
    "CHAR": of_number(
        lambda step, n: (
            f"CASE WHEN {n} BETWEEN 1 AND 1114111 THEN TRY(chr(CAST(trunc({n}) AS INTEGER))) END"
        ),
        "VARCHAR",
    ),
    "ENDS_WITH": _anchored("(?:", ")$"),
    "EXACT": exact,
    "LEFT": of_text(lambda step, t: f"left({t}, {step.integer('position', at_least=0)})"),
    "LEN": of_text(lambda step, t: f"length({t})", "INTEGER"),
    "LOWER": of_text(lambda step, t: f"lower({t})"),
    "MERGE": merge,
    "MERGE_COLUMNS_AND_VALUES": merge,
    "PROPER": of_text(lambda step, t: capital_case(t)),
    "REMOVE_SYMBOLS": of_text(
        lambda step, t: f"regexp_replace({t}, '[^\\p{{L}}\\p{{N}}\\s]', '', 'g')"
    ),
    "REMOVE_WHITESPACE": of_text(lambda step, t: f"regexp_replace({t}, {literal(WHITE)}, '', 'g')"),
    "REPEAT_STRING": of_text(lambda step, t: f"repeat({t}, {step.integer('count', at_least=0)})"),
    "RIGHT": of_text(lambda step, t: f"right({t}, {step.integer('position', at_least=0)})"),
    "STARTS_WITH": _anchored("^(?:", ")"),
    "STRING_GREATER_THAN": compare(">"),
    "STRING_GREATER_THAN_EQUAL": compare(">="),
    "STRING_LESS_THAN": compare("<"),
    "STRING_LESS_THAN_EQUAL": compare("<="),
    "SUBSTRING": of_text(_substring),
    "TRIM": of_text(
        lambda step, t: f"regexp_replace({t}, {literal(f'^{WHITE}+|{WHITE}+$')}, '', 'g')"
    ),
    "UNICODE": of_text(lambda step, t: f"CASE WHEN {t} <> '' THEN unicode({t}) END", "INTEGER"),
    "UPPER": of_text(lambda step, t: upper(t)),
    "INT_TO_IP": of_number(_int_to_ip, "VARCHAR"),
    "IP_TO_INT": of_text(_ip_to_int, "BIGINT"),
}
ORDERED: frozenset[str] = frozenset()

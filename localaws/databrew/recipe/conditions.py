"""A step's ConditionExpressions as one SQL condition (all must hold).

https://docs.aws.amazon.com/databrew/latest/dg/recipes.html; the encodings of `Value` are those
that exported recipes show.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from localaws.databrew.recipe.sql import (
    TYPES,
    cast,
    ident,
    is_exact,
    is_number,
    is_time,
    literal,
    missing,
    to_double,
    to_text,
    to_time,
)
from localaws.databrew.recipe.steps import Condition, Step
from localaws.databrew.recipe.table import Table

Writer = Callable[[Step, Condition, str, str], str]  # (.., column SQL, its type) to SQL


def condition_sql(step: Step, table: Table) -> str | None:
    """The step's conditions over the table, or None when it has none. Never null."""
    if not step.conditions:
        return None
    return " AND ".join(_one(step, condition, table) for condition in step.conditions)


def _one(step: Step, condition: Condition, table: Table) -> str:
    writer = CONDITIONS.get(condition.condition)
    if writer is None:
        step.fail(f"unknown condition {condition.condition!r}. There are {', '.join(CONDITIONS)}.")
    column = step.existing(table, condition.column)
    return f"coalesce({writer(step, condition, ident(column), step.kind(table, column))}, false)"


def _listed(step: Step, condition: Condition) -> list[str]:
    """`["a","b"]`; a bare text counts as a list of one."""
    try:
        value = json.loads(condition.value)
    except json.JSONDecodeError:
        return [condition.value]
    if not isinstance(value, list):
        return [condition.value]
    return [str(each) for each in value]


def _is(step: Step, condition: Condition, column: str, kind: str) -> str:
    values = _listed(step, condition)
    if kind == "BOOLEAN":
        words = ", ".join(literal(value.lower()) for value in values)
        return f"CAST({column} AS VARCHAR) IN ({words})"
    if is_exact(kind) and all(re.fullmatch(r"[+-]?\d{1,38}", value) for value in values):
        numbers = ", ".join(f"CAST({literal(value)} AS DECIMAL(38,0))" for value in values)
        return f"CAST({column} AS DECIMAL(38,0)) IN ({numbers})"
    if is_number(kind):  # 2019 and "2019.0" are the same number
        numbers = ", ".join(to_double(literal(value), "VARCHAR") for value in values)
        return f"{to_double(column, kind)} IN ({numbers})"
    return f"{to_text(column, kind)} IN ({', '.join(literal(value) for value in values)})"


def _is_not(step: Step, condition: Condition, column: str, kind: str) -> str:
    # A missing value is none of the listed ones only if SQL says so: null stays "not met".
    return f"NOT ({_is(step, condition, column, kind)})"


def _bounds(step: Step, condition: Condition) -> tuple[str, str]:
    try:
        value = json.loads(condition.value)
    except json.JSONDecodeError:
        value = None
    if isinstance(value, dict) and {"GREATER_THAN_EQUAL", "LESS_THAN_EQUAL"} == set(value):
        return str(value["GREATER_THAN_EQUAL"]), str(value["LESS_THAN_EQUAL"])
    if isinstance(value, list) and len(value) == 2:
        return str(value[0]), str(value[1])
    raise step.error(
        'IS_BETWEEN needs ["low","high"] or {"GREATER_THAN_EQUAL":"low","LESS_THAN_EQUAL":"high"};'
        f" it is {condition.value!r}."
    )


def comparable(column: str, kind: str, value: str) -> tuple[str, str]:
    """The column and a written value in the type in which DataBrew compares them."""
    if is_time(kind):
        return to_time(column, kind), to_time(literal(value), "VARCHAR")
    if is_exact(kind) and re.fullmatch(r"[+-]?\d{1,38}", value):
        return f"CAST({column} AS DECIMAL(38,0))", f"CAST({literal(value)} AS DECIMAL(38,0))"
    try:
        float(value.replace("_", "x"))
    except ValueError:
        return to_text(column, kind), literal(value)
    return to_double(column, kind), to_double(literal(value), "VARCHAR")


def _between(step: Step, condition: Condition, column: str, kind: str) -> str:
    low, high = _bounds(step, condition)
    left, low_sql = comparable(column, kind, low)
    _, high_sql = comparable(column, kind, high)
    return f"{left} BETWEEN {low_sql} AND {high_sql}"


def _compare(operator: str) -> Writer:
    def write(step: Step, condition: Condition, column: str, kind: str) -> str:
        left, right = comparable(column, kind, condition.value)
        return f"{left} {operator} {right}"

    return write


def _text(function: str, negated: bool = False) -> Writer:
    def write(step: Step, condition: Condition, column: str, kind: str) -> str:
        found = f"{function}({to_text(column, kind)}, {literal(condition.value)})"
        return f"NOT {found}" if negated else found

    return write


def invalid(column: str, kind: str, target: str) -> str:
    """Present, but not of the type."""
    if kind == target or target == "VARCHAR":
        return "false"
    # What a number would be as another type, only its text says: 7 is no date.
    text = to_text(column, kind)
    return f"(NOT {missing(column, kind)} AND {cast(text, 'VARCHAR', target)} IS NULL)"


def _is_invalid(step: Step, condition: Condition, column: str, kind: str) -> str:
    name = condition.value or "string"
    if name not in TYPES:
        step.fail(f"IS_INVALID names the type {name!r}; there are {', '.join(TYPES)}.")
    return invalid(column, kind, TYPES[name])


def _is_missing(step: Step, condition: Condition, column: str, kind: str) -> str:
    return missing(column, kind)


CONDITIONS: dict[str, Writer] = {
    "IS": _is,
    "IS_NOT": _is_not,
    "IS_BETWEEN": _between,
    "CONTAINS": _text("contains"),
    "NOT_CONTAINS": _text("contains", negated=True),
    "STARTS_WITH": _text("starts_with"),
    "NOT_STARTS_WITH": _text("starts_with", negated=True),
    "ENDS_WITH": _text("ends_with"),
    "NOT_ENDS_WITH": _text("ends_with", negated=True),
    "LESS_THAN": _compare("<"),
    "LESS_THAN_EQUAL": _compare("<="),
    "GREATER_THAN": _compare(">"),
    "GREATER_THAN_EQUAL": _compare(">="),
    "IS_INVALID": _is_invalid,
    "IS_MISSING": _is_missing,
}

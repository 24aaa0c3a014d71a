"""The expression language of BOOLEAN_OPERATION and CASE_OPERATION, compiled to SQL.

Columns stand in back-ticks (exports also have bare names), `:name` in back-ticks is an aggregate
from `withExpressions`, texts and dates in single quotes. Parsed with a grammar of its own; no text
of a recipe reaches SQL unquoted.
https://docs.aws.amazon.com/databrew/latest/dg/recipe-actions.CASE_OPERATION.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from localaws.databrew.recipe import moments
from localaws.databrew.recipe.sql import (
    TYPES,
    alike,
    cast,
    ident,
    is_number,
    is_text,
    literal,
    missing,
    to_double,
    to_text,
    unsupported_regex,
)
from localaws.databrew.recipe.steps import Step
from localaws.databrew.recipe.table import Table

AGGREGATES = {
    "sum": "sum({n})",
    "avg": "avg({n})",
    "median": "median({n})",
    "min": "min({c})",
    "max": "max({c})",
    "count": "count({c})",
    "product": "product({n})",
    "stddev": "stddev_samp({n})",
    "variance": "var_samp({n})",
    "standard_error_of_mean": moments.STANDARD_ERROR_OF_MEAN,
    "skewness": moments.SKEWNESS,
    "kurtosis": moments.KURTOSIS,
    "mean_absolute_deviation": moments.MEAN_ABSOLUTE_DEVIATION,
}
OPERATORS = ("<=", ">=", "!=", "<>", "=", "<", ">")
_TOKEN = re.compile(
    r"\s*(?:(?P<column>`[^`]*`)|(?P<text>'(?:[^']|'')*')|(?P<number>\d+(?:\.\d+)?)"
    r"|(?P<operator><=|>=|!=|<>|=|<|>|!)|(?P<mark>[(),-])|(?P<word>[A-Za-z_]\w*))"
)


@dataclass(frozen=True)
class Operand:
    """A value as SQL with its type; `constant` when it was written out."""

    sql: str
    kind: str
    constant: bool = False


def condition(step: Step, table: Table, text: str, aggregates: Mapping[str, Operand]) -> str:
    """A logical test as SQL; null where SQL says so."""
    parser = _Parser(step, table, text, aggregates)
    result = parser.either()
    parser.end()
    return result


def case(step: Step, table: Table, text: str, aggregates: Mapping[str, Operand]) -> Operand:
    """`case when ... then ... else ... end` as SQL; without ELSE the rest is null."""
    parser = _Parser(step, table, text, aggregates)
    result = parser.case()
    parser.end()
    return result


def named_aggregates(step: Step, table: Table) -> dict[str, Operand]:
    """`withExpressions` as scalar subqueries over the step's input, by name."""
    if not step.has("withExpressions"):
        return {}
    found = {}
    for item in step.json("withExpressions", list):
        if not isinstance(item, dict) or not {"name", "value"} <= set(item):
            step.fail("each of withExpressions must be an object with name, value and type.")
        found[str(item["name"])] = _aggregate(step, table, str(item["value"]))
    return found


def _aggregate(step: Step, table: Table, text: str) -> Operand:
    shape = re.fullmatch(r"\s*(\w+)\(\s*(distinct\s+)?`([^`]*)`\s*\)\s*", text, re.IGNORECASE)
    if shape is None:
        step.fail(f"the aggregate {text!r} must be like avg(`column`).")
    name, distinct, column = shape[1].lower(), bool(shape[2]), shape[3]
    if name not in AGGREGATES or (distinct and name != "count"):
        step.fail(
            f"the aggregate {text!r} is not emulated by localaws; it has {', '.join(AGGREGATES)}."
        )
    step.existing(table, column)
    kind = step.kind(table, column)
    quoted = ident(column)
    template = "count(DISTINCT {c})" if distinct else AGGREGATES[name]
    sql = template.format(c=quoted, n=to_double(quoted, kind), w="")
    result = kind if name in ("min", "max") else "BIGINT" if name == "count" else "DOUBLE"
    return Operand(f"(SELECT {sql} FROM {table.name})", result)


def result_of(
    step: Step, table: Table, parameter: str, aggregates: Mapping[str, Operand]
) -> Operand:
    """true/falseValueExpression: a constant without quotes, a column, or a named aggregate."""
    text = step.text(parameter).strip()
    if re.fullmatch(r"`[^`]*`", text):
        return _reference(step, table, text[1:-1], aggregates)
    return Operand(literal(text), "VARCHAR", constant=True)


def _reference(step: Step, table: Table, name: str, aggregates: Mapping[str, Operand]) -> Operand:
    if name.startswith(":"):
        if name[1:] not in aggregates:
            step.fail(
                f"`{name}` is not in withExpressions, which has {', '.join(aggregates) or 'none'}."
            )
        return aggregates[name[1:]]
    step.existing(table, name)
    return Operand(ident(name), step.kind(table, name))


def common(operands: list[Operand]) -> tuple[list[str], str]:
    """The operands in one type: their own if they share it, numbers if all are, else text."""
    kinds = {operand.kind for operand in operands if operand.sql != "NULL"}
    if len(kinds) == 1:
        return [operand.sql for operand in operands], kinds.pop()
    if kinds and all(is_number(kind) for kind in kinds):
        return [to_double(operand.sql, operand.kind) for operand in operands], "DOUBLE"
    return [to_text(operand.sql, operand.kind) for operand in operands], "VARCHAR"


class _Parser:
    def __init__(
        self, step: Step, table: Table, text: str, aggregates: Mapping[str, Operand]
    ) -> None:
        self._step, self._table, self._text = step, table, text
        self._aggregates = aggregates
        self._tokens: list[tuple[str, str]] = []
        position = 0
        while text[position:].strip():
            found = _TOKEN.match(text, position)
            if found is None or found.lastgroup is None:
                step.fail(f"the expression {text!r} cannot be read from {text[position:]!r} on.")
            self._tokens.append((found.lastgroup, found[found.lastgroup]))
            position = found.end()
        self._at = 0

    # Tokens

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")

    def _next(self) -> tuple[str, str]:
        token = self._peek()
        self._at += 1
        return token

    def _is(self, *texts: str) -> bool:
        kind, text = self._peek()
        return kind in ("word", "operator", "mark") and text.lower() in texts

    def _take(self, *texts: str) -> bool:
        if self._is(*texts):
            self._at += 1
            return True
        return False

    def _expect(self, text: str) -> None:
        if not self._take(text):
            found = self._peek()[1] or "the end"
            self._step.fail(f"the expression {self._text!r}: {text!r} expected before {found!r}.")

    def end(self) -> None:
        if self._at < len(self._tokens):
            self._step.fail(f"the expression {self._text!r} goes on with {self._peek()[1]!r}.")

    # Grammar

    def case(self) -> Operand:
        self._expect("case")
        tests, values = [], []
        while self._take("when"):
            tests.append(self.either())
            self._expect("then")
            values.append(self._operand())
        if not tests:
            self._expect("when")
        values.append(self._operand() if self._take("else") else Operand("NULL", "VARCHAR"))
        self._expect("end")
        written, kind = common(values)
        branches = " ".join(
            f"WHEN {test} THEN {value}" for test, value in zip(tests, written[:-1], strict=True)
        )
        return Operand(f"CASE {branches} ELSE {written[-1]} END", kind)

    def either(self) -> str:
        parts = [self._both()]
        while self._take("or"):
            parts.append(self._both())
        return f"({' OR '.join(parts)})" if len(parts) > 1 else parts[0]

    def _both(self) -> str:
        parts = [self._not()]
        while self._take("and"):
            parts.append(self._not())
        return f"({' AND '.join(parts)})" if len(parts) > 1 else parts[0]

    def _not(self) -> str:
        if self._take("!", "not"):
            return f"(NOT {self._not()})"
        if self._take("("):
            inner = self.either()
            self._expect(")")
            return inner
        kind, word = self._peek()
        following = self._tokens[self._at + 1] if self._at + 1 < len(self._tokens) else ("", "")
        if kind == "word" and following == ("mark", "("):
            return self._function(word)
        return self._comparison()

    def _comparison(self) -> str:
        left = self._operand()
        if self._take("is"):
            negated = self._take("not")
            self._expect("null")
            return f"({left.sql} IS {'NOT ' if negated else ''}NULL)"
        if not self._is(*OPERATORS):
            if left.kind == "BOOLEAN":
                return left.sql
            self._step.fail(f"the expression {self._text!r}: a comparison is missing.")
        operator = self._next()[1]
        return self._compare(left, "<>" if operator == "!=" else operator, self._operand())

    def _compare(self, left: Operand, operator: str, right: Operand) -> str:
        a, b = alike(left.sql, left.kind, right.sql, right.kind)
        return f"({a} {operator} {b})"

    def _operand(self) -> Operand:
        kind, text = self._next()
        if kind == "column":
            return _reference(self._step, self._table, text[1:-1], self._aggregates)
        if kind == "text":
            return Operand(literal(text[1:-1].replace("''", "'")), "VARCHAR", constant=True)
        if kind == "mark" and text == "-" and self._peek()[0] == "number":
            return self._number("-" + self._next()[1])
        if kind == "number":
            return self._number(text)
        if kind == "word" and text.lower() in ("true", "false"):
            return Operand(text.lower(), "BOOLEAN", constant=True)
        if kind == "word" and text.lower() == "null":
            return Operand("NULL", "VARCHAR", constant=True)
        if kind == "word":  # a bare column name, as exports have it
            return _reference(self._step, self._table, text, self._aggregates)
        raise self._step.error(
            f"the expression {self._text!r}: a value expected instead of {text or 'the end'!r}."
        )

    @staticmethod
    def _number(text: str) -> Operand:
        kind = "DOUBLE" if "." in text else "BIGINT"
        return Operand(f"CAST({text} AS {kind})", kind, constant=True)

    # Functions

    def _function(self, name: str) -> str:
        self._at += 2
        arguments = [self._operand_or_type()]
        while self._take(","):
            arguments.append(self._operand_or_type())
        self._expect(")")
        wanted = {"ismissing": 1, "isvalid": 2, "isbetween": 3}.get(name.lower(), 2)
        if name.lower() not in _FUNCTIONS:
            known = "contains, startsWith, endsWith, matches, isBetween, isMissing, isValid"
            self._step.fail(f"unknown function {name!r} in {self._text!r}. There are {known}.")
        if len(arguments) != wanted:
            self._step.fail(f"{name} in {self._text!r} takes {wanted} argument(s).")
        return self._call(name.lower(), arguments)

    def _operand_or_type(self) -> Operand:
        kind, text = self._peek()
        if kind == "word" and text.lower() in TYPES and text not in self._table.columns:
            self._at += 1
            return Operand(text.lower(), "type", constant=True)
        return self._operand()

    def _call(self, name: str, arguments: list[Operand]) -> str:
        first = arguments[0]
        if name == "ismissing":
            return missing(first.sql, first.kind)
        if name == "isbetween":
            low, high = arguments[1], arguments[2]
            return f"({self._compare(first, '>=', low)} AND {self._compare(first, '<=', high)})"
        if name == "isvalid":
            if arguments[1].kind != "type":
                self._step.fail(f"isValid in {self._text!r} needs a type such as integer.")
            target = TYPES[arguments[1].sql]
            if not is_text(first.kind):
                return f"({first.sql} IS NOT NULL)"
            return f"({cast(first.sql, first.kind, target)} IS NOT NULL)"
        text = to_text(first.sql, first.kind)
        wanted = to_text(arguments[1].sql, arguments[1].kind)
        if name == "matches" and arguments[1].constant:
            unsupported = unsupported_regex(arguments[1].sql)
            if unsupported:
                self._step.fail(f"matches uses {unsupported}, which localaws does not have.")
        return f"{_FUNCTIONS[name]}({text}, {wanted})"


_FUNCTIONS = {
    "contains": "contains",
    "startswith": "starts_with",
    "endswith": "ends_with",
    "matches": "regexp_matches",
    "isbetween": "",
    "ismissing": "",
    "isvalid": "",
}

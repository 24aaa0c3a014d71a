"""CheckExpressions of data quality rules, as SQL over a sample.

https://docs.aws.amazon.com/databrew/latest/dg/profile.data-quality-available-checks.html. Columns
and literals stand in the rule's SubstitutionMap: in back-ticks a column, else a literal.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from localaws.databrew.recipe import moments
from localaws.databrew.recipe.conditions import comparable
from localaws.databrew.recipe.sql import (
    ident,
    is_number,
    is_text,
    literal,
    missing,
    to_double,
    to_text,
)

COMPARISONS = ("==", "!=", "<=", ">=", "<", ">")
WORDS = ("STARTS_WITH", "ENDS_WITH", "CONTAINS", "MATCHES")
_FUNCTIONS = {
    "STARTS_WITH": "starts_with",
    "ENDS_WITH": "ends_with",
    "CONTAINS": "contains",
    "MATCHES": "regexp_full_match",
}
_TOKEN = re.compile(r"\s*(:[A-Za-z0-9_]+|[A-Za-z_]\w*|\d+(?:\.\d+)?|==|!=|<=|>=|[<>(),])")
_VALUES = {
    "MIN": "min({v})",
    "MAX": "max({v})",
    "MEDIAN": "median({n})",
    "MEAN": "avg({n})",
    "MODE": "mode({v})",
    "STANDARD_DEVIATION": "stddev_samp({n})",
    "SUM": "sum({n})",
    "KURTOSIS": moments.KURTOSIS,
    "SKEWNESS": moments.SKEWNESS,
    "VARIANCE": "var_samp({n})",
    "MEDIAN_ABSOLUTE_DEVIATION": "mad({n})",
}
_DATASET = ("ROWS_COUNT", "COLUMNS_COUNT", "DUPLICATE_ROWS_COUNT", "DUPLICATE_ROWS_PERCENTAGE")
_COUNTED = ("MISSING_VALUES", "DUPLICATE_VALUES", "VALID_VALUES", "DISTINCT_VALUES",
            "UNIQUE_VALUES", "Z_SCORE_OUTLIERS")  # fmt: skip
STATISTICS = (
    *_DATASET,
    *(f"{name}_{unit}" for name in _COUNTED for unit in ("COUNT", "PERCENTAGE")),
    *(*_VALUES, "ENTROPY", "QUANTILE"),
)


class RuleError(Exception):
    """The expression is none, or names what is not there; the message says what."""


@dataclass(frozen=True)
class Check:
    """An expression as SQL: a condition of each row, or (`aggregate`) one of the whole sample."""

    sql: str
    aggregate: bool


@dataclass(frozen=True)
class _Operand:
    sql: str
    kind: str


def compile_check(
    expression: str,
    values: Mapping[str, str],
    table: str,
    columns: Mapping[str, str] | None,
    selected: str | None = None,
) -> Check:
    """The check over the view `table`; `selected` is the column of a rule with ColumnSelectors.

    `columns` None: they are not known yet, any name will do. Raises RuleError.
    """
    parser = _Parser(expression, values, table, columns, selected)
    sql = parser.either()
    parser.end()
    return Check(sql, parser.kinds == {"aggregate"})


class _Parser:
    def __init__(
        self,
        text: str,
        values: Mapping[str, str],
        table: str,
        columns: Mapping[str, str] | None,
        selected: str | None,
    ) -> None:
        self._text, self._values, self._table = text, values, table
        self._columns, self._selected = columns, selected
        self.kinds: set[str] = set()
        self._tokens: list[str] = []
        place = 0
        while text[place:].strip():
            found = _TOKEN.match(text, place)
            if found is None:
                raise RuleError(f"{text!r} cannot be read from {text[place:]!r} on.")
            self._tokens.append(found[1])
            place = found.end()
        self._at = 0

    def _peek(self, ahead: int = 0) -> str:
        place = self._at + ahead
        return self._tokens[place] if place < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        self._at += 1
        return token

    def _take(self, *words: str) -> bool:
        if self._peek().upper() in words:
            self._at += 1
            return True
        return False

    def _expect(self, word: str) -> None:
        if not self._take(word):
            raise RuleError(
                f"{self._text!r}: {word} expected before {self._peek() or 'the end'!r}."
            )

    def end(self) -> None:
        if self._peek():
            raise RuleError(f"{self._text!r} goes on with {self._peek()!r}.")
        if len(self.kinds) > 1:
            raise RuleError(f"{self._text!r} mixes checks of rows and of aggregates.")

    # Grammar

    def either(self) -> str:
        parts = [self._both()]
        while self._take("OR"):
            parts.append(self._both())
        return f"({' OR '.join(parts)})"

    def _both(self) -> str:
        parts = [self._primary()]
        while self._take("AND"):
            parts.append(self._primary())
        return f"({' AND '.join(parts)})"

    def _primary(self) -> str:
        if self._take("("):
            inner = self.either()
            self._expect(")")
            return inner
        return f"coalesce({self._check()}, false)"  # a null fails a check

    def _check(self) -> str:
        left = self._left()
        if self._peek() in COMPARISONS:
            operator = self._next()
            return self._compare(
                left, {"==": "=", "!=": "<>"}.get(operator, operator), self._next()
            )
        if self._take("IS_BETWEEN") or (self._take("IS") and self._take("BETWEEN")):
            low = self._next()
            self._expect("AND")
            high = self._next()
            return f"({self._compare(left, '>=', low)} AND {self._compare(left, '<=', high)})"
        negated = self._take("NOT")
        word = self._next().upper()
        if word == "IN":
            sql = self._in(left, self._next())
        elif word in WORDS:
            value = literal(self._literal(self._next()))
            sql = f"{_FUNCTIONS[word]}({to_text(left.sql, left.kind)}, {value})"
        else:
            raise RuleError(f"{self._text!r}: {word or 'the end'!r} is no comparison.")
        return f"(NOT {sql})" if negated else sql

    def _left(self) -> _Operand:
        word = self._peek().upper()
        if word == "AGG":
            return self._aggregate()
        self.kinds.add("row")
        if word == "LENGTH":
            self._at += 1
            self._expect("(")
            column = self._implied() if self._peek() == ")" else self._column(self._next())
            self._expect(")")
            return _Operand(f"length({to_text(column.sql, column.kind)})", "BIGINT")
        if word.startswith(":") and self._is_column(self._peek()):
            return self._column(self._next())
        return self._implied()

    def _implied(self) -> _Operand:
        if self._selected is None:
            raise RuleError(f"{self._text!r} names no column, so the rule needs ColumnSelectors.")
        return self._named(self._selected)

    def _value(self, name: str) -> str:
        if name not in self._values:
            raise RuleError(f"{self._text!r}: {name!r} is not in the SubstitutionMap.")
        return self._values[name]

    def _is_column(self, name: str) -> bool:
        return name.startswith(":") and self._value(name).startswith("`")

    def _column(self, name: str) -> _Operand:
        if not self._is_column(name):
            raise RuleError(f"{self._text!r}: {name!r} is no column; a column is in back-ticks.")
        return self._named(self._value(name).strip("`"))

    def _named(self, name: str) -> _Operand:
        if self._columns is None:
            return _Operand(ident(name), "VARCHAR")
        if name not in self._columns:
            raise RuleError(f"There is no column {name!r}. There are {', '.join(self._columns)}.")
        return _Operand(ident(name), self._columns[name])

    def _literal(self, token: str) -> str:
        return self._value(token) if token.startswith(":") else token

    def _compare(self, left: _Operand, operator: str, token: str) -> str:
        if not token:
            raise RuleError(f"{self._text!r}: a value expected before the end.")
        if self._is_column(token):
            right = self._column(token)
            if is_number(left.kind) and is_number(right.kind):
                a, b = to_double(left.sql, left.kind), to_double(right.sql, right.kind)
            elif left.kind == right.kind:
                a, b = left.sql, right.sql
            else:
                a, b = to_text(left.sql, left.kind), to_text(right.sql, right.kind)
            return f"{a} {operator} {b}"
        a, b = comparable(left.sql, left.kind, self._literal(token))
        return f"{a} {operator} {b}"

    def _in(self, left: _Operand, token: str) -> str:
        try:
            values = json.loads(self._literal(token))
        except json.JSONDecodeError:
            values = None
        if not isinstance(values, list) or not values:
            raise RuleError(f"{self._text!r}: {token!r} is no JSON list with values.")
        if is_number(left.kind):
            listed = ", ".join(to_double(literal(str(value)), "VARCHAR") for value in values)
            return f"{to_double(left.sql, left.kind)} IN ({listed})"
        listed = ", ".join(literal(str(value)) for value in values)
        return f"{to_text(left.sql, left.kind)} IN ({listed})"

    # Aggregates

    def _aggregate(self) -> _Operand:
        self._at += 1
        self.kinds.add("aggregate")
        self._expect("(")
        column = None
        if self._peek().startswith(":"):
            column = self._column(self._next())
            self._expect(",")
        name = self._next().upper()
        parameter = self._literal(self._next()) if self._take(",") else None
        self._expect(")")
        if name not in STATISTICS:
            raise RuleError(f"{self._text!r}: there is no statistic {name}.")
        if name in _DATASET:
            return _Operand(self._of_dataset(name), "DOUBLE")
        return _Operand(self._of_column(name, column or self._implied(), parameter), "DOUBLE")

    def _of_dataset(self, name: str) -> str:
        rows = f"(SELECT count(*) FROM {self._table})"
        if name == "ROWS_COUNT":
            return rows
        if name == "COLUMNS_COUNT":
            return str(len(self._columns or ()))
        repeated = f"({rows} - (SELECT count(*) FROM (SELECT DISTINCT * FROM {self._table})))"
        return _share(repeated, rows) if name.endswith("PERCENTAGE") else repeated

    def _of_column(self, name: str, column: _Operand, parameter: str | None) -> str:
        rows = f"(SELECT count(*) FROM {self._table})"
        absent = missing(column.sql, column.kind)
        filled = f"{self._table} WHERE NOT {absent}"
        value = f"length({column.sql})" if is_text(column.kind) else column.sql
        number = f"CAST({value} AS DOUBLE)"
        if name in _VALUES:
            return f"(SELECT {_VALUES[name].format(v=number, n=number, w='')} FROM {filled})"
        if name == "QUANTILE":
            if parameter not in ("0.25", "0.5", "0.75"):
                raise RuleError(f"{self._text!r}: QUANTILE is of 0.25, 0.5 or 0.75.")
            return f"(SELECT quantile_cont({number}, {parameter}) FROM {filled})"
        groups = f"(SELECT count(*) AS n FROM {filled} GROUP BY {column.sql})"
        if name == "ENTROPY":
            shares = f"(SELECT n / CAST(sum(n) OVER () AS DOUBLE) AS p FROM {groups})"
            return f"(SELECT abs(-sum(p * ln(p))) FROM {shares})"
        counted, _, unit = name.rpartition("_")
        if counted == "Z_SCORE_OUTLIERS":
            limit = to_double(literal(parameter or "3"), "VARCHAR")
            score = f"({number} - avg({number}) OVER ()) / nullif(stddev_samp({number}) OVER (), 0)"
            sql = (
                f"(SELECT count(*) FROM (SELECT {score} AS z FROM {filled}) WHERE abs(z) > {limit})"
            )
        else:
            sql = {
                "MISSING_VALUES": f"(SELECT count(*) FROM {self._table} WHERE {absent})",
                # Types are inferred so that every cell is one of its column's.
                "VALID_VALUES": f"(SELECT count(*) FROM {filled})",
                "DISTINCT_VALUES": f"(SELECT count(*) FROM {groups})",
                "UNIQUE_VALUES": f"(SELECT count(*) FROM {groups} WHERE n = 1)",
                "DUPLICATE_VALUES": f"(SELECT coalesce(sum(n - 1), 0) FROM {groups})",
            }[counted]
        return _share(sql, rows) if unit == "PERCENTAGE" else sql


def _share(part: str, whole: str) -> str:
    return f"(100.0 * {part} / nullif({whole}, 0))"

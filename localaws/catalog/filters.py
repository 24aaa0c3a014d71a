"""GetPartitions' Expression: a SQL condition over partition keys.

https://docs.aws.amazon.com/glue/latest/webapi/API_GetPartitions.html: the operators are `=`, `<>`,
`<`, `>`, `<=`, `>=`, AND, OR, NOT, IN, BETWEEN, LIKE and IS NULL; everything else is refused by
its text. The partition value `__HIVE_DEFAULT_PARTITION__` is NULL: a comparison with it is neither
true nor false.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from localaws import wildcards
from localaws.errors import AwsError
from localaws.shapes import Json
from localaws.tables.partitions import NULL_PARTITION

Truth = bool | None  # None is SQL's unknown
_NUMBERS = ("tinyint", "smallint", "int", "integer", "bigint", "long", "decimal", "float", "double")
_COMPARISONS: dict[type[exp.Expression], Callable[[Any, Any], bool]] = {
    exp.EQ: operator.eq,
    exp.NEQ: operator.ne,
    exp.LT: operator.lt,
    exp.LTE: operator.le,
    exp.GT: operator.gt,
    exp.GTE: operator.ge,
}


def matching(partitions: list[Json], keys: list[Json], expression: str) -> list[Json]:
    """The partitions whose values satisfy the expression; all of them when it is empty.

    Raises InvalidInputException for what does not parse or names no partition key.
    """
    if not expression.strip():
        return partitions
    try:
        tree = sqlglot.parse_one(expression, read="hive")
    except SqlglotError as error:
        raise _unsupported(expression, str(error)) from None
    types = {key["Name"].lower(): key.get("Type", "string").lower() for key in keys}
    return [
        partition
        for partition in partitions
        if _Row(types, dict(zip(types, partition["Values"], strict=True))).truth(tree)
    ]


@dataclass(frozen=True)
class _Row:
    """One partition: its keys' types and values."""

    types: dict[str, str]
    values: dict[str, str]

    def truth(self, node: Any) -> Truth:
        test = _TESTS.get(type(node))
        if test is None:
            raise _unsupported(node.sql())
        taken, holds = test
        ignored = sorted(key for key, value in node.args.items() if value and key not in taken)
        if ignored:
            raise _unsupported(node.sql(), f"{', '.join(ignored)} of {type(node).__name__}")
        return holds(self, node)

    def both(self, node: Any) -> Truth:
        sides = (self.truth(node.this), self.truth(node.expression))
        return False if False in sides else None if None in sides else True

    def either(self, node: Any) -> Truth:
        sides = (self.truth(node.this), self.truth(node.expression))
        return True if True in sides else None if None in sides else False

    def opposite(self, node: Any) -> Truth:
        return _not(self.truth(node.this))

    def is_null(self, node: Any) -> Truth:
        if not isinstance(node.expression, exp.Null):
            raise _unsupported(node.sql())
        return self.values[self._key(node.this)] == NULL_PARTITION

    def compare(self, node: Any) -> Truth:
        test, left, right = _COMPARISONS[type(node)], node.this, node.expression
        if isinstance(right, exp.Column) and not isinstance(left, exp.Column):
            key = self._key(right)
            sides = _typed(_literal(left), self.types[key]), self._value(key)
        else:
            key = self._key(left)
            sides = self._value(key), _typed(_literal(right), self.types[key])
        return None if None in sides else test(*sides)

    def among(self, node: Any) -> Truth:
        key = self._key(node.this)
        chosen = [_typed(_literal(item), self.types[key]) for item in node.expressions]
        value = self._value(key)
        return None if value is None else value in chosen

    def between(self, node: Any) -> Truth:
        key = self._key(node.this)
        low, high = (_typed(_literal(node.args[side]), self.types[key]) for side in ("low", "high"))
        value = self._value(key)
        return None if value is None else bool(low <= value <= high)

    def like(self, node: Any) -> Truth:
        """`%` is any text, `_` any letter, and everything else itself."""
        value, pattern = self.values[self._key(node.this)], _literal(node.expression)
        if value == NULL_PARTITION:
            return None
        pieces = [re.escape(piece).replace("_", ".") for piece in pattern.split("%")]
        found = re.fullmatch(wildcards.expression(pieces), value, re.DOTALL) is not None
        return _not(found) if node.args.get("negate") else found

    def _key(self, node: Any) -> str:
        if isinstance(node, exp.Column) and node.name.lower() in self.types:
            return node.name.lower()
        raise AwsError(
            "InvalidInputException",
            f"'{node.sql()}' is not a partition key; the table has "
            f"{', '.join(self.types) or 'none'}.",
        )

    def _value(self, key: str) -> Any:
        value = self.values[key]
        return None if value == NULL_PARTITION else _typed(value, self.types[key])


# A node's arguments that its test reads; any other is refused, for it would change the meaning.
_TESTS: dict[type[exp.Expression], tuple[tuple[str, ...], Callable[[_Row, Any], Truth]]] = {
    exp.Paren: (("this",), lambda row, node: row.truth(node.this)),
    exp.And: (("this", "expression"), _Row.both),
    exp.Or: (("this", "expression"), _Row.either),
    exp.Not: (("this",), _Row.opposite),
    exp.Is: (("this", "expression"), _Row.is_null),
    exp.In: (("this", "expressions"), _Row.among),
    exp.Between: (("this", "low", "high"), _Row.between),
    exp.Like: (("this", "expression", "negate"), _Row.like),
    **dict.fromkeys(_COMPARISONS, (("this", "expression"), _Row.compare)),
}


def _not(truth: Truth) -> Truth:
    return None if truth is None else not truth


def _literal(node: Any) -> str:
    if isinstance(node, exp.Neg):
        return "-" + _literal(node.this)
    if type(node) is exp.Cast and isinstance(node.this, exp.Literal):  # DATE '2020-01-01'
        return str(node.this.this)
    if isinstance(node, exp.Concat) and not node.args.get("safe"):  # 'it''s' in sqlglot's Hive
        return "'".join(_literal(part) for part in node.expressions)
    if isinstance(node, exp.Literal):
        return str(node.this)
    raise AwsError("InvalidInputException", f"'{node.sql()}' is not a literal.")


def _typed(value: str, kind: str) -> Any:
    try:
        if kind.partition("(")[0] in _NUMBERS:
            return Decimal(value)
        if kind == "date":
            return date.fromisoformat(value)
        if kind == "timestamp":
            return datetime.fromisoformat(value)
    except (ValueError, ArithmeticError):
        raise AwsError("InvalidInputException", f"'{value}' is not a {kind}.") from None
    return value


def _unsupported(expression: str, reason: str = "") -> AwsError:
    tail = f": {reason}" if reason else ""
    return AwsError("InvalidInputException", f"Unsupported expression '{expression}'{tail}")

"""GetPartitions' Expression: a SQL condition over partition keys.

https://docs.aws.amazon.com/glue/latest/webapi/API_GetPartitions.html
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from localaws.core.errors import AwsError

Json = dict[str, Any]
_NUMBERS = ("tinyint", "smallint", "int", "integer", "bigint", "long", "decimal", "float", "double")
_COMPARE: dict[type[exp.Expression], Callable[[Any, Any], bool]] = {
    exp.EQ: lambda a, b: a == b,
    exp.NEQ: lambda a, b: a != b,
    exp.LT: lambda a, b: a < b,
    exp.LTE: lambda a, b: a <= b,
    exp.GT: lambda a, b: a > b,
    exp.GTE: lambda a, b: a >= b,
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
        raise AwsError(
            "InvalidInputException", f"Unsupported expression '{expression}': {error}"
        ) from None
    types = {key["Name"].lower(): key.get("Type", "string").lower() for key in keys}
    names = list(types)
    return [
        partition
        for partition in partitions
        if _holds(tree, dict(zip(names, partition["Values"], strict=True)), types)
    ]


def _holds(node: Any, row: dict[str, str], types: dict[str, str]) -> bool:
    if isinstance(node, exp.Paren):
        return _holds(node.this, row, types)
    if isinstance(node, exp.And):
        return _holds(node.this, row, types) and _holds(node.expression, row, types)
    if isinstance(node, exp.Or):
        return _holds(node.this, row, types) or _holds(node.expression, row, types)
    if isinstance(node, exp.Not):
        return not _holds(node.this, row, types)
    if isinstance(node, exp.Is) and isinstance(node.expression, exp.Null):
        return row[_key(node.this, types)] == "__HIVE_DEFAULT_PARTITION__"
    if type(node) in _COMPARE:
        left, right, kind = _sides(node.this, node.expression, row, types)
        return _COMPARE[type(node)](_typed(left, kind), _typed(right, kind))
    if isinstance(node, exp.In):
        key = _key(node.this, types)
        value = _typed(row[key], types[key])
        return any(value == _typed(_text(item), types[key]) for item in node.expressions)
    if isinstance(node, exp.Between):
        key = _key(node.this, types)
        value = _typed(row[key], types[key])
        low, high = (_typed(_text(node.args[side]), types[key]) for side in ("low", "high"))
        return bool(low <= value <= high)
    if isinstance(node, exp.Like):
        key = _key(node.this, types)
        pattern = _text(node.expression).replace("%", "*").replace("_", "?")
        return fnmatch.fnmatchcase(row[key], pattern)
    raise AwsError("InvalidInputException", f"Unsupported expression '{node.sql()}'")


def _sides(
    left: Any, right: Any, row: dict[str, str], types: dict[str, str]
) -> tuple[str, str, str]:
    if isinstance(left, exp.Column):
        key = _key(left, types)
        return row[key], _text(right), types[key]
    key = _key(right, types)
    return _text(left), row[key], types[key]


def _key(node: Any, types: dict[str, str]) -> str:
    if isinstance(node, exp.Column) and node.name.lower() in types:
        return node.name.lower()
    raise AwsError(
        "InvalidInputException",
        f"'{node.sql()}' is not a partition key; the table has {', '.join(types) or 'none'}.",
    )


def _text(node: Any) -> str:
    if isinstance(node, exp.Neg):
        return "-" + _text(node.this)
    if isinstance(node, exp.Cast):  # DATE '2020-01-01'
        return _text(node.this)
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

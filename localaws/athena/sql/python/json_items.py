"""The items of SQL/JSON's path language: their kinds, arithmetic, order and methods."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from localaws.trino.errors import Fault

Items = list[Any]


def failed(message: str) -> Fault:
    return Fault(f"PATH_EVALUATION_ERROR: path evaluation failed: {message}")


def kind_of(item: Any) -> str:
    if item is None:
        return "NULL"
    for kind, label in ((bool, "boolean"), (str, "string"), (list, "ARRAY"), (dict, "OBJECT")):
        if isinstance(item, kind):
            return label
    return "NUMBER"


def wrong_type(expected: str, item: Any) -> Fault:
    return failed(f"invalid item type. Expected: {expected}, actual: {kind_of(item)}")


def members(item: Any) -> dict[str, Any]:
    if not isinstance(item, dict):
        raise wrong_type("OBJECT", item)
    return item


def number(item: Any) -> Any:
    if isinstance(item, bool) or not isinstance(item, int | float | Decimal):
        raise wrong_type("NUMBER", item)
    return item


def checked(value: Any) -> Any:
    if isinstance(value, int) and not -(1 << 63) <= value < 1 << 63:
        raise failed(f"bigint overflow: {value}")
    return value


def arithmetic(sign: str, left: Any, right: Any) -> Any:
    if isinstance(left, float) or isinstance(right, float):
        left, right = float(left), float(right)
    elif isinstance(left, Decimal) or isinstance(right, Decimal):
        left, right = Decimal(left), Decimal(right)
    if sign in "/%" and right == 0:
        raise failed("Division by zero")
    if sign in "+-*":
        return checked({"+": left + right, "-": left - right, "*": left * right}[sign])
    if isinstance(left, int):
        quotient = abs(left) // abs(right) * (-1 if (left < 0) != (right < 0) else 1)
        return checked(quotient if sign == "/" else left - quotient * right)
    if isinstance(left, Decimal):
        scale = max(-int(left.as_tuple().exponent), -int(right.as_tuple().exponent), 0)
        quotient = (left / right).quantize(Decimal(1).scaleb(-scale), rounding="ROUND_HALF_UP")
        return quotient if sign == "/" else left % right
    return left / right if sign == "/" else math.fmod(left, right)


def index(items: Items, side: str) -> int:
    if len(items) == 1 and items[0] is None:
        raise wrong_type("NUMBER", None)
    if len(items) != 1 or kind_of(items[0]) != "NUMBER":
        raise failed(f"array subscript '{side}' value must be singleton numeric")
    return int(items[0])


def below(item: Any, key: str) -> Iterator[Any]:
    if isinstance(item, dict):
        if key in item:
            yield item[key]
        for value in item.values():
            yield from below(value, key)
    elif isinstance(item, list):
        for value in item:
            yield from below(value, key)


def _double(item: Any) -> float:
    if isinstance(item, str):
        try:
            return float(item)
        except ValueError:
            raise failed(f"Cannot cast '{item}' to DOUBLE") from None
    return float(number(item))


def _rounded(function: Callable[[Any], int]) -> Callable[[Any], Any]:
    def apply(item: Any) -> Any:
        value = number(item)
        return value if isinstance(value, int) else type(value)(function(value))

    return apply


def _type(item: Any) -> str:
    return kind_of(item).lower()


METHODS: dict[str, Callable[[Any], Any]] = {
    "double": _double,
    "ceiling": _rounded(math.ceil),
    "floor": _rounded(math.floor),
    "abs": lambda item: checked(abs(number(item))),
    "type": _type,
}


def _pair(left: Any, right: Any) -> tuple[Any, Any] | None:
    """Two items that have an order."""
    kinds = {kind_of(left), kind_of(right)}
    if len(kinds) > 1 or kinds & {"ARRAY", "OBJECT", "NULL"}:
        return None
    if isinstance(left, float) or isinstance(right, float):
        return (float(left), float(right)) if kinds == {"NUMBER"} else (left, right)
    return left, right


def _equal(left: Any, right: Any) -> bool | None:
    if left is None or right is None:
        both = {kind_of(left), kind_of(right)}
        return None if both & {"ARRAY", "OBJECT"} else left is right
    pair = _pair(left, right)
    return None if pair is None else bool(pair[0] == pair[1])


def _ordered(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool | None]:
    def compare(left: Any, right: Any) -> bool | None:
        pair = _pair(left, right)
        return None if pair is None else test(*pair)

    return compare


def _unequal(left: Any, right: Any) -> bool | None:
    same = _equal(left, right)
    return None if same is None else not same


def starts(left: Any, right: Any) -> bool | None:
    if not isinstance(left, str) or not isinstance(right, str):
        return None
    return left.startswith(right)


COMPARED: dict[str, Callable[[Any, Any], bool | None]] = {
    **dict.fromkeys(("==", "="), _equal),
    **dict.fromkeys(("!=", "<>"), _unequal),
    "<": _ordered(lambda a, b: bool(a < b)),
    "<=": _ordered(lambda a, b: bool(a <= b)),
    ">": _ordered(lambda a, b: bool(a > b)),
    ">=": _ordered(lambda a, b: bool(a >= b)),
}

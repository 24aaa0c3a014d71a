"""JSON: canonical text, and the values of documents."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

from localaws.trino.errors import Fault, invalid
from localaws.trino.numbers import double_text

from .registry import python

ENTRIES = "STRUCT(k VARCHAR, v VARCHAR)[]"


class Number(str):
    """A number as it is written."""


def refuse(word: str) -> None:
    raise ValueError(word)


def load(document: str) -> Any:
    """The document with its numbers as they are written. Raises ValueError."""
    return json.loads(document, parse_int=Number, parse_float=Number, parse_constant=refuse)


def dump(value: Any, *, ordered: bool = True) -> str:
    """Text without blanks; keys in order, as json_parse leaves them."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return "[" + ",".join(dump(item, ordered=ordered) for item in value) + "]"
    if isinstance(value, dict):
        keys = sorted(value) if ordered else list(value)
        pairs = (
            f"{json.dumps(k, ensure_ascii=False)}:{dump(value[k], ordered=ordered)}" for k in keys
        )
        return "{" + ",".join(pairs) + "}"
    return "null" if value is None else "true" if value else "false"


def canonical(value: Any) -> Any:
    """Numbers with a fraction or an exponent as a double prints, as Trino keeps them."""
    if isinstance(value, Number):
        if re.fullmatch(r"-?\d+", value) or abs(float(value)) == float("inf"):
            return value
        return Number(double_text(float(value)))
    if isinstance(value, list):
        return [canonical(item) for item in value]
    if isinstance(value, dict):
        return {key: canonical(item) for key, item in value.items()}
    return value


def _value(document: str) -> Any:
    try:
        return load(document)
    except (ValueError, RecursionError):
        return _NONE


_NONE: Any = object()


@python("VARCHAR -> VARCHAR", name="trino_json_parse_text")
def json_parse(document: str) -> str:
    try:
        return dump(canonical(load(document)))
    except (ValueError, RecursionError):
        raise invalid(f"Cannot convert value to JSON: '{document}'") from None


def is_json(document: str) -> bool:
    return _value(document) is not _NONE


@python("VARCHAR, BIGINT -> VARCHAR")
def json_array_get(document: str, index: int) -> str | None:
    found = _value(document)
    if not isinstance(found, list) or not -len(found) <= index < len(found):
        return None
    item = found[index]
    if isinstance(item, str) and not isinstance(item, Number):
        raise Fault(
            "NOT_SUPPORTED: localaws does not emulate json_array_get of a text, which Trino leaves "
            "without quotes: use json_extract"
        )
    return None if item is None else dump(item, ordered=False)


@python("VARCHAR -> BIGINT")
def json_array_length(document: str) -> int | None:
    found = _value(document)
    return len(found) if isinstance(found, list) else None


@python("VARCHAR -> BOOLEAN")
def is_json_scalar(document: str) -> bool:
    found = _value(document)
    if found is _NONE:
        raise invalid(f"Invalid JSON value: {document}")
    return not isinstance(found, dict | list)


@python("VARCHAR, BOOLEAN -> BOOLEAN", name="trino_json_contains_boolean")
def contains_boolean(document: str, wanted: bool) -> bool | None:
    found = _value(document)
    return any(item is wanted for item in found) if isinstance(found, list) else None


@python("VARCHAR, VARCHAR -> BOOLEAN", name="trino_json_contains_text")
def contains_text(document: str, wanted: str) -> bool | None:
    found = _value(document)
    if not isinstance(found, list):
        return None
    return any(isinstance(i, str) and not isinstance(i, Number) and i == wanted for i in found)


@python("VARCHAR, BIGINT -> BOOLEAN", name="trino_json_contains_integer")
def contains_integer(document: str, wanted: int) -> bool | None:
    found = _value(document)
    if not isinstance(found, list):
        return None
    return any(
        isinstance(i, Number) and re.fullmatch(r"-?\d+", i) and int(i) == wanted for i in found
    )


@python("VARCHAR, DOUBLE -> BOOLEAN", name="trino_json_contains_double")
def contains_double(document: str, wanted: float) -> bool | None:
    found = _value(document)
    if not isinstance(found, list) or wanted != wanted:
        return None if not isinstance(found, list) else False
    return any(
        isinstance(i, Number) and not re.fullmatch(r"-?\d+", i) and float(i) == wanted
        for i in found
    )


# CAST(json AS ...)


def _cannot(document: str, kind: str) -> Fault:
    return Fault(f"INVALID_CAST_ARGUMENT: Cannot cast to {kind}. {document}")


@python("VARCHAR -> VARCHAR[]")
def json_items(document: str) -> list[str | None] | None:
    found = _value(document)
    if found is None:
        return None
    if not isinstance(found, list):
        raise _cannot(document, "array")
    return [None if item is None else dump(item, ordered=False) for item in found]


@python(f"VARCHAR -> {ENTRIES}")
def json_entries(document: str) -> list[dict[str, str | None]] | None:
    found = _value(document)
    if found is None:
        return None
    if not isinstance(found, dict):
        raise _cannot(document, "map")
    return [
        {"k": key, "v": None if item is None else dump(item, ordered=False)}
        for key, item in found.items()
    ]


@python("VARCHAR, VARCHAR[] -> VARCHAR[]")
def json_fields(document: str, names: list[str]) -> list[str | None] | None:
    """The fields of a row: of an array by place, of an object by name, whatever its case."""
    found = _value(document)
    if found is None:
        return None
    if isinstance(found, list):
        if len(found) != len(names):
            raise _cannot(document, "row")
        items = found
    elif isinstance(found, dict):
        lower = {key.lower(): item for key, item in found.items()}
        items = [found.get(name, lower.get(name.lower())) for name in names]
    else:
        raise _cannot(document, "row")
    return [None if item is None else dump(item, ordered=False) for item in items]


@python("VARCHAR -> VARCHAR")
def json_to_varchar(document: str) -> str | None:
    found = _value(document)
    if isinstance(found, dict | list):
        raise _cannot(document, "varchar")
    if found is None or found is _NONE:
        return None
    if isinstance(found, Number) and not re.fullmatch(r"-?\d+", found):
        return scientific(float(found))
    return str(found) if isinstance(found, str) else dump(found)


def scientific(number: float) -> str:
    """As CAST(double AS varchar)."""
    if abs(number) == float("inf"):
        return "Infinity" if number > 0 else "-Infinity"
    if number == 0:
        return "0E0" if str(number)[0] != "-" else "-0E0"
    digits = Decimal(repr(number)).as_tuple()
    written = "".join(map(str, digits.digits)).rstrip("0")
    power = len(digits.digits) + int(digits.exponent) - 1
    return f"{'-' if digits.sign else ''}{written[0]}.{written[1:] or '0'}E{power}"


@python("VARCHAR -> BOOLEAN")
def json_to_boolean(document: str) -> bool | None:
    found = _value(document)
    if found is None or isinstance(found, bool):
        return found
    if isinstance(found, Number):
        if abs(float(found)) == float("inf"):
            raise _cannot(document, "boolean")
        return float(found) != 0
    if isinstance(found, str) and found.lower() in ("true", "t", "1", "false", "f", "0"):
        return found.lower() in ("true", "t", "1")
    raise _cannot(document, "boolean")


@python("VARCHAR -> VARCHAR")
def json_to_double(document: str) -> str | None:
    """As text: DuckDB takes a NaN of Python for NULL."""
    return _to_number(document, "double", lambda written: repr(float(written)))


@python("VARCHAR -> VARCHAR")
def json_to_real(document: str) -> str | None:
    return _to_number(document, "real", lambda written: repr(float(written)))


def _whole(written: str) -> int:
    if re.fullmatch(r"[+-]?\d+", written):
        return int(written)
    return int(Decimal(float(written)).quantize(Decimal(1), rounding="ROUND_HALF_UP"))


@python("VARCHAR -> VARCHAR")
def json_to_integer(document: str) -> str | None:
    return _to_number(document, "bigint", lambda written: str(_whole(written)))


@python("VARCHAR -> VARCHAR")
def json_to_decimal(document: str) -> str | None:
    return _to_number(document, "decimal", lambda written: f"{Decimal(written):f}")


def _to_number(document: str, kind: str, read: Any) -> Any:
    found = _value(document)
    if found is None:
        return None
    if isinstance(found, bool):
        return read("1" if found else "0")
    if isinstance(found, str):
        if (
            kind == "bigint"
            and not isinstance(found, Number)
            and not re.fullmatch(r"[+-]?\d+", found)
        ):
            raise _cannot(document, kind)
        try:
            return read(found.strip() if kind in ("double", "real") else found)
        except (ValueError, ArithmeticError):
            raise _cannot(document, kind) from None
    raise _cannot(document, kind)

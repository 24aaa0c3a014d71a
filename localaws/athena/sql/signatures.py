"""Reads function signatures such as `array(T), T -> boolean` and fits arguments to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from localaws.trino import types as t
from localaws.trino.errors import not_emulated
from localaws.trino.types import Type
from localaws.trino.values import Value

from .casts import convert
from .equality import is_ordered, is_plain
from .plain_patterns import Plain

NUMBERS = (t.TINYINT, t.SMALLINT, t.INTEGER, t.BIGINT, t.REAL, t.DOUBLE)
_NAMES = {
    "boolean": t.BOOLEAN,
    "integer": t.INTEGER,
    "bigint": t.BIGINT,
    "double": t.DOUBLE,
    "real": t.REAL,
    "varchar": t.VARCHAR,
    "varbinary": t.VARBINARY,
    "json": t.JSON,
    "uuid": t.UUID,
    "date": t.DATE,
    "timestamp": t.TIMESTAMP,
    "tz": t.TIMESTAMP_TZ,
    "tinyint": t.TINYINT,
    "smallint": t.SMALLINT,
    "day": t.DAY_INTERVAL,
    "month": t.YEAR_INTERVAL,
    "text": t.VARCHAR,  # varchar or json
}
# The signature, the DuckDB text, and perhaps a quicker text for plain patterns.
Overloads = list[tuple[str, str] | tuple[str, str, Plain]]


@dataclass(frozen=True)
class Pattern:
    """One argument of a signature: a named type, a type variable (one capital letter), or an array,
    map of patterns. N stands for any number, D for any decimal, C for any char, S for any varchar,
    W for any timestamp, E and K for what DuckDB compares as Trino does, O for what it orders so.
    `many`: it repeats (`T...`). A result may be `decimal(38,0)`."""

    name: str
    items: tuple[Pattern, ...] = ()
    many: bool = False


@dataclass(frozen=True)
class Signature:
    arguments: tuple[Pattern, ...]
    result: Pattern


@cache
def read(text: str) -> Signature:
    before, _, after = text.rpartition("->")
    return Signature(tuple(_patterns(before.strip())), _patterns(after.strip())[0])


def _patterns(text: str) -> list[Pattern]:
    parts, depth, start = [], 0, 0
    for at, letter in enumerate(text + ","):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            parts.append(text[start:at].strip())
            start = at + 1
    return [_pattern(part) for part in parts if part]


def _pattern(text: str) -> Pattern:
    many = text.endswith("...")
    text = text.removesuffix("...")
    name, _, inside = text.partition("(")
    items = tuple(_patterns(inside[:-1])) if inside else ()
    return Pattern(name, items, many)


def fit(signature: Signature, arguments: Sequence[Value]) -> tuple[list[Value], Type] | None:
    """The arguments converted to what the signature asks for and the result's type, or None."""
    patterns = list(signature.arguments)
    if patterns and patterns[-1].many:
        if len(arguments) < len(patterns):
            return None
        patterns += [patterns[-1]] * (len(arguments) - len(patterns))
    if len(patterns) != len(arguments):
        return None
    bound: dict[str, Type] = {}
    for pattern, argument in zip(patterns, arguments, strict=True):
        if not _match(pattern, argument.type, bound):
            return None
    wanted = [_resolve(pattern, bound) for pattern in patterns]
    for variable, accepts in (("E", is_plain), ("K", is_plain), ("O", is_ordered)):
        if variable in bound and not accepts(bound[variable]):
            raise not_emulated(f"a function that compares values of type {bound[variable]}")
    converted = []
    for pattern, kind, argument in zip(patterns, wanted, arguments, strict=True):
        value = _fitted(pattern, kind, argument)
        if value is None:
            return None
        converted.append(value)
    return converted, _resolve(signature.result, bound)


def _fitted(pattern: Pattern, kind: Type, argument: Value) -> Value | None:
    if _is_free(pattern) and argument.type.name == kind.name and not kind.items:
        return argument
    if pattern.name == "text" and argument.type == t.JSON:
        return Value(f"CAST({argument.sql} AS VARCHAR)", t.VARCHAR)
    if pattern.name == "varchar" and argument.type.name == "char":
        return convert(argument, t.VARCHAR)
    return convert(argument, kind) if t.converts(argument.type, kind) else None


def _is_free(pattern: Pattern) -> bool:
    return pattern.name == "D"


def _match(pattern: Pattern, given: Type, bound: dict[str, Type]) -> bool:
    if len(pattern.name) == 1:
        if pattern.name == "N" and not (t.is_number(given) or given == t.UNKNOWN):
            return False
        if pattern.name == "D" and given.name != "decimal":
            return False
        if pattern.name == "C" and given.name != "char":
            return False
        if pattern.name == "S" and given.name != "varchar":
            return False
        if pattern.name == "W" and given.name != "timestamp":
            return False
        known = bound.get(pattern.name)
        both = given if known is None or pattern.name == "D" else t.common(known, given)
        if both is None:
            return False
        bound[pattern.name] = both
        return True
    if pattern.items:
        if given == t.UNKNOWN:
            return all(_match(item, t.UNKNOWN, bound) for item in pattern.items)
        return given.name == pattern.name and all(
            _match(item, inside, bound)
            for item, inside in zip(pattern.items, given.items, strict=True)
        )
    if pattern.name == "text" and given == t.JSON:
        return True
    if pattern.name == "varchar" and given.name == "char":
        return True
    return (
        t.converts(given, _resolve(pattern, bound))
        or (pattern.name == "timestamp" and given.name == "timestamp")
        or (pattern.name == "tz" and given.name == "timestamp with time zone")
    )


def _resolve(pattern: Pattern, bound: dict[str, Type]) -> Type:
    if len(pattern.name) == 1:
        return bound.get(pattern.name, t.UNKNOWN)
    if pattern.name == "decimal":
        return t.decimal(*(int(item.name) for item in pattern.items))
    if pattern.items:
        items = [_resolve(item, bound) for item in pattern.items]
        return t.row(items) if pattern.name == "row" else Type(pattern.name, items=tuple(items))
    return _NAMES[pattern.name]

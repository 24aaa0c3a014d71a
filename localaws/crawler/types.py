"""Hive types of what a crawl finds, and the type that holds several of them.

A type is a name, or an array's or a struct's parts; None is that of nothing but nulls. The rules of
merging are not published by AWS; these are what its tables show: numbers widen, structs have the
fields of all, and what fits nothing else is a string.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Array:
    item: Kind


@dataclass(frozen=True)
class Struct:
    fields: tuple[tuple[str, Kind], ...]


Kind = str | Array | Struct | None
_WIDENING = (("tinyint", "smallint", "int", "bigint", "double"), ("float", "double"))


def merged(first: Kind, second: Kind) -> Kind:
    """The type that holds both."""
    if first is None or second is None or first == second:
        return second if first is None else first
    if isinstance(first, Array) and isinstance(second, Array):
        return Array(merged(first.item, second.item))
    if isinstance(first, Struct) and isinstance(second, Struct):
        fields = dict(first.fields)
        for name, kind in second.fields:
            fields[name] = merged(fields.get(name), kind)
        return Struct(tuple(fields.items()))
    for order in _WIDENING:
        if first in order and second in order:
            return max(first, second, key=order.index)
    return "string"


def all_merged(kinds: Iterable[Kind]) -> Kind:
    found: Kind = None
    for kind in kinds:
        found = merged(found, kind)
    return found


def written(kind: Kind) -> str:
    """As the catalog has it; what is only null is a string, and so is an object without keys."""
    if isinstance(kind, Array):
        return f"array<{written(kind.item)}>"
    if isinstance(kind, Struct):
        fields = ",".join(f"{name}:{written(inside)}" for name, inside in kind.fields)
        return f"struct<{fields}>" if fields else "string"
    return kind or "string"


def parsed(text: str) -> Kind:
    """The type that was written; of other nested types (map) the text itself."""
    kind, rest = _parse(text)
    return text if rest else kind


def _parse(text: str) -> tuple[Kind, str]:
    if text.startswith("array<"):
        item, rest = _parse(text.removeprefix("array<"))
        return Array(item), rest.removeprefix(">")
    if text.startswith("struct<"):
        rest, fields = text.removeprefix("struct<"), []
        while rest and not rest.startswith(">"):
            name, _, rest = rest.removeprefix(",").partition(":")
            inside, rest = _parse(rest)
            fields.append((name, inside))
        return Struct(tuple(fields)), rest.removeprefix(">")
    depth = 0
    for place, letter in enumerate(text):
        depth += (letter in "<(") - (letter in ">)")
        if depth < 0 or (depth == 0 and letter == ","):
            return text[:place], text[place:]
    return text, ""


def merge_types(first: str | None, second: str | None) -> str:
    """The written type that holds both."""
    kinds = (None if text is None else parsed(text) for text in (first, second))
    return written(all_merged(kinds))


def alike(first: str, second: str) -> bool:
    """Whether one type holds both without being text for it."""
    return first == second or merge_types(first, second) != "string"

"""JSON_EXISTS, JSON_VALUE, JSON_QUERY, JSON_OBJECT, JSON_ARRAY and JSON_TABLE.

https://trino.io/docs/current/functions/json.html
"""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from localaws.trino.errors import Fault, invalid
from localaws.trino.numbers import double_text

from .json_items import Items
from .json_paths import Place, path
from .json_values import Number, dump, load
from .registry import python

PASSED = "VARCHAR[], VARCHAR[]"  # names, each after `=` (read as JSON) or `:` (is JSON), and values


def _read(document: str) -> Any:
    try:
        return json.loads(document, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise Fault("JSON_INPUT_CONVERSION_ERROR: conversion to JSON failed: ") from None


def _no_number(word: str) -> None:
    raise ValueError(word)


def _found(document: str, written: str, names: list[str], values: list[str | None]) -> Items:
    root = _read(document)
    return path(written).evaluate(Place([root], _given(names, values)))


def _given(names: list[str], values: list[str | None]) -> dict[str, Items]:
    given: dict[str, Items] = {}
    for name, value in zip(names, values, strict=True):
        if value is None:
            given[name[1:]] = [] if name[0] == "=" else [None]
        else:
            given[name[1:]] = [_read(value)]
    return given


def _shown(item: Any) -> Any:
    """The item with its numbers as they are printed."""
    if isinstance(item, bool) or item is None or isinstance(item, str):
        return item
    if isinstance(item, float):
        return Number(double_text(item))
    if isinstance(item, int | Decimal):
        return Number(f"{item:f}" if isinstance(item, Decimal) else item)
    if isinstance(item, list):
        return [_shown(inside) for inside in item]
    return {key: _shown(inside) for key, inside in item.items()}


def _text(item: Any) -> str:
    return dump(_shown(item), ordered=False)


@python(f"VARCHAR, VARCHAR, {PASSED}, VARCHAR -> BOOLEAN", name="trino_sql_json_exists")
def json_exists(
    document: str, written: str, names: list[str], values: list[str | None], on_error: str
) -> bool | None:
    try:
        return bool(_found(document, written, names, values))
    except Fault:
        if on_error == "ERROR":
            raise
        return {"TRUE": True, "FALSE": False}.get(on_error)


@python(f"VARCHAR, VARCHAR, {PASSED}, BOOLEAN -> VARCHAR", name="trino_sql_json_value")
def json_value(
    document: str, written: str, names: list[str], values: list[str | None], strict: bool
) -> str:
    """`=` and the scalar as JSON, `empty`, or `error` (with `strict` errors are raised)."""
    return _value(lambda: _found(document, written, names, values), strict)


def _value(find: Callable[[], Items], strict: bool) -> str:
    try:
        items = find()
        if not items:
            return "empty"
        if len(items) > 1:
            raise _no_value("JSON path found multiple items")
        if isinstance(items[0], list | dict):
            raise _no_value("JSON path found an item that cannot be converted to an SQL value")
        return "=" + _text(items[0])
    except Fault:
        if strict:
            raise
        return "error"


def _no_value(message: str) -> Fault:
    return Fault(f"JSON_VALUE_RESULT_ERROR: cannot extract SQL scalar from JSON: {message}")


@python("VARCHAR -> NULL", name="trino_sql_json_empty")
def empty(found: str) -> None:
    """The failure of JSON_VALUE with ERROR ON EMPTY."""
    raise _no_value("JSON path found no items")


@python(
    f"VARCHAR, VARCHAR, {PASSED}, VARCHAR, BOOLEAN, VARCHAR, VARCHAR -> VARCHAR",
    name="trino_sql_json_query",
)
def json_query(
    document: str, written: str, names: list[str], values: list[str | None], wrapper: str,
    omit_quotes: bool, on_empty: str, on_error: str,
) -> str | None:  # fmt: skip
    return _query(
        lambda: _found(document, written, names, values), wrapper, omit_quotes, on_empty, on_error
    )


def _query(
    find: Callable[[], Items], wrapper: str, omit_quotes: bool, on_empty: str, on_error: str
) -> str | None:
    try:
        items = find()
        if items:
            return _one(items, wrapper, omit_quotes)
        if on_empty == "ERROR":
            raise _no_output("JSON path found no items")
    except Fault:
        if on_error == "ERROR" or on_empty == "ERROR":
            raise
        return _EMPTY.get(on_error)
    return _EMPTY.get(on_empty)


_EMPTY = {"EMPTY ARRAY": "[]", "EMPTY OBJECT": "{}"}


def _no_output(message: str) -> Fault:
    return Fault(f"JSON_OUTPUT_CONVERSION_ERROR: conversion from JSON failed: {message}")


def _one(items: Items, wrapper: str, omit_quotes: bool) -> str:
    single = len(items) == 1
    nested = single and isinstance(items[0], list | dict)
    if wrapper == "YES" or (wrapper == "CONDITIONAL" and not nested):
        return _text(items)
    if not single:
        raise _no_output("JSON path found multiple items")
    if omit_quotes and isinstance(items[0], str):
        return items[0]
    return _text(items[0])


@python("VARCHAR -> VARCHAR", name="trino_sql_json_read")
def read(document: str) -> str:
    """A text with FORMAT JSON, as JSON."""
    return _text(_read(document))


@python("VARCHAR[], VARCHAR[], BOOLEAN, BOOLEAN -> VARCHAR", name="trino_sql_json_object")
def json_object(
    keys: list[str | None], values: list[str | None], absent: bool, unique: bool
) -> str:
    members: dict[str, Any] = {}
    for key, value in zip(keys, values, strict=True):
        if key is None:
            raise invalid("null value passed for JSON object key to JSON_OBJECT function")
        if value is None and absent:
            continue
        if key in members:
            if unique:
                raise invalid("duplicate key passed to JSON_OBJECT function")
            raise Fault("NOT_SUPPORTED: cannot construct a JSON object with duplicate key")
        members[key] = None if value is None else load(value)
    return dump({key: members[key] for key in _hashed(members)}, ordered=False)


def _hashed(keys: dict[str, Any]) -> list[str]:
    """The keys in the order of the Java HashMap in which Trino collects them."""
    size = 16
    while len(keys) > size * 3 // 4:
        size *= 2
    return sorted(keys, key=lambda key: _java_hash(key) & (size - 1))


def _java_hash(text: str) -> int:
    value = 0
    units = text.encode("utf-16-be")
    for high, low in zip(units[::2], units[1::2], strict=True):
        value = (31 * value + (high << 8 | low)) & 0xFFFFFFFF
    return value ^ (value >> 16)


@python("VARCHAR[], BOOLEAN -> VARCHAR", name="trino_sql_json_array")
def json_array(values: list[str | None], absent: bool) -> str:
    kept = ["null" if value is None else value for value in values if value or not absent]
    return "[" + ",".join(kept) + "]"


# JSON_TABLE


@python(
    "VARCHAR, VARCHAR, VARCHAR[], VARCHAR[], BOOLEAN -> VARCHAR[][]", name="trino_sql_json_table"
)
def json_table(
    document: str, spec: str, names: list[str], values: list[str | None], strict: bool
) -> list[list[str | None]]:
    """The rows; a value as `json_value` tells it, what no path reached as None. The shape of
    `spec`: json_tables.py."""
    root = json.loads(spec)
    try:
        top = _read(document)
        table = _Table(root, _given(names, values))
        return [table.row(cells) for cells in table.rows(root["plan"], top)]
    except Fault:
        if strict:
            raise
        return []


Cells = dict[int, str | None]


class _Table:
    def __init__(self, root: Any, given: dict[str, Items]) -> None:
        self.given = given
        self.paths: dict[str, Any] = {}
        self._collect(root)
        self.width = sum(len(one["columns"]) for one in self.paths.values())

    def _collect(self, spec: Any) -> None:
        self.paths[spec["name"]] = spec
        for nested in spec["nested"]:
            self._collect(nested)

    def row(self, cells: Cells) -> list[str | None]:
        return [cells.get(place) for place in range(self.width)]

    def rows(self, plan: Any, item: Any) -> list[Cells]:
        """What a plan makes of the item that its paths begin at."""
        if isinstance(plan, str):
            return [cells for cells, _ in self._own(plan, item)]
        kind, left, right = plan
        if kind == "UNION":
            return self.rows(left, item) + self.rows(right, item)
        if kind == "CROSS":
            others = self.rows(right, item)
            return [{**a, **b} for a in self.rows(left, item) for b in others]
        found: list[Cells] = []
        for cells, inside in self._own(left, item):
            below = self.rows(right, inside)
            if not below and kind == "OUTER":
                below = [{}]
            found += [{**cells, **more} for more in below]
        return found

    def _own(self, name: str, item: Any) -> list[tuple[Cells, Any]]:
        spec = self.paths[name]
        place = Place([item], self.given)
        return [
            ({c["at"]: self._cell(c, inside, number) for c in spec["columns"]}, inside)
            for number, inside in enumerate(path(spec["path"]).evaluate(place), 1)
        ]

    def _cell(self, column: Any, item: Any, number: int) -> str | None:
        if column["kind"] == "ordinality":
            return str(number)

        def found() -> Items:
            return path(column["path"]).evaluate(Place([item], self.given))

        if column["kind"] == "value":
            return _value(found, column["strict"])
        return _query(found, column["wrapper"], column["omit"], column["empty"], column["error"])

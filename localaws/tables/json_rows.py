"""JSON lines as columns: keys whatever their case, and values as the JSON SerDes read them.

https://docs.aws.amazon.com/athena/latest/ug/openx-json-serde.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from localaws.tables.cells import EACH_ROW, cell, checked
from localaws.tables.storage import Storage
from localaws.trino import types as t
from localaws.trino.types import Type
from localaws.trino.values import name, text

_NUMBERS = (*t.INTEGERS, "real", "double")
_NEVER_WRONG = ("varchar", "char", "varbinary", "boolean", "decimal")
Query = Callable[[str], list[tuple[Any, ...]]]
_NO_OBJECT = "HIVE_CURSOR_ERROR: Row is not a valid JSON Object"
_OBJECT = "ltrim(line, ' \t') LIKE '{%'"
_TWICE = "NOT_SUPPORTED: localaws does not emulate a key that is twice in an object: "
_BEGINS = "regexp_matches(line, '^\\s*[{\\[]')"


@dataclass(frozen=True)
class _Keys:
    """The spellings of the keys at one level, and the levels below each of them."""

    below: dict[str, _Keys]

    @classmethod
    def of(cls, structures: Iterable[Any]) -> _Keys:
        """The keys of what DuckDB's json_structure tells; arrays are looked into."""
        members: dict[str, list[Any]] = {}
        for structure in structures:
            while isinstance(structure, list) and structure:
                structure = structure[0]
            if isinstance(structure, dict):
                for key, inside in structure.items():
                    members.setdefault(key, []).append(inside)
        return cls({key: cls.of(inside) for key, inside in members.items()})

    def within(self, spellings: Iterable[str]) -> _Keys:
        """The keys below any of the spellings, which need not be there."""
        there = [self.below[one] for one in spellings if one in self.below]
        return _Keys({k: v for level in there for k, v in level.below.items()})


class _Reads:
    """What is read of one JSON object, each key in a struct. DuckDB's structs do not tell `Id`
    from `id`, so that spellings of one name go to several structs: `s0`, `s1`, ..."""

    def __init__(self) -> None:
        self._shapes: list[dict[str, str]] = [{"$": "VARCHAR"}]  # DuckDB takes no empty shape

    def field(self, struct: str, key: str, shape: str) -> str:
        """SQL for the key's value in `struct`, of that shape: VARCHAR or JSON."""
        place = 0
        while key.lower() in (other.lower() for other in self._shape(place)):
            place += 1
        self._shape(place)[key] = shape
        return f"{struct}.s{place}.{name(key)}"

    def _shape(self, place: int) -> dict[str, str]:
        if place == len(self._shapes):
            self._shapes.append({})
        return self._shapes[place]

    def struct(self, source: str) -> str:
        """SQL that reads the structs from `source`, which is JSON."""
        parts = (
            f"'s{place}': json_transform({source}, {text(json.dumps(shape))})"
            for place, shape in enumerate(self._shapes)
        )
        return f"{{{', '.join(parts)}}}"


class JsonRows:
    """SQL for the columns of one kind of JSON file. `lines` is SQL that gives `line`."""

    def __init__(self, storage: Storage, table: str, query: Query) -> None:
        self.storage = storage
        self.table = table
        self._query = query

    def select(
        self,
        lines: str,
        columns: Sequence[tuple[str, Type]],
        read: set[str] | None,
        file: str,
    ) -> str:
        """Selects the columns and `file`; those that are not in `read` may be NULL."""
        wanted = [(label, kind) for label, kind in columns if read is None or label in read]
        keys = self._keys(lines, wanted)
        mapping = dict(self.storage.mapping)
        reads = _Reads()
        shown = []
        for label, kind in columns:
            if (label, kind) not in wanted:
                shown.append(f"CAST(NULL AS {t.duckdb(kind)}) AS {name(label)}")
                continue
            # A key that no line has is read like any other: of a constant NULL, DuckDB would see
            # that a condition is false without a look at the lines.
            wanted_key = mapping.get(label, label)
            found = self._spellings(keys, wanted_key) or [wanted_key]
            merged = self._one([reads.field("j", one, self._shape(kind)) for one in found], label)
            inside = keys.within(found)
            shown.append(f"{self._value(merged, kind, inside, label)} AS {name(label)}")
        return (
            f"SELECT {', '.join([*shown, name(file)])} FROM "
            f"(SELECT {self._parsed(reads)} AS j, {name(file)} "
            f"FROM ({lines}){self._checked_lines()}){EACH_ROW}"
        )

    def _parsed(self, reads: _Reads) -> str:
        """The line's object as structs; a line that begins as none is a row of NULLs."""
        valid = _BEGINS
        if self.storage.ignore_malformed:
            valid = f"{_BEGINS} AND json_valid(line) AND NOT coalesce({_repeats('line')}, false)"
        return f"CASE WHEN {valid} THEN {reads.struct('line')} END"

    def _checked_lines(self) -> str:
        """A condition that fails at a malformed line, whatever columns are read, or none.

        Of a key that is there twice DuckDB would take the first value. The OpenX SerDe takes no
        such line, and Hive's the last value, which is refused by name.
        """
        if self.storage.ignore_malformed:
            return ""
        broken = f"error('{_NO_OBJECT} - JSONException: ' || line)"
        wrong = f"{_BEGINS} AND NOT json_valid(line)"
        if self.storage.hive_json:
            wrong = f"NOT (json_valid(line) AND {_OBJECT})"
        return (
            f" WHERE CASE WHEN {wrong} THEN {broken} WHEN {_BEGINS} AND {_repeats('line')} "
            f"THEN {self._twice('line')} ELSE true END"
        )

    def _twice(self, sql: str) -> str:
        said = f"{_NO_OBJECT} - JSONException: Duplicate key in "
        if self.storage.hive_json or self.storage.ignore_malformed:
            said = _TWICE
        return f"error({text(said)} || CAST({sql} AS VARCHAR))"

    def _keys(self, lines: str, wanted: list[tuple[str, Type]]) -> _Keys:
        """The keys that are in the lines, in the spelling they have there."""
        if not wanted:
            return _Keys({})
        valid = f"FROM ({lines}) WHERE json_valid(line)"
        nested = any(_has_row(kind) for _, kind in wanted)
        if not nested:
            found = self._query(f"SELECT DISTINCT json_keys(line) {valid}")
            return _Keys({key: _Keys({}) for (keys,) in found for key in keys or []})
        found = self._query(f"SELECT DISTINCT json_structure(line) {valid}")
        return _Keys.of(json.loads(structure) for (structure,) in found)

    def _spellings(self, keys: _Keys, wanted: str) -> list[str]:
        return [key for key in keys.below if self._same(key) == self._same(wanted, key=False)]

    def _same(self, written: str, *, key: bool = True) -> str:
        if key and self.storage.dots_in_keys:
            written = written.replace(".", "_")
        return written.lower() if self.storage.case_insensitive else written

    def _one(self, values: list[str], label: str) -> str:
        """The value under any of several spellings; two of them in one row are refused."""
        if len(values) == 1:
            return values[0]
        count = " + ".join(f"CAST({value} IS NOT NULL AS INTEGER)" for value in values)
        double = f"error('{_NO_OBJECT} - JSONException: Duplicate key ' || {text(label)})"
        return f"CASE WHEN {count} > 1 THEN {double} ELSE coalesce({', '.join(values)}) END"

    def _value(self, sql: str, kind: Type, keys: _Keys, label: str) -> str:
        """`sql` is of the type's `_shape`."""
        if self.storage.hive_json:
            return self._as_hive(sql, kind, keys, label)
        return self._nested(sql, kind, keys, label) or self._checked(sql, kind, label)

    def _as_hive(self, sql: str, kind: Type, keys: _Keys, label: str) -> str:
        """What is of another JSON type is an error: a quoted number is none, and there is no list
        of one value without brackets. Any truth value but `true` is false; what is no decimal is
        NULL."""
        of = f"json_type({sql})"
        if kind.items:
            value = self._nested(sql, kind, keys, label)
            wrong = f"{of} NOT IN ('{'ARRAY' if kind.name == 'array' else 'OBJECT'}', 'NULL')"
        else:
            given = f"json_extract_string({sql}, '$')"
            value = cell(given, kind, "hive_json", label)
            if kind.name not in _NEVER_WRONG:
                value = checked(given, value, label)
            value = f"CASE WHEN {of} <> 'NULL' THEN {value} END"
            others = ", 'VARCHAR', 'BOOLEAN'" if kind.name in _NUMBERS else ""
            wrong = f"{of} IN ('OBJECT', 'ARRAY'{others})"
        start, end = text("HIVE_BAD_DATA: Error parsing field value "), text(f" for field {label}")
        fails = f"error({start} || CAST({sql} AS VARCHAR) || {end})"
        return f"CASE WHEN {wrong} THEN {fails} ELSE {value} END"

    def _nested(self, sql: str, kind: Type, keys: _Keys, label: str) -> str | None:
        """Of JSON; None for a plain type."""
        if kind.name == "array":
            inner, item = self._inner(kind.items[0], "e", keys, label)
            many = f"CASE WHEN json_type({sql}) = 'ARRAY' THEN {sql} ELSE json_array({sql}) END"
            shape = text(json.dumps([inner]))
            return (
                f"CASE WHEN {_there(sql)} THEN "
                f"list_transform(json_transform({many}, {shape}), lambda e: {item}) END"
            )
        if kind.name == "map":
            inner, item = self._inner(kind.items[1], "e.value", keys, label)
            key = self._checked("e.key", kind.items[0], label)
            shape = text(json.dumps(f"MAP(VARCHAR, {inner})"))
            return (
                f"CASE WHEN {_there(sql)} THEN map_from_entries(list_transform(map_entries("
                f"json_transform({sql}, {shape})), "
                f"lambda e: {{'key': {key}, 'value': {item}}})) END"
            )
        return self._row(sql, kind, keys, label) if kind.name == "row" else None

    def _inner(self, kind: Type, sql: str, keys: _Keys, label: str) -> tuple[str, str]:
        """(json_transform's type for an element, the element's value)."""
        return self._shape(kind), self._value(sql, kind, keys, label)

    def _shape(self, kind: Type) -> str:
        """What is read of a value: Hive's SerDe tells a quoted number from a number."""
        return "JSON" if kind.items or self.storage.hive_json else "VARCHAR"

    def _row(self, sql: str, kind: Type, keys: _Keys, label: str) -> str:
        fields, reads = [], _Reads()
        for number, item in enumerate(kind.items):
            field = t.field_name(kind, number)
            found = self._spellings(keys, field)
            if found:
                inside = keys.within(found)
                value = self._one(
                    [reads.field("s", one, self._shape(item)) for one in found], field
                )
                fields.append(f"{text(field)}: {self._value(value, item, inside, label)}")
            else:
                fields.append(f"{text(field)}: CAST(NULL AS {t.duckdb(item)})")
        struct = f"list_transform([{reads.struct(sql)}], lambda s: {{{', '.join(fields)}}})[1]"
        return (
            f"CASE WHEN {_there(sql)} THEN "
            f"CASE WHEN {_repeats(sql)} THEN {self._twice(sql)} ELSE {struct} END END"
        )

    def _checked(self, sql: str, kind: Type, label: str) -> str:
        value = cell(sql, kind, "hive_json" if self.storage.hive_json else "json", label)
        if kind.name in ("varchar", "char", "varbinary") or self.storage.null_for_invalid:
            return value
        return checked(sql, value, label)


def _there(sql: str) -> str:
    return f"json_type({sql}) <> 'NULL'"


def _repeats(sql: str) -> str:
    """Whether a key is twice in the object; NULL where it is none."""
    return f"len(json_keys({sql})) > len(list_distinct(json_keys({sql})))"


def _has_row(kind: Type) -> bool:
    return kind.name == "row" or any(_has_row(item) for item in kind.items)

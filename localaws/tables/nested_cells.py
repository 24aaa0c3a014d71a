"""Arrays, maps and structs in the text of LazySimpleSerDe: parts between delimiters, a delimiter
for each level.

https://docs.aws.amazon.com/athena/latest/ug/lazy-simple-serde.html; levels as in Trino,
io.trino.hive.formats: TextEncodingOptions, SimpleDeserializer.
"""

from __future__ import annotations

from localaws.tables.cells import cell
from localaws.tables.errors import TableError, not_emulated
from localaws.tables.storage import Storage
from localaws.trino import types as t
from localaws.trino.types import Type
from localaws.trino.values import text


def value_of(sql: str, kind: Type, storage: Storage, label: str) -> str:
    """The text `sql` as `kind`, nested or not. Raises TableError."""
    if not kind.items or storage.format != "text":
        return cell(sql, kind, storage.format, label)
    if storage.escape:
        raise not_emulated(f"ESCAPED BY beside nested types (column {label})")
    return _nested(sql, kind, storage, label, 0)


def _nested(sql: str, kind: Type, storage: Storage, label: str, level: int) -> str:
    if not kind.items:
        return cell(sql, kind, storage.format, label)
    parts = f"string_split({sql}, {_mark(storage, label, level)})"

    def inside(part: str, item: Type, deeper: int = 1) -> str:
        known = f"nullif({part}, {text(storage.null_text)})"
        return _nested(known, item, storage, label, level + deeper)

    if kind.name == "array":
        items = f"list_transform({parts}, lambda e: {inside('e', kind.items[0])})"
        return f"CASE WHEN {sql} = '' THEN CAST([] AS {t.duckdb(kind)}) ELSE {items} END"
    if kind.name == "row":
        fields = ", ".join(
            f"{text(t.field_name(kind, i))}: {inside(f'e[{i + 1}]', item)}"
            for i, item in enumerate(kind.items)
        )
        return (
            f"list_transform([{parts}], lambda e: CASE WHEN e IS NOT NULL THEN {{{fields}}} END)[1]"
        )
    mark = _mark(storage, label, level + 1)
    key = inside(f"split_part(e, {mark}, 1)", kind.items[0], 2)
    rest = f"CASE WHEN contains(e, {mark}) THEN substr(e, strpos(e, {mark}) + 1) END"
    entry = f"{{'k': {key}, 'v': {inside(f'({rest})', kind.items[1], 2)}}}"
    # The first of several entries with one key counts, and none without a key.
    entries = f"trino_map_of(list_transform({parts}, lambda e: {entry}))"
    return f"CASE WHEN {sql} = '' THEN CAST(MAP {{}} AS {t.duckdb(kind)}) ELSE {entries} END"


def _mark(storage: Storage, label: str, level: int) -> str:
    if level >= len(storage.nesting):
        raise TableError(
            "HIVE_INVALID_METADATA",
            f"column {label} is nested deeper than the {len(storage.nesting) + 1} levels that "
            "LazySimpleSerDe has delimiters for",
        )
    return text(storage.nesting[level])

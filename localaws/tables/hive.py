"""The one reader of a catalog table: a snapshot as a SELECT for DuckDB, in Hive's formats.

Whoever reads a table (Athena, DataBrew) reads it here, and so gets the same rows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from localaws.tables import parquet
from localaws.tables.cells import EACH_ROW, cell, checked
from localaws.tables.codecs import codec
from localaws.tables.errors import TableError
from localaws.tables.json_rows import JsonRows
from localaws.tables.nested_cells import value_of
from localaws.tables.partitions import NULL_PARTITION
from localaws.tables.rewritten import as_parquet
from localaws.tables.snapshot import Columns, DataFile, Partition, TableSnapshot
from localaws.tables.storage import Storage
from localaws.tables.text_files import FILE, LINE, quickly, rewrite
from localaws.trino import types as t
from localaws.trino.types import Type
from localaws.trino.values import name, text

Query = Callable[[str], list[tuple[Any, ...]]]
Typed = tuple[tuple[str, Type], ...]
# "$path" and its like: name and DuckDB type, in this order after the partition keys.
HIDDEN = (("$path", "VARCHAR"), ("$file_size", "BIGINT"), ("$file_modified_time", "TIMESTAMPTZ"))
# What a SerDe says of a cell that is no value of its column, where that is no NULL.
_WRONG = {
    "open_csv": "HIVE_BAD_DATA: Error parsing field value",
    "grok": "INVALID_FUNCTION_ARGUMENT: Error Parsing a column in the table: For input string:",
}
_NEVER = ("\x10\x11\x12", "\x13\x14\x15")  # for NULL, where a text has no way to say it


def relation(
    table: TableSnapshot,
    query: Query,
    folder: Path,
    read: set[str] | None = None,
    *,
    lenient: bool = False,
) -> str:
    """SELECT of the table's columns, its partition keys and, if `read` names one, of HIDDEN.

    Columns that are not in `read` may be NULL; None reads all. Cells that are no value of their
    column fail with HIVE_BAD_DATA where the SerDe has it so; with `lenient` they are NULL. `folder`
    takes what has to be rewritten first. Raises TableError.
    """
    columns = typed(table.columns, table.name)
    keys = typed(table.keys, table.name)
    filled = [partition for partition in table.partitions if partition.files]
    parts = [
        _Reader(table, storage, own, query, folder, lenient).select(columns, files, read)
        for (storage, own), files in _groups(filled).items()
    ]
    if not parts:
        empty = [f"CAST(NULL AS {t.duckdb(kind)}) AS {name(label)}" for label, kind in columns]
        parts = [f"SELECT {', '.join([*empty, f'NULL::VARCHAR AS {name(FILE)}'])} WHERE false"]
    hidden = bool((read or set()) & {label for label, _ in HIDDEN})
    values = [(label, kind, lenient) for label, kind in keys]
    return _with_partitions(" UNION ALL ".join(parts), columns, values, filled, hidden)


def scanned_bytes(table: TableSnapshot, read: set[str]) -> int:
    """The bytes that Athena counts: of Parquet the chunks of the columns, else whole files."""
    return sum(
        parquet.column_bytes(file, read) if partition.storage.format == "parquet" else file.bytes
        for partition in table.partitions
        for file in partition.files
    )


def typed(columns: Columns, table: str) -> Typed:
    """Raises TableError (HIVE_INVALID_METADATA) for a type that Athena does not know."""
    try:
        return tuple((label, t.from_hive(kind)) for label, kind in columns)
    except ValueError as error:
        raise TableError("HIVE_INVALID_METADATA", f"table {table}: {error}") from None


def partition_value(sql: str, label: str, kind: Type, *, lenient: bool = False) -> str:
    """The text of a partition value as a value of its key's type."""
    known = f"nullif({sql}, {text(NULL_PARTITION)})"
    value = cell(known, kind, "text", label)
    if kind.name == "varchar" or lenient:
        return value
    return checked(
        known, value, label, f"HIVE_INVALID_PARTITION_VALUE: Invalid {kind} partition value"
    )


def paths(files: Iterable[DataFile]) -> str:
    """The files as a list for DuckDB, which takes `*`, `?` and `[` in a path as patterns."""
    return "[" + ", ".join(text(re.sub(r"([*?\[])", r"[\1]", file.path)) for file in files) + "]"


def _groups(partitions: list[Partition]) -> dict[tuple[Storage, Columns], list[DataFile]]:
    found: dict[tuple[Storage, Columns], list[DataFile]] = {}
    for partition in partitions:
        key = partition.storage, partition.columns
        found.setdefault(key, []).extend(partition.files)
    return found


class _Reader:
    """Reads the files of partitions that have one storage and one list of columns."""

    def __init__(
        self,
        table: TableSnapshot,
        storage: Storage,
        own: Columns,
        query: Query,
        folder: Path,
        lenient: bool,
    ) -> None:
        self.table = table
        self.storage = replace(storage, null_for_invalid=True) if lenient else storage
        self.own = typed(own, table.name)
        self.query = query
        self.folder = folder

    def select(self, columns: Typed, files: list[DataFile], read: set[str] | None) -> str:
        """The table's columns and `$file`."""
        own = self._own_types(columns)
        sql = self._select(own, files, read)
        if own == columns:
            return sql
        shown = [
            f"CAST({name(label)} AS {t.duckdb(kind)}) AS {name(label)}" for label, kind in columns
        ]
        return f"SELECT {', '.join(shown)}, {name(FILE)} FROM ({sql})"

    def _own_types(self, columns: Typed) -> Typed:
        """The columns in the types that the partition declares, which must widen to the table's.

        https://docs.aws.amazon.com/athena/latest/ug/updates-and-partitions.html
        """
        by_name = (
            self.storage.format in ("parquet", "json", "orc", "avro")
            and not self.storage.by_position
        )
        named = dict(self.own)
        found = []
        for place, (label, kind) in enumerate(columns):
            if by_name:
                own = named.get(label, kind)
            else:
                own = self.own[place][1] if place < len(self.own) else kind
            if own != kind and not _widens(own, kind):
                raise TableError(
                    "HIVE_PARTITION_SCHEMA_MISMATCH",
                    "There is a mismatch between the table and partition schemas. The types are "
                    f"incompatible and cannot be coerced. The column '{label}' in table "
                    f"'{self.table.database}.{self.table.name}' is declared as type '{kind}', but "
                    f"a partition declared column '{label}' as type '{own}'.",
                )
            found.append((label, own))
        return tuple(found)

    def _select(self, columns: Typed, files: list[DataFile], read: set[str] | None) -> str:
        if self.storage.format == "parquet":
            return " UNION ALL ".join(
                parquet.select(columns, group, self.storage, FILE, paths(group))
                for group in parquet.shapes(files)
            )
        if self.storage.format in ("orc", "avro"):
            written = [as_parquet(file, self.storage, columns, self.folder) for file in files]
            return " UNION ALL ".join(
                parquet.select(columns, group, self.storage, None, paths(group))
                for group in parquet.shapes(written)
            )
        if self.storage.format == "json":
            rows = JsonRows(self.storage, self.table.name, self.query)
            return rows.select(self._lines(files), columns, read, FILE)
        return self._delimited(columns, files)

    def _lines(self, files: list[DataFile]) -> str:
        return self._texts([LINE], files, "delim='\x02', quote='', escape=''", _NEVER[0])

    def _delimited(self, columns: Typed, files: list[DataFile]) -> str:
        """OpenCSVSerDe, LazySimpleSerDe and the like: columns by their place in the line."""
        storage = self.storage
        quote = text(storage.quote) if storage.quote else "''"
        options = f"delim={text(storage.separator)}, quote={quote}, escape={quote}"
        null = _NEVER[storage.separator in _NEVER[0]]
        if storage.format == "text":
            null = storage.null_text
        source = self._texts([label for label, _ in columns], files, options, null)
        wrong = "" if storage.null_for_invalid else _WRONG.get(storage.format, "")
        shown, each = [], ""
        for label, kind in columns:
            value = value_of(name(label), kind, storage, label)
            if wrong and kind.name != "varchar":
                value, each = checked(name(label), value, label, wrong), EACH_ROW
            shown.append(f"{value} AS {name(label)}")
        return f"SELECT {', '.join(shown)}, {name(FILE)} FROM ({source}){each}"

    def _texts(self, labels: list[str], files: list[DataFile], options: str, null: str) -> str:
        """Every label as text; files that DuckDB would read otherwise are rewritten first."""
        quick: dict[str, list[DataFile]] = {}
        slow = []
        exact = (
            self.storage.format in ("regex", "grok")
            or self.storage.records
            or self.storage.last_takes_rest
            or (self.storage.format == "text" and self.storage.separator in null)
        )
        for file in files:
            if not exact and quickly(file, self.storage):
                quick.setdefault(codec(file.uri), []).append(file)
            else:
                slow.append(file)
        shape = ", ".join(f"{text(label)}: 'VARCHAR'" for label in labels)
        parts = [
            f"SELECT * FROM read_csv({paths(members)}, auto_detect=false, header=false, "
            f"skip={self.storage.header_lines}, columns={{{shape}}}, {options}, "
            f"nullstr={text(null)}, null_padding=true, strict_mode=false, "
            f"compression={text(kind)}, hive_partitioning=false, filename={text(FILE)})"
            for kind, members in quick.items()
        ]
        if slow:
            rewritten = rewrite(slow, self.storage, labels, self.folder)
            parts.append(f"SELECT * FROM read_parquet({text(str(rewritten))})")
        return " UNION ALL ".join(parts)


def _widens(own: Type, wanted: Type) -> bool:
    """Trino's HiveCoercionPolicy, of what needs no reading of text."""
    if t.is_integer(own) and (t.is_integer(wanted) or wanted.name == "varchar"):
        return wanted.name == "varchar" or t.common(own, wanted) == wanted
    numbers = ("real", "double", "decimal")
    if own.name in numbers and wanted.name in numbers:
        return True
    return own.name in ("varchar", "char") and wanted.name in ("varchar", "char")


def _with_partitions(
    reading: str,
    columns: Typed,
    keys: Sequence[tuple[str, Type, bool]],  # (name, type, lenient)
    parts: Sequence[Partition],
    hidden: bool,
) -> str:
    own = ", ".join(f"f.{name(label)}" for label, _ in columns)
    if not keys and not hidden:
        return f"SELECT {own} FROM ({reading}) AS f"
    if len(parts) <= 1 and not hidden:
        values = parts[0].values if parts else tuple(NULL_PARTITION for _ in keys)
        rest = ", ".join(
            f"{partition_value(text(value), key, kind, lenient=lenient)} AS {name(key)}"
            for value, (key, kind, lenient) in zip(values, keys, strict=True)
        )
        return f"SELECT {', '.join(filter(None, (own, rest)))} FROM ({reading}) AS f"
    rows = [
        "("
        + ", ".join(
            [
                text(file.path),
                *(text(value) for value in part.values),
                text(file.uri),
                str(file.bytes),
                f"to_timestamp({file.modified!r})",
            ]
        )
        + ")"
        for part in parts
        for file in part.files
    ]
    labels = ["file", *(f"v{i}" for i in range(len(keys))), "path", "size", "changed"]
    if not rows:
        rows = ["(" + ", ".join(["NULL"] * len(labels)) + ")"]
    more = [
        f"{partition_value(f'p.v{i}', key, kind, lenient=lenient)} AS {name(key)}"
        for i, (key, kind, lenient) in enumerate(keys)
    ]
    if hidden:
        more += [
            f"CAST(p.{column} AS {kind}) AS {name(label)}"
            for column, (label, kind) in zip(("path", "size", "changed"), HIDDEN, strict=True)
        ]
    return (
        f"SELECT {', '.join(filter(None, (own, *more)))} FROM ({reading}) AS f "
        f"JOIN (VALUES {', '.join(rows)}) AS p({', '.join(labels)}) ON f.{name(FILE)} = p.file"
    )

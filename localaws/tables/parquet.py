"""Parquet files: what their footers say, and SQL that reads them as the catalog's columns."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow.parquet as pq

from localaws.tables.cells import milliseconds
from localaws.tables.errors import TableError
from localaws.tables.snapshot import DataFile
from localaws.tables.storage import Storage
from localaws.trino import types as t
from localaws.trino.types import Type
from localaws.trino.values import name, text


@dataclass(frozen=True)
class Footer:
    """Columns as (name, kind of type), and the compressed bytes of each top-level column."""

    columns: tuple[tuple[str, str], ...]
    sizes: tuple[tuple[str, int], ...]


def footer(file: DataFile) -> Footer:
    """Raises TableError (HIVE_BAD_DATA) for a file that is no Parquet."""
    try:
        return _footer(file.version)
    except Exception as error:
        reason = str(error).replace(file.path, file.uri).splitlines()[0]
        raise TableError("HIVE_BAD_DATA", f"Not valid Parquet file: {file.uri} {reason}") from None


@functools.lru_cache(maxsize=8192)
def _footer(version: tuple[str, int, str, float]) -> Footer:
    with pq.ParquetFile(version[0]) as file:
        columns = tuple(
            (label, _category(str(kind)))
            for label, kind in zip(file.schema_arrow.names, file.schema_arrow.types, strict=True)
        )
        sizes: dict[str, int] = {}
        for group in range(file.metadata.num_row_groups):
            rows = file.metadata.row_group(group)
            for number in range(rows.num_columns):
                chunk = rows.column(number)
                top = chunk.path_in_schema.split(".")[0]
                sizes[top] = sizes.get(top, 0) + chunk.total_compressed_size
    return Footer(columns, tuple(sizes.items()))


def _category(arrow: str) -> str:
    for start, kind in (
        ("int", "integer"), ("uint", "integer"), ("decimal", "decimal"), ("timestamp", "timestamp"),
        ("date", "date"), ("list", "array"), ("large_list", "array"), ("map", "map"),
        ("struct", "row"), ("string", "varchar"), ("large_string", "varchar"), ("bool", "boolean"),
        ("float", "real"), ("halffloat", "real"), ("double", "double"), ("dictionary", "varchar"),
        ("binary", "varbinary"), ("large_binary", "varbinary"), ("fixed_size_binary", "varbinary"),
    ):  # fmt: skip
        if arrow.startswith(start):
            return kind
    return arrow


_READABLE = {
    ("real", "double"), ("integer", "decimal"), ("varbinary", "varchar"), ("varchar", "varbinary"),
    ("integer", "double"), ("integer", "real"), ("varchar", "char"), ("varbinary", "char"),
}  # fmt: skip


def select(
    columns: Sequence[tuple[str, Type]],
    files: Sequence[DataFile],
    storage: Storage,
    path_column: str | None,
    paths: str,
) -> str:
    """Columns by name, whatever its case, or by position; one that the files lack is NULL.

    `files` have one footer's columns (see `shapes`); `paths` is the list of them as SQL;
    `path_column` is a name for the file's path, or None where the last column tells it. Raises
    TableError (HIVE_BAD_DATA) for a column of a type that does not fit the catalog's.
    """
    stored = footer(files[0]).columns
    there = {label.lower(): (label, kind) for label, kind in stored}
    shown = []
    for place, (label, kind) in enumerate(columns):
        if storage.by_position:
            found = stored[place] if place < len(stored) else None
        else:
            found = there.get(label)
        if found is None:
            shown.append(f"CAST(NULL AS {t.duckdb(kind)}) AS {name(label)}")
            continue
        wanted = "integer" if t.is_integer(kind) else kind.name
        if found[1] != wanted and (found[1], wanted) not in _READABLE:
            raise TableError(
                "HIVE_BAD_DATA",
                f"Field {label}'s type {found[1].upper()} in {storage.format} file "
                f"{files[0].uri} is incompatible with type {kind} defined in table schema",
            )
        value = f"CAST({name(found[0])} AS {t.duckdb(kind)})"
        if kind.name == "timestamp":
            value = milliseconds(value)
        elif kind.name == "varchar" and kind.numbers:
            value = f"substr({value}, 1, {kind.numbers[0]})"
        shown.append(f"{value} AS {name(label)}")
    shown.append(name(path_column or stored[-1][0]))
    told = f", filename={text(path_column)}" if path_column else ""
    return f"SELECT {', '.join(shown)} FROM read_parquet({paths}, hive_partitioning=false{told})"


def shapes(files: Sequence[DataFile]) -> list[list[DataFile]]:
    """The files in groups of the same columns."""
    found: dict[tuple[tuple[str, str], ...], list[DataFile]] = {}
    for file in files:
        found.setdefault(footer(file).columns, []).append(file)
    return list(found.values())


def column_bytes(file: DataFile, read: set[str]) -> int:
    return sum(size for label, size in footer(file).sizes if label.lower() in read)

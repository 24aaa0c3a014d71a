"""A dataset as a DuckDB relation over the objects' own files.

CSV and JSON in S3 get their types by inference, as DataBrew does; tables of the Data Catalog have
the types that the catalog says, and are read as every service reads them (localaws.tables).
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localaws.databrew.recipe.sql import cast, ident, literal
from localaws.databrew.recipe.steps import Step
from localaws.databrew.source import InputError, Source
from localaws.tables import hive
from localaws.tables.codecs import codec
from localaws.tables.errors import TableError
from localaws.tables.snapshot import DataFile
from localaws.tables.storage import Storage
from localaws.tables.text_files import quickly

Query = Callable[[str], list[tuple[Any, ...]]]

SAMPLE_ROWS = 20_480
PLAIN = "hive_partitioning = false"  # a folder such as run=1 is no column of the data
_HEADER_BYTES = 1 << 20
_GZIP = b"\x1f\x8b"
# A column has the first of these types that every filled cell of the sample is written as; what
# Spark leaves as text (yes and no, 31.12.2020, integers beyond 64 bits) stays text.
_WRITTEN_AS = (
    ("BIGINT", r"\s*[+-]?\d{1,18}\s*"),
    ("DOUBLE", r"\s*[+-]?(\d{1,18}|\d*\.\d+|\d+\.|\d+(\.\d*)?[eE][+-]?\d+)\s*"),
    ("BOOLEAN", r"(?i)\s*(true|false)\s*"),
    ("DATE", r"\d{4}-\d{2}-\d{2}"),
    ("TIMESTAMP", r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?Z?"),
)


@dataclass(frozen=True)
class Relation:
    """A SELECT that gives the dataset's rows, and its columns with their DuckDB types."""

    sql: str
    columns: dict[str, str]


def raw_columns(steps: list[Step]) -> set[str]:
    """Columns in which a step asks for invalid cells: their text must stay as it is."""
    found = set()
    for step in steps:
        for condition in step.conditions:
            if condition.condition == "IS_INVALID":
                found.add(condition.column)
        if step.operation.startswith("REPLACE_WITH_") or step.operation == "REMOVE_INVALID":
            if step.has("sourceColumn"):
                found.add(step.text("sourceColumn"))
            if step.has("sourceColumns"):
                found |= set(step.texts("sourceColumns"))
    return found


def relation(source: Source, raw: Collection[str], query: Query, folder: Path) -> Relation:
    """The dataset as SQL. `folder` takes files that have to be rewritten. Raises InputError."""
    try:
        if source.table is not None:
            sql = hive.relation(source.table, query, folder, lenient=True)
            return Relation(sql, _described(sql, query))
        return _READERS[source.format](source, raw, query)
    except TableError as error:
        raise InputError(str(error)) from error


def _parquet(source: Source, raw: Collection[str], query: Query) -> Relation:
    sql = f"SELECT * FROM read_parquet({hive.paths(source.files)}, union_by_name = true, {PLAIN})"
    return Relation(sql, _described(sql, query))


def _json(source: Source, raw: Collection[str], query: Query) -> Relation:
    lines = not source.options.get("Json", {}).get("MultiLine", False)
    how = "newline_delimited" if lines else "auto"
    sql = " UNION ALL BY NAME ".join(
        f"SELECT * FROM read_json({hive.paths(files)}, format = '{how}', "
        f"compression = {literal(kind)}, {PLAIN})"
        for kind, files in _by_codec(source.files).items()
    )
    return Relation(sql, _described(sql, query))


def _csv(source: Source, raw: Collection[str], query: Query) -> Relation:
    options = source.options.get("Csv", {})
    delimiter, header = options.get("Delimiter", ","), bool(options.get("HeaderRow", True))
    first, files = _with_rows(source.files, delimiter, header)
    names = _unique(first) if header else [f"Column_{n}" for n in range(1, len(first) + 1)]
    if not files:
        empty = ", ".join(f"CAST(NULL AS VARCHAR) AS {ident(name)}" for name in names)
        return Relation(f"SELECT {empty} WHERE false", dict.fromkeys(names, "VARCHAR"))
    cells = [f"c{number}" for number in range(len(names))]
    shape = ", ".join(f"{literal(cell)}: 'VARCHAR'" for cell in cells)
    storage = Storage("open_csv", separator=delimiter, quote='"', escape="")
    parallel = all(quickly(file, storage) for file in files)  # not with line ends within quotes
    reading = " UNION ALL ".join(
        f"SELECT * FROM read_csv({hive.paths(members)}, auto_detect = false, header = false, "
        f"skip = {int(header)}, columns = {{{shape}}}, delim = {literal(delimiter)}, quote = '\"', "
        f"escape = '\"', null_padding = true, strict_mode = false, parallel = {parallel}, "
        f"compression = {literal(kind)}, {PLAIN})"
        for kind, members in _by_codec(files).items()
    )
    guesses = _guesses(reading, cells, query)
    columns = {
        name: "VARCHAR" if name in raw else guess
        for name, guess in zip(names, guesses, strict=True)
    }
    shown = [
        f"{cast(cell, 'VARCHAR', kind)} AS {ident(name)}"
        for cell, (name, kind) in zip(cells, columns.items(), strict=True)
    ]
    return Relation(f"SELECT {', '.join(shown)} FROM ({reading})", columns)


_READERS: dict[str, Callable[[Source, Collection[str], Query], Relation]] = {
    "CSV": _csv,
    "JSON": _json,
    "PARQUET": _parquet,
}


def _guesses(reading: str, cells: list[str], query: Query) -> list[str]:
    """The columns' types by their first cells."""
    tests = [
        f"count(nullif({cell}, '')), "
        + ", ".join(
            f"count(*) FILTER (regexp_full_match({cell}, {literal(pattern)}) "
            f"AND {cast(cell, 'VARCHAR', kind)} IS NOT NULL)"
            for kind, pattern in _WRITTEN_AS
        )
        for cell in cells
    ]
    (counts,) = query(f"SELECT {', '.join(tests)} FROM (FROM ({reading}) LIMIT {SAMPLE_ROWS})")
    width = 1 + len(_WRITTEN_AS)
    found = []
    for number in range(len(cells)):
        filled, *fits = counts[number * width : (number + 1) * width]
        kinds = (kind for (kind, _), fit in zip(_WRITTEN_AS, fits, strict=True) if fit == filled)
        found.append(next(kinds, "VARCHAR") if filled else "VARCHAR")
    return found


def _with_rows(
    files: tuple[DataFile, ...], delimiter: str, header: bool
) -> tuple[list[str], list[DataFile]]:
    """The first row of the first file, and the files that have rows besides a header."""
    first: list[str] = []
    found = []
    for file in files:
        rows = csv.reader(io.StringIO(_beginning(file), newline=""), delimiter=delimiter)
        row = next(rows, [])
        first = first or row
        if not header or next(rows, None) is not None:
            found.append(file)
    return first, found


def _beginning(file: DataFile) -> str:
    kind = codec(file.uri)
    if kind == "gzip":
        with gzip.open(file.path) as packed:
            data = packed.read(_HEADER_BYTES)
    elif kind == "none":
        with Path(file.path).open("rb") as plain:
            data = plain.read(_HEADER_BYTES)
        if data.startswith(_GZIP):
            raise InputError(f"{file.uri} has gzip content, but its name does not end in .gz.")
    else:
        raise InputError(f"localaws does not read the compression {kind} of {file.uri}.")
    return data.decode("utf-8-sig", errors="replace")


def _unique(names: list[str]) -> list[str]:
    """The header's names; an empty one is told by its place, a repeated one by a number."""
    found: list[str] = []
    for place, name in enumerate(names):
        name, number = name or f"column{place}", 0
        while (unique := f"{name}_{number}" if number else name) in found:
            number += 1
        found.append(unique)
    return found


def _by_codec(files: Collection[DataFile]) -> dict[str, list[DataFile]]:
    found: dict[str, list[DataFile]] = {}
    for file in files:
        found.setdefault(codec(file.uri), []).append(file)
    return found


def _described(sql: str, query: Query) -> dict[str, str]:
    return {str(row[0]): str(row[1]) for row in query(f"DESCRIBE {sql}")}

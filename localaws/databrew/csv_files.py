"""CSV files: each cell as the text it is, then as a value of its column's type.

Lines may be short (what lacks is NULL, as in Spark) and blank (Spark skips those). What Spark would
lose without a word fails the run: more cells than the header has names, files with other headers.
"""

from __future__ import annotations

import csv
import io
import itertools
import sys
import uuid
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from localaws.databrew.inference import CANDIDATES, EMPTY, TEXT, Columns, infer, value
from localaws.databrew.recipe.sql import ident, literal
from localaws.databrew.source import InputError, Relation, Source
from localaws.tables import hive
from localaws.tables.codecs import codec
from localaws.tables.snapshot import DataFile
from localaws.tables.storage import Storage
from localaws.tables.text_files import opened, quickly

Query = Callable[[str], list[tuple[Any, ...]]]

BEYOND = "beyond"  # the first cell that has no name
_SLOW = ""  # instead of a codec: DuckDB would read the file otherwise than it stands there
_BATCH_ROWS = 50_000


def relation(source: Source, raw: Collection[str], query: Query, folder: Path) -> Relation:
    """The dataset's rows; columns in `raw` stay text. `folder` takes files that are rewritten.

    Raises InputError.
    """
    options = source.options.get("Csv", {})
    delimiter, header = options.get("Delimiter", ","), bool(options.get("HeaderRow", True))
    try:
        first, files = _with_rows(source, delimiter, header)
        names = unique(first) if header else [f"Column_{n}" for n in range(1, len(first) + 1)]
        cells = [f"c{number}" for number in range(len(names))]
        reading = " UNION ALL ".join(
            _slow(members, cells, delimiter, header, folder)
            if kind == _SLOW
            else _quick(members, kind, cells, delimiter, header)
            for kind, members in _groups(files, delimiter)
        )
        return typed(source.name, names, reading, raw, query)
    except (UnicodeDecodeError, UnicodeError) as error:
        raise InputError(
            f"Dataset {source.name} is not UTF-8, which DataBrew reads: {error}."
        ) from error
    except duckdb.InvalidInputException as error:
        raise InputError(f"Dataset {source.name}: {str(error).splitlines()[0]}") from error


def typed(
    dataset: str, names: list[str], reading: str, raw: Collection[str], query: Query
) -> Relation:
    """The columns c0, c1, ... of `reading`, texts, in their types and under their names."""
    if not reading:
        empty = ", ".join(f"CAST(NULL AS VARCHAR) AS {ident(name)}" for name in names)
        return Relation(f"SELECT {empty} WHERE false", dict.fromkeys(names, "VARCHAR"))
    cells = {f"c{number}": name for number, name in enumerate(names)}
    columns: Columns = {cell: () if name in raw else CANDIDATES for cell, name in cells.items()}
    found = infer(reading, {**columns, BEYOND: (EMPTY,)}, query)
    if found[BEYOND] is TEXT:
        raise InputError(
            f"Dataset {dataset} has a line with more cells than its header has names"
            f" ({len(names)})."
        )
    shown = ", ".join(
        f"{value(cell, found[cell])} AS {ident(name)}" for cell, name in cells.items()
    )
    return Relation(
        f"SELECT {shown} FROM ({reading})",
        {name: found[cell].kind for cell, name in cells.items()},
    )


def _groups(files: list[DataFile], delimiter: str) -> Iterator[tuple[str, list[DataFile]]]:
    """Neighbours that are read in one way, in the order of the files."""
    storage = Storage("open_csv", separator=delimiter, quote='"', escape="")
    for kind, members in itertools.groupby(
        files, lambda file: codec(file.uri) if quickly(file, storage) else _SLOW
    ):
        yield kind, list(members)


def _quick(files: list[DataFile], kind: str, cells: list[str], delimiter: str, header: bool) -> str:
    shape = ", ".join(f"{literal(cell)}: 'VARCHAR'" for cell in [*cells, BEYOND])
    return (
        f"SELECT * FROM read_csv({hive.paths(files)}, auto_detect = false, header = false, "
        f"skip = {int(header)}, columns = {{{shape}}}, delim = {literal(delimiter)}, quote = '\"', "
        f"escape = '\"', null_padding = true, strict_mode = true, "
        f"compression = {literal(kind)}, hive_partitioning = false)"
    )


def _slow(
    files: list[DataFile], cells: list[str], delimiter: str, header: bool, folder: Path
) -> str:
    """The rows as a Parquet file of texts, read one by one."""
    target = folder / f"{uuid.uuid4().hex}.parquet"
    schema = pa.schema([(cell, pa.string()) for cell in [*cells, BEYOND]])
    with pq.ParquetWriter(target, schema) as writer:
        for file in files:
            rows = itertools.islice(_rows(file, delimiter), int(header), None)
            while batch := list(itertools.islice(rows, _BATCH_ROWS)):
                for row in batch:
                    if any(row[len(cells) :]):
                        raise InputError(
                            f"A line of {file.uri} has {len(row)} cells, more than its header has"
                            f" names ({len(cells)}): {delimiter.join(row)[:200]!r}."
                        )
                columns = [
                    pa.array(
                        # An empty cell is missing, in quotes too, as for DuckDB and Spark.
                        [(row[place] or None) if place < len(row) else None for row in batch],
                        pa.string(),
                    )
                    for place in range(len(cells))
                ]
                columns.append(pa.nulls(len(batch), pa.string()))
                writer.write_table(pa.table(columns, schema=schema))
    return f"SELECT * FROM read_parquet({literal(str(target))})"


def _rows(file: DataFile, delimiter: str) -> Iterator[list[str]]:
    csv.field_size_limit(sys.maxsize)
    with (
        opened(Path(file.path), file.uri, codec(file.uri)) as packed,
        io.TextIOWrapper(packed, encoding="utf-8-sig", newline="") as lines,
    ):
        # Strict: a quote that nothing closes would take all following lines into one cell.
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        try:
            yield from (row for row in reader if row)
        except csv.Error as error:
            raise InputError(
                f"{file.uri} has quotes that do not match, at or before line {reader.line_num}"
                f" ({error})."
            ) from error
        except UnicodeDecodeError as error:
            raise InputError(
                f"{file.uri} is not UTF-8, the one encoding that DataBrew reads: {error}."
            ) from error


def _with_rows(source: Source, delimiter: str, header: bool) -> tuple[list[str], list[DataFile]]:
    """The first row of the first file, and the files that have rows besides a header."""
    first: list[str] = []
    found = []
    for file in source.files:
        rows = _rows(file, delimiter)
        row = next(rows, [])
        if header and first and row and row != first:
            raise InputError(
                f"{file.uri} has another header than the dataset's first file:"
                f" {', '.join(row)}, not {', '.join(first)}."
            )
        first = first or row
        if row and (not header or next(rows, None) is not None):
            found.append(file)
    if not first:
        raise InputError(f"Dataset {source.name} has no line, and so no column.")
    return first, found


def unique(names: list[str]) -> list[str]:
    """The header's names; an empty one is told by its place, a repeated one by a number. Names
    that differ in case only are repeated ones, as for Spark and DuckDB."""
    found: list[str] = []
    taken: set[str] = set()
    for place, name in enumerate(names):
        name, number = name or f"column{place}", 0
        while (unique := f"{name}_{number}" if number else name).lower() in taken:
            number += 1
        found.append(unique)
        taken.add(unique.lower())
    return found

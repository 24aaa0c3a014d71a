"""Excel workbooks: one sheet of each file, its cells as text, typed as those of CSV are."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from localaws.databrew import csv_files
from localaws.databrew.recipe.sql import literal
from localaws.databrew.source import InputError, Relation, Source
from localaws.shapes import Json
from localaws.tables.snapshot import DataFile

Query = Callable[[str], list[tuple[Any, ...]]]


def relation(source: Source, raw: Collection[str], query: Query, folder: Path) -> Relation:
    """The first sheet, or the one of SheetNames or SheetIndexes. Raises InputError."""
    options = source.options.get("Excel", {})
    header = bool(options.get("HeaderRow", True))
    first: list[str] = []
    rows: list[list[str]] = []
    for file in source.files:
        cells = _cells(file, options)
        if header and cells:
            if first and cells[0] != first:
                raise InputError(f"{file.uri} has another header than the dataset's first file.")
            first = first or cells[0]
            cells = cells[1:]
        rows += cells
    width = len(first) or max((len(row) for row in rows), default=0)
    if not width:
        raise InputError(f"Dataset {source.name} has no cell, and so no column.")
    names = csv_files.unique(first) if header else [f"Column_{n}" for n in range(1, width + 1)]
    target = folder / f"{uuid.uuid4().hex}.parquet"
    columns = {
        f"c{n}": pa.array([_cell(row, n) for row in rows], pa.string()) for n in range(width)
    }
    pq.write_table(pa.table(columns | {csv_files.BEYOND: pa.nulls(len(rows), pa.string())}), target)
    return csv_files.typed(
        source.name, names, f"SELECT * FROM read_parquet({literal(str(target))})", raw, query
    )


def _cells(file: DataFile, options: Json) -> list[list[str]]:
    from python_calamine import CalamineError, CalamineWorkbook  # few jobs need it

    try:
        with CalamineWorkbook.from_path(file.path) as book:
            if options.get("SheetNames"):
                sheet = book.get_sheet_by_name(options["SheetNames"][0])
            else:
                sheet = book.get_sheet_by_index((options.get("SheetIndexes") or [0])[0])
            return [[_text(value) for value in row] for row in sheet.to_python()]
    except (CalamineError, IndexError, ValueError) as error:
        raise InputError(f"{file.uri} cannot be read as a workbook: {error}.") from error


def _cell(row: list[str], place: int) -> str | None:
    """An empty cell is missing, as in a CSV file."""
    return (row[place] or None) if place < len(row) else None


def _text(value: object) -> str:
    """A cell as it would stand in a CSV file."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):  # Excel has no other numbers
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime.datetime):
        return value.isoformat(sep=" ")
    return str(value)

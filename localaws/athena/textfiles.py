"""Reads irregular CSV files exactly as OpenCSVSerDe does: line by line, `\\` escaping a quote.

The slow way, for files that hold the escape character, are compressed, or have rows of another
width than the table; a line break always ends a row, missing cells are NULL, further ones dropped.
"""

from __future__ import annotations

import gzip
import uuid
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from localaws.core.object_store import StoredObject

_BATCH = 100_000


def rewrite_open_csv(
    files: list[StoredObject], labels: list[str], mark: str, quote: str, escape: str, skip: int,
    folder: Path,
) -> Path:  # fmt: skip
    """A Parquet file of the rows, with the path each came from in the column `$file`."""
    target = folder / f"{uuid.uuid4().hex}.parquet"
    schema = pa.schema([(label, pa.string()) for label in [*labels, "$file"]])
    with pq.ParquetWriter(target, schema) as writer:
        for file in files:
            cells: list[list[str | None]] = [[] for _ in labels]
            for row in _rows(file.path, mark, quote, escape, skip):
                for place, column in enumerate(cells):
                    column.append(row[place] if place < len(row) else None)
                if len(cells[0]) == _BATCH:
                    _write(writer, schema, cells, file.path)
                    cells = [[] for _ in labels]
            _write(writer, schema, cells, file.path)
    return target


def _write(
    writer: pq.ParquetWriter, schema: pa.Schema, cells: list[list[str | None]], path: Path
) -> None:
    columns = [*cells, [str(path)] * len(cells[0])]
    writer.write_table(
        pa.table([pa.array(column, pa.string()) for column in columns], schema=schema)
    )


def _rows(path: Path, mark: str, quote: str, escape: str, skip: int) -> Iterator[list[str]]:
    with path.open("rb") as file:
        compressed = file.read(2) == b"\x1f\x8b"
    with (
        gzip.open(path, "rt", encoding="utf-8", newline="\n")
        if compressed
        else path.open(encoding="utf-8", newline="\n")
    ) as lines:
        for number, line in enumerate(lines):
            if number >= skip:
                yield split_line(line.rstrip("\n").rstrip("\r"), mark, quote, escape)


def split_line(line: str, mark: str, quote: str, escape: str) -> list[str]:
    """The cells of one line. Quotes are dropped, a doubled one inside quotes stays one."""
    cells, cell, quoted, at = [], "", False, 0
    while at < len(line):
        letter, after = line[at], line[at + 1 : at + 2]
        if letter == escape and escape != quote and quoted and after in (quote, escape) and after:
            cell, at = cell + after, at + 2
            continue
        if letter == quote and quoted and after == quote:
            cell, at = cell + quote, at + 2
            continue
        if letter == quote:
            quoted = not quoted
        elif letter == mark and not quoted:
            cells.append(cell)
            cell = ""
        else:
            cell += letter
        at += 1
    return [*cells, cell]

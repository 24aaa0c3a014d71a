"""What one file is: its format, columns and types, found by reading it.

Rules: https://docs.aws.amazon.com/glue/latest/dg/add-classifier.html (built-in CSV: at least two
columns and two rows; a header only where every cell is text and some data column is not) and
https://docs.aws.amazon.com/glue/latest/dg/custom-classifier.html.
"""

from __future__ import annotations

import bz2
import contextlib
import csv
import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from localaws.crawler import documents
from localaws.crawler.schema import CsvRules, GrokRules, JsonRules, Rules, Schema, XmlRules
from localaws.crawler.self_described import self_described
from localaws.shapes import Json
from localaws.tables.snappy_files import unpacked

SAMPLE_BYTES = 1 << 20  # types come from the first MiB of each file
_DELIMITERS = (",", "|", "\t", ";", "\x01")
_NAME = re.compile(r"[^\x00-\x1f,;|\t]{1,150}")


def infer(path: Path, rules: Iterable[Rules]) -> Schema | None:
    """The file's schema by the first classifier that fits; None when none does."""
    compression, sample = read_sample(path)
    described = self_described(path, sample)
    if described is not None:
        return described
    if not sample.strip() or b"\x00" in sample[:4096]:
        return None
    text = sample.decode("utf-8", errors="replace").removeprefix("\ufeff")
    whole = len(sample) < SAMPLE_BYTES
    for rule in rules:
        found = _custom(text, whole, rule)
        if found is not None:
            return _counted(found, path, compression)
    found = (
        documents.json_lines(text, whole)
        or documents.json_array(text)
        or documents.xml(text)
        or documents.logs(text)
        or _builtin_csv(text, whole)
    )
    return _counted(found, path, compression) if found is not None else None


def _custom(text: str, whole: bool, rule: Rules) -> Schema | None:
    if isinstance(rule, XmlRules):
        return documents.xml(text, rule)
    if isinstance(rule, JsonRules):
        return documents.json_at_path(text, whole, rule.path)
    if isinstance(rule, GrokRules):
        return documents.by_grok(text, rule)
    return _custom_csv(text, whole, rule)


def read_sample(path: Path) -> tuple[str, bytes]:
    """(compression, first uncompressed bytes). What packs a whole file is told by its content."""
    with path.open("rb") as file:
        start = file.read(4)
    compression = next((kind for mark, kind in _PACKED.items() if start.startswith(mark)), "none")
    if path.suffix == ".snappy":  # it begins with no mark
        compression = "snappy"
    with _opened(path, compression) as file:
        return compression, file.read(SAMPLE_BYTES)


# https://docs.aws.amazon.com/glue/latest/dg/add-classifier.html: of a ZIP archive, one with a
# single file.
_PACKED = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"PK\x03\x04": "zip"}


@contextlib.contextmanager
def _opened(path: Path, compression: str) -> Iterator[IO[bytes]]:
    if compression == "zip":
        with zipfile.ZipFile(path) as archive:
            members = archive.namelist()
            if len(members) != 1:
                yield io.BytesIO()
                return
            with archive.open(members[0]) as file:
                yield file
        return
    if compression == "snappy":
        yield io.BytesIO(unpacked(path))
        return
    opener: Any = {"gzip": gzip.open, "bzip2": bz2.open}.get(compression, Path.open)
    with opener(path, "rb") as file:
        yield file


def count_lines(path: Path, compression: str) -> int:
    """Lines that are not empty at the end of the file; the whole file is read."""
    lines, last = 0, b"\n"
    with _opened(path, compression) as file:
        while block := file.read(1 << 22):
            lines += block.count(b"\n")
            last = block[-1:]
    return lines + (last != b"\n")


def _counted(schema: Schema, path: Path, compression: str) -> Schema:
    """XML has elements and no lines: those of the sample."""
    if schema.serde == "Xml":
        return replace(schema, compression=compression)
    rows = count_lines(path, compression) - schema.header
    return Schema(**{**schema.__dict__, "compression": compression, "rows": max(0, rows)})


# CSV


def _rows(text: str, whole: bool, delimiter: str, quote: str | None, trim: bool) -> list[list[str]]:
    """The sample's complete lines, cut into cells."""
    if not whole:
        text = text[: text.rfind("\n") + 1] or text
    options: Json = {"quotechar": quote} if quote else {"quoting": csv.QUOTE_NONE}
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, **options)
    try:
        rows = [row for row in reader if row]
    except csv.Error:
        return []
    return [[cell.strip() for cell in row] for row in rows] if trim else rows


def _custom_csv(text: str, whole: bool, rule: CsvRules) -> Schema | None:
    delimiter = rule.delimiter or _sniff(text, whole) or ","
    rows = _rows(text, whole, delimiter, rule.quote or '"', rule.trim)
    if not rows or (len(rows[0]) < 2 and not rule.single_column):
        return None
    if rule.header and len(rule.header) != len(rows[0]):
        return None
    header = rule.contains_header == "PRESENT" or (
        rule.contains_header == "UNKNOWN" and (_is_header(rows) or list(rule.header) == rows[0])
    )
    names = list(rule.header) or (rows[0] if header else [f"col{i}" for i in range(len(rows[0]))])
    data = rows[1:] if header else rows
    serde = rule.serde or (
        "OpenCSVSerDe" if rule.quote and rule.quote in text else "LazySimpleSerDe"
    )
    columns = _columns(names, data, rule.types)
    return Schema("csv", columns, delimiter=delimiter, quote=rule.quote, header=header, serde=serde)


def _builtin_csv(text: str, whole: bool) -> Schema | None:
    delimiter = _sniff(text, whole)
    if delimiter is None:
        return None
    rows = _rows(text, whole, delimiter, '"', True)
    if len(rows) < 2 or len(rows[0]) < 2:
        return None
    header = _is_header(rows)
    names = rows[0] if header else [f"col{i}" for i in range(len(rows[0]))]
    columns = _columns(names, rows[1:] if header else rows, ())
    return Schema("csv", columns, delimiter=delimiter, header=header)


def _sniff(text: str, whole: bool) -> str | None:
    """The delimiter that cuts (nearly) all lines into the same number of cells, two or more."""
    best, most = None, 1
    for delimiter in _DELIMITERS:
        rows = _rows(text[:65536], whole and len(text) <= 65536, delimiter, '"', False)
        if not rows:
            continue
        width = len(rows[0])
        same = sum(len(row) == width for row in rows)
        if width > most and same >= 0.9 * len(rows):
            best, most = delimiter, width
    return best


def _is_header(rows: list[list[str]]) -> bool:
    first, data = rows[0], rows[1:]
    if not data or any(value_type([cell]) != "string" for cell in first):
        return False
    if any(not _NAME.fullmatch(cell) for cell in first[:-1]):
        return False
    return any(
        value_type([row[i] for row in data if i < len(row)]) != "string" for i in range(len(first))
    )


def _columns(
    names: list[str], data: list[list[str]], allowed: tuple[str, ...]
) -> tuple[tuple[str, str], ...]:
    taken: dict[str, int] = {}
    columns = []
    for place, name in enumerate(names):
        name = name.strip().lower() or f"col{place}"
        taken[name] = taken.get(name, 0) + 1
        if taken[name] > 1:
            name = f"{name}_{taken[name]}"
        cells = [row[place] for row in data if place < len(row)]
        columns.append((name, _allowed_type(cells, allowed)))
    return tuple(columns)


_INTEGER = re.compile(r"[+-]?\d{1,18}")
_TRUTH = re.compile(r"(?i)true|false")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def value_type(cells: list[str]) -> str:
    """bigint, double, boolean or string; empty cells say nothing, and only they are a string."""
    said = [cell for cell in cells if cell != ""]
    if not said:
        return "string"
    if all(_INTEGER.fullmatch(cell) for cell in said):
        return "bigint"
    if all(_TRUTH.fullmatch(cell) for cell in said):
        return "boolean"
    return "double" if all(_NUMBER.fullmatch(cell) for cell in said) else "string"


_TESTS = {
    "boolean": _TRUTH,
    "int": re.compile(r"[+-]?\d{1,9}"),
    "bigint": _INTEGER,
    "smallint": re.compile(r"[+-]?\d{1,4}"),
    "double": _NUMBER,
    "float": _NUMBER,
    "date": re.compile(r"\d{4}-\d{2}-\d{2}"),
    "timestamp": re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}:\d{2}(\.\d+)?"),
}


def _allowed_type(cells: list[str], allowed: tuple[str, ...]) -> str:
    if not allowed:
        return value_type(cells)
    said = [cell for cell in cells if cell != ""]
    for kind, test in _TESTS.items():
        if kind in allowed and said and all(test.fullmatch(cell) for cell in said):
            return kind
    return "string"


READ_ERRORS = (OSError, EOFError, zlib.error, zipfile.BadZipFile, pa.ArrowInvalid)

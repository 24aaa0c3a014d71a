"""What a folder's files look like: format, separator, encoding, columns, and kinds of values."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from configuration.errors import InputError
from configuration.mapping.sources import files_of
from tasks.functions.source_files import NUMBER, ZONED, is_time

ENDINGS = {
    **dict.fromkeys(("csv", "tsv", "txt", "tab", "dat"), "csv"),
    **dict.fromkeys(("json", "jsonl", "ndjson"), "jsonl"),
    **dict.fromkeys(("parquet", "parq", "pq"), "parquet"),
}
SEPARATORS = (",", ";", "\t", "|")
ASCII = "ascii"  # fits the others
ENCODINGS = (ASCII, "utf-8", "windows-1252")
HEAD_BYTES = 4 * 1024 * 1024
MOST_ROWS = 20_000
# Formats of times, by Athena's names; the day before the month, unless a value says otherwise.
TIMES = (
    "iso",
    *(f"{date}{time}" for date in ("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%Y%m%d")
      for time in (" %H:%i:%s", " %H:%i", "")),
)  # fmt: skip
EPOCHS = {"epoch_seconds": (0.9e9, 2.2e9), "epoch_milliseconds": (0.9e12, 2.2e12)}
ARROW_TO_ATHENA = {
    "string": "string", "large_string": "string", "bool": "boolean", "int8": "tinyint",
    "int16": "smallint", "int32": "int", "int64": "bigint", "float": "float", "double": "double",
    "date32[day]": "date",
}  # fmt: skip


@dataclass
class Column:
    """`values`: those of the sample that are not empty, as text."""

    name: str
    type: str = "string"
    values: list[str] = field(default_factory=list)
    time: str = ""  # the format, if it holds times
    rows: int = 0

    @property
    def different(self) -> int:
        return len(set(self.values))

    @property
    def is_unique(self) -> bool:
        return bool(self.values) and self.different == self.rows

    @property
    def is_number(self) -> bool:
        """Whether it can be an id as it is."""
        return bool(self.values) and all(NUMBER.fullmatch(value) for value in self.values)

    @property
    def is_decimal(self) -> bool:
        return bool(self.values) and all(
            re.fullmatch(r"-?\d+([.,]\d+)?", value) for value in self.values
        )

    def said(self) -> str:
        kind = "numbers" if self.is_number else "times" if self.time else "texts"
        example = f", such as {self.values[0][:40]!r}" if self.values else ""
        return f"{self.different:,} different {kind} in {self.rows:,} rows{example}"


@dataclass
class Kind:
    """Files with the same columns."""

    files: list[Path]
    format: str
    columns: list[Column]
    separator: str = ","
    encoding: str = "utf-8"
    name: str = ""
    pattern: str = ""

    @property
    def shape(self) -> tuple[Any, ...]:
        names = tuple(column.name for column in self.columns)
        return (self.format, self.separator, names)

    @property
    def rows(self) -> int:
        return max((column.rows for column in self.columns), default=0)

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)


def kinds(folder: Path) -> tuple[list[Kind], list[str]]:
    """The folder's files by their columns, and why others are none. Raises InputError if there is
    no file."""
    files = [path for path in files_of(folder) if _format(path)]
    if not files:
        raise InputError(f"{folder} holds no file that ends in {', '.join(sorted(ENDINGS))}.")
    found: dict[tuple[Any, ...], Kind] = {}
    unread = []
    for file in files:
        try:
            kind = _read(file)
        except InputError as error:
            unread.append(str(error))
            continue
        same = found.setdefault(kind.shape, kind)
        if same.encoding != kind.encoding and ASCII not in (same.encoding, kind.encoding):
            unread.append(f"{file}: {kind.encoding}, and {same.files[0].name} is {same.encoding}")
        elif same is not kind:
            same.files.append(file)
            same.encoding = kind.encoding if same.encoding == ASCII else same.encoding
            for mine, other in zip(same.columns, kind.columns, strict=True):
                mine.values += other.values
                mine.rows += other.rows
    for kind in found.values():
        kind.encoding = "utf-8" if kind.encoding == ASCII else kind.encoding
        kind.pattern = _pattern([file.name for file in kind.files])
        taken = {other.name for other in found.values()}
        kind.name = _name(kind.pattern, taken)
        for column in kind.columns:
            column.time = "iso" if column.type in ("timestamp", "date") else _time(column.values)
    return list(found.values()), unread


def _format(path: Path) -> str:
    name = path.name.lower().removesuffix(".gz")
    return ENDINGS.get(name.rpartition(".")[2], "")


def _read(file: Path) -> Kind:
    if _format(file) == "parquet":
        return _parquet(file)
    with file.open("rb") as content:
        packed = content.read(2) == b"\x1f\x8b"
    with gzip.open(file) if packed else file.open("rb") as content:
        head = content.read(HEAD_BYTES)
        whole = not content.read(1)
    if not whole and b"\n" in head:
        head = head[: head.rindex(b"\n") + 1]
    encoding, text = _decoded(file, head)
    if _format(file) == "jsonl":
        return _json(file, encoding, text)
    return _csv(file, encoding, text)


def _decoded(file: Path, head: bytes) -> tuple[str, str]:
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16", head.decode("utf-16", "ignore")
    for encoding in ENCODINGS:
        try:
            return encoding, head.decode(encoding).removeprefix("\ufeff")
        except UnicodeDecodeError:
            continue
    raise InputError(f"{file} is neither UTF-8 nor windows-1252; say its encoding in a mapping.")


def _csv(file: Path, encoding: str, text: str) -> Kind:
    first = text.split("\n", 1)[0]
    separator = max(SEPARATORS, key=first.count)
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))[: MOST_ROWS + 1]
    if not rows or len(set(rows[0])) != len(rows[0]):
        raise InputError(f"{file} has no header line with a name for each column: {first[:120]!r}")
    columns = [Column(name.strip(), rows=len(rows) - 1) for name in rows[0]]
    for cells in rows[1:]:
        for column, cell in zip(columns, cells, strict=False):
            if cell.strip():
                column.values.append(cell.strip())
    return Kind([file], "csv", columns, separator, encoding)


def _json(file: Path, encoding: str, text: str) -> Kind:
    columns: dict[str, Column] = {}
    count = 0
    for number, line in enumerate(text.splitlines()[:MOST_ROWS], 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise InputError(f"{file}, line {number}: no JSON object a line ({error})") from error
        if not isinstance(row, dict):
            raise InputError(f"{file}, line {number}: no JSON object a line: {line[:80]!r}")
        count += 1
        for name, value in row.items():
            column = columns.setdefault(name, Column(name))
            if value not in (None, "") and not isinstance(value, dict | list):
                column.values.append(str(value))
    for column in columns.values():
        column.rows = count
    return Kind([file], "jsonl", sorted(columns.values(), key=lambda c: c.name), encoding=encoding)


def _parquet(file: Path) -> Kind:
    from pyarrow import parquet

    opened = parquet.ParquetFile(file)
    columns = []
    batch = next(opened.iter_batches(MOST_ROWS), None)
    for place in opened.schema_arrow:
        kind = str(place.type)
        athena = "timestamp" if kind.startswith("timestamp") else ARROW_TO_ATHENA.get(kind)
        if kind.startswith("decimal128"):
            athena = kind.replace("decimal128", "decimal").replace(" ", "")
        if athena is None:
            continue  # nested, say: nothing that a mapping takes
        values = [] if batch is None else batch.column(place.name).to_pylist()
        kept = [str(value) for value in values if value is not None]
        columns.append(Column(place.name, athena, kept, rows=len(values)))
    return Kind([file], "parquet", columns)


def _time(values: list[str]) -> str:
    """The format that all values have, if they are times; empty otherwise."""
    some = values[:2000]
    if not some:
        return ""
    if all(re.fullmatch(r"\d{9,13}", value) for value in some):
        for form, (low, high) in EPOCHS.items():
            if all(low < float(value) < high for value in some):
                return form
    for form in TIMES:
        if form == "%Y%m%d" and not all(value[:2] in ("19", "20") for value in some):
            continue
        if all(is_time(value, form) for value in some):
            return form
    return ""


def zoned(values: Iterable[str]) -> bool:
    """Whether the times have an offset, so that the shop's own time zone is to be known."""
    return any(ZONED.fullmatch(value) for value in values)


def _pattern(names: list[str]) -> str:
    """A pattern that names these files."""
    if len(names) == 1:
        return names[0]
    first, last = min(names), max(names)
    same = next(
        (i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first)
    )
    begin = re.sub(r"\d+$", "", first[:same])
    ending = re.search(r"(\.[A-Za-z]+)+$", names[0])
    return f"{begin}*{ending[0] if ending else ''}"


def _name(pattern: str, taken: set[str]) -> str:
    stem = re.sub(r"[^a-z0-9]+", "_", pattern.lower().split(".")[0]).strip("_")[:28]
    name = stem if re.match(r"[a-z]", stem) else f"files_{stem}".rstrip("_")
    number = 2
    while name in taken:
        name, number = f"{stem[:26]}_{number}", number + 1
    return name

"""A shop's file against its mapping, before anything is paid: every line can be read in one way,
the columns are those of the mapping, and the first values are ids and times.

`rebuy data upload` asks the same before anything is sent, `Plan mapping` of what is in the lake.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, Any

from tasks.functions import first_look, raw_text

Json = dict[str, Any]

HEAD_BYTES = 256 * 1024
MOST_LINES = 500  # whose values are looked at
MOST_CHARACTERS = 120  # of a value in a finding
MOST_FINDINGS = 10  # that are told
# Athena's date_parse has MySQL's formats, Python others.
# https://trino.io/docs/current/functions/datetime.html#mysql-date-functions
PYTHONS = {
    **{"c": "%m", "e": "%d", "k": "%H", "h": "%I", "l": "%I", "i": "%M", "s": "%S", "M": "%B"},
    **{"T": "%H:%M:%S", "r": "%I:%M:%S %p", "W": "%A"},
    **{letter: f"%{letter}" for letter in "abdfHIjmpSyY%"},
}
NUMBER = re.compile(r"[0-9]{1,18}")
# Of Athena's SQL too (configuration/mapping/columns.py).
ISO = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?.*)?")
ZONED = re.compile(
    "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?(Z|[+-][0-9]{2}:?[0-9]{2})"
)


@dataclass
class Seen:
    """What one file is: the rows that Athena reads, and what is wrong, in words."""

    rows: int = 0
    findings: list[str] = field(default_factory=list)


def look(name: str, raw: Any, rules: Json) -> Seen:
    """One pass over the file. `rules`: {format, separator, columns: {name: type}, values: {column:
    kind}}, where kind is `number`, or `time:` and its format. A Parquet file is one that can be
    read at any place."""
    if rules["format"] == "parquet":
        return _parquet(name, raw, rules)
    return (_json_lines if rules["format"] == "jsonl" else _csv)(name, raw, rules)


def told(findings: list[str]) -> str:
    """The first of the findings of all files, a line each, and how many more there are."""
    more = len(findings) - MOST_FINDINGS
    return "\n".join([*findings[:MOST_FINDINGS], *[f"... and {more} more"] * (more > 0)])


def _csv(name: str, raw: IO[bytes], rules: Json) -> Seen:
    head: Any = _Head(raw)
    columns = tuple(column.strip().lower() for column in rules["columns"])
    shape = first_look.Shape(columns, rules["separator"])
    found = first_look.look(name, head, shape)
    seen = Seen(found.rows, [finding.said() for finding in found.findings])
    if found.findings:
        return seen
    lines = head.text(name).split("\n")[1:]
    told: set[str] = set()
    for number, line in enumerate(lines[:MOST_LINES], 2):
        cells = raw_text.cells(line.encode(), rules["separator"])
        for column, cell in zip(rules["columns"], cells, strict=False):
            _value(seen, told, (name, number, column), cell, rules)
    return seen


def _json_lines(name: str, raw: IO[bytes], rules: Json) -> Seen:
    seen, told, there = Seen(), set[str](), set[str]()
    try:
        for number, line in _lines(name, raw):
            seen.rows += 1
            if number > MOST_LINES:
                continue
            row = _object(line)
            if row is None:
                seen.findings.append(_said(name, number, None, line, "a JSON object a line"))
                return seen
            cells = {key.lower(): value for key, value in row.items() if value is not None}
            there |= cells.keys()
            for column in rules["columns"]:
                value = cells.get(column.lower(), "")
                if isinstance(value, str | int | float) and not isinstance(value, bool):
                    _value(seen, told, (name, number, column), str(value), rules)
    except raw_text.Unreadable as error:
        seen.findings.append(f"{name}: {error.problem}; {error.advice}")
    except (*first_look.UNPACKING, UnicodeDecodeError) as error:
        seen.findings.append(f"{name}: {error}")
    for column in rules["columns"]:
        if seen.rows and column.lower() not in there:
            members = f"the members {', '.join(sorted(there))}"
            seen.findings.append(_said(name, None, column, members, "a value in some line"))
    return seen


def _lines(name: str, raw: IO[bytes]) -> Iterator[tuple[int, str]]:
    for block in raw_text.blocks(raw_text.unpacked(name, raw)):
        for number, line in enumerate(block.data.decode().split("\n"), block.first_line):
            if line.strip():
                yield number, line


def _object(line: str) -> Json | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) else None


def _parquet(name: str, raw: IO[bytes], rules: Json) -> Seen:
    from pyarrow import ArrowException, parquet

    try:
        file = parquet.ParquetFile(raw)
    except (ArrowException, OSError) as error:
        return Seen(0, [f"{name}: no Parquet file ({error})"])
    seen = Seen(file.metadata.num_rows)
    there = {column.name.lower(): str(column.type) for column in file.schema_arrow}
    for column, kind in rules["columns"].items():
        own = there.get(column.lower())
        if own is None:
            names = f"the columns {', '.join(file.schema_arrow.names)}"
            seen.findings.append(_said(name, None, column, names, "this column"))
        elif not own.startswith(ARROW_TYPES[kind.split("(")[0]]):
            seen.findings.append(_said(name, None, column, own, kind))
    return seen


# What Arrow calls the columns that Athena reads as these types.
ARROW_TYPES = {
    "string": ("string", "large_string", "dictionary"),
    "boolean": ("bool",),
    "tinyint": ("int8",),
    "smallint": ("int16", "int8"),
    "int": ("int32", "int16", "int8"),
    "bigint": ("int64", "int32", "uint32"),
    "float": ("float",),
    "double": ("double", "float"),
    "date": ("date32",),
    "timestamp": ("timestamp",),
    "decimal": ("decimal",),
}


def _value(seen: Seen, told: set[str], place: tuple[str, int, str], cell: str, rules: Json) -> None:
    """Notes the first value of a column that is none of its kind. What may not be empty is for the
    checks of whole tables."""
    name, line, column = place
    kind, cell = rules["values"].get(column), cell.strip()
    if kind is None or not cell or column in told:
        return
    if kind == "number":
        wanted = "a whole number of at most 18 digits; other ids are named in text_ids"
        good = NUMBER.fullmatch(cell) is not None
    else:
        form = kind.removeprefix("time:")
        wanted, good = f"a time in the format {form}", is_time(cell, form)
    if not good:
        told.add(column)
        seen.findings.append(_said(name, line, column, cell, wanted))


def is_time(cell: str, form: str) -> bool:
    """Whether the mapping's SQL reads it as a time."""
    if form.startswith("epoch"):
        return re.fullmatch(r"-?\d+(\.\d+)?", cell) is not None
    if form in ("iso", "iso with an offset"):
        pattern = ISO if form == "iso" else ZONED
        if not pattern.fullmatch(cell):
            return False
        form, cell = "%Y-%m-%d", cell[:10]
    else:
        form = re.sub("%(.)", lambda match: PYTHONS.get(match[1], "%" + match[1]), form)
    try:
        datetime.strptime(cell, form)
    except ValueError:
        return False
    return True


def _said(name: str, line: int | None, column: str | None, found: str, wanted: str) -> str:
    found = found if len(found) <= MOST_CHARACTERS else found[:MOST_CHARACTERS] + " ..."
    place = name + (f", line {line}" if line else "") + (f", column {column}" if column else "")
    return f"{place}: {found!r}; wanted is {wanted}"


class _Head:
    """Keeps the beginning of what is read."""

    def __init__(self, raw: IO[bytes]) -> None:
        self._raw = raw
        self._head = b""
        self._whole = True

    def read(self, size: int = -1) -> bytes:
        data = self._raw.read(size)
        space = HEAD_BYTES - len(self._head)
        self._head += data[:space]
        self._whole = self._whole and len(data) <= space
        return data

    def text(self, name: str) -> str:
        """The whole lines of it."""
        head = self._head
        if raw_text.codec(name) == "gzip":
            head = zlib.decompressobj(31).decompress(head, HEAD_BYTES * 8)
        elif raw_text.codec(name) != "none":
            return ""
        text = head.decode("utf-8-sig", "ignore").replace("\r\n", "\n").replace("\r", "\n")
        return text.rstrip("\n") if self._whole else text[: text.rfind("\n")]

"""A first look at one raw file, before anything is paid: would everybody read the same rows?

Athena reads a raw table with OpenCSVSerDe, DataBrew with Spark, a person with their eyes. They
agree on lines of RFC 4180 without a line break in a cell; whatever else they would read in two
ways is a finding here, with its line. What a value may be is the checks' business (`sql/checks`).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import IO, Any

import numpy as np

from tasks.functions.raw_text import ESCAPE, Block, Unreadable, blocks, cells, codec, unpacked

MOST_EXAMPLES = 5
MOST_COUNTED = 1_000  # of one kind in one file; then "or more"
MOST_SHOWN = 200  # characters of a line
SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", ":": "colon"}
UNPACKING = (OSError, EOFError, zlib.error)

# The rules, in their order: what must hold of every raw file.
RULES = {
    "raw_files_are_text": "A raw file is UTF-8 text, plain or packed as its name says (.gz, .bz2).",
    "raw_files_have_the_header": "The first line names the table's columns, in their order.",
    "raw_lines_are_not_empty": "No line is empty: Athena reads it as a row without values.",
    "raw_lines_close_their_quotes": "A quoted cell ends on its line: a line break would cut it.",
    "raw_lines_quote_whole_cells": "Quotes stand around a whole cell, and are doubled within one.",
    "raw_lines_have_no_more_cells_than_the_header": "No cell stands beyond the last column.",
    "raw_lines_hold_text": "No line holds the control characters 0 or 1.",
    "raw_files_are_different": "No two raw files have the same bytes.",
    "raw_files_are_packed_alike": "All files of a table are packed in the same way.",
}


@dataclass(frozen=True)
class Shape:
    """What a file of a table looks like."""

    columns: tuple[str, ...]
    separator: str = ","


@dataclass(frozen=True)
class Finding:
    """`count` lines of a file break a rule; `line` is the first of them, `value` what stands
    there. `line` is None for what is wrong with the file as a whole."""

    rule: str
    file: str
    line: int | None
    value: str
    problem: str
    advice: str
    count: int = 1
    more: bool = False  # not all were counted

    def said(self) -> str:
        where = self.file if self.line is None else f"{self.file}, line {self.line}"
        many = f"{self.count:,}{' or more' if self.more else ''}"
        others = f" ({many} in all)" if self.count > 1 or self.more else ""
        return f"{where}: {self.problem}{others}: {self.value!r}; {self.advice}"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass
class Look:
    """What one file is. `rows` are those that Athena reads: every line but the header."""

    file: str
    rows: int = 0
    compression: str = "none"
    encoding: str = "UTF-8"
    line_ends: tuple[str, ...] = ()
    header: tuple[str, ...] = ()
    findings: list[Finding] = field(default_factory=list)

    @property
    def readable(self) -> bool:
        """Whether its lines are lines of the table, so that a look at their values makes sense."""
        return not any(
            found.rule in ("raw_files_are_text", "raw_files_have_the_header")
            for found in self.findings
        )


def look(name: str, raw: IO[bytes], shape: Shape) -> Look:
    """One pass over the file's bytes. `name` says how it is packed, and stands in the findings."""
    seen = Look(name)
    lines = _Lines(seen, shape)
    try:
        seen.compression = codec(name)
        for block in blocks(unpacked(name, raw)):
            if not lines.take(block):
                break
    except Unreadable as error:
        lines.file_is("raw_files_are_text", error.value, error.problem, error.advice)
    except UNPACKING as error:
        if seen.compression == "none":
            raise
        lines.file_is(
            "raw_files_are_text", str(error), "it cannot be unpacked", "pack or transfer it anew"
        )
    seen.line_ends = tuple(sorted(lines.ends))
    seen.findings += lines.found.values()
    return seen


class _Lines:
    """The lines of one file, block by block."""

    def __init__(self, seen: Look, shape: Shape) -> None:
        self.seen = seen
        self.shape = shape
        self.ends: set[str] = set()
        self.found: dict[str, Finding] = {}
        mark = re.escape(shape.separator.encode())
        cell = rb'(?:[^"' + mark + rb']*|"(?:[^"]|"")*")'
        self._regular = re.compile(cell + rb"(?:" + mark + cell + rb")*")

    def take(self, block: Block) -> bool:
        """Whether it is worth to go on."""
        data = block.data
        if block.first_line == 1 and not self._first(data):
            return False
        self._utf8(block)
        self.ends |= block.line_ends
        letters = np.frombuffer(data, np.uint8)
        breaks = np.flatnonzero(letters == 10)
        if len(data) and data[-1] != 10:
            breaks = np.append(breaks, len(data))
        starts = np.concatenate(([0], breaks[:-1] + 1))
        self.seen.rows += len(breaks) - (block.first_line == 1)
        for place in np.flatnonzero(breaks == starts)[:MOST_COUNTED]:
            self._line(
                "raw_lines_are_not_empty", block.first_line + int(place), b"",
                "it is empty, which Athena reads as a row without values", "delete the line",
            )  # fmt: skip
        if b"\x00" in data or ESCAPE.encode() in data:
            self._control(block)
        irregular = self._quotes(block, letters, breaks)
        self._widths(block, letters, breaks, irregular)
        return True

    def file_is(self, rule: str, value: str, problem: str, advice: str) -> None:
        self.found[rule] = Finding(rule, self.seen.file, None, value[:MOST_SHOWN], problem, advice)

    def _line(self, rule: str, number: int, line: bytes, problem: str, advice: str) -> None:
        before = self.found.get(rule)
        if before is None:
            shown = line.decode("utf-8", "replace")[:MOST_SHOWN]
            self.found[rule] = Finding(rule, self.seen.file, number, shown, problem, advice)
        elif before.count < MOST_COUNTED:
            self.found[rule] = Finding(**{**asdict(before), "count": before.count + 1})
        else:
            self.found[rule] = Finding(**{**asdict(before), "more": True})

    def _open(self, rule: str) -> bool:
        """Whether more lines that break the rule should be counted."""
        return rule not in self.found or not self.found[rule].more

    def _first(self, data: bytes) -> bool:
        line = data.partition(b"\n")[0]
        if b"\x00" in data[:1024]:
            self.file_is(
                "raw_files_are_text", data[:8].hex(" "), "it holds zero bytes, as UTF-16 text does",
                "save it as UTF-8",
            )  # fmt: skip
            return False
        if data.lstrip()[:1] in (b"{", b"["):
            self.file_is(
                "raw_files_are_text", line.decode("utf-8", "replace"), "it looks like JSON",
                "write it as CSV",
            )  # fmt: skip
            return False
        wanted = list(self.shape.columns)
        given = cells(line, self.shape.separator)
        self.seen.header = tuple(given)
        if [name.strip().lower() for name in given] != wanted:
            written = self.shape.separator.join(wanted)
            self._line(
                "raw_files_have_the_header", 1, line, _unlike(line, given, wanted, self.shape),
                f"its first line must be {written!r}",
            )  # fmt: skip
            return False
        return True

    def _utf8(self, block: Block) -> None:
        """Says the first line that is not UTF-8."""
        if block.data.isascii() or "raw_files_are_text" in self.found:
            return
        try:
            block.data.decode()
        except UnicodeDecodeError as error:
            start = block.data.rfind(b"\n", 0, error.start) + 1
            end = block.data.find(b"\n", error.start)
            line = block.data[start : end if end >= 0 else None]
            self.seen.encoding = _guessed(line)
            self._line(
                "raw_files_are_text",
                block.first_line + block.data.count(b"\n", 0, start),
                line.decode("cp1252", "replace").encode(),
                f"its bytes are no UTF-8 from here on (byte {block.data[error.start]:#04x},"
                f" probably {self.seen.encoding})",
                "save the file as UTF-8",
            )

    def _control(self, block: Block) -> None:
        for number, line in _numbered(block):
            if b"\x00" in line or ESCAPE.encode() in line:
                self._line(
                    "raw_lines_hold_text", number, line, "it holds a control character",
                    "delete the character",
                )  # fmt: skip

    def _quotes(self, block: Block, letters: Any, breaks: Any) -> set[int]:
        """The places of lines that Athena would cut in another way than a person."""
        if b'"' not in block.data or _well_quoted(block.data, letters, breaks, self.shape):
            return set()
        irregular = set()
        for number, line in _numbered(block):
            if b'"' not in line or self._regular.fullmatch(line):
                continue
            irregular.add(number - block.first_line)
            if line.count(b'"') % 2:
                rule = "raw_lines_close_their_quotes"
                self._line(
                    rule, number, line, "a quote is still open at the end of the line",
                    "write the cell on one line, and double a quote that is part of it",
                )  # fmt: skip
            else:
                rule = "raw_lines_quote_whole_cells"
                self._line(
                    rule, number, line, "a quote stands within a cell that it does not surround",
                    "put quotes around the whole cell, and double those within it",
                )  # fmt: skip
        return irregular

    def _widths(self, block: Block, letters: Any, breaks: Any, irregular: set[int]) -> None:
        rule = "raw_lines_have_no_more_cells_than_the_header"
        marks = np.flatnonzero(letters == ord(self.shape.separator))
        if b'"' in block.data and not irregular:
            quotes = np.flatnonzero(letters == 34)
            marks = marks[np.searchsorted(quotes, marks) % 2 == 0]
        most = len(self.shape.columns) - 1
        if not self._open(rule) or _all_alike(marks, breaks, most):
            return
        # Line i has the marks before its break that no earlier line has.
        before = np.searchsorted(marks, breaks)
        wide = np.flatnonzero(np.diff(before, prepend=0) > most)
        for place in wide:
            start = int(breaks[place - 1]) + 1 if place else 0
            line = block.data[start : int(breaks[place])]
            if int(place) in irregular or not self._open(rule):
                continue
            given = cells(line, self.shape.separator)
            if any(given[most + 1 :]):
                self._line(
                    rule, block.first_line + int(place), line,
                    f"it has {len(given)} cells, the header {most + 1}",
                    "put quotes around a cell that holds the separator, or delete what is too much",
                )  # fmt: skip


def _all_alike(marks: Any, breaks: Any, most: int) -> bool:
    """Whether each line has as many separators as the header: then no search is needed."""
    if not most or len(marks) != most * len(breaks):
        return False
    first, last = marks[::most], marks[most - 1 :: most]
    return bool((last < breaks).all() and (first[1:] > breaks[:-1]).all())


def _numbered(block: Block) -> Iterator[tuple[int, bytes]]:
    return enumerate(block.data.removesuffix(b"\n").split(b"\n"), block.first_line)


def _well_quoted(data: bytes, letters: Any, breaks: Any, shape: Shape) -> bool:
    """Quotes are around whole cells, or doubled within quotes, and close on their own line."""
    quotes = np.flatnonzero(letters == 34)
    if len(quotes) % 2 or (np.searchsorted(quotes, breaks) % 2).any():
        return False
    opening, closing = quotes[::2], quotes[1::2]
    before = letters[opening - 1]
    after = letters[np.minimum(closing + 1, len(letters) - 1)]
    mark = ord(shape.separator)
    begins = (before == mark) | (before == 10) | (before == 34)
    ends = (after == mark) | (after == 10) | (after == 34)
    begins[0] |= opening[0] == 0  # the block's own first and last letter have no neighbour
    ends[-1] |= closing[-1] == len(letters) - 1
    # A cell that opens right after another one closed, `"a"b`, would pass as a doubled quote only
    # within quotes, which the pairs above are.
    return bool(begins.all() and ends.all())


def _unlike(line: bytes, given: list[str], wanted: list[str], shape: Shape) -> str:
    """What is wrong with a header, in words."""
    for mark, said in SEPARATORS.items():
        other = [name.strip().lower() for name in cells(line, mark)]
        if mark != shape.separator and other == wanted:
            return f"its cells are separated by a {said}, not by a {SEPARATORS[shape.separator]}"
    if not line:
        return "its first line is empty"
    names = [name.strip().lower() for name in given]
    if sorted(names) == sorted(wanted):
        return "its columns stand in another order"
    lacking = [name for name in wanted if name not in names]
    extra = [name for name in names if name not in wanted]
    if len(names) == len(wanted) and not set(names) & set(wanted):
        return "its first line is no header"
    parts = [f"lacks {', '.join(lacking)}"] * bool(lacking) + [f"has {', '.join(extra)}"] * bool(
        extra
    )
    return f"its header {' and '.join(parts) or 'repeats a column'}"


def _guessed(line: bytes) -> str:
    """The encoding of a line that is not UTF-8, as far as it can be told."""
    try:
        line.decode("cp1252")
    except UnicodeDecodeError:
        return "an unknown encoding"
    return "Windows-1252 or ISO 8859-1"

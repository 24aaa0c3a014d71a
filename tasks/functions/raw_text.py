"""The bytes of a raw file as lines, by the rules of whoever reads it later.

Athena's (Trino, io.trino.hive.formats.line.text.TextLineReader): a line ends at a line feed, a
carriage return or both, also within quotes; an empty line is a row; a byte order mark at the start
is skipped; what is packed is told by the end of the key, in lower case. The same module runs in
the run's check and in `rebuy data check`.
"""

from __future__ import annotations

import bz2
import csv
import gzip
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

ESCAPE = "\x01"  # the raw tables' escapeChar: no text holds it, so a backslash is data
OPEN_CSV = "org.apache.hadoop.hive.serde2.OpenCSVSerde"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
BLOCK_BYTES = 1 << 18  # small enough for the processor's cache
# What the crawler, Athena and DataBrew all take.
# https://docs.aws.amazon.com/athena/latest/ug/compression-formats.html
# https://docs.aws.amazon.com/databrew/latest/dg/supported-data-file-sources.html
CODECS = {".gz": "gzip", ".bz2": "bzip2"}
_OTHER_ENDINGS = (".zip", ".zst", ".xz", ".7z", ".tar", ".tgz", ".lz4", ".snappy", ".deflate")
# The first bytes of what is no text, whatever its name says.
_SIGNATURES = (
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"PK\x03\x04", "a ZIP archive (or an Excel workbook)"),
    (b"\x28\xb5\x2f\xfd", "Zstandard"),
    (b"\xfd7zXZ", "xz"),
    (b"PAR1", "Parquet"),
    (b"ORC", "ORC"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"\xff\xfe", "UTF-16 text"),
    (b"\xfe\xff", "UTF-16 text"),
)


class Unreadable(Exception):
    """The file is no text that the readers take: (value, problem, advice)."""

    def __init__(self, value: str, problem: str, advice: str) -> None:
        super().__init__(problem)
        self.value, self.problem, self.advice = value, problem, advice


@dataclass(frozen=True)
class Block:
    """Whole lines, each ended by one line feed (the last line of a file perhaps by none);
    `first_line` is the number of the first, from 1."""

    data: bytes
    first_line: int
    line_ends: frozenset[str]  # as they stood in the file: LF, CRLF, CR


def codec(name: str) -> str:
    """`none`, `gzip` or `bzip2`, by the name's end. Raises Unreadable for another packing."""
    ending = next((end for end in (*CODECS, *_OTHER_ENDINGS) if name.lower().endswith(end)), "")
    if not ending:
        return "none"
    if name.endswith(ending) and ending in CODECS:
        return CODECS[ending]
    raise Unreadable(
        name[-len(ending) :],
        f"it is packed in a way, or has an ending, that Athena does not read ({ending})",
        "unpack it, or pack it as .gz or .bz2 (in lower case)",
    )


def unpacked(name: str, raw: IO[bytes]) -> IO[bytes]:
    """The file's text. Raises Unreadable where its content is not what its name says."""
    kind = codec(name)
    source = io.BufferedReader(_Readable(raw), BLOCK_BYTES)
    start = source.peek(8)[:8]
    if kind == "none":
        _refuse_signature(start, "rename it or unpack it, so that its name says what it is")
        return source
    found = next((said for mark, said in _SIGNATURES if start.startswith(mark)), "plain")
    if start and found != kind:
        raise Unreadable(
            name, f"its name says {kind}, its content is {found}", "rename or pack it anew"
        )
    opened: Any = gzip.GzipFile(fileobj=source) if kind == "gzip" else bz2.BZ2File(source)
    text = io.BufferedReader(opened, BLOCK_BYTES)
    _refuse_signature(text.peek(8)[:8], "pack the text itself, once")
    return text


def _refuse_signature(start: bytes, advice: str) -> None:
    for mark, said in _SIGNATURES:
        if start.startswith(mark):
            if said == "UTF-16 text":
                advice = "save it as UTF-8"
            raise Unreadable(start[:4].hex(" "), f"its content is {said}, no UTF-8 text", advice)


class _Readable(io.RawIOBase):
    """A stream of S3, or a file, as the standard library's readers want it."""

    def __init__(self, source: Any) -> None:
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        data = self._source.read(len(into))
        into[: len(data)] = data
        return len(data)


def blocks(text: IO[bytes]) -> Iterator[Block]:
    """The lines of the file, a byte order mark left out."""
    rest, held, line = b"", b"", 1
    first = True
    while True:
        read = text.read(BLOCK_BYTES)
        data, held = held + read, b""
        if first:
            data, first = data.removeprefix(BYTE_ORDER_MARK), False
        if read and data.endswith(b"\r"):  # a line feed may follow
            data, held = data[:-1], b"\r"
        ends = set()
        if b"\r" in data:
            pairs = data.count(b"\r\n")
            ends |= {"CRLF"} if pairs else set()
            data = data.replace(b"\r\n", b"\n") if pairs else data
            ends |= {"LF"} if not pairs and b"\n" in data else set()
            if b"\r" in data:
                ends.add("CR")
                data = data.replace(b"\r", b"\n")
            if pairs and data.count(b"\n") > pairs and "CR" not in ends:
                ends.add("LF")
        elif b"\n" in data:
            ends.add("LF")
        whole = rest + data
        cut = whole.rfind(b"\n") + 1 if read else len(whole)
        if cut:
            yield Block(whole[:cut], line, frozenset(ends))
            line += whole.count(b"\n", 0, cut)
        rest = whole[cut:]
        if not read:
            return


def cells(line: bytes, separator: str) -> list[str]:
    """A line without its end, as a person reads it."""
    return next(csv.reader([line.decode("utf-8", "replace")], delimiter=separator), [])


def lines_with(text: IO[bytes], needle: bytes) -> Iterator[tuple[int, bytes]]:
    """(number, line) of every line that holds the bytes."""
    for block in blocks(text):
        at = block.data.find(needle)
        while at >= 0:
            start = block.data.rfind(b"\n", 0, at) + 1
            end = block.data.find(b"\n", at)
            end = len(block.data) if end < 0 else end
            yield block.first_line + block.data.count(b"\n", 0, start), block.data[start:end]
            at = block.data.find(needle, end)

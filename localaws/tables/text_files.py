"""Lines of text files as Athena reads them, and which files DuckDB's quick reader reads the same.

Trino's rules (io.trino.hive.formats.line): a line ends at a line feed, a carriage return or both,
quotes or not; an empty line is a row; a byte order mark is skipped; what is not UTF-8 is U+FFFD;
the codec is told by the key's ending, in lower case. DuckDB's reader is exact for files without any
such oddity; the others are read line by line, by the slow and exact reader here.
"""

from __future__ import annotations

import bz2
import functools
import gzip
import io
import json
import uuid
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from localaws.core.jobs.seen import remembered
from localaws.tables import grok
from localaws.tables.codecs import codec
from localaws.tables.errors import TableError
from localaws.tables.snappy_files import unpacked
from localaws.tables.snapshot import DataFile
from localaws.tables.storage import Storage
from localaws.trino.regular_expressions import SECONDS, compiled

FILE = "$file"  # the path that a row came from
LINE = "line"
Letters = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]
_BATCH = 100_000
_LONGEST_LINE = 2_000_000  # bytes that DuckDB takes in one line
# More than that: a piece of a line that a block does not hold is too long by itself.
_BLOCK = 1 << 21
_NOTED_BYTES = 1 << 20  # a look at a smaller file costs no more than a note
_QUICK_CODECS = ("none", "gzip", "zstd")
_UNREADABLE = (OSError, EOFError, zlib.error)
_NONE = ("", "", "")
# Character.isWhitespace of Java: no non-breaking space is any.
_BLANKS = "".join(
    letter
    for letter in map(chr, range(0x3001))
    if letter.isspace() and letter not in "\x85\xa0\u2007\u202f"
)
_GZIP = b"\x1f\x8b"


def quickly(file: DataFile, storage: Storage) -> bool:
    """Whether DuckDB reads the file's rows as Athena does. The whole file is looked at, once."""
    kind = codec(file.uri)
    if kind not in _QUICK_CODECS:
        return False
    marks = (storage.separator, storage.quote, storage.escape)
    try:
        return _regular(file.version, file.uri, kind, _NONE if storage.format == "json" else marks)
    except _UNREADABLE as error:
        raise _cannot_open(file, error) from None


@functools.lru_cache(maxsize=8192)
def _regular(
    version: tuple[str, int, str, float], uri: str, kind: str, marks: tuple[str, str, str]
) -> bool:
    if any(ord(mark) > 127 for mark in marks if mark):
        return False
    if version[1] < _NOTED_BYTES:
        return _look(Path(version[0]), uri, kind, marks)
    question = ("regular", *version, uri, kind, *marks)
    return remembered(question, lambda: _look(Path(version[0]), uri, kind, marks))


def _look(path: Path, uri: str, kind: str, marks: tuple[str, str, str]) -> bool:
    separator, quote, escape = (mark.encode() for mark in marks)
    ends: set[bytes] = set()
    with opened(path, uri, kind) as file:
        for block in _blocks(file):
            if (escape and escape in block) or not _is_utf8(block):
                return False
            letters = np.frombuffer(block, np.uint8)
            breaks = np.flatnonzero(letters == 10)
            if not _even(block, breaks, ends):
                return False
            if quote in block and quote and not _well_quoted(letters, breaks, *separator, *quote):
                return False
    return len(ends) < 2


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    """The file in blocks of whole lines; a line longer than a block comes in pieces."""
    rest = file.read(3)
    if rest == b"\xef\xbb\xbf":
        rest = b""
    while read := file.read(_BLOCK):
        whole = rest + read
        end = whole.rfind(b"\n") + 1 or len(whole)
        yield whole[:end]
        rest = whole[end:]
    if rest:
        yield rest


def _is_utf8(block: bytes) -> bool:
    try:
        return block.isascii() or bool(block.decode())
    except UnicodeDecodeError:
        return False


def _even(block: bytes, breaks: Places, ends: set[bytes]) -> bool:
    """No empty line, no line that is too long, and line ends of one kind (added to `ends`)."""
    pairs = 0
    if b"\r" in block:
        pairs = block.count(b"\r\n")
        if not pairs == block.count(b"\r") == len(breaks):
            return False
    if len(breaks):
        ends.add(b"\r\n" if pairs else b"\n")
    lengths = np.diff(breaks, prepend=-1, append=len(block))
    shortest = lengths[:-1].min() if len(breaks) else len(block)
    return bool(shortest > (2 if pairs else 1) and lengths.max() < _LONGEST_LINE)


def _well_quoted(letters: Letters, breaks: Places, separator: int, quote: int) -> bool:
    """Quotes are around whole cells, or doubled within quotes, and close on their own line."""
    quotes = np.flatnonzero(letters == quote)
    if len(quotes) % 2 or (np.searchsorted(quotes, breaks) % 2).any():
        return False
    before, after = (
        letters[quotes[::2] - 1],
        letters[np.minimum(quotes[1::2] + 1, len(letters) - 1)],
    )
    begins = (before == separator) | (before == 10) | (before == quote)
    ends = (after == separator) | (after == 10) | (after == 13) | (after == quote)
    begins[0] |= quotes[0] == 0  # the block's own first and last letter have no neighbour
    ends[-1] |= quotes[-1] == len(letters) - 1
    return bool(begins.all() and ends.all())


def opened(path: Path, uri: str, kind: str) -> IO[bytes]:
    if kind == "none":
        file = path.open("rb")
        if file.peek(2)[:2] == _GZIP:
            file.close()
            raise TableError(
                "HIVE_CANNOT_OPEN_SPLIT",
                f"Error opening Hive split {uri}: its content is gzip, but its name does not end "
                "in .gz, so it would be read as text",
            )
        return file
    if kind == "gzip":
        return cast("IO[bytes]", gzip.open(path))
    if kind == "bz2":
        return cast("IO[bytes]", bz2.open(path))
    if kind == "zstd":
        return cast("IO[bytes]", pa.input_stream(str(path), compression="zstd"))
    if kind == "snappy":
        return io.BytesIO(unpacked(path))
    return io.BytesIO(zlib.decompress(path.read_bytes()))


def rewrite(files: list[DataFile], storage: Storage, labels: list[str], folder: Path) -> Path:
    """A Parquet file of the rows: `labels` (for JSON the whole line, in `line`) and `$file`.

    Raises TableError (HIVE_CANNOT_OPEN_SPLIT) for a file that cannot be decompressed.
    """
    target = folder / f"{uuid.uuid4().hex}.parquet"
    names = [LINE] if storage.format == "json" else labels
    schema = pa.schema([(label, pa.string()) for label in [*names, FILE]])
    split = _SPLIT[storage.format]
    with pq.ParquetWriter(target, schema) as writer:
        for file in files:
            columns: list[list[str | None]] = [[] for _ in names]
            for line in _records(file) if storage.records else _lines(file, storage.header_lines):
                cells = split(line, storage, len(names))
                for place, column in enumerate(columns):
                    column.append(cells[place] if place < len(cells) else None)
                if len(columns[0]) == _BATCH:
                    _write(writer, schema, columns, file.path)
                    columns = [[] for _ in names]
            _write(writer, schema, columns, file.path)
    return target


def _write(
    writer: pq.ParquetWriter, schema: pa.Schema, cells: list[list[str | None]], path: str
) -> None:
    columns = [*cells, [path] * len(cells[0])]
    arrays: list[Any] = [pa.array(column, pa.string()) for column in columns]
    writer.write_table(pa.table(arrays, schema=schema))


def _lines(file: DataFile, skipped: int) -> Iterator[str]:
    try:
        with (
            opened(Path(file.path), file.uri, codec(file.uri)) as raw,
            io.TextIOWrapper(raw, encoding="utf-8-sig", errors="replace") as lines,
        ):
            for number, line in enumerate(lines):
                if number >= skipped:
                    yield line.removesuffix("\n")
    except _UNREADABLE as error:
        raise _cannot_open(file, error) from None


def _records(file: DataFile) -> Iterator[str]:
    """The rows of a file of CloudTrail, each as a line of JSON."""
    try:
        found = json.loads("\n".join(_lines(file, 0)))["Records"]
    except (ValueError, KeyError, TypeError) as error:
        raise _cannot_open(file, error) from None
    yield from (json.dumps(record) for record in found)


def _cannot_open(file: DataFile, error: Exception) -> TableError:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return TableError("HIVE_CANNOT_OPEN_SPLIT", f"Error opening Hive split {file.uri}: {reason}")


def split_open_csv(line: str, storage: Storage, width: int) -> list[str | None]:
    """The cells of one line, at most `width`, as Trino's CsvDeserializer cuts it.

    An empty line has none. A cell whose quote is still open at the line's end is NULL.
    """
    mark, quote, escape = storage.separator, storage.quote, storage.escape
    if not line:
        return []
    if (not quote or quote not in line) and (not escape or escape not in line):
        return list(line.split(mark)[:width])
    cells: list[str | None] = []
    cell = ""
    quoted = started = False  # within quotes; within a cell that has text
    at, end = 0, len(line)
    while at < end and len(cells) < width:
        letter, after = line[at], line[at + 1 : at + 2]
        at += 1
        inside = quoted or started
        if letter == escape:
            if inside and after and after in (quote, escape):
                cell, at = cell + after, at + 1
        elif letter == quote:
            if inside and after == quote:
                cell, at = cell + quote, at + 1
            else:
                if (
                    line[at - 2 : at - 1] != mark
                    and after
                    and after != mark
                    and _beyond_start(line, at - 1)
                ):
                    cell = "" if cell and not cell.strip(_BLANKS) else cell + quote
                quoted = not quoted
            started = not started
        elif letter == mark and not quoted:
            cells.append(cell)
            cell, started = "", False
        else:
            cell, started = cell + letter, True
    if len(cells) < width and not quoted:
        cells.append(cell)
    return cells


def _beyond_start(line: str, place: int) -> bool:
    """Whether three of Java's characters (a letter beyond U+FFFF is two) stand before `place`."""
    return place > 2 or len(line[:place].encode("utf-16-le")) > 4


def split_delimited(line: str, storage: Storage, width: int) -> list[str | None]:
    """The cells of one line of a LazySimpleSerDe table; the null text is NULL.

    The escape character keeps the next one from splitting, and goes away.
    """
    mark, escape = storage.separator, storage.escape
    pieces: list[str] = []
    start = at = 0
    last = width - 1 if storage.last_takes_rest else -1
    if escape and escape in line:
        while at < len(line) and len(pieces) != last:
            if line[at] == mark:
                pieces.append(line[start:at])
                start = at + 1
            elif line[at] == escape:
                at += 1
            at += 1
        pieces.append(line[start:])
    else:
        pieces = line.split(mark, last) if last >= 0 else line.split(mark)
    return [
        None if piece == storage.null_text else _unescaped(piece, escape)
        for piece in pieces[:width]
    ]


def _unescaped(piece: str, escape: str) -> str:
    if not escape or escape not in piece:
        return piece
    letters = iter(piece)
    return "".join(next(letters, "") if letter == escape else letter for letter in letters)


def split_by_regex(line: str, storage: Storage, width: int) -> list[str | None]:
    """What the groups hold; a line that does not match is all NULL."""
    pattern = compiled(storage.regex)
    if pattern.groups != width:
        raise TableError(
            "HIVE_CURSOR_ERROR", "Number of matching groups doesn't match the number of columns"
        )
    try:
        found = pattern.fullmatch(line, timeout=SECONDS)
    except TimeoutError:
        raise TableError(
            "HIVE_CURSOR_ERROR", f"input.regex took over {SECONDS:.0f} s for one line"
        ) from None
    return list(found.groups()) if found else []


def split_by_grok(line: str, storage: Storage, width: int) -> list[str | None]:
    return grok.cells(line, storage.regex, storage.patterns)[:width]


def _whole_line(line: str, storage: Storage, width: int) -> list[str | None]:
    return [line]


_SPLIT: dict[str, Callable[[str, Storage, int], list[str | None]]] = {
    "open_csv": split_open_csv,
    "text": split_delimited,
    "regex": split_by_regex,
    "grok": split_by_grok,
    "json": _whole_line,
}

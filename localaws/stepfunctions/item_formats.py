"""The items in a file: JSON, JSON lines, CSV, Parquet; plain, as .gz or as .zstd."""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections.abc import Callable, Iterator
from typing import Any

from localaws.core.streams import Pieces
from localaws.shapes import Json
from localaws.stepfunctions.errors import ITEM_READER_FAILED, NOT_EMULATED, StateError

DELIMITERS = {"COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "SPACE": " ", "TAB": "\t"}
PACKED = {".gz": "gzip", ".zstd": "zstd", ".zst": "zstd"}  # ending -> codec
MAX_WHOLE_BYTES = 512 << 20  # of a file that is read as a whole: a JSON document, Parquet


def items(kind: str, key: str, chunks: Iterator[bytes], config: Json) -> Iterator[Any]:
    """The items of one file. `kind` is its InputType; `key` tells how it is compressed.

    Raises ValueError for what is no such file, StateError NotEmulated.
    """
    form = FORMATS.get(kind)
    if form is None:
        raise StateError(NOT_EMULATED, f"localaws does not emulate the InputType {kind}.")
    yield from form(_plain(key, chunks), config)


def _plain(key: str, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The file's content. A packed one may have several members, one after the other."""
    codec = next((codec for ending, codec in PACKED.items() if key.endswith(ending)), None)
    if codec is None:
        yield from chunks
        return
    from pyarrow import CompressedInputStream, PythonFile  # half a second, and only here

    file = PythonFile(io.BufferedReader(Pieces(chunks)), mode="r")
    try:
        with CompressedInputStream(file, codec) as stream:
            while data := stream.read(1 << 20):
                yield data
    except OSError as error:
        raise ValueError(f"{key} is not packed as {codec}, or is cut off: {error}") from error


def _whole(chunks: Iterator[bytes]) -> bytes:
    parts = bytearray()
    for chunk in chunks:
        parts += chunk
        if len(parts) > MAX_WHOLE_BYTES:
            raise StateError(ITEM_READER_FAILED, f"The file has more than {MAX_WHOLE_BYTES} bytes.")
    return bytes(parts)


def _json(chunks: Iterator[bytes], config: Json) -> Iterator[Any]:
    value = json.loads(_whole(chunks))
    pointer = config.get("ItemsPointer", "")
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        try:
            value = value[int(name)] if isinstance(value, list) else value[name]
        except (LookupError, ValueError, TypeError) as error:
            raise ValueError(f"ItemsPointer {pointer} leads nowhere.") from error
    yield from elements(value)


class Entry(Json):
    """An object's entry as an item, {"Key": ..., "Value": ...}."""


def elements(value: Any) -> list[Any]:
    """What a Map iterates over: an array's elements, an object's entries."""
    if isinstance(value, dict):
        return [Entry(Key=key, Value=item) for key, item in value.items()]
    if not isinstance(value, list):
        raise ValueError("Attempting to map over non-iterable node.")
    return value


def _jsonl(chunks: Iterator[bytes], _config: Json) -> Iterator[Any]:
    for line in lines(chunks):
        if line.strip():
            yield json.loads(line)


def lines(chunks: Iterator[bytes]) -> Iterator[str]:
    """Lines with their ends, as they come in: a quoted CSV field may go over several."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    rest = ""
    for chunk in chunks:
        *whole, rest = (rest + decoder.decode(chunk)).split("\n")
        for line in whole:
            yield line + "\n"
    rest += decoder.decode(b"", final=True)
    if rest:
        yield rest


def rows(chunks: Iterator[bytes], delimiter: str = ",") -> Iterator[list[str]]:
    """A CSV's rows; a backslash takes the next character as it is."""
    return csv.reader(lines(chunks), delimiter=delimiter, escapechar="\\")


def _csv(chunks: Iterator[bytes], config: Json) -> Iterator[Any]:
    found = rows(chunks, DELIMITERS.get(config.get("CSVDelimiter", "COMMA"), ","))
    headers = config.get("CSVHeaders")
    if config.get("CSVHeaderLocation", "FIRST_ROW") == "FIRST_ROW":
        headers = next(found, [])
    if not headers:
        raise ValueError("The CSV has no headers.")
    if len(set(headers)) < len(headers):
        raise ValueError("CSV headers cannot contain duplicates.")
    columns = sorted(enumerate(headers), key=lambda column: _bucket(column[1], len(headers)))
    for row in found:
        if row:
            yield {name: row[index] if index < len(row) else "" for index, name in columns}


def _bucket(name: str, count: int) -> int:
    """Where a Java HashMap of `count` keys has the name: AWS's rows come in that order."""
    code = 0
    for character in name:
        code = (code * 31 + ord(character)) & 0xFFFFFFFF
    capacity = 16
    while count > capacity * 3 // 4:
        capacity *= 2
    return (code ^ code >> 16) & (capacity - 1)


def _parquet(chunks: Iterator[bytes], _config: Json) -> Iterator[Any]:
    from pyarrow import ArrowInvalid, parquet  # half a second, and only here

    try:
        file = parquet.ParquetFile(io.BytesIO(_whole(chunks)))
    except ArrowInvalid as error:
        raise ValueError(f"The file is no Parquet: {error}") from error
    for group in range(file.num_row_groups):
        for row in file.read_row_group(group).to_pylist():
            yield json.loads(json.dumps(row, default=str))


FORMATS: dict[str, Callable[[Iterator[bytes], Json], Iterator[Any]]] = {
    "JSON": _json,
    "JSONL": _jsonl,
    "CSV": _csv,
    "PARQUET": _parquet,
}

"""Files in the formats and compressions that DuckDB does not write, made of those that it does."""

from __future__ import annotations

import bz2
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any
from xml.sax.saxutils import escape

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import orc

from localaws.databrew.source import InputError

_BLOCK_BYTES = 256 * 1024  # of Hadoop's block compressors
_BATCH_ROWS = 10_000


def pack(file: Path, kind: str, compression: str | None) -> None:
    """Turns the file into what the output asks for, in place.

    `compression` is what is still to be done: None for a text that was written compressed.
    """
    convert = {"ORC": _orc, "AVRO": _avro, "XML": _xml}.get(kind)
    if convert is not None:
        _replaced(file, lambda target: convert(file, target, compression))
    if kind in ("CSV", "JSON", "XML") and compression is not None:
        _replaced(file, lambda target: _compress(file, target, str(compression)))


def _replaced(file: Path, write: Callable[[Path], None]) -> None:
    target = file.with_name(f"{file.name}.packed")
    write(target)
    target.replace(file)


def _orc(file: Path, target: Path, compression: str | None) -> None:
    source = pq.ParquetFile(file)
    with orc.ORCWriter(str(target), compression=(compression or "uncompressed").lower()) as writer:
        if not source.metadata.num_rows:  # a file that nothing is written to is no ORC
            writer.write(source.schema_arrow.empty_table())
        for batch in source.iter_batches(_BATCH_ROWS):
            writer.write(pa.Table.from_batches([batch]))


def _avro(file: Path, target: Path, compression: str | None) -> None:
    import fastavro  # few jobs need it

    source = pq.ParquetFile(file)
    schema = fastavro.parse_schema(_avro_record("topLevelRecord", source.schema_arrow))
    rows = (row for batch in source.iter_batches(_BATCH_ROWS) for row in batch.to_pylist())
    codec = {"DEFLATE": "deflate", "BZIP2": "bzip2"}.get(compression or "", "null")
    with target.open("wb") as sink:
        fastavro.writer(sink, schema, rows, codec=codec)


def _avro_record(name: str, fields: Any) -> dict[str, Any]:
    """A record as Spark names them; each field may be null."""
    return {
        "type": "record",
        "name": name,
        "fields": [
            {
                "name": _avro_name(each.name),
                "type": ["null", _avro_type(f"{name}.{each.name}", each.type)],
            }
            for each in fields
        ],
    }


def _avro_name(name: str) -> str:
    if not re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name):
        raise InputError(f"The column {name!r} cannot be a field of Avro; RENAME it first.")
    return name


_AVRO: tuple[tuple[Any, Any], ...] = (
    (pa.types.is_boolean, "boolean"),
    (pa.types.is_float32, "float"),
    (pa.types.is_floating, "double"),
    (pa.types.is_string, "string"),
    (pa.types.is_date, {"type": "int", "logicalType": "date"}),
    (pa.types.is_timestamp, {"type": "long", "logicalType": "timestamp-micros"}),
)


def _avro_type(path: str, kind: pa.DataType) -> Any:
    if pa.types.is_integer(kind):
        return "int" if kind.bit_width < 64 and not pa.types.is_uint32(kind) else "long"
    for test, name in _AVRO:
        if test(kind):
            return name
    if pa.types.is_decimal(kind):
        return {
            "type": "bytes", "logicalType": "decimal",
            "precision": kind.precision, "scale": kind.scale,
        }  # fmt: skip
    if pa.types.is_struct(kind):
        return _avro_record(path.replace(".", "_"), kind)
    if pa.types.is_list(kind):
        return {"type": "array", "items": ["null", _avro_type(path, kind.value_type)]}
    raise InputError(f"A column of type {kind} cannot be a field of Avro.")


def _xml(file: Path, target: Path, compression: str | None) -> None:
    """`<ROWS><ROW><column>...`, as Spark's XML writer names its elements; null is left out."""
    source = pq.ParquetFile(file)
    names = source.schema_arrow.names
    for name in names:
        if not re.fullmatch(r"[A-Za-z_][\w.-]*", name):
            raise InputError(f"The column {name!r} cannot be an element of XML; RENAME it first.")
    with target.open("w", encoding="utf-8") as sink:
        sink.write("<ROWS>\n")
        for batch in source.iter_batches(_BATCH_ROWS):
            for row in batch.to_pylist():
                cells = "".join(
                    f"<{name}>{escape(_xml_text(value))}</{name}>"
                    for name, value in row.items()
                    if value is not None
                )
                sink.write(f"    <ROW>{cells}</ROW>\n")
        sink.write("</ROWS>\n")


def _xml_text(value: object) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", text):
        raise InputError(f"The text {text[:80]!r} has a character that XML cannot have.")
    return text


def _compress(file: Path, target: Path, compression: str) -> None:
    with file.open("rb") as source, target.open("wb") as sink:
        if compression in ("SNAPPY", "LZ4"):
            _hadoop(source, sink, {"SNAPPY": "snappy", "LZ4": "lz4_raw"}[compression])
            return
        if compression in ("BROTLI", "GZIP", "ZSTD"):
            with pa.CompressedOutputStream(pa.PythonFile(sink, "w"), compression.lower()) as packed:
                for block in _blocks(source):
                    packed.write(block)
            return
        packer: Any = bz2.BZ2Compressor() if compression == "BZIP2" else zlib.compressobj()
        for block in _blocks(source):
            sink.write(packer.compress(block))
        sink.write(packer.flush())


def _hadoop(source: IO[bytes], sink: IO[bytes], codec: str) -> None:
    """Hadoop's blocks, which Spark writes: lengths, plain and packed, before each raw block."""
    packer = pa.Codec(codec)
    for block in _blocks(source):
        packed = packer.compress(block, asbytes=True)
        sink.write(struct.pack(">II", len(block), len(packed)) + packed)


def _blocks(source: IO[bytes]) -> Iterator[bytes]:
    while block := source.read(_BLOCK_BYTES):
        yield block

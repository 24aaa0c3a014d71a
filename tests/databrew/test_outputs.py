"""Every format and compression that a job writes, read back by another reader."""

from __future__ import annotations

import bz2
import gzip
import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import fastavro
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import orc

from localaws.core.jobs.failures import WorkFailed
from localaws.databrew.writing import SUFFIXES
from tests.databrew.conftest import step
from tests.databrew.test_values import result, run

LINES = "id,name,price\n1,a,1.5\n2,,2.5\n"
ROWS = [{"id": 1, "name": "a", "price": 1.5}, {"id": 2, "name": None, "price": 2.5}]


def hadoop(codec: str) -> Callable[[bytes], bytes]:
    """Hadoop's block format: lengths of the plain and the packed block before each."""

    def unpack(data: bytes) -> bytes:
        plain = b""
        while data:
            size, packed = struct.unpack(">II", data[:8])
            plain += pa.Codec(codec).decompress(data[8 : 8 + packed], size, asbytes=True)
            data = data[8 + packed :]
        return plain

    return unpack


UNPACK: dict[str | None, Callable[[bytes], bytes]] = {
    None: bytes,
    "GZIP": gzip.decompress,
    "BZIP2": bz2.decompress,
    "DEFLATE": zlib.decompress,
    "SNAPPY": hadoop("snappy"),
    "LZ4": hadoop("lz4_raw"),
    "BROTLI": lambda data: pa.input_stream(io.BytesIO(data), compression="brotli").read(),
    "ZSTD": lambda data: pa.input_stream(io.BytesIO(data), compression="zstd").read(),
}


@pytest.mark.parametrize(
    ("kind", "compression"),
    [(kind, how) for kind, (_, compressions) in SUFFIXES.items() for how in compressions],
)
def test_a_format_and_its_compression(tmp_path: Path, kind: str, compression: str | None) -> None:
    key, data = result(tmp_path, LINES, output={"Format": kind, "CompressionFormat": compression})

    suffix, compressions = SUFFIXES[kind]
    assert key == "j_part00000." + ".".join(filter(None, (suffix, compressions[compression])))
    if kind == "CSV":
        assert UNPACK[compression](data).decode() == LINES
    elif kind == "JSON":
        assert UNPACK[compression](data).count(b"\n") == 2
    elif kind == "XML":
        rows = ElementTree.fromstring(UNPACK[compression](data))
        assert [[(cell.tag, cell.text) for cell in row] for row in rows] == [
            [("id", "1"), ("name", "a"), ("price", "1.5")],
            [("id", "2"), ("price", "2.5")],
        ]
    elif kind == "ORC":
        assert orc.read_table(io.BytesIO(data)).to_pylist() == ROWS
    elif kind == "AVRO":
        assert list(fastavro.reader(io.BytesIO(data))) == ROWS
    else:
        assert pq.read_table(io.BytesIO(data)).to_pylist() == ROWS


@pytest.mark.parametrize("kind", ["XML", "AVRO"])
def test_a_column_that_the_format_cannot_name_fails_the_run(tmp_path: Path, kind: str) -> None:
    with pytest.raises(WorkFailed, match=r"'a b' cannot be .* RENAME it first"):
        result(tmp_path, "a b\n1\n", output={"Format": kind})


def test_an_orc_file_without_rows_has_its_columns(tmp_path: Path) -> None:
    _, data = result(tmp_path, "a,b\n", output={"Format": "ORC"})

    assert orc.read_table(io.BytesIO(data)).schema.names == ["a", "b"]


def test_partitions_by_every_column_leave_nothing_to_write(tmp_path: Path) -> None:
    with pytest.raises(WorkFailed, match="All columns are partition columns"):
        result(tmp_path, "a\n1\n", output={"PartitionColumns": ["a"]})


def test_nested_columns_in_orc_and_avro(tmp_path: Path) -> None:
    nest = step("NEST_TO_STRUCT", sourceColumns=["id", "name"], targetColumn="n")

    _, data = result(tmp_path, LINES, steps=[nest], output={"Format": "AVRO"})

    assert [row["n"] for row in fastavro.reader(io.BytesIO(data))] == [  # type: ignore[index]
        {"id": 1, "name": "a"},
        {"id": 2, "name": None},
    ]


def test_orc_is_read(tmp_path: Path) -> None:
    sink = io.BytesIO()
    orc.write_table(pa.table({"id": [1, 2], "day": ["2020-01-02", None]}), sink)

    assert run(tmp_path, sink.getvalue(), kind="ORC") == "id,day\n1,2020-01-02\n2,\n"


@pytest.mark.parametrize(
    ("options", "written"),
    [
        ({}, "id,day,ok\n1,2020-01-02,true\n2,,false\n"),
        ({"SheetNames": ["other"]}, "x\n007\n"),
        ({"SheetIndexes": [1], "HeaderRow": False}, "Column_1\nx\n007\n"),
    ],
)
def test_excel_is_read(tmp_path: Path, options: dict[str, Any], written: str) -> None:
    book = openpyxl.Workbook()
    for row in (["id", "day", "ok"], [1, "2020-01-02", True], [2, None, False]):
        book.active.append(row)
    other = book.create_sheet("other")
    for cell in ("x", "007"):
        other.append([cell])
    sink = io.BytesIO()
    book.save(sink)

    assert run(tmp_path, sink.getvalue(), kind="EXCEL", Excel=options) == written


def test_a_sheet_that_is_not_there_fails_the_run(tmp_path: Path) -> None:
    with pytest.raises(WorkFailed, match="cannot be read as a workbook"):
        run(tmp_path, b"no workbook", kind="EXCEL")

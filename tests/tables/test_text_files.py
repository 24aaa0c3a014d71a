"""Lines and cells of text files: the exact reader's rules, and when the quick one may be used."""

from __future__ import annotations

import gzip
from operator import itemgetter
from pathlib import Path
from typing import Any

import duckdb
import pytest

from localaws.core.jobs import seen
from localaws.tables import hive, text_files
from localaws.tables.errors import TableError
from localaws.tables.snapshot import DataFile, Partition, TableSnapshot
from localaws.tables.storage import LAZY_SIMPLE, OPEN_CSV, Storage, descriptor, storage
from localaws.tables.text_files import quickly, split_delimited, split_open_csv
from tests.conftest import cases

NAMES = ("a", "b", "c")


def open_csv(**more: Any) -> Storage:
    return storage(descriptor(OPEN_CSV, more, [], ""), {}, "t")


def rows(folder: Path, data: bytes, how: Storage, name: str = "x.csv") -> list[tuple[Any, ...]]:
    """The rows of one file as any service reads it, in the order of the file where it has one."""
    path = folder / name
    path.write_bytes(data)
    file = DataFile(f"s3://lake/{name}", str(path), len(data), "", path.stat().st_mtime)
    columns = tuple((label, "string") for label in NAMES)
    table = TableSnapshot("db", "t", columns, (), (Partition((), how, columns, (file,)),))
    with duckdb.connect() as connection:
        connection.execute("SET threads = 1")
        return connection.execute(
            hive.relation(table, lambda sql: connection.execute(sql).fetchall(), folder)
        ).fetchall()


@pytest.mark.parametrize("case", cases("open_csv_lines"), ids=itemgetter("why"))
def test_a_line_is_cut_as_the_serde_cuts_it(case: dict[str, Any], tmp_path: Path) -> None:
    how = open_csv(**case.get("properties", {}))
    cut = split_open_csv(case["line"], how, 3)
    assert [*cut, None, None, None][:3] == case["cells"]
    assert rows(tmp_path, f"{case['line']}\nx,y,z\n".encode(), how) == [
        tuple(case["cells"]),
        ("x", "y", "z") if how.separator == "," else ("x,y,z", None, None),
    ]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"1,x,y\n\n2,x,y\n", [("1", "x", "y"), (None, None, None), ("2", "x", "y")]),
        (b'1,"x\ny",z\n', [("1", None, None), (None, None, None)]),
        (b"\xef\xbb\xbf1,x,y\n", [("1", "x", "y")]),
        (b"1,x,y\r2,x,y\r", [("1", "x", "y"), ("2", "x", "y")]),
        (b"1,x,y\r\n2,x,y\n3,x,y", [("1", "x", "y"), ("2", "x", "y"), ("3", "x", "y")]),
        (b"1,caf\xe9,y\n", [("1", "caf�", "y")]),
        (b"1,x\n2,x,y,z\n", [("1", "x", None), ("2", "x", "y")]),
        (b'1,"",\n', [("1", "", "")]),
        (b"1," + b"x" * 2_100_000 + b",y\n", [("1", "x" * 2_100_000, "y")]),
    ],
    ids=[
        "an empty line is a row of NULLs",
        "a line ends within quotes too",
        "byte order mark",
        "carriage returns",
        "line ends of two kinds",
        "not UTF-8",
        "short and long rows",
        "empty is not NULL",
        "a long line",
    ],
)
def test_lines_as_they_come(tmp_path: Path, data: bytes, expected: list[Any]) -> None:
    assert rows(tmp_path, data, open_csv()) == expected


@pytest.mark.parametrize(
    ("properties", "line", "cells"),
    [
        ({"field.delim": "|"}, "a|b|c", ["a", "b", "c"]),
        ({"field.delim": "9"}, "a\tb\tc", ["a", "b", "c"]),
        ({"serialization.format": ","}, "a,b", ["a", "b", None]),
        ({}, "a\x01b\x01c", ["a", "b", "c"]),
        ({"field.delim": ","}, '"a,b",c', ['"a', 'b"', "c"]),
        ({"field.delim": ","}, "\\N,,c", [None, "", "c"]),
        ({"field.delim": ",", "serialization.null.format": ""}, "a,,c", ["a", None, "c"]),
        ({"field.delim": ",", "escape.delim": "\\"}, "a\\,b,c\\\\,d", ["a,b", "c\\", "d"]),
        ({"field.delim": ","}, "a,b,c,d", ["a", "b", "c"]),
        (
            {"field.delim": ",", "serialization.last.column.takes.rest": "true"},
            "a,b,c,d",
            ["a", "b", "c,d"],
        ),
    ],
)
def test_delimited_text(
    tmp_path: Path, properties: dict[str, str], line: str, cells: list[str | None]
) -> None:
    """https://docs.aws.amazon.com/athena/latest/ug/lazy-simple-serde.html, and Trino's
    TextEncodingOptions."""
    how = storage(descriptor(LAZY_SIMPLE, properties, [], ""), {}, "t")
    assert [*split_delimited(line, how, 3), None][:3] == cells
    assert rows(tmp_path, f"{line}\n".encode(), how) == [tuple(cells)]


@pytest.mark.parametrize("ending", [".gz", ".zst", ".bz2", ".deflate", ".snappy", ""])
def test_the_name_tells_the_compression(tmp_path: Path, ending: str) -> None:
    import bz2
    import zlib

    import pyarrow as pa

    data = b'1,"x, y",z\n'
    packed = {
        ".gz": gzip.compress(data),
        ".zst": bytes(pa.Codec("zstd").compress(data, asbytes=True)),
        ".bz2": bz2.compress(data),
        ".deflate": zlib.compress(data),
        ".snappy": _hadoop_snappy(data),
        "": data,
    }[ending]
    assert rows(tmp_path, packed, open_csv(), f"x.csv{ending}") == [("1", "x, y", "z")]


def _hadoop_snappy(data: bytes) -> bytes:
    """Two blocks, of which the first has two chunks."""
    import pyarrow as pa

    def chunk(plain: bytes) -> bytes:
        packed = bytes(pa.Codec("snappy").compress(plain, asbytes=True))
        return len(packed).to_bytes(4, "big") + packed

    first = (5).to_bytes(4, "big") + chunk(data[:2]) + chunk(data[2:5])
    return first + len(data[5:]).to_bytes(4, "big") + chunk(data[5:])


def test_a_name_that_lies_about_compression_is_an_error_with_the_objects_name(
    tmp_path: Path,
) -> None:
    vast = b"\0\0\0\1" + b"\0\0\0\5" + b"\xff\xff\xff\xff\x7f"  # says that it holds 32 GB
    for name, data in (
        *(("x.csv.gz", b"1,x,y\n"), ("x.csv", gzip.compress(b"1,x,y\n"))),
        ("x.csv.snappy", vast),
    ):
        with pytest.raises(TableError) as caught:
            rows(tmp_path, data, open_csv(), name)
        assert caught.value.code == "HIVE_CANNOT_OPEN_SPLIT"
        assert f"s3://lake/{name}" in caught.value.message
        assert str(tmp_path) not in caught.value.message
    assert "no chunk of snappy" in caught.value.message  # and no memory is taken for it
    with pytest.raises(TableError, match=r"does not emulate the compression of s3://lake/x\.lz4"):
        rows(tmp_path, b"", open_csv(), "x.lz4")


def test_a_large_file_is_looked_at_once_for_all_workers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "seen").mkdir()
    monkeypatch.setenv(seen.VARIABLE, str(tmp_path / "seen"))

    def looked(data: bytes, etag: str) -> bool:
        (tmp_path / "x.csv").write_bytes(data)
        file = DataFile("s3://lake/x.csv", str(tmp_path / "x.csv"), len(data), etag, 1.0)
        text_files._regular.cache_clear()  # as in another worker
        return quickly(file, open_csv())

    regular = b"a,b,c\n" * 200_000
    assert looked(regular, "one")
    (note,) = (tmp_path / "seen").iterdir()
    odd = regular[:-6] + b'"a\nb"\n'  # a line break in quotes; the same size
    assert looked(odd, "one")  # taken for the file that was looked at: nobody looked again
    assert not looked(odd, "two")  # another version is another question
    assert not looked(odd, "two")
    assert len(list((tmp_path / "seen").iterdir())) == 2
    note.write_bytes(b"no")
    assert not looked(regular, "one")
    assert looked(b"a,b,c\n", "small")
    assert len(list((tmp_path / "seen").iterdir())) == 2  # a small file is not worth a note

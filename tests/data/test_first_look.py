"""A first look at raw files: what is read alike by everybody, and what is refused with its line."""

from __future__ import annotations

import bz2
import gzip
import io
import random
import re
from pathlib import Path
from typing import Any

import pytest

from localaws.tables.storage import LAZY_SIMPLE, OPEN_CSV
from tasks.functions import raw_checks
from tasks.functions.first_look import RULES, Look, Shape, look
from tasks.functions.raw_text import ESCAPE
from tests.tables import trino_csv

SHAPE = Shape(("a", "b", "c"))


def looked(data: bytes, name: str = "x.csv", shape: Shape = SHAPE) -> Look:
    return look(name, io.BytesIO(data), shape)


def packed(data: bytes, name: str) -> bytes:
    how = {".gz": gzip.compress, ".bz2": bz2.compress}
    return how.get(Path(name).suffix, bytes)(data)


@pytest.mark.parametrize(
    ("data", "rows", "ends"),
    [
        (b"a,b,c\n1,2,3\n", 1, ("LF",)),
        (b"\xef\xbb\xbfa,b,c\r\n1,2,3\r\n", 1, ("CRLF",)),
        (b"a,b,c\r1,2,3\r4,5,6\r", 2, ("CR",)),
        (b"a,b,c\n1,2,3\r\n4,5,6", 2, ("CRLF", "LF")),
        (b' A ,"b",C\n1, 2 ,003\n', 1, ("LF",)),
        (b"a,b,c\n", 0, ("LF",)),
        (b"a,b,c", 0, ()),
        (b"", 0, ()),
        (b"a,b,c\n1\n1,2\n", 2, ("LF",)),
        (b"a,b,c\n1,2,3,,\n", 1, ("LF",)),
        (b'a,b,c\n"1","x, ""y""",""\n', 1, ("LF",)),
        (b'a,b,c\n218,"6\\"" Organic Carrot Cake",8\n', 1, ("LF",)),
        ("a,b,c\n1,Käse,3\n".encode(), 1, ("LF",)),
    ],
)
@pytest.mark.parametrize("name", ["x.csv", "x.csv.gz", "x.csv.bz2"])
def test_what_everybody_reads_alike_is_no_finding(
    data: bytes, rows: int, ends: tuple[str, ...], name: str
) -> None:
    seen = looked(packed(data, name), name)
    assert (seen.findings, seen.rows, seen.line_ends) == ([], rows, ends)


@pytest.mark.parametrize(
    ("data", "rule", "line", "says"),
    [
        (b"a,b,c\n1,2,3\n\n4,5,6\n", "raw_lines_are_not_empty", 3, "delete the line"),
        (b'a,b,c\n1,"x\ny",3\n', "raw_lines_close_their_quotes", 2, "(2 in all)"),
        (b'a,b,c\n1,2,3\n1,x"y"z,3\n', "raw_lines_quote_whole_cells", 3, 'x"y"z'),
        (b'a,b,c\n1, "x",3\n', "raw_lines_quote_whole_cells", 2, "whole cell"),
        (b'a,b,c\n1,6" Cake,3\n', "raw_lines_close_their_quotes", 2, "double a quote"),
        (b"a,b,c\n1,2,3,4\n", "raw_lines_have_no_more_cells_than_the_header", 2, "4 cells"),
        (b"a,b,c\n1,2\x01,3\n", "raw_lines_hold_text", 2, "control character"),
        (b"a,b,c\n1,2,3\n1,caf\xe9,3\n", "raw_files_are_text", 3, "Windows-1252"),
        ("a,b,c\n".encode("utf-16"), "raw_files_are_text", None, "UTF-16"),
        ("a,b,c\n".encode("utf-16-le"), "raw_files_are_text", None, "zero bytes"),
        (gzip.compress(b"a,b,c\n", mtime=0), "raw_files_are_text", None, "content is gzip"),
        (b"PK\x03\x04rest", "raw_files_are_text", None, "ZIP"),
        (b"PAR1rest", "raw_files_are_text", None, "Parquet"),
        (b'[{"a": 1}]', "raw_files_are_text", None, "JSON"),
        (b"a;b;c\n1;2;3\n", "raw_files_have_the_header", 1, "separated by a semicolon"),
        (b"a\tb\tc\n", "raw_files_have_the_header", 1, "separated by a tab"),
        (b"c,a,b\n", "raw_files_have_the_header", 1, "another order"),
        (b"a,b,c,d\n", "raw_files_have_the_header", 1, "has d"),
        (b"a,b\n", "raw_files_have_the_header", 1, "lacks c"),
        (b"1,2,3\n", "raw_files_have_the_header", 1, "no header"),
        (b"\na,b,c\n", "raw_files_have_the_header", 1, "first line is empty"),
    ],
)
def test_what_is_read_in_two_ways_is_named_with_its_line(
    data: bytes, rule: str, line: int | None, says: str
) -> None:
    (found,) = looked(data).findings
    assert (found.rule, found.line) == (rule, line)
    assert says in found.said()
    assert rule in RULES


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("x.csv.gz", b"a,b,c\n", "its content is plain"),
        ("x.csv.gz", gzip.compress(b"a,b,c\n1,2,3\n", mtime=0)[:-9], "cannot be unpacked"),
        ("x.csv.GZ", gzip.compress(b"a,b,c\n", mtime=0), "does not read (.gz)"),
        ("x.csv.zst", b"", "does not read (.zst)"),
        ("x.zip", b"", "does not read (.zip)"),
    ],
)
def test_a_name_says_how_a_file_is_packed(name: str, data: bytes, says: str) -> None:
    (found,) = looked(data, name).findings
    assert found.rule == "raw_files_are_text"
    assert says in found.said()


def test_lines_are_numbered_across_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.functions.raw_text.BLOCK_BYTES", 7)
    data = b"a,b,c\r\n" + b"1,2,3\r\n" * 50 + b"\r\n" + b"4,5,6\r\n" * 3 + b"7,8,9,x"
    seen = looked(data)
    assert seen.rows == 55
    assert [(found.rule, found.line) for found in seen.findings] == [
        ("raw_lines_are_not_empty", 52),
        ("raw_lines_have_no_more_cells_than_the_header", 56),
    ]


def test_files_together(tmp_path: Path) -> None:
    keys = ("raw/orders/a.csv", "raw/orders/b (1).csv", "raw/orders/c.csv.gz", "raw/aisles/a.csv")
    looks = [Look(key, rows=1) for key in keys]
    looks[2].compression = "gzip"
    found = raw_checks.among(looks, dict(zip(keys, "xxyx", strict=True)))
    assert [(one.rule, one.file) for one in found] == [
        ("raw_files_are_different", keys[1]),
        ("raw_files_are_packed_alike", keys[2]),
    ]
    assert raw_checks.rows_of(looks) == {"orders": 3, "aisles": 1}


def test_a_row_of_a_checks_answer_has_its_place() -> None:
    files = {
        "raw/orders/a.csv": b"order_id,user_id\n7,1\n",
        "raw/orders/b.csv.gz": gzip.compress(b"order_id,user_id\n17,1\n\n0007, 12 \n"),
    }
    shape = Shape(("order_id", "user_id"))
    opened = [(name, lambda data=data: io.BytesIO(data)) for name, data in files.items()]

    def place(row: dict[str, Any]) -> str | None:
        return raw_checks.place_of(row, shape, opened)

    assert place({"order_id": 7, "rows_found": 2}) == "raw/orders/a.csv, line 2"
    assert place({"order_id": 7.0, "user_id": 12}) == "raw/orders/b.csv.gz, line 4"
    assert place({"order_id": 18}) is None
    assert place({"order_id": "0007", "user_id": "12"}) == "raw/orders/b.csv.gz, line 4"
    assert place({"train_orders": 0}) is None


def test_a_row_with_a_quote_in_its_name_has_its_place() -> None:
    data = b'product_id,product_name\n1,Tea\n218,"6\\"" Cake"\n'
    shape = Shape(("product_id", "product_name"))
    row = {"product_id": "218", "product_name": '6\\" Cake'}
    found = raw_checks.place_of(row, shape, [("x.csv", lambda: io.BytesIO(data))])
    assert found == "x.csv, line 3"


def test_rows_that_a_reader_loses_or_doubles_are_named() -> None:
    looked = {"orders": 3, "aisles": 2}
    assert raw_checks.unlike_rows(looked, {"orders": 3}, "databrew") == []
    (lost,) = raw_checks.unlike_rows(looked, {"orders": 6, "aisles": 2, "products": 1}, "athena")
    assert (lost["check"], lost["violations"]) == ("athena_reads_every_row_once", 2)
    assert lost["sample"][0] == {"table": "orders", "rows_in_files": 3, "rows_of_athena": 6}


@pytest.mark.parametrize(
    ("member", "found"),
    [
        ({"Parameters": {"separatorChar": ",", "quoteChar": '"'}}, {"escape": "\\"}),
        (
            {"SerializationLibrary": LAZY_SIMPLE, "Parameters": {"field.delim": ";"}},
            {"serde": LAZY_SIMPLE, "escape": "\\"},
        ),
    ],
)
def test_a_table_that_would_read_other_rows_is_not_as_expected(
    member: dict[str, Any], found: dict[str, Any]
) -> None:
    wanted = raw_checks.expected(SHAPE, "s3://lake/raw/t/")
    columns = [{"Name": name, "Type": "string"} for name in SHAPE.columns]
    serde = {"SerializationLibrary": OPEN_CSV, **member}
    table = {
        "Parameters": {"skip.header.line.count": "1"},
        "StorageDescriptor": {
            "Location": "s3://lake/raw/t/",
            "Columns": columns,
            "SerdeInfo": serde,
        },
    }
    described = raw_checks.described(table)
    assert {name: value for name, value in described.items() if value != wanted[name]} == found


# -- equal to Trino's reader, or refused -------------------------------------------------------


def person(line: str) -> list[str]:
    """RFC 4180, of a line that keeps to it."""
    found = re.findall(r'(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))', line)
    return [quoted.replace('""', '"') if quoted else plain for quoted, plain in found]


def fuzz(count: int, seed: int) -> tuple[int, int]:
    """(lines that differ, lines that are refused) of random lines: what Trino reads of a raw table
    against what a person reads, where the first look has no objection."""
    letters = random.Random(seed)
    header = "a,b,c\n"
    lines = ["".join(letters.choices('ab1,,"\\ ü', k=letters.randint(1, 14))) for _ in range(count)]
    different = refused = 0
    for line in lines:
        if looked((header + line + "\n").encode()).findings:
            refused += 1
            continue
        read = trino_csv.row(line.encode(), 3, ",", '"', ESCAPE)
        meant = [*person(line), None, None][:3]
        different += read != meant
    return different, refused


def test_a_line_is_read_as_a_person_means_it_or_it_is_refused() -> None:
    different, refused = fuzz(2_000, 7)
    assert different == 0
    assert 500 < refused < 1_900


if __name__ == "__main__":  # python -m tests.data.test_first_look: all of it
    different, refused = fuzz(200_000, 1)
    print(f"{different} of 200,000 lines differ, {refused:,} are refused")

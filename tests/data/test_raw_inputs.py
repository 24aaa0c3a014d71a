"""Raw inputs as they come: each is read alike by crawler, Athena, DataBrew and the first look, and
means what a person means, or it is refused with its file and line.

The readers are the real ones, in this process: what a crawl writes into the catalog, the table's
reader behind Athena and DataBrew, the run's own look and rules.
"""

from __future__ import annotations

import bz2
import csv
import gzip
import hashlib
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from localaws.athena import offline
from localaws.crawler.grouping import File, groups
from localaws.crawler.inference import infer
from localaws.crawler.schema import CsvRules
from localaws.crawler.tables import partition_inputs, table_input
from localaws.shapes import ObjectFile
from localaws.tables import files as tables
from localaws.tables import hive
from localaws.tables.snapshot import TableSnapshot
from rebuy.data.files import RAW_FILES
from rebuy.data.generate import generate
from tasks import sql
from tasks.functions import crawl_raw_data, raw_checks, storage
from tasks.functions.first_look import Finding, look

CLASSIFIER = CsvRules(",", '"', "PRESENT", serde="OpenCSVSerDe", types=("string",))
ORDERS = "order_id,user_id,eval_set,order_number,order_dow,order_hour_of_day,days_since_prior_order"
LINES = "order_id,product_id,add_to_cart_order,reordered"
PRODUCTS = "product_id,product_name,aisle_id,department_id"
FIRST = "1,112,prior,1,2,08,"
PLAIN = f"{ORDERS}\n{FIRST}\n2,112,train,2,3,09,7.0\n"
MEANT = [list(row) for row in csv.reader(PLAIN.splitlines()[1:])]
GZIP = gzip.compress(PLAIN.encode())
PLACE = "raw/orders/orders.csv"


@dataclass(frozen=True)
class Object:
    """An object of the bucket `lake` as a file."""

    key: str
    path: Path
    bytes: int
    etag: str = "e"
    bucket: str = "lake"
    last_modified: datetime = datetime(2026, 11, 29, tzinfo=UTC)


class Objects:
    def __init__(self, folder: Path, given: dict[str, bytes]) -> None:
        self.given = given
        self.objects = []
        for number, (key, data) in enumerate(sorted(given.items())):
            path = folder / f"object-{number}"
            path.write_bytes(data)
            self.objects.append(Object(key, path, len(data)))

    def read(self, bucket: str, prefix: str = "") -> Sequence[ObjectFile]:
        return [found for found in self.objects if found.key.startswith(prefix)]


def text(content: str) -> dict[str, bytes]:
    return {PLACE: content.encode()}


def zipped(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("orders.csv", data)
    return buffer.getvalue()


def product(line: str) -> dict[str, bytes]:
    return {"raw/products/products.csv": f"{PRODUCTS}\n{line}\n".encode()}


def quoted(content: str) -> str:
    return "\n".join(
        ",".join(f'"{cell}"' for cell in line.split(",")) for line in content.split("\n")
    )


# What it is, the objects, the rows of their table as a person means them.
READ: list[tuple[str, dict[str, bytes], list[list[str]]]] = [
    ("plain", text(PLAIN), MEANT),
    ("byte order mark", text("\ufeff" + PLAIN), MEANT),
    ("CRLF", text(PLAIN.replace("\n", "\r\n")), MEANT),
    ("old-Mac line ends", text(PLAIN.replace("\n", "\r")), MEANT),
    ("one CRLF in a file of LF", text(PLAIN.replace(f"{FIRST}\n", f"{FIRST}\r\n")), MEANT),
    ("no line end at the end", text(PLAIN.rstrip("\n")), MEANT),
    ("all cells quoted", text(quoted(PLAIN.rstrip("\n"))), MEANT),
    ("gzip", {f"{PLACE}.gz": GZIP}, MEANT),
    ("bzip2", {f"{PLACE}.bz2": bz2.compress(PLAIN.encode())}, MEANT),
    ("key with a space", {"raw/orders/my orders.csv": PLAIN.encode()}, MEANT),
    ("key with umlauts", {"raw/orders/Käufe.csv": PLAIN.encode()}, MEANT),
    ("key with a plus", {"raw/orders/a+b.csv": PLAIN.encode()}, MEANT),
    ("key with a percent sign", {"raw/orders/100%25.csv": PLAIN.encode()}, MEANT),
    ("key with brackets", {"raw/orders/orders[1]*.csv": PLAIN.encode()}, MEANT),
    ("partition folders", {"raw/orders/day=1/a.csv": PLAIN.encode()}, MEANT),
    (
        "files at several depths",
        {
            "raw/orders/a.csv": f"{ORDERS}\n{FIRST}\n".encode(),
            "raw/orders/2026/11/b.csv": PLAIN.replace(f"{FIRST}\n", "").encode(),
        },
        MEANT,
    ),
    ("leading zeros", text(f"{ORDERS}\n001,0112,prior,01,2,08,\n"),
     [["001", "0112", "prior", "01", "2", "08", ""]]),
    ("upper-case header", text(PLAIN.replace(ORDERS, ORDERS.upper())), MEANT),
    ("padded values", text(f"{ORDERS}\n1,112, prior ,1,2,8,\n"),
     [["1", "112", " prior ", "1", "2", "8", ""]]),
    ("rows that end in separators", text(PLAIN.replace(FIRST, FIRST + ",,")), MEANT),
    ("rows that end early", text(PLAIN.replace(FIRST, FIRST[:-1])), MEANT),
    ("a copy in .ipynb_checkpoints",
     {PLACE: PLAIN.encode(), "raw/orders/.ipynb_checkpoints/x.csv": PLAIN.encode()}, MEANT),
    ("a copy in _old",
     {PLACE: PLAIN.encode(), "raw/orders/_old/orders.csv": PLAIN.encode()}, MEANT),
    ("a hidden file", {PLACE: PLAIN.encode(), "raw/orders/.orders.csv.swp": b"x"}, MEANT),
    ("a folder's own object", {PLACE: PLAIN.encode(), "raw/orders/": b""}, MEANT),
    ("a file with a header only",
     {PLACE: PLAIN.encode(), "raw/orders/new.csv": f"{ORDERS}\n".encode()}, MEANT),
    ("an object without bytes", {PLACE: PLAIN.encode(), "raw/orders/new.csv": b""}, MEANT),
    ("a file a day of returning customers",
     {f"raw/orders/{day:02}.csv": f"{ORDERS}\n{day},7,prior,{day},1,8,1.0\n".encode()
      for day in range(1, 51)},
     [[str(day), "7", "prior", str(day), "1", "8", "1.0"] for day in range(1, 51)]),
    ("the genuine products.csv: a backslash before a quote",
     product('218,"6\\"" Organic Carrot Cake",8,3'),
     [["218", '6\\" Organic Carrot Cake', "8", "3"]]),
    ("a backslash in an unquoted cell", product("1,AC\\DC Tea\\,8,3"),
     [["1", "AC\\DC Tea\\", "8", "3"]]),
    ("separators and quotes in a quoted cell", product('1,"Tea, ""hot"", 6""",8,3'),
     [["1", 'Tea, "hot", 6"', "8", "3"]]),
]  # fmt: skip
# What it is, the objects, the rule that refuses it, the file and the line.
REFUSED: list[tuple[str, dict[str, bytes], str, str, int | None]] = [
    ("a line break in quotes", product('1,"Tea\nhot",8,3'),
     "raw_lines_close_their_quotes", "raw/products/products.csv", 2),
    ("a blank line", text(PLAIN.replace(FIRST, f"\n{FIRST}")), "raw_lines_are_not_empty", PLACE, 2),
    ("a blank line at the end", text(PLAIN + "\n"), "raw_lines_are_not_empty", PLACE, 4),
    ("a quote that stays open", product('1,6" Cake,8,3'),
     "raw_lines_close_their_quotes", "raw/products/products.csv", 2),
    ("quotes within an unquoted cell", product('1,a"b"c,8,3'),
     "raw_lines_quote_whole_cells", "raw/products/products.csv", 2),
    ("a blank before a quoted cell", product('1, "a",8,3'),
     "raw_lines_quote_whole_cells", "raw/products/products.csv", 2),
    ("an unquoted separator in a name", product("1,Tea, hot,8,3"),
     "raw_lines_have_no_more_cells_than_the_header", "raw/products/products.csv", 2),
    ("a zero byte", text(PLAIN.replace("train", "tr\x00ain")), "raw_files_are_text", PLACE, None),
    ("semicolons", text(PLAIN.replace(",", ";")), "raw_files_have_the_header", PLACE, 1),
    ("tabs", text(PLAIN.replace(",", "\t")), "raw_files_have_the_header", PLACE, 1),
    ("one Latin-1 byte", {PLACE: PLAIN.encode() + b"3,1,pri\xf6r,1,1,1,\n"},
     "raw_files_are_text", PLACE, 4),
    ("UTF-16", {PLACE: PLAIN.encode("utf-16")}, "raw_files_are_text", PLACE, None),
    ("a ZIP archive", {"raw/orders/orders.zip": zipped(PLAIN.encode())},
     "raw_files_are_text", "raw/orders/orders.zip", None),
    ("gzip without its name", {PLACE: GZIP}, "raw_files_are_text", PLACE, None),
    ("gzip in name only", {f"{PLACE}.gz": PLAIN.encode()},
     "raw_files_are_text", f"{PLACE}.gz", None),
    ("GZ in capital letters", {f"{PLACE}.GZ": GZIP},
     "raw_files_are_text", f"{PLACE}.GZ", None),
    ("a JSON array", {"raw/orders/orders.json": b'[{"order_id": 1}]'},
     "raw_files_are_text", "raw/orders/orders.json", None),
    ("another column more", text(PLAIN.replace("\n", ",x\n")),
     "raw_files_have_the_header", PLACE, 1),
    ("columns of other names", text(PLAIN.replace("user_id", "customer")),
     "raw_files_have_the_header", PLACE, 1),
    ("a timestamp instead of day and hour",
     text("order_id,user_id,eval_set,order_number,ordered_at\n1,1,prior,1,2026-11-29 08:00:00\n"),
     "raw_files_have_the_header", PLACE, 1),
    ("a second file with its columns in another order",
     {"raw/order_products/a.csv": f"{LINES}\n1,2,1,0\n".encode(),
      "raw/order_products/b.csv": b"product_id,order_id,reordered,add_to_cart_order\n3,1,0,2\n"},
     "raw_files_have_the_header", "raw/order_products/b.csv", 1),
    ("the same file twice", {PLACE: PLAIN.encode(), "raw/orders/orders (1).csv": PLAIN.encode()},
     "raw_files_are_different", PLACE, None),
    ("packed and unpacked files together",
     {PLACE: f"{ORDERS}\n3,1,prior,1,1,1,\n".encode(), f"{PLACE}.gz": GZIP},
     "raw_files_are_packed_alike", f"{PLACE}.gz", None),
    ("UUIDs as ids", text(PLAIN.replace(",112,", ",0b29f4c1-8a1e-4f2e-9d9c-1f7f2b1c9d11,")),
     "orders_have_valid_types", PLACE, 2),
]  # fmt: skip


def planned(objects: Objects) -> list[str]:
    """The keys of the manifest."""
    return [
        key
        for key, data in sorted(objects.given.items())
        if data and not storage.is_hidden(key.removeprefix(storage.RAW_PREFIX))
    ]


def findings(objects: Objects) -> list[Finding]:
    keys = planned(objects)
    shapes = {key: raw_checks.SHAPES[str(raw_checks.table_of(key))] for key in keys}
    looks = [look(key, io.BytesIO(objects.given[key]), shapes[key]) for key in keys]
    sha256 = {key: hashlib.sha256(objects.given[key]).hexdigest() for key in keys}
    return [*(one for seen in looks for one in seen.findings), *raw_checks.among(looks, sha256)]


def crawled(objects: Objects) -> TableSnapshot:
    """The one table of the objects, as a crawl and what follows it leave it in the catalog."""
    found = []
    for stored in tables.below(objects, "lake", "raw", single=True):
        schema = infer(stored.path, [CLASSIFIER]) if stored.bytes else None
        if schema is not None:
            found.append(File(stored, schema))
    (group,) = groups("lake", "raw/", found, 3, True)
    name = group.location.split("/")[1]
    table = crawl_raw_data._completed(table_input("crawler", name, group))
    described = raw_checks.described(table)
    expected = raw_checks.expected(raw_checks.SHAPES[name], f"s3://lake/raw/{name}/")
    assert described == expected
    partitions = [crawl_raw_data._completed(one) for one in partition_inputs(group, table, False)]
    return tables.take({**table, "DatabaseName": "raw"}, partitions, objects)


def rows(table: TableSnapshot, folder: Path, *, lenient: bool) -> list[list[str]]:
    """Sorted; lenient as DataBrew reads, else as Athena. What lacks is empty."""
    with duckdb.connect() as connection:
        read = hive.relation(
            table, lambda text: connection.execute(text).fetchall(), folder, lenient=lenient
        )
        columns = ", ".join(name for name, _ in table.columns)
        found = connection.execute(f"SELECT {columns} FROM ({read})").fetchall()
    return sorted([cell or "" for cell in row] for row in found)


@pytest.mark.parametrize(
    ("objects", "meant"), [case[1:] for case in READ], ids=[case[0] for case in READ]
)
def test_read_alike_by_all(
    objects: dict[str, bytes], meant: list[list[str]], tmp_path: Path
) -> None:
    stored = Objects(tmp_path, objects)
    assert findings(stored) == []

    table = crawled(stored)

    assert sorted(file.uri.removeprefix("s3://lake/") for file in table.files) == planned(stored)
    assert rows(table, tmp_path, lenient=False) == sorted(meant)
    assert rows(table, tmp_path, lenient=True) == sorted(meant)
    keys = planned(stored)
    shape = raw_checks.SHAPES[table.name]
    looked = [look(key, io.BytesIO(objects[key]), shape) for key in keys]
    assert raw_checks.rows_of(looked) == {table.name: len(meant)}


@pytest.mark.parametrize(
    ("objects", "rule", "file", "line"),
    [case[1:] for case in REFUSED],
    ids=[case[0] for case in REFUSED],
)
def test_refused_with_file_and_line(
    objects: dict[str, bytes], rule: str, file: str, line: int | None, tmp_path: Path
) -> None:
    stored = Objects(tmp_path, objects)
    found = findings(stored)
    if rule in {path.stem for path in (sql.ROOT / "checks").glob("*.sql")}:
        assert found == []
        with offline.opened([crawled(stored)], tmp_path) as athena:
            text = (sql.ROOT / "checks" / f"{rule}.sql").read_text()
            (first, *_) = athena.rows(text.replace("${RawDatabase}", "raw"))
        opened = [(key, lambda key=key: io.BytesIO(objects[key])) for key in planned(stored)]
        place = raw_checks.place_of(first, raw_checks.SHAPES["orders"], opened)
        assert place == f"{file}, line {line}"
        return
    (one,) = [each for each in found if each.rule == rule]
    assert (one.file, one.line) == (file, line)
    assert one.advice


def cleaned_up(data: bytes) -> bytes:
    """The same rows as a careful program writes them: all cells quoted, CRLF."""
    out = io.StringIO()
    lines = csv.reader(io.StringIO(data.decode(), newline=""))
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(lines)
    return out.getvalue().encode()


def test_a_folder_as_published_is_the_one_that_was_cleaned_up(tmp_path: Path) -> None:
    """Names with quotes, commas and a backslash before a quote, hours with a zero, empty gaps."""
    generate(20, tmp_path / "raw")
    for file in RAW_FILES:
        data = (tmp_path / "raw" / file.name).read_bytes()
        meant = list(csv.reader(io.StringIO(data.decode(), newline="")))[1:]
        if file.table == "products":
            assert sum('\\"' in name for _, name, *_ in meant) > 100
        for content in (data, cleaned_up(data)):
            folder = tmp_path / hashlib.sha256(content).hexdigest()
            folder.mkdir()
            stored = Objects(folder, {f"raw/{file.table}/{file.name}": content})
            assert findings(stored) == []
            table = crawled(stored)
            for lenient in (False, True):
                assert rows(table, folder, lenient=lenient) == sorted(meant)


def test_there_are_all_of_them() -> None:
    assert len(READ) + len(REFUSED) >= 51


UNRECOGNISED = {
    "a picture": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(64),
    "bytes of no kind": bytes(range(256)) * 4,
    "prose": b"Dear all\nthese are the orders of May\n",
    "blank lines": b"\n \n\n",
}


@pytest.mark.parametrize("data", UNRECOGNISED.values(), ids=UNRECOGNISED)
def test_what_no_classifier_recognises_is_refused_by_its_name(data: bytes, tmp_path: Path) -> None:
    """A crawl passes over such an object and has SUCCEEDED, here as on AWS."""
    objects = Objects(tmp_path, {PLACE: PLAIN.encode(), "raw/orders/other.csv": data})
    assert infer(objects.objects[1].path, [CLASSIFIER]) is None
    found = [one for one in findings(objects) if one.file == "raw/orders/other.csv"]
    assert found and found[0].rule in ("raw_files_are_text", "raw_files_have_the_header")

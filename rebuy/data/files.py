"""The six raw files: their names, columns and folders in the lake, and how rows are written."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path
from typing import IO, NamedTuple

import pyarrow as pa
from pyarrow import csv as arrow_csv

from tasks.functions.raw_checks import SHAPES


class RawFile(NamedTuple):
    """A file of the data set and the table (the folder below raw/) that it belongs to."""

    name: str
    table: str

    @property
    def columns(self) -> tuple[str, ...]:
        return SHAPES[self.table].columns


AISLES = RawFile("aisles.csv", "aisles")
DEPARTMENTS = RawFile("departments.csv", "departments")
PRODUCTS = RawFile("products.csv", "products")
ORDERS = RawFile("orders.csv", "orders")
PRIOR = RawFile("order_products__prior.csv", "order_products")
TRAIN = RawFile("order_products__train.csv", "order_products")
RAW_FILES = (AISLES, DEPARTMENTS, PRODUCTS, ORDERS, PRIOR, TRAIN)

_UNQUOTED = arrow_csv.WriteOptions(include_header=False, quoting_style="none")


def sha256_of(path: Path) -> str:
    """Of a file's bytes, in hex."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def write_small(folder: Path, file: RawFile, rows: list[tuple[int | str, ...]]) -> None:
    """Write a whole file; values are quoted where CSV needs it."""
    with (folder / file.name).open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(file.columns)
        writer.writerows(rows)


def write_header(out: IO[bytes], file: RawFile) -> None:
    """Write the header line of a file whose rows follow by `write_rows`."""
    out.write((",".join(file.columns) + "\n").encode())


def write_rows(out: IO[bytes], columns: list[pa.Array]) -> None:
    """Append rows of numbers and plain words (nothing that needs quotes); null is empty."""
    names = [str(index) for index in range(len(columns))]
    arrow_csv.write_csv(pa.table(columns, names=names), out, _UNQUOTED)

"""What is answered out of memory is what the engine answers, of good files and of bad ones.

`python -m tests.data.test_quick` holds 400 random shops to it; here are fewer.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

from rebuy.cli.contract import engine
from rebuy.data.contract import columns, figures, sources
from rebuy.data.contract.checking import RAW
from rebuy.data.contract.quick import Quick, Unsupported
from tasks import check_statements

ORDERS = "order_id,user_id,eval_set,order_number,order_dow,order_hour_of_day,days_since_prior_order"
LINES = "order_id,product_id,add_to_cart_order,reordered"
CELLS = (
    "0", "1", "2", "3", "7", "07", "30", "31", "99", "7.0", "30.5", "31.0", "1e1", "-1", "+2", " 1",
    "1 ", "", "prior", "train", "test", " prior", "x", "ü", "2147483648", "99999999", "100000000",
    "1234567890123456", "12345678901234567", '"1"', '"1', "1\\", "a,b", "/", ":", "NULL", "\t1",
    "\x00", "0000000000000001",
)  # fmt: skip


def shop(chance: random.Random) -> dict[str, list[list[str]]]:
    """A good shop's rows, by file."""
    orders: list[list[str]] = []
    prior: list[list[str]] = []
    train: list[list[str]] = []
    number = chance.choice((1, 90, 99_999_990))
    for user in range(1, chance.randint(3, 8)):
        last = chance.randint(2, 4)
        for nth in range(1, last + 1):
            kind = "prior" if nth < last else chance.choice(("train", "test"))
            gap = "" if nth == 1 else f"{chance.randint(0, 30)}.0"
            hour = f"{chance.randint(0, 23):02}"
            orders.append(
                [str(number), str(user), kind, str(nth), str(chance.randint(0, 6)), hour, gap]
            )
            for place in range(1, chance.randint(2, 4)):
                line = [str(number), str(place * 3), str(place), str(chance.randint(0, 1))]
                (train if kind == "train" else prior).append(line)
            number += chance.randint(1, 3)
    return {"orders.csv": orders, "order_products__prior.csv": prior,
            "order_products__train.csv": train}  # fmt: skip


def spoilt(chance: random.Random, rows: dict[str, list[list[str]]]) -> None:
    file = rows[chance.choice(list(rows))]
    row = chance.choice(file) if file else ["1"]
    what = chance.randint(0, 9)
    if what < 7:
        row[chance.randrange(len(row))] = chance.choice(CELLS)
    elif what == 7:
        file.append(list(row))
    elif what == 8:
        file.clear() if chance.random() < 0.3 else file.remove(row) if row in file else None
    else:
        row[:] = chance.choice((row[:-1], [*row, ""], [""]))


def write(folder: Path, chance: random.Random) -> None:
    rows = shop(chance)
    for _ in range(chance.choice((0, 1, 1, 1, 2, 3))):
        spoilt(chance, rows)
    for name, file in rows.items():
        header = ORDERS if name == "orders.csv" else LINES
        end = chance.choice(("\n", "\n", "\r\n", "\r"))
        text = end.join([header, *map(",".join, file)]) + chance.choice((end, end, ""))
        (folder / name).write_text(text, encoding="utf-8", newline="")
    products = [f"{number},Tea {number},1,1" for number in (3, 6, 9)]
    header = "product_id,product_name,aisle_id,department_id"
    (folder / "products.csv").write_text("\n".join([header, *products]) + "\n")
    (folder / "aisles.csv").write_text("aisle_id,aisle\n1,tea\n")
    (folder / "departments.csv").write_text("department_id,department\n1,drinks\n")


def questions() -> Iterator[str]:
    for statement in check_statements.of_project():
        yield str(statement["sql"]).replace(check_statements.DATABASE, RAW)
    for _, sql in figures.FIGURES.values():
        yield sql.format(raw=RAW, week="2026-W48")


def compared(folder: Path, block_bytes: int) -> tuple[int, int, int]:
    """(answers that differ, answers out of memory, those of them that find something broken)."""
    given = sources.of_folder(folder)
    tables = {}
    with mock.patch("tasks.functions.raw_text.BLOCK_BYTES", block_bytes):
        for table in ("orders", "order_products"):
            held = columns.read([file for file in given.files if file.table == table], 1 << 20)
            if held is not None:
                tables[table] = held
    different = answered = broken = 0
    with engine(given) as rows:
        quick = Quick(tables, rows)
        for sql in questions():
            try:
                found = quick.rows(sql)
            except Unsupported:
                continue
            answered += 1
            different += found != rows(sql)
            broken += any(value is True for row in found for value in row.values())
    return different, answered, broken


def fuzz(folder: Path, count: int, seed: int) -> tuple[int, int, int]:
    chance = random.Random(seed)
    together = [0, 0, 0]
    for number in range(count):
        place = folder / f"{seed}-{number}"
        place.mkdir()
        write(place, chance)
        found = compared(place, chance.choice((13, 64, 1 << 18)))
        together = [a + b for a, b in zip(together, found, strict=True)]
    return together[0], together[1], together[2]


def test_answers_out_of_memory_are_the_engines(tmp_path: Path) -> None:
    different, answered, broken = fuzz(tmp_path, 8, 3)
    assert different == 0
    assert answered > 30
    assert broken > 2


def test_of_good_files_no_large_table_needs_the_engine(tmp_path: Path) -> None:
    with mock.patch(f"{__name__}.spoilt"):
        write(tmp_path, random.Random(1))
    given = sources.of_folder(tmp_path)
    tables = {
        table: columns.read([file for file in given.files if file.table == table], 1 << 20)
        for table in ("orders", "order_products")
    }
    held = {name: table for name, table in tables.items() if table is not None}
    assert held.keys() == tables.keys()

    def products(sql: str) -> list[dict[str, object]]:
        assert ".products" in sql and ".order" not in sql
        return [{"id": number} for number in (3, 6, 9)]

    quick = Quick(held, products)
    of_large = [sql for sql in questions() if "FROM raw.order" in sql and "crc32" not in sql]
    assert len(of_large) == 10
    for sql in of_large:
        assert quick.rows(sql)


@pytest.mark.parametrize(
    ("lines", "read"),
    [
        ("1,2,3,4\n", True),
        ("1,2,3,4\n1,2,3\n", False),
        ("1,2,3,4\n\n", False),
        ('1,2,"3",4\n', False),
        ("1,2,x,4\n1,2,a longer word,4\n", False),
        ("1,2,3,12345678901234567\n", False),
        ("", False),
    ],
)
def test_only_numbers_and_few_words_are_held(lines: str, read: bool, tmp_path: Path) -> None:
    (tmp_path / "order_products__prior.csv").write_text(f"{LINES}\n{lines}")
    given = sources.of_folder(tmp_path).files
    assert (columns.read(given, 100) is not None) is read
    assert columns.read(given, 3) is None


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        different, answered, broken = fuzz(Path(scratch), 400, 1)
        print(f"{different} of {answered:,} answers differ; {broken:,} found something broken")

"""A generated shop, day by day: together its files are the orders that were generated."""

from __future__ import annotations

import csv
import itertools
from datetime import date, timedelta
from pathlib import Path

import pytest

from configuration.errors import InputError
from rebuy.data import days, generate

LAST = date(2026, 11, 29)


@pytest.fixture(scope="module")
def six(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("six")
    generate.generate(200, folder)
    return folder


def rows(*paths: Path) -> list[dict[str, str]]:
    return [row for path in paths for row in csv.DictReader(path.open(newline=""))]


def test_each_order_is_in_the_file_of_its_day(six: Path, tmp_path: Path) -> None:
    made = days.split(six, tmp_path / "days", 20, LAST)

    assert made.days == tuple(LAST - timedelta(days=back) for back in range(19, -1, -1))
    there = {row["order_id"]: row for row in rows(six / "orders.csv") if row["eval_set"] != "test"}
    day_of: dict[str, date | None] = {}
    for file in sorted((made.folder / "orders").iterdir()):
        name = file.stem.removeprefix("orders-")
        for row in rows(file):
            day_of[row["order_id"]] = None if name == "history" else date.fromisoformat(name)
            assert row == {**there[row["order_id"]], "eval_set": ""}
    assert day_of.keys() == there.keys()
    ordered = sorted(
        there.values(), key=lambda row: (int(row["user_id"]), int(row["order_number"]))
    )
    for before, row in itertools.pairwise(ordered):
        one, other = day_of[before["order_id"]], day_of[row["order_id"]]
        if before["user_id"] == row["user_id"] and one is not None:
            assert other == one + timedelta(days=float(row["days_since_prior_order"]))

    lines = rows(*(made.folder / "order_products").iterdir())
    expected = rows(six / "order_products__prior.csv", six / "order_products__train.csv")
    assert sorted(lines, key=str) == sorted(expected, key=str)
    for file in (made.folder / "order_products").iterdir():
        name = file.name.replace("order_products", "orders")
        known = {row["order_id"] for row in rows(made.folder / "orders" / name)}
        assert {row["order_id"] for row in rows(file)} <= known


def test_the_same_files_give_the_same_bytes(six: Path, tmp_path: Path) -> None:
    one, other = (days.split(six, tmp_path / name, 3, LAST) for name in ("a", "b"))

    assert [file.read_bytes() for file in one.files] == [file.read_bytes() for file in other.files]


def test_a_folder_that_is_there_is_not_written_over(six: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is there already"):
        days.split(six, tmp_path, 3, LAST)
    with pytest.raises(InputError, match="from 1 to 365"):
        days.split(six, tmp_path / "new", 0, LAST)

"""Every check of raw data finds what it is there for, and nothing in clean data."""

from __future__ import annotations

import json
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest

from tests.transform import tiny
from tests.transform.lake import RAW_COLUMNS, SQL, Lake, Raw

CHECKS = sorted(file.stem for file in (SQL / "checks").glob("*.sql"))
VIOLATIONS = json.loads((Path(__file__).parent / "violations.json").read_text())


def plant(raw: Raw, case: dict[str, Any]) -> None:
    """Damage the raw tables as the case says: add a row, set a cell of some rows, drop rows."""
    table = case["table"]
    columns = RAW_COLUMNS[table]
    matching = [
        row
        for row in raw[table]
        if all(row[columns.index(name)] == value for name, value in case.get("where", {}).items())
    ]
    if "add" in case:
        raw[table].append(list(case["add"]))
    elif "set" in case:
        for row in matching:
            for name, value in case["set"].items():
                row[columns.index(name)] = value
    else:
        assert case["drop"]
        raw[table] = [row for row in raw[table] if row not in matching]


def in_order(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=repr)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return Lake(tmp_path_factory.mktemp("lake"))


@pytest.mark.parametrize("check", CHECKS)
def test_a_check_finds_nothing_in_clean_data(lake: Lake, check: str) -> None:
    lake.load(tiny.raw())

    assert lake.rows(lake.sql(f"checks/{check}")) == []


@pytest.mark.parametrize("case", VIOLATIONS, ids=lambda case: f"{case['check']}: {case['why']}")
def test_a_check_returns_the_rows_that_violate_it(lake: Lake, case: dict[str, Any]) -> None:
    raw = tiny.raw()
    plant(raw, case)
    lake.load(raw)

    found = lake.rows(lake.sql(f"checks/{case['check']}"))

    assert in_order(found) == in_order(case["rows"])


def test_every_check_has_a_planted_violation() -> None:
    assert set(CHECKS) == set(map(itemgetter("check"), VIOLATIONS))


@pytest.mark.parametrize("check", CHECKS)
def test_a_check_says_in_words_what_must_hold_and_can_be_wrapped(lake: Lake, check: str) -> None:
    text = (SQL / "checks" / f"{check}.sql").read_text()
    lake.load(tiny.raw())

    assert text.startswith("-- ")
    assert ";" not in text.split("SELECT", 1)[1]
    assert lake.rows(f"SELECT count(*) AS found FROM (\n{lake.sql(f'checks/{check}')}\n)") == [
        {"found": 0}
    ]

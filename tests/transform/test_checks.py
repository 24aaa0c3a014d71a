"""Every check of raw data finds what it is there for, and nothing in clean data."""

from __future__ import annotations

import json
import re
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest

from tasks import check_statements
from tasks.errors import DefinitionError
from tasks.functions import check_raw_data
from tests.transform import tiny
from tests.transform.lake import RAW_COLUMNS, SQL, Lake, Raw

STATEMENTS = check_statements.of_project()
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


def broken(lake: Lake) -> set[str]:
    """The checks that the composed statements find broken."""
    answers = [lake.rows(str(one["sql"]).replace("${RawDatabase}", "raw")) for one in STATEMENTS]
    return set(check_raw_data.broken(STATEMENTS, answers))


def test_nothing_is_found_in_clean_data(lake: Lake) -> None:
    lake.load(tiny.raw())

    assert broken(lake) == set()
    assert {check: lake.rows(lake.sql(f"checks/{check}")) for check in CHECKS} == {
        check: [] for check in CHECKS
    }


@pytest.mark.parametrize("case", VIOLATIONS, ids=lambda case: f"{case['check']}: {case['why']}")
def test_a_check_returns_the_rows_that_violate_it(lake: Lake, case: dict[str, Any]) -> None:
    raw = tiny.raw()
    plant(raw, case)
    lake.load(raw)

    found = {check: lake.rows(lake.sql(f"checks/{check}")) for check in broken(lake)}

    assert in_order(found.get(case["check"], [])) == in_order(case["rows"])
    assert all(found.values())


def test_every_check_is_answered_and_a_table_is_scanned_once() -> None:
    assert sorted({check for one in STATEMENTS for check in one["checks"]}) == CHECKS
    scanned = [re.findall(r"^ +FROM \S+\.(\w+)$", str(one["sql"]), re.M) for one in STATEMENTS]
    # Orders once more, by user: what must hold of each one's.
    assert sorted(scanned) == [
        ["aisles"],
        ["departments"],
        ["order_products"],
        ["orders"],
        ["orders"],
        ["products"],
    ]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1 FROM ${RawDatabase}.orders AS o JOIN ${RawDatabase}.products AS p ON o.a = p.a",
        "WITH o AS (SELECT 1 AS a) SELECT a FROM o WHERE a > 1",
        "SELECT a FROM (SELECT a FROM ${RawDatabase}.orders) WHERE a > 1",
        "SELECT a FROM ${RawDatabase}.orders WHERE a > 1 LIMIT 5",
        "SELECT a FROM ${RawDatabase}.orders",
        "SELECT a FROM ${RawDatabase}.orders WHERE a > 1 HAVING count(*) > 2",
    ],
)
def test_a_check_that_cannot_be_composed_is_refused_by_name(text: str) -> None:
    with pytest.raises(DefinitionError, match=r"sql/checks/odd\.sql"):
        check_statements.compose({"odd": text})


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

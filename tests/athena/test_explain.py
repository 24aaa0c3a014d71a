"""EXPLAIN: the plan of the engine that would run the query, which then does not run."""

from __future__ import annotations

import re

import pytest

from tests.athena.conftest import Athena


@pytest.mark.parametrize("options", ["", "SELECT 1 AS one UNION ALL ", "WITH c AS (SELECT 1) "])
def test_the_plan_is_of_the_query_and_nothing_is_read(athena: Athena, options: str) -> None:
    athena.run("CREATE TABLE orders AS SELECT * FROM (VALUES 7, 8) AS given (user_id)")
    sql = f"EXPLAIN {options}SELECT user_id FROM orders WHERE user_id > 7"
    found = athena.run(sql)
    plan = "\n".join(row[0] or "" for row in athena.rows(sql))

    assert "user_id" in plan
    assert ("Union" in plan) is ("UNION" in options)
    assert found["Statistics"]["DataScannedInBytes"] == 0
    assert found["StatementType"] == "DML"
    answer = athena.client.get_query_results(QueryExecutionId=found["QueryExecutionId"])
    assert [c["Name"] for c in answer["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]] == [
        "Query Plan"
    ]


def test_a_table_that_is_not_there_has_no_plan(athena: Athena) -> None:
    assert "TABLE_NOT_FOUND" in athena.failure("EXPLAIN SELECT * FROM nowhere")


def test_analyze_runs_the_query_and_tells_what_it_took(athena: Athena) -> None:
    athena.run("CREATE TABLE orders AS SELECT * FROM (VALUES 7, 8, 9) AS given (user_id)")
    sql = "EXPLAIN ANALYZE SELECT count(*) FROM orders WHERE user_id > 7"
    found = athena.run(sql)
    told = [row[0] or "" for row in athena.rows(sql)]

    scanned = found["Statistics"]["DataScannedInBytes"]
    assert scanned > 0
    assert re.match(rf"Total: [\d.]+ ms, CPU: .*data scanned: {scanned} B", told[0])
    scan = next(line for line in told if "TABLE_SCAN" in line)
    assert "[2 rows, " in scan  # of three, by the filter
    assert found["StatementType"] == "DML"
    assert not any(str(athena.local.home.root) in line for line in told)


def test_a_query_is_validated(athena: Athena) -> None:
    assert athena.rows("EXPLAIN (TYPE VALIDATE) SELECT 1") == [["true"]]
    assert "COLUMN_NOT_FOUND" in athena.failure("EXPLAIN (TYPE VALIDATE) SELECT x")


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("EXPLAIN (TYPE IO) SELECT 1", "EXPLAIN (TYPE IO)"),
        ("EXPLAIN ANALYZE (FORMAT JSON) SELECT 1", "EXPLAIN ANALYZE (FORMAT JSON)"),
    ],
)
def test_other_kinds_of_plan_are_refused_by_name(athena: Athena, sql: str, named: str) -> None:
    with pytest.raises(Exception, match=rf"NotEmulated.*{re.escape(named)}"):
        athena.start(sql)

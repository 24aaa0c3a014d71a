"""EXPLAIN: the plan of the engine that would run the query, which then does not run."""

from __future__ import annotations

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


@pytest.mark.parametrize("sql", ["EXPLAIN ANALYZE SELECT 1", "EXPLAIN (TYPE IO) SELECT 1"])
def test_other_kinds_of_plan_are_refused_by_name(athena: Athena, sql: str) -> None:
    with pytest.raises(Exception, match=r"NotEmulated.*EXPLAIN with ANALYZE or options"):
        athena.start(sql)

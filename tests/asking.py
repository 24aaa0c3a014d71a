"""Athena as the tests of other services ask it: what it answers of a table that they have made."""

from __future__ import annotations

import time
from typing import Any

LONGEST_SECONDS = 60.0


def ended(athena: Any, sql: str, database: str = "shop") -> tuple[str, dict[str, Any]]:
    """The query's id, and its Status once it has ended."""
    query: str = athena.start_query_execution(
        QueryString=sql,
        QueryExecutionContext={"Database": database},
        ResultConfiguration={"OutputLocation": "s3://lake/results/"},
    )["QueryExecutionId"]
    deadline = time.monotonic() + LONGEST_SECONDS
    while True:
        status = athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]
        if status["State"] not in ("QUEUED", "RUNNING"):
            return query, status
        assert time.monotonic() < deadline, f"{sql} did not end"
        time.sleep(0.02)


def rows(athena: Any, sql: str, database: str = "shop") -> list[list[str | None]]:
    """The rows of a query that goes well."""
    query, status = ended(athena, sql, database)
    assert status["State"] == "SUCCEEDED", status
    return answer(athena, query)


def answer(athena: Any, query: str) -> list[list[str | None]]:
    """Below the line of names; everything is text."""
    found = athena.get_query_results(QueryExecutionId=query)["ResultSet"]["Rows"]
    return [[cell.get("VarCharValue") for cell in row["Data"]] for row in found[1:]]

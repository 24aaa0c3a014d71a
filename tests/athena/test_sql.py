"""Trino's answers, as Athena writes them, from DuckDB: tests/cases/athena_sql.json and
athena_functions.json."""

from __future__ import annotations

from operator import itemgetter
from pathlib import Path
from typing import Any

import duckdb
import pytest

from localaws.athena.database import Database, explain
from localaws.athena.formatting import result_query
from localaws.athena.sql.errors import QueryError
from localaws.athena.sql.parsing import parse
from localaws.athena.sql.python import regular_expressions
from localaws.athena.sql.queries import Queries
from localaws.athena.sql.sources import Found
from tests.conftest import cases


class NoTables:
    def find(self, database: str, table: str, node: Any) -> Found:
        raise QueryError(
            "TABLE_NOT_FOUND", f"Table 'awsdatacatalog.{database}.{table}' does not exist", node
        )


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Any:
    database = Database(Path(tmp_path_factory.mktemp("spill")))
    yield database.connect()
    database.close()


def answer(connection: duckdb.DuckDBPyConnection, sql: str) -> list[list[str | None]]:
    query = Queries(NoTables(), "shop").compile(parse(sql))
    try:
        return [list(row) for row in connection.execute(result_query(query)).fetchall()]
    except duckdb.Error as error:
        raise explain(error) from error


@pytest.mark.parametrize(
    "case", cases("athena_sql") + cases("athena_functions"), ids=itemgetter("why")
)
def test_athena_sql(connection: duckdb.DuckDBPyConnection, case: dict[str, Any]) -> None:
    if "rows" in case:
        assert answer(connection, case["sql"]) == case["rows"]
        return
    with pytest.raises(QueryError) as caught:
        answer(connection, case["sql"])
    assert str(caught.value).startswith(tuple(case["error"].split("|")))


@pytest.mark.parametrize(
    "call",
    [
        "regexp_like(s, p)",
        "regexp_extract(s, p)",
        "regexp_extract_all(s, p)",
        "regexp_count(s, p)",
        "regexp_position(s, p)",
        "regexp_split(s, p)",
        "regexp_replace(s, p, 'x')",
    ],
)
def test_a_pattern_that_backtracks_for_ever_ends(
    connection: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    monkeypatch.setattr(regular_expressions, "SECONDS", 0.1)
    with pytest.raises(QueryError, match="a regular expression took over"):
        answer(connection, f"SELECT {call} FROM (VALUES ('{'a' * 40}b', '(a|aa)+$')) AS t(s, p)")

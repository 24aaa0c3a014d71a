"""Trino's answers, as Athena writes them, from DuckDB: tests/cases/athena_sql.json and
athena_functions.json."""

from __future__ import annotations

import re
from collections.abc import Callable
from operator import itemgetter
from pathlib import Path
from typing import Any

import duckdb
import pytest

from localaws.athena.database import Database, explain
from localaws.athena.formatting import result_query
from localaws.athena.sql import plain_patterns
from localaws.athena.sql.functions import AGGREGATES, ALIASES, KNOWN_TO_TRINO, SCALARS, WINDOWS
from localaws.athena.sql.lambdas import LAMBDAS
from localaws.athena.sql.parsing import parse
from localaws.athena.sql.python import regular_expressions
from localaws.athena.sql.queries import Queries
from localaws.athena.sql.sources import Found
from localaws.athena.sql.special import SPECIALS
from localaws.trino.errors import QueryError
from localaws.trino.values import text
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


def test_no_function_is_said_to_be_lacking_that_is_there() -> None:
    there = set(SCALARS) | set(AGGREGATES) | set(WINDOWS) | set(SPECIALS) | set(LAMBDAS)

    assert KNOWN_TO_TRINO & (there | set(ALIASES)) == set()


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


PLAIN = [
    "^[0-9]{1,18}$",
    "^([0-9]{1,9}([.][0-9]{1,9})?)?$",
    "a.c|^b+?$",
    r"^\d\w*\.csv$",
    "[^a-c ]x",
    "(?:ab){2,}",
    "(a|aa)+$",
    "(a)(b*)",
    "b+(c?)",
    "x*a",
    "",
]
TEXTS = ["", "7", "12a", "12\n", "12\r", "\n12", "a\nc", "abc", "b", "bb\n", "9x.csv", "abab", "dx",
         "aaa\u2028", "0.5", "1.", "é", "a\u0085c", "0" * 19, "xxabbaab", "caac"]  # fmt: skip
CALLS: dict[str, Callable[[str, str], Any]] = {
    "regexp_like(s, {p})": lambda s, p: regular_expressions.regexp_like(s, p),
    "regexp_count(s, {p})": lambda s, p: regular_expressions.regexp_count(s, p),
    "regexp_extract(s, {p})": lambda s, p: regular_expressions.regexp_extract(s, p, 0),
    "regexp_extract_all(s, {p})": lambda s, p: regular_expressions.regexp_extract_all(s, p, 0),
    "regexp_split(s, {p})": lambda s, p: regular_expressions.regexp_split(s, p),
    "regexp_replace(s, {p}, '<->')": lambda s, p: regular_expressions.regexp_replace(s, p, "<->"),
}
OF_A_GROUP: dict[str, Callable[[str, str], Any]] = {
    "regexp_extract(s, {p}, 1)": lambda s, p: regular_expressions.regexp_extract(s, p, 1),
    "regexp_extract_all(s, {p}, 1)": lambda s, p: regular_expressions.regexp_extract_all(s, p, 1),
    "regexp_replace(s, {p}, '<$1>')": lambda s, p: regular_expressions.regexp_replace(s, p, "<$1>"),
}


def compiled(connection: duckdb.DuckDBPyConnection, call: str) -> tuple[str, dict[str, Any]]:
    """The DuckDB text of a call over every text, and its answers."""
    rows = ", ".join(f"({text(value)})" for value in TEXTS)
    query = Queries(NoTables(), "shop").compile(
        parse(f"SELECT s, {call} FROM (VALUES {rows}) AS t(s)")
    )
    return query.sql, dict(connection.execute(query.sql).fetchall())


@pytest.mark.parametrize("pattern", PLAIN)
def test_plain_patterns_match_in_duckdb_as_in_java(
    connection: duckdb.DuckDBPyConnection, pattern: str
) -> None:
    calls = {**CALLS, **(OF_A_GROUP if re.compile(pattern).groups else {})}
    for call, expected in calls.items():
        _, answers = compiled(connection, call.format(p=text(pattern)))

        assert answers == {s: expected(s, pattern) for s in TEXTS}, call


@pytest.mark.parametrize(
    "pattern", ["a*+", "(?=a)", r"\p{L}", "(?i)a", "[a&&b]", "(a{100}){100}", "a{1001}", "(a", "é"]
)
def test_patterns_of_java_alone_are_not_plain(pattern: str) -> None:
    assert not plain_patterns.is_plain(pattern)


@pytest.mark.parametrize(
    ("call", "is_quick"),
    [
        *((call.format(p="'(a)b+'"), True) for call in (*CALLS, *OF_A_GROUP)),
        ("regexp_like(s, s)", False),  # no literal
        ("regexp_extract_all(s, 'a*')", False),  # what is between empty matches
        ("regexp_split(s, '(a|b)')", False),
        ("regexp_extract(s, '(a)?b', 1)", False),  # a group that may not be set
        ("regexp_extract(s, '(a)|b', 1)", False),
        ("regexp_replace(s, 'ab', '$2')", False),  # Trino's error tells
        ("regexp_replace(s, 'ab', s)", False),
    ],
)
def test_plain_patterns_are_left_to_duckdb(call: str, is_quick: bool) -> None:
    query = Queries(NoTables(), "shop").compile(parse(f"SELECT {call} FROM (VALUES 'x') AS t(s)"))

    assert ("ELSE" in query.sql) is is_quick

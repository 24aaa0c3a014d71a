"""Recipe steps on DuckDB, from a table of cases: input rows, steps, output rows."""

from __future__ import annotations

import datetime
import decimal
import json
from collections.abc import Iterator
from operator import itemgetter
from typing import Any

import duckdb
import pytest

from localaws.databrew.recipe import evidence, functions
from localaws.databrew.recipe.compiler import OPERATIONS, Compiled, compile_steps, parse
from localaws.databrew.recipe.errors import RecipeError
from localaws.databrew.recipe.sql import ident
from localaws.databrew.recipe.steps import actions
from localaws.databrew.recipe.table import Context, Table
from tests.conftest import cases
from tests.databrew.conftest import step

NOW = datetime.datetime(2026, 11, 22, 17, 5, tzinfo=datetime.UTC)
SECRETS = {
    '["databrew!default", null]': functions.Secret("arn:default", "v", bytes(range(32))),
    '["rfc4231", null]': functions.Secret("arn:rfc4231", "v", b"Jefe"),
}
RANDOM = {
    "RANDOM",
    "RANDOM_BETWEEN",
    "REPLACE_WITH_RANDOM_BETWEEN",
    "REPLACE_WITH_RANDOM_DATE_BETWEEN",
    "SHUFFLE_ROWS",
}


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        opened.execute("SET TimeZone = 'UTC'")
        functions.register(opened, SECRETS)
        yield opened


def load(
    connection: duckdb.DuckDBPyConnection, name: str, columns: dict[str, str], rows: list[Any]
) -> Table:
    shape = ", ".join(f"{ident(column)} {kind}" for column, kind in columns.items())
    connection.execute(f"CREATE OR REPLACE TABLE {name} ({shape})")
    if rows:
        marks = ", ".join("?" * len(columns))
        connection.executemany(f"INSERT INTO {name} VALUES ({marks})", rows)
    return Table(columns, name)


def run(
    connection: duckdb.DuckDBPyConnection, case: dict[str, Any]
) -> tuple[Compiled, list[list[Any]]]:
    table = load(connection, "input", case["columns"], case["rows"])
    tables = {}
    if "second" in case:
        tables["second"] = load(
            connection, "second", case["second"]["columns"], case["second"]["rows"]
        )

    def query(sql: str) -> list[tuple[Any, ...]]:
        return connection.execute(sql).fetchall()

    compiled = compile_steps(
        parse(case["steps"]),
        table,
        Context(dataset=lambda name, place: tables[name or place], now=NOW),
        query,
    )
    described = {row[0]: row[1] for row in query(f"DESCRIBE {compiled.sql}")}
    assert described == compiled.columns, "the compiler must know the types it makes"
    return compiled, [[plain(value) for value in row] for row in query(compiled.sql)]


def plain(value: Any) -> Any:
    """A value as the table of cases writes it."""
    if isinstance(value, datetime.datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return str(value)
    if isinstance(value, float):
        return round(value, 9)
    return value


@pytest.mark.parametrize("case", cases("databrew_recipes"), ids=itemgetter("why"))
def test_a_recipe_gives_these_rows(
    connection: duckdb.DuckDBPyConnection, case: dict[str, Any]
) -> None:
    compiled, rows = run(connection, case)

    assert compiled.columns == case["output"]["columns"]
    assert rows == case["output"]["rows"]


@pytest.mark.parametrize("case", cases("databrew_recipe_errors"), ids=itemgetter("why"))
def test_a_wrong_recipe_is_refused_with_step_and_operation(case: dict[str, Any]) -> None:
    with pytest.raises(RecipeError) as caught:
        parse(case["steps"])

    assert str(caught.value) == case["error"]


def test_a_recipe_has_at_most_100_steps() -> None:
    with pytest.raises(RecipeError, match="at most 100 steps"):
        parse([step("UPPER_CASE", sourceColumn="a")] * 101)


def test_every_operation_that_is_offered_has_a_case() -> None:
    tried = {
        each["Action"]["Operation"] for case in cases("databrew_recipes") for each in case["steps"]
    }

    assert set(OPERATIONS) - tried - RANDOM - set(evidence.REFUSED) == set()
    assert set(OPERATIONS) <= set(actions())


def test_each_of_the_217_actions_is_real_or_refused_with_a_reason() -> None:
    known = evidence.known()

    assert len({json.dumps(action) for action in actions().values()}) <= len(known)
    refused = {name for name, (kind, _) in known.items() if kind == "refused"}
    assert refused == set(evidence.REFUSED)
    remarked = {*evidence.RECORDED, *evidence.INFERRED, *evidence.REFUSED}
    assert remarked <= set(known)
    assert set(known) - refused <= set(OPERATIONS)


def test_random_values_stay_in_their_range(connection: duckdb.DuckDBPyConnection) -> None:
    case = {
        "columns": {"a": "BIGINT", "d": "VARCHAR"},
        "rows": [[1, "x"]] * 200,
        "steps": [
            step("RANDOM", targetColumn="r"),
            step("RANDOM_BETWEEN", lowerBound="1", upperBound="3", targetColumn="b"),
            step(
                "REPLACE_WITH_RANDOM_BETWEEN", sourceColumns=["a"], lowerBound="5", upperBound="6"
            ),
            step(
                "REPLACE_WITH_RANDOM_DATE_BETWEEN",
                sourceColumns=["d"],
                startDate="2020-12-12 12:12:12",
                endDate="2020-12-13 12:12:12",
            ),
        ],
    }

    _, rows = run(connection, case)

    assert {row[0] for row in rows} == {5, 6}
    assert all("2020-12-12 12:12:12" <= row[1] <= "2020-12-13 12:12:12" for row in rows)
    assert all(0 <= row[2] < 1 for row in rows)
    assert {row[3] for row in rows} == {1, 2, 3}


def test_shuffling_moves_values_within_their_groups(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    case = {
        "columns": {"g": "VARCHAR", "n": "BIGINT"},
        "rows": [["a" if n < 50 else None, n] for n in range(100)],
        "steps": [step("SHUFFLE_ROWS", sourceColumns=["n"], groupByColumns=["g"])],
    }

    _, rows = run(connection, case)

    assert [row[0] for row in rows] == ["a"] * 50 + [None] * 50
    assert sorted(row[1] for row in rows[:50]) == list(range(50))
    assert sorted(row[1] for row in rows[50:]) == list(range(50, 100))
    assert [row[1] for row in rows] != list(range(100))


def test_columns_that_would_differ_in_case_only_are_refused(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    case = {
        "columns": {"s": "VARCHAR"},
        "rows": [["yes"], ["Yes"]],
        "steps": [step("ONE_HOT_ENCODING", sourceColumn="s")],
    }

    with pytest.raises(RecipeError, match="'s_Yes' and 's_yes' would differ in case only"):
        run(connection, case)


@pytest.mark.parametrize(
    ("made", "name"),
    [
        (step("UNPIVOT", sourceColumns=["s"], unpivotColumn="s_yes", valueColumn="v"), "s_yes"),
        (step("UNPIVOT", sourceColumns=["s"], unpivotColumn="v", valueColumn="v"), "v"),
        (step("ONE_HOT_ENCODING", sourceColumn="s"), "s_yes"),
        (
            step(
                "UNION",
                datasetsColumns=[["s", "s_yes"], [None, None]],
                secondaryDatasetNames=["second"],
                targetColumnNames=["v", "v"],
            ),
            "v",
        ),
    ],
)
def test_a_new_column_of_a_name_that_is_there_is_refused(
    connection: duckdb.DuckDBPyConnection, made: dict[str, Any], name: str
) -> None:
    columns = {"s": "VARCHAR", "s_yes": "VARCHAR"}
    case: dict[str, Any] = {"columns": columns, "rows": [["yes", "x"]], "steps": [made]}
    case["second"] = {"columns": columns, "rows": []}

    with pytest.raises(RecipeError, match=f"the column '{name}' would be there twice"):
        run(connection, case)


@pytest.mark.parametrize(
    "made",
    [
        step("REPLACE_TEXT", sourceColumn="s", pattern="[", value="x"),
        step("EXTRACT_BETWEEN_DELIMITERS", sourceColumn="s", startPattern="a", endPattern="(",
             targetColumn="o"),
        step("SPLIT_COLUMN_SINGLE_DELIMITER", sourceColumn="s", pattern="[", isText="false"),
        step("JSON_TO_STRUCTS", regexColumnSelector="["),
    ],
)  # fmt: skip
def test_what_is_no_regular_expression_is_refused_with_step_and_parameter(
    connection: duckdb.DuckDBPyConnection, made: dict[str, Any]
) -> None:
    case = {"columns": {"s": "VARCHAR"}, "rows": [["x"]], "steps": [made]}

    with pytest.raises(RecipeError, match=r"Step 1 \(\w+\): \w+ is no regular expression"):
        run(connection, case)


def test_a_column_with_too_many_values_cannot_be_pivoted(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    case = {
        "columns": {"s": "VARCHAR"},
        "rows": [[str(n)] for n in range(11)],
        "steps": [step("ONE_HOT_ENCODING", sourceColumn="s")],
    }

    with pytest.raises(RecipeError, match="more than 10 different values"):
        run(connection, case)

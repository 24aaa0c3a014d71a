"""A recipe over columns that are known, without data."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import duckdb

from localaws.databrew.recipe import functions
from localaws.databrew.recipe.compiler import compile_steps, parse
from localaws.databrew.recipe.errors import RecipeError
from localaws.databrew.recipe.sql import ident
from localaws.databrew.recipe.table import Context, Table
from localaws.trino import types as t

Json = dict[str, Any]
WHEN = datetime(2026, 1, 1, tzinfo=UTC)
# DuckDB's names of a type that Hive writes otherwise.
SAME = {"HUGEINT": "BIGINT", "INT": "INTEGER", "STRING": "VARCHAR", "FLOAT": "REAL"}


def columns_after(steps: Sequence[Json], columns: dict[str, str]) -> tuple[dict[str, str], str]:
    """(the columns that the recipe writes, with DuckDB's types, and what is wrong with it)."""
    with duckdb.connect() as connection:
        functions.register(connection, {})
        listed = ", ".join(
            f"CAST(NULL AS {kind}) AS {ident(name)}" for name, kind in columns.items()
        )
        connection.execute(f"CREATE TEMP VIEW input AS SELECT {listed} LIMIT 0")

        def query(sql: str) -> list[tuple[Any, ...]]:
            return connection.execute(sql).fetchall()

        try:
            compiled = compile_steps(parse(steps), Table(dict(columns)), Context(WHEN), query)
            connection.execute(f"DESCRIBE {compiled.sql}")
        except (RecipeError, LookupError, duckdb.Error) as error:
            return {}, str(error).splitlines()[0].rstrip(".")
    return dict(compiled.columns), ""


def same_type(duckdb_type: str, declared: t.Type) -> bool:
    """Whether a Parquet column of one is read as the other."""
    plain = duckdb_type.upper()
    return SAME.get(plain, plain) == SAME.get(
        t.duckdb(declared).upper(), t.duckdb(declared).upper()
    )


def line_of(text: str, problem: str) -> int:
    """The line of the step that the problem names: `step 3`, else of the first name in it."""
    number = re.search(r"[Ss]tep (\d+)", problem)
    places = [match.start() for match in re.finditer(r'"Operation"', text)]
    if number and int(number[1]) <= len(places):
        return text[: places[int(number[1]) - 1]].count("\n") + 1
    return 1

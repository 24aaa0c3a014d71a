"""A project's sample, and the view of it after some steps; in a worker.

The view is JSON: `rowCount` and `columnCount` after the steps; `columns` of the frame, each with
its `name`, DataBrew `type` and, unless Analytics is DISABLE, its statistics (as in a profile) and,
for a text most of whose cells are of one type, `likelyType` with `invalidValuesCount`; and `rows`,
lists of texts or null.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from localaws.databrew import reading
from localaws.databrew.inference import CANDIDATES, CELL
from localaws.databrew.profile.statistics import Column, group, statistics
from localaws.databrew.recipe.compiler import compile_steps, parse
from localaws.databrew.recipe.sql import TYPES, ident, literal, to_text
from localaws.databrew.recipe.table import Context, Table
from localaws.databrew.source import Source
from localaws.shapes import Json

SAMPLE = "sample.parquet"
MOST_COLUMNS = 20
MOST_ROWS = 10_000
LIKELY = 0.5  # of the filled cells
_SHOWN = frozenset(
    {"MISSING_VALUES_COUNT", "DISTINCT_VALUES_COUNT", "UNIQUE_VALUES_COUNT"}
    | {"MOST_COMMON_VALUES", "VALUE_DISTRIBUTION", "MIN", "MAX", "MEAN", "MEDIAN"}
)
_NAMES = {kind: name for name, kind in reversed(TYPES.items())}


def take(request: Json, folder: Path, connection: duckdb.DuckDBPyConnection) -> Json:
    """Writes the sample of a dataset: its first, last or random rows."""

    def query(sql: str) -> list[tuple[Any, ...]]:
        return connection.execute(sql).fetchall()

    found = reading.relation(Source.from_json(request["source"]), (), query, folder)
    size = int(request["sample"]["Size"])
    rows = f"{found.sql} LIMIT {size}"
    if request["sample"]["Type"] == "RANDOM":
        rows = f"FROM ({found.sql}) USING SAMPLE reservoir({size} ROWS) REPEATABLE (1)"
    elif request["sample"]["Type"] == "LAST_N":
        ((count,),) = query(f"SELECT count(*) FROM ({found.sql})")
        rows = f"{found.sql} LIMIT {size} OFFSET {max(0, count - size)}"
    query(f"COPY ({rows}) TO {literal(str(folder / SAMPLE))} (FORMAT parquet)")
    return {"columns": found.columns}


def view(request: Json, folder: Path, connection: duckdb.DuckDBPyConnection) -> Json:
    """The frame of the sample after the steps."""

    def query(sql: str) -> list[tuple[Any, ...]]:
        return connection.execute(sql).fetchall()

    query(
        "CREATE OR REPLACE TEMP VIEW input AS SELECT * FROM"
        f" read_parquet({literal(str(folder / SAMPLE))})"
    )
    columns = {str(row[0]): str(row[1]) for row in query("DESCRIBE input")}

    def other(name: str, place: str) -> Table:
        source = Source.from_json(request["datasets"][name or place])
        found = reading.relation(source, (), query, folder)
        label = ident(f"dataset {name or place}")
        query(f"CREATE OR REPLACE TEMP VIEW {label} AS {found.sql}")
        return Table(found.columns, label)

    context = Context(dataset=other, now=request["now"])
    compiled = compile_steps(parse(request["steps"]), Table(columns, "input"), context, query)
    query(f"CREATE OR REPLACE TEMP TABLE viewed AS {compiled.sql}")
    return _framed(compiled.columns, request["frame"], query)


def _framed(columns: dict[str, str], frame: Json, query: Any) -> Json:
    hidden = set(frame.get("HiddenColumns", []))
    visible = [name for name in columns if name not in hidden]
    start = int(frame["StartColumnIndex"])
    names = visible[start : start + int(frame.get("ColumnRange", MOST_COLUMNS))]
    analytics = frame.get("Analytics", "ENABLE") == "ENABLE"
    ((count,),) = query("SELECT count(*) FROM viewed")
    rows = []
    if names:
        shown = ", ".join(to_text(ident(name), columns[name]) for name in names)
        limit = min(int(frame.get("RowRange", MOST_ROWS)), MOST_ROWS)
        rows = query(
            f"SELECT {shown} FROM viewed LIMIT {limit} OFFSET {int(frame.get('StartRowIndex', 0))}"
        )
    return {
        "rowCount": count,
        "columnCount": len(columns),
        "columns": [_column(name, columns[name], analytics, query) for name in names],
        "rows": [list(row) for row in rows],
    }


def _column(name: str, kind: str, analytics: bool, query: Any) -> Json:
    found: Json = {"name": name, "type": _NAMES.get(kind, kind.partition("(")[0].lower())}
    if not analytics:
        return found
    if group(kind):
        of_few = {"MOST_COMMON_VALUES": {"sampleSize": "10"}}
        found |= statistics(Column(name, kind, query, "viewed", _SHOWN, of_few))
    else:
        ((missing,),) = query(f"SELECT count(*) - count({ident(name)}) FROM viewed")
        found["missingValuesCount"] = missing
    return found | (_likely(name, query) if kind == "VARCHAR" else {})


def _likely(name: str, query: Any) -> Json:
    """The type that most filled cells of a text are of, and how many are not."""
    cell = ident(name)
    kinds = [each for each in CANDIDATES if each.kind != "VARCHAR"]
    tests = ", ".join(
        f"count(*) FILTER ({cell} <> '' AND ({each.fits.replace(CELL, cell)}) IS NOT TRUE)"
        for each in kinds
    )
    ((filled, *misfits),) = query(f"SELECT count(nullif({cell}, '')), {tests} FROM viewed")
    wrong, _, kind = min(
        (wrong, place, each.kind)
        for place, (each, wrong) in enumerate(zip(kinds, misfits, strict=True))
    )
    if not filled or wrong > filled * LIKELY:
        return {}
    return {"likelyType": _NAMES.get(kind, kind.lower()), "invalidValuesCount": wrong}

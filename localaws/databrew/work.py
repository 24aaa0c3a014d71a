"""What a job does in a worker: it reads, transforms or profiles, and writes files."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import duckdb

from localaws.core.jobs.failures import OutOfMemory, WorkFailed
from localaws.core.jobs.limits import Limits
from localaws.databrew import databases, hive_types, reading, viewing, writing
from localaws.databrew.plain import plain_columns
from localaws.databrew.profile import profiling
from localaws.databrew.recipe import functions
from localaws.databrew.recipe.compiler import Compiled, compile_steps, parse
from localaws.databrew.recipe.errors import RecipeError
from localaws.databrew.recipe.sql import ident
from localaws.databrew.recipe.table import Context, Table
from localaws.databrew.source import InputError, Source
from localaws.shapes import Json

FAILED = "FAILED"


def run(request: Json, limits: Limits) -> list[Json]:
    """The Result of each of `outputs`: the rows of `source` after the recipe's `steps`.

    `datasets` are the Sources that steps name, `secrets` the keys of their cryptography; `job` and
    `when` name the files, `now` is the recipe's time, and everything is written below `folder`.
    Raises WorkFailed.
    """
    with _engine(request, limits) as (folder, connection):
        return _run(request, folder, connection)


def profile(request: Json, limits: Limits) -> Json:
    """The `files` of a profile of `source` and of a report of its `rulesets`, whose states are in
    `rulesets`. Raises WorkFailed."""
    with _engine(request, limits) as (folder, connection):
        return profiling.run(request, folder, connection)


def sample(request: Json, limits: Limits) -> Json:
    """Takes a project's `sample` of `source`. Raises WorkFailed."""
    with _engine(request, limits) as (folder, connection):
        return viewing.take(request, folder, connection)


def view(request: Json, limits: Limits) -> Json:
    """What a project's session shows after `steps`. Raises WorkFailed."""
    with _engine(request, limits) as (folder, connection):
        return viewing.view(request, folder, connection)


@contextlib.contextmanager
def _engine(request: Json, limits: Limits) -> Iterator[tuple[Path, duckdb.DuckDBPyConnection]]:
    """The folder, and a connection whose errors are WorkFailed."""
    folder = Path(request["folder"])
    (folder / "spill").mkdir(parents=True, exist_ok=True)
    try:
        with contextlib.closing(duckdb.connect(config=_settings(folder, limits))) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            # Costs nothing measurable; the same input gives the same bytes where rows stay rows.
            connection.execute("SET preserve_insertion_order = true")
            functions.register(connection, _secrets(request))
            yield folder, connection
    except duckdb.OutOfMemoryException:
        raise OutOfMemory from None
    except (RecipeError, InputError, LookupError) as error:
        raise WorkFailed(FAILED, str(error)) from error
    except duckdb.Error as error:
        raise WorkFailed(FAILED, str(error).splitlines()[0]) from error


def _run(request: Json, folder: Path, connection: duckdb.DuckDBPyConnection) -> list[Json]:
    steps = parse(request["steps"])
    raw = reading.raw_columns(steps)

    def query(sql: str) -> list[tuple[Any, ...]]:
        return connection.execute(sql).fetchall()

    def view(name: str, source: Json) -> Table:
        of = Source.from_json(source)
        found = reading.relation(of, raw, query, folder)
        query(f"CREATE OR REPLACE TEMP VIEW {name} AS {found.sql}")
        return Table(found.columns, name, plain=plain_columns(of))

    compiled = compile_steps(
        steps,
        view("input", request["source"]),
        Context(
            dataset=lambda name, place: view(
                ident(f"dataset {name or place}"), request["datasets"][name or place]
            ),
            now=request["now"],
        ),
        query,
    )
    return [
        asdict(_written(output, compiled, request, folder / f"output-{number}", query))
        for number, output in enumerate(request["outputs"])
    ]


def _written(
    output: Json,
    compiled: Compiled,
    request: Json,
    scratch: Path,
    query: Callable[[str], list[tuple[Any, ...]]],
) -> writing.Result:
    """The compiled rows in one of the places that they are to go to."""
    sql, columns = compiled.sql, compiled.columns
    shape: tuple[tuple[str, str], ...] = ()
    if "Database" in output:
        return writing.Result((), databases.write(output["Database"], sql, columns, scratch, query))
    if "Table" in output:
        sql, columns, shape = hive_types.shaped(sql, columns, output.get("Columns"))
    job, when = request["job"], request["when"]
    found = writing.write(output, sql, columns, job, when, scratch, query)
    return replace(found, columns=shape)


def _secrets(request: Json) -> dict[str, functions.Secret]:
    return {
        name: functions.Secret(each["arn"], each["version"], base64.b64decode(each["key"]))
        for name, each in request.get("secrets", {}).items()
    }


def _settings(folder: Path, limits: Limits) -> dict[str, str | bool | int | float | list[str]]:
    return {
        "threads": limits.threads,
        "memory_limit": f"{limits.engine_bytes >> 20}MiB",
        "temp_directory": str(folder / "spill"),
        "autoinstall_known_extensions": False,
    }

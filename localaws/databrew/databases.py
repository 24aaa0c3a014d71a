"""A run's result as a new table of a PostgreSQL database: made and filled in one transaction.

https://docs.aws.amazon.com/databrew/latest/dg/API_DatabaseTableOutputOptions.html: what is given is
the beginning of the table's name. Types are those that Spark's JDBC writer gives PostgreSQL's.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from localaws.core import postgres
from localaws.databrew.recipe.sql import is_nested, literal
from localaws.databrew.source import InputError
from localaws.databrew.writing import flat
from localaws.shapes import Json

MOST_BYTES = 63  # of an identifier: PostgreSQL would cut a longer one
TYPES = {
    "BOOLEAN": "BOOLEAN", "TINYINT": "SMALLINT", "SMALLINT": "SMALLINT", "INTEGER": "INTEGER",
    "BIGINT": "BIGINT", "FLOAT": "FLOAT4", "DOUBLE": "FLOAT8", "VARCHAR": "TEXT", "DATE": "DATE",
    "TIMESTAMP": "TIMESTAMP",
}  # fmt: skip


def name_of(prefix: str, when: datetime) -> str:
    """The new table of a run that began at `when`."""
    # GUESSED: the table is called <prefix>_<ddmonyyyy>_<epoch ms>, as a run's folders in S3.
    return f"{prefix}_{when:%d%b%Y}_{int(when.timestamp() * 1000)}".lower()


def write(
    target: Json,
    sql: str,
    columns: dict[str, str],
    scratch: Path,
    query: Callable[[str], list[tuple[int, ...]]],
) -> int:
    """The rows that the new table has; `target` is `url`, `user`, `password`, `table`. A table of
    that name, which only an earlier try of the same run can have left, is replaced.

    Raises InputError.
    """
    import pg8000.native  # few jobs need it

    table = ".".join(_identifier(part) for part in target["table"].split("."))
    shape = ", ".join(f"{_identifier(name)} {_type(name, each)}" for name, each in columns.items())
    scratch.mkdir(parents=True)
    file = scratch / "rows.csv"
    # A missing cell is written as nothing and an empty text as "", which COPY takes as it is meant.
    ((rows,),) = query(
        f"COPY ({flat(sql, columns)}) TO {literal(str(file))} (FORMAT csv, HEADER false)"
    )
    try:
        connection = postgres.connect(target["url"], target["user"], target["password"])
    except postgres.PostgresError as error:
        raise InputError(str(error)) from error
    try:
        connection.run("START TRANSACTION")
        connection.run(f"DROP TABLE IF EXISTS {table}")
        connection.run(f"CREATE TABLE {table} ({shape})")
        with file.open("rb") as stream:
            connection.run(f"COPY {table} FROM STDIN (FORMAT csv)", stream=stream)
        connection.run("COMMIT")
    except pg8000.native.DatabaseError as error:
        raise InputError(f"Table {target['table']}: {postgres.told(error)}") from error
    finally:
        connection.close()
    return int(rows)


def _type(name: str, kind: str) -> str:
    if kind.startswith("DECIMAL("):
        return kind.replace("DECIMAL", "NUMERIC")
    if is_nested(kind):
        return "TEXT"  # its JSON
    if kind not in TYPES:
        raise InputError(f"Column {name!r} is a {kind}, for which PostgreSQL's type is not known.")
    return TYPES[kind]


def _identifier(name: str) -> str:
    if len(name.encode()) > MOST_BYTES:
        raise InputError(f"{name!r} is longer than PostgreSQL's names, {MOST_BYTES} bytes.")
    return '"' + name.replace('"', '""') + '"'

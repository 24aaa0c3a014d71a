"""JDBC targets: the tables of a PostgreSQL database, as tables of the catalog.

https://docs.aws.amazon.com/glue/latest/dg/define-crawler.html: a path is database/schema/table, of
which % stands for any schema and any table; exclusions are globs over what is below the database.
"""

from __future__ import annotations

from collections.abc import Iterator

from localaws.catalog import databases
from localaws.core.aws import LocalAws
from localaws.core.jobs.job import JobFailed
from localaws.crawler.tables import store_input
from localaws.crawler.writing import Found
from localaws.shapes import Json
from localaws.tables.exclusions import excluded
from localaws.wildcards import in_order

ENGINE = "postgresql"
_COLUMNS = """
SELECT c.table_schema, c.table_name, t.table_type, c.column_name, c.udt_name,
       c.numeric_precision, c.numeric_scale
FROM information_schema.columns c
JOIN information_schema.tables t USING (table_schema, table_name)
WHERE c.table_schema NOT IN ('pg_catalog', 'information_schema')
ORDER BY c.table_schema, c.table_name, c.ordinal_position
"""
# GUESSED: AWS publishes no table of types; these are Hive's for what Spark reads by JDBC.
_TYPES = {
    "bool": "boolean", "int2": "smallint", "int4": "int", "int8": "bigint", "float4": "float",
    "float8": "double", "date": "date", "timestamp": "timestamp", "timestamptz": "timestamp",
    "bytea": "binary",
}  # fmt: skip


def tables(aws: LocalAws, crawler: str, target: Json) -> Iterator[Found]:
    """Each table and view of the target. Raises JobFailed for a database that does not answer, or
    a path without any."""
    database, schema, table = parts(target["Path"])
    is_excluded = excluded(target.get("Exclusions") or [])
    try:
        connection = databases.opened(aws, target["ConnectionName"], database)
    except databases.ConnectionFailed as error:
        raise JobFailed(str(error)) from error
    try:
        rows = connection.run(_COLUMNS)
    finally:
        connection.close()
    found: dict[tuple[str, str, str], list[Json]] = {}
    for its_schema, name, kind, column, type_name, precision, scale in rows:
        if (
            _is(its_schema, schema)
            and _is(name, table)
            and not any(map(is_excluded, (its_schema, name, f"{its_schema}/{name}")))
        ):
            columns = found.setdefault((its_schema, name, kind), [])
            columns.append({"Name": column.lower(), "Type": _type(type_name, precision, scale)})
    if not found:
        raise JobFailed(f"{target['Path']} has no table that {target['ConnectionName']} shows.")
    for (its_schema, name, kind), columns in found.items():
        parameters = {
            "classification": ENGINE,
            "compressionType": "none",
            "connectionName": target["ConnectionName"],
            "typeOfData": "view" if kind == "VIEW" else "table",
        }
        location = f"{database}.{its_schema}.{name}"
        made = store_input(crawler, location, columns, parameters)
        yield Found(f"{database}_{its_schema}_{name}", made)


def root(path: str) -> str:
    """What the locations of a target's tables begin with."""
    database, schema, table = parts(path)
    named = [database, schema, table]
    first = next((at for at, name in enumerate(named) if "%" in name), len(named))
    return ".".join(named[:first]) + ("." if first < len(named) else "")


def parts(path: str) -> tuple[str, str, str]:
    """Database, schema and table of a path; what is not named is any."""
    database, _, rest = path.strip("/").partition("/")
    schema, _, table = rest.partition("/")
    return database, schema or "%", table or "%"


def _is(name: str, wanted: str) -> bool:
    return in_order(name, wanted.split("%"))


def _type(name: str, precision: int | None, scale: int | None) -> str:
    if name.startswith("_"):
        return f"array<{_type(name[1:], precision, scale)}>"
    if name == "numeric":
        return f"decimal({min(precision, 38)},{scale})" if precision else "decimal(38,18)"
    return _TYPES.get(name, "string")

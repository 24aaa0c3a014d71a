"""Statements over Iceberg tables: what a worker is told to do, and what that changes.

A table's new metadata file becomes the table by one change of the catalog, which is made only if
the table is still what the statement has read; until then the new files are nobody's.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sqlglot import exp

from localaws.athena import results, shaping, writing
from localaws.athena.formatting import column_info
from localaws.athena.grammar import statements as s
from localaws.athena.grammar.iceberg import transform
from localaws.athena.iceberg import changes, types
from localaws.athena.iceberg.properties import table_properties
from localaws.athena.iceberg.state import METADATA, IcebergTable, is_iceberg
from localaws.athena.session import Change, Effect, Session, change
from localaws.athena.sql.parameters import bind
from localaws.athena.sql.parsing import parse
from localaws.athena.sql.queries import Query
from localaws.athena.sql.sources import placed
from localaws.s3.objects import split_uri
from localaws.shapes import Json
from localaws.tables.catalog import TABLE_INPUT, Catalog
from localaws.trino import types as t
from localaws.trino.errors import QueryError

WORK = "athena.iceberg.work:"


# New tables


def create(
    session: Session,
    database: str,
    name: str,
    fields: Json,
    spec: s.Transforms,
    location: str,
    properties: s.Pairs,
    comment: str | None = None,
    rows: Query | None = None,
) -> tuple[Json, Change]:
    """A new table and its first rows: what the worker said, and the change."""
    place = location.rstrip("/")
    split_uri(place)
    request = {
        "schema": {**fields, "schema-id": 0},
        "spec": spec,
        "location": place,
        "properties": {**table_properties(properties), **({"comment": comment} if comment else {})},
        "plan": None,
    }
    if rows is not None:
        request["plan"] = session.plan(rows, changes.inserted(rows)).to_json()
    done = _work(session, "create", request)
    adopt(session, done, place)
    entry = {
        "Name": name,
        "TableType": "EXTERNAL_TABLE",
        "Owner": "hadoop",
        "Parameters": {"table_type": "ICEBERG", METADATA: done["metadata"]},
        "StorageDescriptor": {"Columns": done["columns"], "Location": place},
        **({"Description": comment} if comment else {}),
    }
    return done, change(Catalog.create_table, database, entry)


def create_table_as(
    session: Session, database: str, name: str, properties: s.Properties, query: Query,
    *, with_data: bool,
) -> Effect:  # fmt: skip
    """CREATE TABLE ... WITH (table_type = 'ICEBERG', location = ..., is_external = false)"""
    given = dict(properties)
    given.pop("table_type")
    if str(given.pop("is_external", "true")).lower() != "false":
        raise QueryError(
            "INVALID_TABLE_PROPERTY", "is_external must be false for table_type ICEBERG"
        )
    location = given.pop("location", None)
    if location is None:
        raise QueryError("INVALID_TABLE_PROPERTY", "location is required for table_type ICEBERG")
    place = str(location).rstrip("/")
    if writing.others(session, f"{place}/"):
        raise QueryError(
            "ICEBERG_FILESYSTEM_ERROR", f"Cannot create a table on a non-empty location: {place}"
        )
    partitioning = given.pop("partitioning", [])
    labels = [column.name for column in query.columns]
    columns = [(column.name, column.type) for column in query.columns]
    fields = types.fields(columns)
    spec = [transform(one) for one in partitioning]
    _check_spec(spec, labels)
    wanted = [(f["name"], types.trino(f["type"])) for f in fields["fields"]]
    rows = shaping.reshape(query, labels, wanted) if with_data else None
    texts = {key: str(value) for key, value in given.items()}
    done, made = create(session, database, name, fields, spec, place, texts, rows=rows)
    session.scanned_bytes = done["scanned_bytes"]
    return _rows_effect(session, "", done, [made])


def create_table(session: Session, statement: s.CreateIcebergTable) -> list[Change]:
    database, name = statement.database or session.database, statement.name
    if statement.location is None:
        raise QueryError(
            "INVALID_TABLE_PROPERTY",
            "No location was specified for table. An S3 location must be specified",
        )
    columns = [(column["Name"], types.declared(column)) for column in statement.columns]
    labels = [label for label, _ in columns]
    for place, label in enumerate(labels):
        if label in labels[:place]:
            raise QueryError(
                "DUPLICATE_COLUMN_NAME", f"Column name '{label}' specified more than once"
            )
    fields = types.fields(columns)
    for field, column in zip(fields["fields"], statement.columns, strict=True):
        if column.get("Comment"):
            field["doc"] = column["Comment"]
    _check_spec(statement.partitioning, labels)
    given = {k: v for k, v in statement.properties.items() if k.lower() != "table_type"}
    _, made = create(
        session, database, name, fields, statement.partitioning, statement.location, given,
        statement.comment,
    )  # fmt: skip
    return [made]


def _check_spec(spec: s.Transforms, labels: list[str]) -> None:
    taken: set[str] = set()
    for kind, column, label in spec:
        if column not in labels:
            raise QueryError("COLUMN_NOT_FOUND", f"Partition column '{column}' does not exist")
        if label in taken or (label in labels and kind != "identity"):
            raise QueryError("INVALID_TABLE_PROPERTY", f"Partition field '{label}' is not unique")
        taken.add(label)


# Rows


def insert(session: Session, statement: s.Insert, entry: Json, tree: Any) -> Effect:
    table = hold(session, entry)
    columns = table.columns()
    labels = [label for label, _ in columns]
    chosen = statement.columns or labels
    query = session.compile(tree)
    kinds = dict(columns)
    shaping.check_named(labels, chosen)
    shaping.check_types([c.type for c in query.columns], [kinds[label] for label in chosen])
    rows = shaping.reshape(query, chosen, columns)
    return _changed(session, table, changes.inserted(rows), rows, "")


def delete(session: Session, statement: s.Delete, parameters: list[str]) -> Effect:
    return _change(session, statement.query, parameters, changes.deleted)


def update(session: Session, statement: s.Update, parameters: list[str]) -> Effect:
    return _change(session, statement.query, parameters, changes.updated)


def merge(session: Session, statement: s.Merge, parameters: list[str]) -> Effect:
    return _change(session, statement.query, parameters, changes.merged)


def _change(session: Session, sql: str, parameters: list[str], made: Any) -> Effect:
    tree: Any = bind(parse(sql), parameters)
    table = hold(session, target(session, tree.this))
    select, query = made(tree, table.columns(), session.compile)
    return _changed(session, table, select, query, ".csv")


def _changed(
    session: Session, table: IcebergTable, select: str, query: Query, ending: str
) -> Effect:
    done = _work_on(session, table, "change", plan=session.plan(query, select).to_json())
    session.scanned_bytes = done["scanned_bytes"]
    adopt(session, done, table.location)
    return _rows_effect(session, ending, done, replaced(table, done))


def _rows_effect(session: Session, ending: str, done: Json, made: list[Change]) -> Effect:
    uri = f"{session.output}{session.execution_id}{ending}"
    columns = [column_info("rows", t.BIGINT)]
    results.store_metadata(session.aws, uri, columns)
    return Effect(uri, columns, done["rows"], changes=made)


def target(session: Session, node: Any) -> Json:
    """The table that a statement changes. Raises QueryError for one that cannot be changed."""
    if not isinstance(node, exp.Table):
        raise QueryError("SYNTAX_ERROR", "a table's name is expected", node)
    parts = [part.name.lower() for part in node.parts]
    entry = session.tables.document(*placed(parts, session.database, node), node)
    if not is_iceberg(entry):
        raise QueryError(
            "NOT_SUPPORTED",
            "Modifying Hive table rows is only supported for transactional tables",
        )
    return entry


# Upkeep


def optimize(session: Session, statement: s.Optimize, parameters: list[str]) -> Effect:
    entry = _iceberg(session, statement)
    table = hold(session, entry)
    where = statement.where
    paths = None if where is None else _paths(session, table, where, parameters)
    done = _work_on(session, table, "optimize", paths=paths)
    session.scanned_bytes = done["scanned_bytes"]
    adopt(session, done, table.location)
    return Effect(f"{session.output}{session.execution_id}", changes=replaced(table, done))


def _paths(session: Session, table: IcebergTable, where: str, parameters: list[str]) -> list[str]:
    """Files of the partitions that are to be rewritten; the condition may look at partition
    columns alone."""
    database, name = table.entry["DatabaseName"], table.entry["Name"]
    head = f'SELECT DISTINCT "$path" FROM "{database}"."{name}" WHERE '
    tree: Any = bind(parse(head + where), parameters)
    keys = {source.lower() for field, source in table.spec()}
    asked = {column.name.lower() for column in tree.args["where"].find_all(exp.Column)}
    if not asked <= keys:
        raise QueryError(
            "NOT_SUPPORTED",
            "OPTIMIZE takes a WHERE of partition columns alone; "
            f"{', '.join(sorted(asked - keys))} is none",
        )
    query = session.compile(tree)
    found = session.read(query, query.sql)
    return [str(row[0]) for row in found.values]


def vacuum(session: Session, statement: s.Vacuum, parameters: list[str]) -> Effect:
    table = hold(session, _iceberg(session, statement))
    done = _work_on(session, table, "vacuum")
    _may_delete(session, done["garbage"])
    adopt(session, done, table.location)
    return Effect(
        f"{session.output}{session.execution_id}",
        changes=replaced(table, done),
        garbage=done["garbage"],
    )


def contents(session: Session, entry: Json) -> list[str]:
    """The objects of a table that is dropped: those that its metadata names, and no others.

    What cannot be read any more names none.
    """
    try:
        garbage: list[str] = _work_on(session, hold(session, entry), "contents")["garbage"]
    except QueryError as error:
        if error.code.startswith("ICEBERG_"):
            return []
        raise
    _may_delete(session, garbage)
    return garbage


def alter(session: Session, table: IcebergTable, steps: list[Json]) -> list[Change]:
    """The table, which is held, after the steps (see work.alter)."""
    done = _work_on(session, table, "alter", changes=steps)
    adopt(session, done, table.location)
    return replaced(table, done)


# What they share


def hold(session: Session, entry: Json) -> IcebergTable:
    """The table for a statement that changes it: other statements wait until this one has ended."""
    key = f"{entry['DatabaseName']}.{entry['Name']}"
    session.locks.take(key, session.execution_id, session.job.check)
    entry = session.tables.document(entry["DatabaseName"], entry["Name"])
    return session.iceberg.table(entry)


def adopt(session: Session, done: Json, location: str) -> None:
    """Puts the new files into the object store, the metadata file last."""
    if session.again:
        writing.forget_first_attempt(session, f"{location}/")
    last = done["metadata"]
    for uri, path in sorted(done["files"].items(), key=lambda file: file[0] == last):
        bucket, key = split_uri(uri)
        session.aws.objects.adopt(bucket, key, Path(path))
        session.adopted.append(uri)


def replaced(table: IcebergTable, done: Json) -> list[Change]:
    """The catalog's entry with the new metadata file, if it is still the one that was read."""
    if done["metadata"] is None:
        return []
    entry = {key: value for key, value in table.entry.items() if key in TABLE_INPUT}
    entry["Parameters"] = {
        **entry["Parameters"],
        METADATA: done["metadata"],
        f"previous_{METADATA}": table.metadata.uri,
    }
    place = entry.get("StorageDescriptor") or {}
    entry["StorageDescriptor"] = {**place, "Columns": done["columns"]}
    version = table.entry["VersionId"]
    conflict = QueryError(
        "ICEBERG_COMMIT_ERROR", f"Failed to commit Iceberg update to table: {table.name}"
    )
    arguments = (table.entry["DatabaseName"], entry, version)
    return [Change(Catalog.update_table, arguments, conflict)]


def _iceberg(session: Session, statement: s.OfTable) -> Json:
    entry = session.tables.document(statement.database or session.database, statement.name)
    if not is_iceberg(entry):
        raise QueryError("NOT_SUPPORTED", "The statement is supported for Iceberg tables alone")
    return entry


def _may_delete(session: Session, uris: Iterable[str]) -> None:
    for uri in uris:
        bucket, key = split_uri(uri)
        session.aws.authorize(
            session.aws.caller, "s3", "DeleteObject", {"Bucket": bucket, "Key": key}
        )


def _work_on(session: Session, table: IcebergTable, function: str, **more: Any) -> Any:
    """On the table's current snapshot."""
    scan = table.scan(snapshot_id=table.current)
    return _work(session, function, {"table": scan.to_json(), **more})


def _work(session: Session, function: str, request: Json) -> Any:
    more = {
        "folder": str(session.folder),
        "execution": session.execution_id,
        "now": int(session.aws.clock.now().timestamp() * 1000),
    }
    session.folder.mkdir(parents=True, exist_ok=True)
    return session.perform(f"{WORK}{function}", {**request, **more})

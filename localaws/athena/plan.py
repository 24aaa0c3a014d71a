"""Runs SELECT, CTAS, INSERT INTO, CREATE VIEW, UNLOAD and EXPLAIN.

Each compiles and checks its statement with the state at hand, has the rows read or written by
`session.read`, and returns what it leaves: result files, and changes for the catalog.
"""

from __future__ import annotations

import json
from typing import Protocol

from localaws.athena import analysis, buckets, results, reuse, shaping, writing
from localaws.athena.formatting import column_info, result_query
from localaws.athena.grammar import statements as s
from localaws.athena.iceberg import plan as iceberg_plan
from localaws.athena.iceberg.state import is_iceberg
from localaws.athena.read_plan import ANALYZE, EXPLAIN
from localaws.athena.session import Change, Effect, Session, change
from localaws.athena.sql.parameters import bind
from localaws.athena.sql.parsing import parse
from localaws.athena.sql.queries import Query
from localaws.athena.tables import view_input
from localaws.athena.writing import Format, WrittenRows, check_types, chosen_format, write
from localaws.shapes import Json
from localaws.tables import projection
from localaws.tables.catalog import Catalog
from localaws.tables.storage import SERDES, WRITTEN_BY, descriptor
from localaws.trino import types as t
from localaws.trino.errors import QueryError, not_emulated


def select(session: Session, statement: s.Select, parameters: list[str]) -> Effect:
    tree = bind(parse(statement.query), parameters)
    repeatable = reuse.repeatable(tree)
    query = session.compile(tree)
    before = session.earlier() if repeatable else None
    if before is not None and results.readable(session.aws, _location(before)):
        session.reused = True
        return Effect(_location(before), before["Result"]["columns"])
    csv = "FORMAT csv, HEADER, FORCE_QUOTE *, NULLSTR ''"
    file = session.read(query, result_query(query), csv).files[0].path
    uri = f"{session.output}{session.execution_id}.csv"
    columns = [column_info(column.name, column.type) for column in query.columns]
    results.name_columns(file, [column.name for column in query.columns])
    results.adopt(session.aws, uri, file, "text/csv")
    results.store_metadata(session.aws, uri, columns)
    return Effect(uri, columns)


def _location(execution: Json) -> str:
    return str(execution["ResultConfiguration"]["OutputLocation"])


def explain(session: Session, statement: s.Explain, parameters: list[str]) -> Effect:
    """DuckDB's plan of the compiled query: the engine that runs it, not Trino's.

    Only ANALYZE reads data: otherwise neither a byte limit nor the scanned bytes count any.
    """
    query = session.compile(bind(parse(statement.query), parameters))
    if statement.form == "validate":
        return lines_outcome(session, ["true"], [column_info("Valid", t.BOOLEAN)])
    text = f"SELECT * FROM ({query.sql})"
    if statement.form == "analyze":
        result = session.read(query, text, explain=ANALYZE)
        lines = analysis.lines(json.loads(result.values[0][1]), result.scanned_bytes)
    else:
        result = session.read(query, text, explain=EXPLAIN)
        lines = [line for row in result.values for line in str(row[1]).splitlines()]
    return lines_outcome(session, lines, [column_info("Query Plan", t.VARCHAR)])


def lines_outcome(
    session: Session, lines: list[str], columns: list[Json], changes: list[Change] | None = None
) -> Effect:
    """The `.txt` result of a statement that is not a query."""
    uri = f"{session.output}{session.execution_id}.txt"
    results.store(session.aws, uri, "".join(f"{line}\n" for line in lines).encode(), "text/plain")
    results.store_metadata(session.aws, uri, columns)
    return Effect(uri, columns, changes=changes or [])


def _written(session: Session, written: WrittenRows, changes: list[Change]) -> Effect:
    """The result of a statement that wrote rows: a manifest of the files, and their count."""
    uri = f"{session.output}{session.execution_id}"
    columns = [column_info("rows", t.BIGINT)]
    lines = "".join(f"{file}\n" for file in written.files)
    results.store(session.aws, f"{uri}-manifest.csv", lines.encode(), "text/csv")
    results.store_metadata(session.aws, uri, columns)
    return Effect(uri, columns, written.rows, f"{uri}-manifest.csv", changes)


# CREATE TABLE AS


def create_table_as(session: Session, statement: s.CreateTableAs, parameters: list[str]) -> Effect:
    """A failure leaves no table; files are put into S3 only after the whole result is written."""
    database, name = statement.database or session.database, statement.name
    if _exists(session, database, name):
        if statement.if_not_exists:
            return _written(session, WrittenRows(), [])
        raise QueryError(
            "TABLE_ALREADY_EXISTS",
            f"line 1:1: Destination table 'awsdatacatalog.{database}.{name}' already exists",
        )
    iceberg = str(statement.properties.get("table_type", "HIVE")).upper() == "ICEBERG"
    query = session.compile(bind(parse(statement.query), parameters))
    labels = [column.name for column in query.columns]
    check_named(labels)
    if iceberg:
        given = statement.properties
        return iceberg_plan.create_table_as(
            session, database, name, given, query, with_data=statement.with_data
        )
    location, format_, keys = ctas_properties(session, statement.properties)
    hive = check_types(query, labels)
    check_partition_keys(keys, labels, query)
    bucketed = buckets.chosen(statement.properties, keys, query)
    if writing.others(session, location):
        raise QueryError(
            "HIVE_PATH_ALREADY_EXISTS",
            f"Target directory for table '{database}.{name}' already exists: {location}. "
            "You may need to manually clean the data at this location before retrying.",
        )
    written = WrittenRows()
    if statement.with_data:
        written = write(session, query, labels, keys, location, format_, bucketed)
    columns = [{"Name": label, "Type": kind} for label, kind in zip(labels, hive, strict=True)]
    plain = columns[: len(columns) - len(keys)]
    table = ctas_table(name, plain, columns[len(plain) :], location, format_)
    if bucketed is not None:
        table["StorageDescriptor"] |= bucketed.described()
    changes = [
        change(Catalog.create_table, database, table),
        *_new_partitions(database, table, written, set()),
    ]
    return _written(session, written, changes)


def check_named(labels: list[str]) -> None:
    for number, label in enumerate(labels):
        if label == f"_col{number}":
            raise QueryError(
                "MISSING_COLUMN_NAME",
                f"line 1:1: Column name not specified at position {number + 1}",
            )


def _exists(session: Session, database: str, name: str) -> bool:
    try:
        session.tables.document(database, name)
    except QueryError as error:
        if error.code == "SCHEMA_NOT_FOUND":
            raise
        return False
    return True


class Writer(Protocol):
    """What of a session decides where a table without a location is written."""

    @property
    def enforced(self) -> bool: ...
    @property
    def output(self) -> str: ...
    @property
    def execution_id(self) -> str: ...


_KNOWN = (
    "format", "write_compression", "parquet_compression", "orc_compression", "external_location",
    "partitioned_by", "field_delimiter", "table_type", "compression_level", "is_external",
    "bucketed_by", "bucket_count",
)  # fmt: skip


def ctas_properties(session: Writer, properties: Json) -> tuple[str, Format, list[str]]:
    """(location, format, partition keys) that the properties say. Raises QueryError."""
    if str(properties.get("table_type", "HIVE")).upper() != "HIVE":
        raise not_emulated(f"table_type {properties['table_type']}; HIVE is")
    if str(properties.get("is_external", "true")).lower() != "true":
        raise QueryError("INVALID_TABLE_PROPERTY", "is_external is true for table_type HIVE")
    for key in properties:
        if key not in _KNOWN:
            raise QueryError(
                "INVALID_TABLE_PROPERTY",
                f"Catalog 'awsdatacatalog' table property '{key}' does not exist",
            )
    location = properties.get("external_location")
    if location is not None and session.enforced:
        raise QueryError(
            "INVALID_TABLE_PROPERTY",
            "The Create Table As Select query failed because it was submitted with an "
            "'external_location' property to an Athena Workgroup that enforces a centralized "
            "output location for all queries. Please remove the 'external_location' property and "
            "resubmit the query.",
        )
    place = str(location or f"{session.output}tables/{session.execution_id}/")
    keys = [str(key).lower() for key in properties.get("partitioned_by") or []]
    return place.rstrip("/") + "/", chosen_format(properties), keys


def check_partition_keys(keys: list[str], labels: list[str], query: Query) -> None:
    for key in keys:
        if key not in labels:
            raise QueryError(
                "INVALID_TABLE_PROPERTY",
                f"Partition column '{key}' not present in the query: it has {', '.join(labels)}",
            )
    if keys and labels[-len(keys) :] != keys:
        raise QueryError(
            "HIVE_COLUMN_ORDER_MISMATCH",
            "Partition keys must be the last columns in the table and in the same order as the "
            f"table properties: [{', '.join(keys)}]",
        )
    if keys and len(keys) == len(labels):
        raise QueryError("INVALID_TABLE_PROPERTY", "Table contains only partition columns")
    for column in query.columns[len(labels) - len(keys) :] if keys else ():
        if column.type.items or column.type.name in ("varbinary", "double", "real"):
            raise QueryError(
                "NOT_SUPPORTED", f"Unsupported type [{column.type}] for partition: {column.name}"
            )


def ctas_table(
    name: str, columns: list[Json], keys: list[Json], location: str, format_: Format
) -> Json:
    compression = format_.compression.removesuffix("_raw").upper()
    parameters = {
        "EXTERNAL": "TRUE",
        "classification": {"textfile": "csv"}.get(format_.name, format_.name),
    }
    serde = {"serialization.format": "1"}
    if format_.name == "parquet":
        parameters["parquet.compression"] = compression
    else:
        parameters["write.compression"] = compression
    if format_.name == "textfile":
        serde = {"field.delim": format_.delimiter, "serialization.format": format_.delimiter}
    return {
        "Name": name,
        "TableType": "EXTERNAL_TABLE",
        "Owner": "hadoop",
        "Parameters": parameters,
        "PartitionKeys": keys,
        "StorageDescriptor": descriptor(WRITTEN_BY[format_.name], serde, columns, location),
    }


def _new_partitions(
    database: str, table: Json, written: WrittenRows, there: set[tuple[str, ...]]
) -> list[Change]:
    return [
        change(
            Catalog.create_partition,
            database,
            table["Name"],
            {
                "Values": list(values),
                "StorageDescriptor": {**table["StorageDescriptor"], "Location": location},
                "Parameters": {},
            },
        )
        for values, location in written.partitions.items()
        if values not in there
    ]


# INSERT INTO


def insert(session: Session, statement: s.Insert, parameters: list[str]) -> Effect:
    database, name = statement.database or session.database, statement.name
    tree = bind(parse(statement.query), parameters)
    table = session.tables.document(database, name)
    if table.get("TableType") == "VIRTUAL_VIEW":
        raise no_insert_into_views()
    if is_iceberg(table):
        return iceberg_plan.insert(session, statement, table, tree)
    if table["StorageDescriptor"].get("BucketColumns"):
        raise QueryError("NOT_SUPPORTED", "INSERT INTO is not supported on bucketed tables")
    found = session.tables.find(database, name, None)
    labels = [label for label, _ in found.columns]
    query = session.compile(tree)
    chosen = statement.columns or labels
    types = dict(found.columns)
    shaping.check_named(labels, chosen)
    shaping.check_types([c.type for c in query.columns], [types[label] for label in chosen])
    reshaped = shaping.reshape(query, chosen, found.columns)
    keys = [label for label in labels if label in found.partition_keys]
    location = table["StorageDescriptor"]["Location"].rstrip("/") + "/"
    written = write(session, reshaped, labels, keys, location, _table_format(table))
    there: set[tuple[str, ...]] = set()
    if written.partitions:
        there = {tuple(p["Values"]) for p in session.catalog.partitions(database, name)}
    return _written(session, written, _new_partitions(database, table, written, there))


def no_insert_into_views() -> QueryError:
    return QueryError("NOT_SUPPORTED", "Inserting into views is not supported")


_INSERTED = {library: name.upper() for name, library in WRITTEN_BY.items()}


def _table_format(table: Json) -> Format:
    if projection.enabled(table) and "storage.location.template" in table["Parameters"]:
        raise not_emulated("INSERT INTO a table with storage.location.template")
    serde = (table["StorageDescriptor"].get("SerdeInfo") or {}).get("SerializationLibrary", "")
    if serde in SERDES and table["StorageDescriptor"].get("InputFormat") not in (
        None, "", SERDES[serde].files[0],
    ):  # fmt: skip
        raise not_emulated(f"INSERT INTO files of {table['StorageDescriptor']['InputFormat']}")
    parameters = {key.lower(): value for key, value in (table.get("Parameters") or {}).items()}
    kind = _INSERTED.get(serde)
    if kind is not None:
        properties: Json = {"format": kind}
        compression = parameters.get("parquet.compression") or parameters.get("write.compression")
        properties["write_compression"] = compression or ("GZIP" if kind == "PARQUET" else "NONE")
        if kind == "TEXTFILE":
            properties["field_delimiter"] = _text_delimiter(table, parameters)
        return chosen_format(properties)
    raise not_emulated(f"INSERT INTO a table of the SerDe {serde or '(none)'}")


def _text_delimiter(table: Json, parameters: dict[str, str]) -> str:
    """The delimiter of a text table that rows can be appended to as they are written here."""
    given = table["StorageDescriptor"]["SerdeInfo"].get("Parameters") or {}
    if parameters.get("skip.header.line.count", "0") != "0":
        raise not_emulated("INSERT INTO a text table with a header line")
    for key in ("escape.delim", "serialization.null.format"):
        if key in given and given[key] != "\\N":
            raise not_emulated(f"INSERT INTO a text table with {key}")
    return str(given.get("field.delim", "\x01"))


# CREATE VIEW


def create_view(session: Session, statement: s.CreateView, parameters: list[str]) -> Effect:
    database, name = statement.database or session.database, statement.name
    query = session.compile(bind(parse(statement.query), []))
    view = view_input(database, name, statement.query.strip(), view_labels(statement, query), query)
    if not _exists(session, database, name):
        changes = [change(Catalog.create_table, database, view)]
    elif session.catalog.table(database, name).get("TableType") != "VIRTUAL_VIEW":
        raise QueryError(
            "TABLE_ALREADY_EXISTS", f"Table already exists: 'awsdatacatalog.{database}.{name}'"
        )
    elif not statement.or_replace:
        raise QueryError(
            "TABLE_ALREADY_EXISTS", f"View already exists: 'awsdatacatalog.{database}.{name}'"
        )
    else:
        changes = [change(Catalog.update_table, database, view)]
    return lines_outcome(session, [], [], changes)


def view_labels(statement: s.CreateView, query: Query) -> list[str]:
    """The names of the view's columns. Raises QueryError."""
    labels = [column.name for column in query.columns]
    if statement.columns is not None:
        if len(statement.columns) != len(labels):
            raise QueryError(
                "MISMATCHED_COLUMN_ALIASES",
                f"Column alias list has {len(statement.columns)} entries but relation has "
                f"{len(labels)} columns",
            )
        labels = statement.columns
    else:
        check_named(labels)
    for number, label in enumerate(labels):
        if label in labels[:number]:
            raise QueryError(
                "DUPLICATE_COLUMN_NAME", f"Column name '{label}' specified more than once"
            )
    return labels


# UNLOAD

_UNLOAD = ("format", "compression", "compression_level", "field_delimiter", "partitioned_by")


def unload(session: Session, statement: s.Unload, parameters: list[str]) -> Effect:
    format_, keys = unload_properties(statement.properties)
    query = session.compile(bind(parse(statement.query), parameters))
    labels = [column.name for column in query.columns]
    check_types(query, labels)
    check_partition_keys(keys, labels, query)
    location = statement.location.rstrip("/") + "/"
    if writing.others(session, location):
        raise QueryError("HIVE_PATH_ALREADY_EXISTS", f"Target directory already exists: {location}")
    return _written(session, write(session, query, labels, keys, location, format_), [])


def unload_properties(given: Json) -> tuple[Format, list[str]]:
    """(format, partition keys) that the properties say. Raises QueryError."""
    properties = dict(given)
    for key in properties:
        if key not in _UNLOAD:
            raise QueryError("INVALID_UNLOAD_PROPERTY", f"Unload property '{key}' does not exist")
    if "format" not in properties:
        raise QueryError("INVALID_UNLOAD_PROPERTY", "UNLOAD needs the property format")
    keys = [key.lower() for key in properties.pop("partitioned_by", [])]
    return chosen_format(properties), keys

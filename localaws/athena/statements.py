"""Runs SELECT, CTAS, INSERT INTO, CREATE VIEW, UNLOAD and EXPLAIN."""

from __future__ import annotations

import functools
from typing import Any

from localaws.athena import results, writing
from localaws.athena.ddl import Statement
from localaws.athena.formatting import column_info, result_query
from localaws.athena.reader import Reader
from localaws.athena.session import Session
from localaws.athena.sql import types as t
from localaws.athena.sql.errors import QueryError, not_emulated
from localaws.athena.sql.parameters import bind
from localaws.athena.sql.parsing import SyntaxMistake, parse
from localaws.athena.sql.queries import Query
from localaws.athena.sql.values import text
from localaws.athena.tables import view_input
from localaws.athena.writing import Format, Written, check_types, chosen_format, write
from localaws.tables.storage import WRITTEN_BY, descriptor

Json = dict[str, Any]


def rest(reader: Reader) -> str:
    """What follows, at its own lines and columns."""
    before = reader.sql[: reader.next.start]
    return (
        "".join("\n" if letter == "\n" else " " for letter in before)
        + reader.sql[reader.next.start :]
    )


def select(session: Session, sql: str, parameters: list[str]) -> None:
    query = session.compile(bind(parse(sql), parameters))
    for column in query.columns:
        if column.type.name.startswith("interval"):
            raise not_emulated(f"a result column of type {column.type}")
    session.start(query)
    target = results.temporary(session.folder, ".csv")
    shown = result_query(query)
    session.run(
        f"COPY ({shown}) TO {text(str(target))} (FORMAT csv, HEADER, FORCE_QUOTE *, NULLSTR '')",
        query,
    )
    _publish(session, target, [column_info(c.name, c.type) for c in query.columns])


def _publish(session: Session, file: Any, columns: list[Json]) -> None:
    uri = f"{session.output}{session.execution_id}.csv"
    results.adopt(session.aws, uri, file, "text/csv")
    results.store_metadata(session.aws, uri, columns)
    session.outcome.location, session.outcome.columns = uri, columns


# CTAS


def create_table_as(session: Session, sql: str, parameters: list[str]) -> None:
    """A failure leaves no table; files are put into S3 only after the whole result is written."""
    reader = Reader(sql)
    reader.need("CREATE", "TABLE")
    skip = reader.take("IF", "NOT", "EXISTS")
    database, name = reader.qualified()
    database = database or session.database
    if reader.next.upper == "(":
        raise SyntaxMistake(
            "line 1:8: missing 'EXTERNAL' at 'TABLE': only external tables and CTAS can be created"
        )
    if reader.take("COMMENT"):
        reader.text()
    properties = _properties(reader) if reader.take("WITH") else {}
    reader.need("AS")
    body, with_data = _without_data_clause(rest(reader))
    if session.made(database, name):
        session.catalog.delete_table(database, name)
    if _exists(session, database, name):
        if skip:
            _manifest(session, Written())
            return
        raise QueryError(
            "TABLE_ALREADY_EXISTS",
            f"line 1:1: Destination table 'awsdatacatalog.{database}.{name}' already exists",
        )
    location, format_, keys = _ctas_properties(session, properties)
    query = session.compile(bind(parse(body), parameters))
    labels = [column.name for column in query.columns]
    for number, label in enumerate(labels):
        if label == f"_col{number}":
            raise QueryError(
                "COLUMN_NAME_NOT_SPECIFIED",
                f"line 1:1: Column name not specified at position {number + 1}",
            )
    hive = check_types(query, labels)
    _check_partition_keys(keys, labels, query)
    if writing.others(session.aws, location, session.execution_id):
        raise QueryError(
            "HIVE_PATH_ALREADY_EXISTS",
            f"Target directory for table '{database}.{name}' already exists: {location}. "
            "You may need to manually clean the data at this location before retrying.",
        )
    session.start(query)
    written = Written()
    if with_data:
        written = write(
            session.aws, session.open(), session.folder, query, labels, keys, location, format_,
            functools.partial(_run, session, query), session.execution_id,
            session.again is not None,
        )  # fmt: skip
    columns = [{"Name": label, "Type": kind} for label, kind in zip(labels, hive, strict=True)]
    plain = columns[: len(columns) - len(keys)]
    session.catalog.create_table(
        database,
        _ctas_table(name, plain, columns[len(plain) :], location, format_),
        session.execution_id,
    )
    _add_partitions(session, database, name, written)
    _manifest(session, written)


def _run(session: Session, query: Query, sql: str) -> list[tuple[Any, ...]]:
    return session.run(sql, query)


def _exists(session: Session, database: str, name: str) -> bool:
    try:
        session.tables.document(database, name)
    except QueryError as error:
        if error.code == "SCHEMA_NOT_FOUND":
            raise
        return False
    return True


def _properties(reader: Reader) -> Json:
    """WITH (format = 'PARQUET', partitioned_by = ARRAY['a'], bucket_count = 3)"""
    reader.need("(")
    found: Json = {}
    while True:
        key = reader.name()
        reader.need("=")
        if reader.take("ARRAY"):
            reader.need("[")
            values = [reader.text()]
            while reader.take(","):
                values.append(reader.text())
            reader.need("]")
            found[key] = values
        else:
            found[key] = reader.value()
        if not reader.take(","):
            break
    reader.need(")")
    return found


_KNOWN = (
    "format", "write_compression", "parquet_compression", "orc_compression", "external_location",
    "partitioned_by", "field_delimiter", "table_type", "compression_level", "is_external",
)  # fmt: skip


def _ctas_properties(session: Session, properties: Json) -> tuple[str, Format, list[str]]:
    for key in ("bucketed_by", "bucket_count"):
        if key in properties:
            raise not_emulated(f"the CTAS property {key}")
    if str(properties.get("table_type", "HIVE")).upper() != "HIVE":
        raise not_emulated(f"table_type {properties['table_type']}; HIVE is")
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
            "'external_location' "
            "property to an Athena Workgroup that enforces a centralized output location for all "
            "queries. "
            "Please remove the 'external_location' property and resubmit the query.",
        )
    place = str(location or f"{session.output}tables/{session.execution_id}/")
    keys = [str(key).lower() for key in properties.get("partitioned_by") or []]
    return place.rstrip("/") + "/", chosen_format(properties), keys


def _check_partition_keys(keys: list[str], labels: list[str], query: Query) -> None:
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
            "table properties: "
            f"[{', '.join(keys)}]",
        )
    if keys and len(keys) == len(labels):
        raise QueryError("INVALID_TABLE_PROPERTY", "Table contains only partition columns")
    for column in query.columns[len(labels) - len(keys) :] if keys else ():
        if column.type.items or column.type.name in ("varbinary", "double", "real"):
            raise QueryError(
                "NOT_SUPPORTED", f"Unsupported type [{column.type}] for partition: {column.name}"
            )


def _ctas_table(
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


def _add_partitions(session: Session, database: str, name: str, written: Written) -> None:
    table = session.catalog.table(database, name)
    there = (
        {tuple(p["Values"]) for p in session.catalog.partitions(database, name)}
        if written.partitions
        else set()
    )
    for values, location in written.partitions.items():
        if values not in there:
            place = {**table["StorageDescriptor"], "Location": location}
            session.catalog.create_partition(
                database,
                name,
                {"Values": list(values), "StorageDescriptor": place, "Parameters": {}},
            )


def _manifest(session: Session, written: Written) -> None:
    uri = f"{session.output}{session.execution_id}"
    session.outcome.manifest = f"{uri}-manifest.csv"
    lines = "".join(f"{file}\n" for file in written.files)
    results.store(session.aws, session.outcome.manifest, lines.encode(), "text/csv")
    session.outcome.columns = [column_info("rows", t.BIGINT)]
    results.store_metadata(session.aws, uri, session.outcome.columns)
    session.outcome.update_count = written.rows
    session.outcome.location = uri


# INSERT INTO


def insert(session: Session, sql: str, parameters: list[str]) -> None:
    reader = Reader(sql)
    reader.need("INSERT", "INTO")
    database, name = reader.qualified()
    database = database or session.database
    given = _insert_columns(reader)
    tree = bind(parse(rest(reader)), parameters)
    table = session.tables.document(database, name)
    if table.get("TableType") == "VIRTUAL_VIEW":
        raise QueryError("NOT_SUPPORTED", "Inserting into views is not supported")
    found = session.tables.find(database, name, None)
    labels = [label for label, _ in found.columns]
    query = session.compile(tree)
    chosen = given or labels
    unknown = [label for label in chosen if label not in labels]
    if unknown:
        raise QueryError(
            "COLUMN_NOT_FOUND", f"Insert column name does not exist in target table: {unknown[0]}"
        )
    _check_insert(query, chosen, dict(found.columns))
    reshaped = _reshape(query, chosen, found.columns)
    session.start(reshaped)
    keys = [label for label in labels if label in found.partition_keys]
    written = write(
        session.aws, session.open(), session.folder, reshaped, labels, keys,
        table["StorageDescriptor"]["Location"].rstrip("/") + "/", _table_format(table),
        functools.partial(_run, session, reshaped), session.execution_id,
        session.again is not None,
    )  # fmt: skip
    _add_partitions(session, database, name, written)
    _manifest(session, written)


def _insert_columns(reader: Reader) -> list[str] | None:
    """(a, b) before the query; a parenthesised query is not that."""
    if reader.next.upper != "(" or reader.tokens[reader.at + 1].upper in (
        "SELECT",
        "WITH",
        "VALUES",
        "(",
    ):
        return None
    reader.need("(")
    found = [reader.name()]
    while reader.take(","):
        found.append(reader.name())
    reader.need(")")
    return found


def _check_insert(query: Query, chosen: list[str], types: dict[str, t.Type]) -> None:
    wanted = [types[label] for label in chosen]
    given = [column.type for column in query.columns]
    if len(wanted) != len(given) or any(
        not t.converts(a, b)
        and not (a.name == b.name and a.name in ("varchar", "timestamp"))
        and not (t.is_integer(a) and t.is_integer(b) and t.common(a, b) == b)
        for a, b in zip(given, wanted, strict=False)
    ):  # fmt: skip
        raise QueryError(
            "TYPE_MISMATCH",
            "Insert query has mismatched column types: "
            f"Table: [{', '.join(map(str, wanted))}], Query: [{', '.join(map(str, given))}]",
        )


def _reshape(query: Query, chosen: list[str], columns: tuple[tuple[str, t.Type], ...]) -> Query:
    from localaws.athena.sql.scope import Column

    places = {label: number for number, label in enumerate(chosen)}
    shown, out = [], []
    for number, (label, kind) in enumerate(columns):
        source = query.columns[places[label]].sql if label in places else "NULL"
        shown.append(f"CAST({source} AS {t.duckdb(kind)}) AS i{number}")
        out.append(Column(label, kind, f"i{number}"))
    return Query(
        f"SELECT {', '.join(shown)} FROM ({query.sql})", tuple(out), query.scans, query.reads
    )


def _table_format(table: Json) -> Format:
    serde = (table["StorageDescriptor"].get("SerdeInfo") or {}).get("SerializationLibrary", "")
    parameters = {key.lower(): value for key, value in (table.get("Parameters") or {}).items()}
    for ending, kind in (
        ("ParquetHiveSerDe", "PARQUET"),
        ("JsonSerDe", "JSON"),
        ("LazySimpleSerDe", "TEXTFILE"),
    ):
        if serde.endswith(ending):
            properties: Json = {"format": kind}
            compression = parameters.get("parquet.compression") or parameters.get(
                "write.compression"
            )
            properties["write_compression"] = compression or (
                "GZIP" if kind == "PARQUET" else "NONE"
            )
            given = table["StorageDescriptor"]["SerdeInfo"].get("Parameters") or {}
            if kind == "TEXTFILE":
                if parameters.get("skip.header.line.count", "0") != "0":
                    raise not_emulated("INSERT INTO a text table with a header line")
                properties["field_delimiter"] = given.get("field.delim", "\x01")
            return chosen_format(properties)
    raise not_emulated(f"INSERT INTO a table of the SerDe {serde or '(none)'}")


# the rest


def create_view(session: Session, sql: str) -> None:
    reader = Reader(sql)
    reader.need("CREATE")
    replace = reader.take("OR", "REPLACE")
    reader.need("VIEW")
    database, name = reader.qualified()
    database = database or session.database
    if reader.take("COMMENT"):
        reader.text()
    reader.need("AS")
    body = rest(reader).rstrip().rstrip(";")
    query = session.compile(bind(parse(body), []))
    labels = [column.name for column in query.columns]
    for number, label in enumerate(labels):
        if label == f"_col{number}":
            raise QueryError(
                "COLUMN_NAME_NOT_SPECIFIED",
                f"line 1:1: Column name not specified at position {number + 1}",
            )
        if label in labels[:number]:
            raise QueryError(
                "DUPLICATE_COLUMN_NAME", f"Column name '{label}' specified more than once"
            )
    view = view_input(database, name, body.strip(), query)
    if _exists(session, database, name):
        if session.catalog.table(database, name).get("TableType") != "VIRTUAL_VIEW":
            raise QueryError(
                "TABLE_ALREADY_EXISTS", f"Table already exists: 'awsdatacatalog.{database}.{name}'"
            )
        if not replace and not session.made(database, name):
            raise QueryError(
                "TABLE_ALREADY_EXISTS", f"View already exists: 'awsdatacatalog.{database}.{name}'"
            )
        session.catalog.update_table(database, view)
    else:
        session.catalog.create_table(database, view, session.execution_id)
    _lines(session, [], [])


def unload(session: Session, statement: Statement, parameters: list[str]) -> None:
    given = statement.given
    properties = dict(given["properties"])
    if "format" not in properties:
        raise QueryError("INVALID_UNLOAD_PROPERTY", "UNLOAD needs the property format")
    keys = [key.lower() for key in properties.pop("partitioned_by", [])]
    properties["write_compression"] = properties.pop(
        "compression", properties.get("write_compression", "GZIP")
    )
    format_ = chosen_format(
        {
            **properties,
            "format": {"TEXTFILE": "TEXTFILE"}.get(
                properties["format"].upper(), properties["format"]
            ),
        }
    )
    query = session.compile(bind(parse(given["query"]), parameters))
    labels = [column.name for column in query.columns]
    check_types(query, labels)
    _check_partition_keys(keys, labels, query)
    location = given["location"].rstrip("/") + "/"
    if writing.others(session.aws, location, session.execution_id):
        raise QueryError("HIVE_PATH_ALREADY_EXISTS", f"Target directory already exists: {location}")
    session.start(query)
    written = write(
        session.aws, session.open(), session.folder, query, labels, keys, location, format_,
        functools.partial(_run, session, query), session.execution_id, session.again is not None,
    )  # fmt: skip
    _manifest(session, written)


def explain_query(session: Session, statement: Statement, parameters: list[str]) -> None:
    """DuckDB's plan of the compiled query: the engine that would run it, not Trino's.

    It reads no data: neither a byte limit nor the scanned bytes count what the query would read.
    """
    session.byte_limit = None
    query = session.compile(bind(parse(statement.given["query"]), parameters))
    session.start(query)
    plan = session.run(f"EXPLAIN {query.sql}", query)
    session.outcome.scanned = 0
    _lines(
        session,
        [line for row in plan for line in str(row[1]).splitlines()],
        [column_info("Query Plan", t.VARCHAR)],
    )


def _lines(session: Session, lines: list[str], columns: list[Json]) -> None:
    """The `.txt` result of a statement that is not a query."""
    uri = f"{session.output}{session.execution_id}.txt"
    results.store(session.aws, uri, "".join(f"{line}\n" for line in lines).encode(), "text/plain")
    results.store_metadata(session.aws, uri, columns)
    session.outcome.location, session.outcome.columns = uri, columns


lines = _lines


def _without_data_clause(body: str) -> tuple[str, bool]:
    """The query without a closing WITH [NO] DATA, and whether it shall be run."""
    reader = Reader(body)
    last = [token.upper for token in reader.tokens[-4:-1]]
    if last[-3:] == ["WITH", "NO", "DATA"]:
        return body[: reader.tokens[-4].start], False
    if last[-2:] == ["WITH", "DATA"]:
        return body[: reader.tokens[-3].start], True
    return body, True

"""Runs Hive-style DDL: what it changes in the catalog and the lines it answers with."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from localaws.athena.formatting import column_info
from localaws.athena.session import Session
from localaws.athena.sql import types as t
from localaws.athena.sql.errors import QueryError, not_emulated
from localaws.athena.tables import read_view
from localaws.core.errors import AwsError
from localaws.s3.objects import split_uri
from localaws.tables.partitions import escape
from localaws.tables.storage import LAZY_SIMPLE, SERDES, WRITTEN_BY, descriptor

Json = dict[str, Any]
Answer = tuple[list[str], list[Json]]  # lines, columns
NOTHING: Answer = ([], [])


def _failed(message: str) -> QueryError:
    return QueryError(
        "FAILED",
        f"Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. {message}",
    )


def _text(label: str) -> Json:
    return column_info(label, t.VARCHAR)


def _place(session: Session, given: Json) -> tuple[str, str]:
    return given.get("database") or session.database, given["name"]


def _table(session: Session, given: Json) -> Json:
    return session.tables.document(*_place(session, given))


# databases


def create_database(session: Session, given: Json) -> Answer:
    try:
        session.catalog.create_database(
            {
                "Name": given["name"],
                **({"Description": given["comment"]} if "comment" in given else {}),
                **({"LocationUri": given["location"]} if "location" in given else {}),
                **({"Parameters": given["properties"]} if "properties" in given else {}),
            }
        )
    except AwsError as error:
        if error.code != "AlreadyExistsException":
            raise
        if not given["if_not_exists"] and not _own_database(session, given["name"]):
            raise _failed(f"Database {given['name']} already exists") from None
    return NOTHING


def _own_database(session: Session, name: str) -> bool:
    """Whether this statement's own first attempt made the database."""
    since = session.again
    return since is not None and bool(session.catalog.database(name)["CreateTime"] >= since)


def drop_database(session: Session, given: Json) -> Answer:
    try:
        tables = session.catalog.tables(given["name"])
    except AwsError:
        if given["if_exists"] or session.begun:
            return NOTHING
        raise _failed(f"Database does not exist: {given['name']}") from None
    if tables and not given["cascade"]:
        raise _failed(
            f"InvalidOperationException(message:Database {given['name']} is not empty. One or "
            "more tables exist.)"
        )
    session.begin_change()
    session.catalog.delete_database(given["name"])
    return NOTHING


def show_databases(session: Session, given: Json) -> Answer:
    names = [found["Name"] for found in session.catalog.databases()]
    return [n for n in names if _like(n, given["pattern"])], [_text("database_name")]


def _like(name: str, pattern: str | None) -> bool:
    """Hive's pattern: `*` for anything, `|` for or."""
    if pattern is None:
        return True
    return any(
        fnmatch.fnmatchcase(name, part.replace("%", "*").lower()) for part in pattern.split("|")
    )


# tables


def create_table(session: Session, given: Json) -> Answer:
    database, name = _place(session, given)
    if given["location"] is None:
        raise _failed("The external table needs a LOCATION")
    split_uri(given["location"])
    for column in [*given["columns"], *given["keys"]]:
        try:
            t.from_hive(column["Type"])
        except ValueError as error:
            raise _failed(f"{column['Name']}: {error}") from None
    doubled = {c["Name"] for c in given["columns"]} & {c["Name"] for c in given["keys"]}
    if doubled:
        raise _failed(f"Column repeated in partitioning columns: {', '.join(sorted(doubled))}")
    table = {
        "Name": name,
        "TableType": "EXTERNAL_TABLE",
        "Owner": "hadoop",
        "Parameters": {
            "EXTERNAL": "TRUE",
            **given["properties"],
            **({"comment": given["comment"]} if given["comment"] else {}),
        },
        "PartitionKeys": given["keys"],
        "StorageDescriptor": _storage(given),
    }
    try:
        session.catalog.create_table(database, table, session.execution_id)
    except AwsError as error:
        if error.code == "EntityNotFoundException":
            raise _failed(f"Database does not exist: {database}") from None
        if not given["if_not_exists"] and not session.made(database, name):
            raise _failed(f"AlreadyExistsException(message:Table {name} already exists.)") from None
    return NOTHING


def _storage(given: Json) -> Json:
    stored, formats = given["stored_as"], given["formats"]
    if stored and stored not in WRITTEN_BY:
        raise not_emulated(f"STORED AS {stored.upper()}; PARQUET and TEXTFILE are")
    by_format = formats and "parquet" in formats[0].lower()
    library = given["serde"] or WRITTEN_BY[stored or ("parquet" if by_format else "textfile")]
    if library not in SERDES:
        raise not_emulated(f"the SerDe {library}")
    parameters = {"serialization.format": "1", **given["serde_parameters"]}
    if library == LAZY_SIMPLE and not given["serde"]:
        parameters |= {"field.delim": "\x01", **given["delimited"]}
        parameters["serialization.format"] = parameters["field.delim"]
    built = descriptor(library, parameters, given["columns"], given["location"])
    if formats:
        built["InputFormat"], built["OutputFormat"] = formats
    return built


def drop(session: Session, given: Json, view: bool) -> Answer:
    database, name = _place(session, given)
    try:
        table = session.catalog.table(database, name)
    except AwsError:
        if given["if_exists"] or session.begun:
            return NOTHING
        if view:
            raise QueryError(
                "VIEW_NOT_FOUND",
                f"line 1:1: View 'awsdatacatalog.{database}.{name}' does not exist",
            ) from None
        raise _failed(f"Table not found {database}.{name}") from None
    if (table.get("TableType") == "VIRTUAL_VIEW") != view:
        kind, word = ("table", "DROP TABLE") if view else ("view", "DROP VIEW")
        raise QueryError("NOT_SUPPORTED", f"'{database}.{name}' is a {kind}, use {word}")
    if session.begun and session.made_since(database, name):
        return NOTHING  # dropped by the first attempt, and made anew since
    session.begin_change()
    session.catalog.delete_table(database, name)
    return NOTHING


def _change(session: Session, given: Json, change: Callable[[Json], None]) -> Answer:
    table = _table(session, given)
    database = table["DatabaseName"]
    kept = {
        k: v
        for k, v in table.items()
        if k
        in (
            "Name",
            "Description",
            "Owner",
            "Retention",
            "StorageDescriptor",
            "PartitionKeys",
            "TableType",
            "Parameters",
            "ViewOriginalText",
            "ViewExpandedText",
        )
    }
    change(kept)
    session.catalog.update_table(database, kept)
    return NOTHING


def add_columns(session: Session, given: Json) -> Answer:
    def change(table: Json) -> None:
        columns = table["StorageDescriptor"]["Columns"]
        names = {column["Name"] for column in columns}
        for column in given["columns"]:
            t.from_hive(column["Type"])
            if column["Name"] in names and not session.begun:
                raise _failed(f"Duplicate column name: {column['Name']}")
        session.begin_change()
        columns += [column for column in given["columns"] if column["Name"] not in names]

    return _change(session, given, change)


def set_location(session: Session, given: Json) -> Answer:
    split_uri(given["location"])
    return _change(
        session, given, lambda table: table["StorageDescriptor"].update(Location=given["location"])
    )


def set_properties(session: Session, given: Json) -> Answer:
    return _change(
        session, given, lambda table: table.setdefault("Parameters", {}).update(given["properties"])
    )


# partitions


def _values(table: Json, values: dict[str, str]) -> list[str]:
    keys = [key["Name"] for key in table.get("PartitionKeys") or []]
    if sorted(values) != sorted(keys):
        raise _failed(
            f"partition spec {values} doesn't contain all (or only) partition columns: {keys}"
        )
    return [values[key] for key in keys]


def add_partition(session: Session, given: Json) -> Answer:
    table = _table(session, given)
    there = _partitions(session, table)
    for values, _ in given["partitions"]:
        known = tuple(_values(table, values)) in there
        if known and not given["if_not_exists"] and not session.begun:
            raise _failed("Partition already exists.")
    session.begin_change()
    for values, location in given["partitions"]:
        listed = _values(table, values)
        if tuple(listed) in there:
            continue
        folder = "".join(
            f"{key['Name']}={escape(v)}/"
            for key, v in zip(table["PartitionKeys"], listed, strict=True)
        )
        place = location or f"{table['StorageDescriptor']['Location'].rstrip('/')}/{folder}"
        _create_partition(session, table, listed, place)
    return NOTHING


def _partitions(session: Session, table: Json) -> set[tuple[str, ...]]:
    found = session.catalog.partitions(table["DatabaseName"], table["Name"])
    return {tuple(partition["Values"]) for partition in found}


def _create_partition(session: Session, table: Json, values: list[str], location: str) -> None:
    session.catalog.create_partition(
        table["DatabaseName"],
        table["Name"],
        {
            "Values": values,
            "StorageDescriptor": {**table["StorageDescriptor"], "Location": location},
            "Parameters": {},
        },
    )


def drop_partition(session: Session, given: Json) -> Answer:
    table = _table(session, given)
    there = _partitions(session, table)
    for values in given["partitions"]:
        known = tuple(_values(table, values)) in there
        if not known and not given["if_exists"] and not session.begun:
            raise _failed(f"Partition not found ({values})")
    session.begin_change()
    for values in given["partitions"]:
        listed = _values(table, values)
        if tuple(listed) in there:
            session.catalog.delete_partition(table["DatabaseName"], table["Name"], listed)
    return NOTHING


def repair_table(session: Session, given: Json) -> Answer:
    """Adds the partitions of folders named k=v, in the order of the keys. It drops none."""
    table = _table(session, given)
    keys = [key["Name"] for key in table.get("PartitionKeys") or []]
    if not keys:
        return NOTHING
    location = table["StorageDescriptor"]["Location"].rstrip("/") + "/"
    bucket, prefix = split_uri(location)
    there = _partitions(session, table)
    found: dict[tuple[str, ...], str] = {}
    for stored in session.aws.objects.list(bucket, prefix):
        parts = stored.key[len(prefix) :].split("/")[: len(keys)]
        names = [part.partition("=")[0].lower() for part in parts]
        if names == keys and stored.key.count("/") >= prefix.count("/") + len(keys):
            values = tuple(unquote(part.partition("=")[2]) for part in parts)
            found.setdefault(values, f"{location}{'/'.join(parts)}/")
    new = {values: place for values, place in found.items() if values not in there}
    lines = []
    if new:
        shown = "\t".join(
            f"{table['Name']}:{'/'.join(f'{k}={v}' for k, v in zip(keys, values, strict=True))}"
            for values in new
        )
        lines.append(f"Partitions not in metastore:\t{shown}")
    for values, place in new.items():
        _create_partition(session, table, list(values), place)
        spec = "/".join(f"{key}={value}" for key, value in zip(keys, values, strict=True))
        lines.append(f"Repair: Added partition to metastore {table['Name']}:{spec}")
    return lines, []


# showing


def show_tables(session: Session, given: Json, views: bool = False) -> Answer:
    database = given["database"] or session.database
    try:
        tables = session.catalog.tables(database)
    except AwsError:
        raise _failed(f"Database does not exist: {database}") from None
    names = [
        table["Name"] for table in tables if not views or table.get("TableType") == "VIRTUAL_VIEW"
    ]
    return [n for n in names if _like(n, given["pattern"])], [
        _text("views" if views else "tab_name")
    ]


def show_columns(session: Session, given: Json) -> Answer:
    table = _table(session, given)
    columns = [*table["StorageDescriptor"]["Columns"], *(table.get("PartitionKeys") or [])]
    return [f"{column['Name']:<20}" for column in columns], [_text("field")]


def show_partitions(session: Session, given: Json) -> Answer:
    table = _table(session, given)
    keys = [key["Name"] for key in table.get("PartitionKeys") or []]
    if not keys:
        raise _failed(f"Table {table['Name']} is not a partitioned table")
    partitions = session.catalog.partitions(table["DatabaseName"], table["Name"])
    lines = [
        "/".join(f"{k}={escape(v)}" for k, v in zip(keys, p["Values"], strict=True))
        for p in partitions
    ]
    return lines, [_text("partition")]


def describe(session: Session, given: Json) -> Answer:
    table = _table(session, given)

    def line(column: Json) -> str:
        return (
            f"{column['Name']:<20}\t{column.get('Type', ''):<20}\t{column.get('Comment', ''):<20}"
        )

    lines = [
        line(column)
        for column in [*table["StorageDescriptor"]["Columns"], *(table.get("PartitionKeys") or [])]
    ]
    if table.get("PartitionKeys"):
        lines += [
            "\t \t ",
            "# Partition Information\t \t ",
            "# col_name            \tdata_type           \tcomment             ",
            "\t \t ",
        ]
        lines += [line(column) for column in table["PartitionKeys"]]
    return lines, [_text("col_name"), _text("data_type"), _text("comment")]


def show_create_table(session: Session, given: Json) -> Answer:
    table = _table(session, given)
    if table.get("TableType") == "VIRTUAL_VIEW":
        return show_create_view(session, given)
    place, serde = table["StorageDescriptor"], table["StorageDescriptor"].get("SerdeInfo") or {}

    def columns(listed: list[Json]) -> list[str]:
        return [
            f"  `{c['Name']}` {c.get('Type', 'string')}"
            + (f" COMMENT '{c['Comment']}'" if c.get("Comment") else "")
            + (", " if number < len(listed) - 1 else ")")
            for number, c in enumerate(listed)
        ]

    def pairs(given_pairs: Json) -> list[str]:
        items = sorted(given_pairs.items())
        return [
            f"  '{k}'='{v}'" + (", " if n < len(items) - 1 else ") ")
            for n, (k, v) in enumerate(items)
        ]

    lines = [
        f"CREATE EXTERNAL TABLE `{table['DatabaseName']}.{table['Name']}`(",
        *columns(place["Columns"]),
    ]
    if table.get("PartitionKeys"):
        lines += ["PARTITIONED BY ( ", *columns(table["PartitionKeys"])]
    lines += ["ROW FORMAT SERDE ", f"  '{serde.get('SerializationLibrary', '')}' "]
    if serde.get("Parameters"):
        lines += ["WITH SERDEPROPERTIES ( ", *pairs(serde["Parameters"])]
    lines += [
        "STORED AS INPUTFORMAT ",
        f"  '{place.get('InputFormat', '')}' ",
        "OUTPUTFORMAT ",
        f"  '{place.get('OutputFormat', '')}'",
    ]
    lines += ["LOCATION", f"  '{place.get('Location', '')}'"]
    properties = {k: v for k, v in (table.get("Parameters") or {}).items() if k != "EXTERNAL"}
    if properties:
        lines += ["TBLPROPERTIES (", *pairs(properties)]
    return lines, [_text("createtab_stmt")]


def show_create_view(session: Session, given: Json) -> Answer:
    table = _table(session, given)
    if table.get("TableType") != "VIRTUAL_VIEW":
        raise QueryError(
            "NOT_SUPPORTED",
            f"Relation '{table['DatabaseName']}.{table['Name']}' is a table, not a view",
        )
    sql = read_view(table)["originalSql"]
    return [f"CREATE VIEW {table['DatabaseName']}.{table['Name']} AS ", *sql.splitlines()], [
        _text("Create View")
    ]


def show_properties(session: Session, given: Json) -> Answer:
    parameters = _table(session, given).get("Parameters") or {}
    return [f"{key}\t{value}" for key, value in sorted(parameters.items())], [
        _text("prpt_name"),
        _text("prpt_value"),
    ]


COMMANDS: dict[str, Callable[[Session, Json], Answer]] = {
    "create database": create_database,
    "drop database": drop_database,
    "show databases": show_databases,
    "create table": create_table,
    "drop table": lambda session, given: drop(session, given, view=False),
    "drop view": lambda session, given: drop(session, given, view=True),
    "add columns": add_columns,
    "set location": set_location,
    "set properties": set_properties,
    "add partition": add_partition,
    "drop partition": drop_partition,
    "repair table": repair_table,
    "show tables": show_tables,
    "show views": lambda session, given: show_tables(session, given, views=True),
    "show columns": show_columns,
    "show partitions": show_partitions,
    "describe": describe,
    "show create table": show_create_table,
    "show create view": show_create_view,
    "show properties": show_properties,
}

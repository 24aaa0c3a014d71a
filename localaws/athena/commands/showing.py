"""SHOW and DESCRIBE: the lines that Athena answers with."""

from __future__ import annotations

from typing import Any

from localaws.athena.commands.result import (
    CommandResult,
    failed,
    like,
    partition_keys,
    table_of,
    text_column,
)
from localaws.athena.grammar import statements as s
from localaws.athena.session import Session
from localaws.athena.tables import read_view
from localaws.errors import AwsError
from localaws.shapes import Json
from localaws.tables import partitions
from localaws.trino.errors import QueryError


def show_databases(session: Session, statement: s.ShowDatabases) -> CommandResult:
    names = [found["Name"] for found in session.catalog.databases()]
    return CommandResult(
        [n for n in names if like(n, statement.pattern)], [text_column("database_name")]
    )


def show_tables(session: Session, statement: s.ShowTables) -> CommandResult:
    return _show_names(session, statement, views=False)


def show_views(session: Session, statement: s.ShowViews) -> CommandResult:
    return _show_names(session, statement, views=True)


def _show_names(
    session: Session, statement: s.ShowTables | s.ShowViews, views: bool
) -> CommandResult:
    database = statement.database or session.database
    try:
        tables = session.catalog.tables(database)
    except AwsError:
        raise QueryError(
            "FAILED", f"SemanticException [Error 10072]: Database does not exist: {database}"
        ) from None
    names = [
        table["Name"] for table in tables if not views or table.get("TableType") == "VIRTUAL_VIEW"
    ]
    label = text_column("views", "varchar") if views else text_column("tab_name")
    return CommandResult([n for n in names if like(n, statement.pattern)], [label])


def show_columns(session: Session, statement: Any) -> CommandResult:
    table = table_of(session, statement)
    columns = [*table["StorageDescriptor"]["Columns"], *(table.get("PartitionKeys") or [])]
    return CommandResult([f"{column['Name']:<20}" for column in columns], [text_column("field")])


def show_partitions(session: Session, statement: Any) -> CommandResult:
    table = table_of(session, statement)
    keys = partition_keys(table)
    if not keys:
        raise failed(f"Table {table['Name']} is not a partitioned table")
    found = session.catalog.partitions(table["DatabaseName"], table["Name"])
    lines = [partitions.folder(keys, partition["Values"]).rstrip("/") for partition in found]
    return CommandResult(lines, [text_column("partition")])


def describe(session: Session, statement: Any) -> CommandResult:
    table = table_of(session, statement)
    if table.get("TableType") == "VIRTUAL_VIEW":
        lines = [f"{column['name']}\t{column['type']}" for column in read_view(table)["columns"]]
        return CommandResult(lines, [text_column(n, "varchar") for n in ("column", "type")])

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
    return CommandResult(
        lines, [text_column("col_name"), text_column("data_type"), text_column("comment")]
    )


def show_create_table(session: Session, statement: Any) -> CommandResult:
    table = table_of(session, statement)
    if table.get("TableType") == "VIRTUAL_VIEW":
        return show_create_view(session, statement)
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
    if place.get("BucketColumns"):
        lines += ["CLUSTERED BY ( ", ", \n".join(f"  {c}" for c in place["BucketColumns"]) + ") "]
        ordered = [
            f"  {c['Column']} {'ASC' if c['SortOrder'] else 'DESC'}"
            for c in place.get("SortColumns") or []
        ]
        if ordered:
            lines += ["SORTED BY ( ", ", \n".join(ordered) + ") "]
        lines += [f"INTO {place['NumberOfBuckets']} BUCKETS"]
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
    return CommandResult(lines, [text_column("createtab_stmt")])


def show_create_view(session: Session, statement: Any) -> CommandResult:
    table = table_of(session, statement)
    if table.get("TableType") != "VIRTUAL_VIEW":
        raise QueryError(
            "NOT_SUPPORTED",
            f"Relation '{table['DatabaseName']}.{table['Name']}' is a table, not a view",
        )
    sql = read_view(table)["originalSql"]
    head = f"CREATE VIEW {table['DatabaseName']}.{table['Name']} AS "
    return CommandResult([head, *sql.splitlines()], [text_column("create view", "varchar")])


def show_properties(session: Session, statement: Any) -> CommandResult:
    parameters = table_of(session, statement).get("Parameters") or {}
    lines = [f"{key}\t{value}" for key, value in sorted(parameters.items())]
    return CommandResult(lines, [text_column("prpt_name"), text_column("prpt_value")])

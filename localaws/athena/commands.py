"""Runs Hive-style DDL: the lines it answers with, and what it changes in the catalog.

A command looks at the catalog and returns changes; they are made in one transaction with the
statement's end (localaws.athena.executions), so none is made twice or by half.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from localaws.athena import statements as s
from localaws.athena.formatting import column_info
from localaws.athena.session import Change, Session, change
from localaws.athena.sql import types as t
from localaws.athena.sql.errors import QueryError, not_emulated
from localaws.athena.tables import read_view
from localaws.core.errors import AwsError
from localaws.s3.objects import split_uri
from localaws.shapes import Json
from localaws.tables import partitions
from localaws.tables.catalog import TABLE_INPUT, Catalog
from localaws.tables.errors import TableError
from localaws.tables.files import is_hidden
from localaws.tables.storage import LAZY_SIMPLE, SERDES, WRITTEN_BY, descriptor, storage


@dataclass(frozen=True)
class Answer:
    """Lines, their ColumnInfos, and changes of the catalog."""

    lines: list[str] = field(default_factory=list)
    columns: list[Json] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)


NOTHING = Answer()


def _changes(*changes: Change) -> Answer:
    return Answer(changes=list(changes))


def _failed(message: str) -> QueryError:
    return QueryError(
        "FAILED",
        f"Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. {message}",
    )


def _text(label: str) -> Json:
    return column_info(label, t.VARCHAR)


def _place(session: Session, statement: Any) -> tuple[str, str]:
    return statement.database or session.database, statement.name


def _table(session: Session, statement: Any) -> Json:
    return session.tables.document(*_place(session, statement))


# databases


def create_database(session: Session, statement: s.CreateDatabase) -> Answer:
    if any(found["Name"] == statement.name for found in session.catalog.databases()):
        if statement.if_not_exists:
            return NOTHING
        raise _failed(f"Database {statement.name} already exists")
    said = {
        "Name": statement.name,
        "Description": statement.comment,
        "LocationUri": statement.location,
        "Parameters": statement.properties,
    }
    given = {key: value for key, value in said.items() if value is not None}
    return _changes(change(Catalog.create_database, given))


def drop_database(session: Session, statement: s.DropDatabase) -> Answer:
    try:
        tables = session.catalog.tables(statement.name)
    except AwsError:
        if statement.if_exists:
            return NOTHING
        raise _failed(f"Database does not exist: {statement.name}") from None
    if tables and not statement.cascade:
        raise _failed(
            f"InvalidOperationException(message:Database {statement.name} is not empty. One or "
            "more tables exist.)"
        )
    return _changes(change(Catalog.delete_database, statement.name))


def show_databases(session: Session, statement: s.ShowDatabases) -> Answer:
    names = [found["Name"] for found in session.catalog.databases()]
    return Answer([n for n in names if _like(n, statement.pattern)], [_text("database_name")])


def _like(name: str, pattern: str | None) -> bool:
    """Hive's pattern: `*` for anything, `|` for or."""
    if pattern is None:
        return True
    return any(
        fnmatch.fnmatchcase(name, part.replace("%", "*").lower()) for part in pattern.split("|")
    )


# tables


def create_table(session: Session, statement: s.CreateTable) -> Answer:
    database, name = _place(session, statement)
    if statement.location is None:
        raise _failed("The external table needs a LOCATION")
    split_uri(statement.location)
    _check_types([*statement.columns, *statement.keys])
    doubled = {c["Name"] for c in statement.columns} & {c["Name"] for c in statement.keys}
    if doubled:
        raise _failed(f"Column repeated in partitioning columns: {', '.join(sorted(doubled))}")
    table = {
        "Name": name,
        "TableType": "EXTERNAL_TABLE",
        "Owner": "hadoop",
        "Parameters": {
            "EXTERNAL": "TRUE",
            **statement.properties,
            **({"comment": statement.comment} if statement.comment else {}),
        },
        "PartitionKeys": statement.keys,
        "StorageDescriptor": _storage(statement, statement.location),
    }
    _check_storage(table, f"{database}.{name}")
    try:
        session.catalog.table(database, name)
    except AwsError as error:
        if error.message.startswith("Database"):
            raise _failed(f"Database does not exist: {database}") from None
        return _changes(change(Catalog.create_table, database, table))
    if statement.if_not_exists:
        return NOTHING
    raise _failed(f"AlreadyExistsException(message:Table {name} already exists.)")


def _check_types(columns: s.Columns) -> None:
    for column in columns:
        try:
            t.from_hive(column["Type"])
        except ValueError as error:
            raise _failed(f"{column['Name']}: {error}") from None


def _check_storage(table: Json, name: str) -> None:
    """Refuses at once what no query could read afterwards."""
    try:
        storage(table["StorageDescriptor"], table["Parameters"], name)
    except TableError as error:
        raise QueryError(error.code, error.message) from None


def _storage(statement: s.CreateTable, location: str) -> Json:
    stored, formats = statement.stored_as, statement.formats
    if stored and stored not in WRITTEN_BY:
        raise not_emulated(f"STORED AS {stored.upper()}; PARQUET and TEXTFILE are")
    by_format = formats and "parquet" in formats[0].lower()
    library = statement.serde or WRITTEN_BY[stored or ("parquet" if by_format else "textfile")]
    if library not in SERDES:
        raise not_emulated(f"the SerDe {library}")
    parameters = {"serialization.format": "1", **statement.serde_parameters}
    if library == LAZY_SIMPLE and not statement.serde:
        parameters |= {"field.delim": "\x01", **statement.delimited}
        parameters["serialization.format"] = parameters["field.delim"]
    built = descriptor(library, parameters, statement.columns, location)
    if formats:
        built["InputFormat"], built["OutputFormat"] = formats
    return built


def drop_table(session: Session, statement: s.DropTable) -> Answer:
    return _drop(session, statement, view=False)


def drop_view(session: Session, statement: s.DropView) -> Answer:
    return _drop(session, statement, view=True)


def _drop(session: Session, statement: s.DropTable | s.DropView, view: bool) -> Answer:
    database, name = _place(session, statement)
    try:
        table = session.catalog.table(database, name)
    except AwsError:
        if statement.if_exists:
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
    return _changes(change(Catalog.delete_table, database, name))


def _altered(session: Session, statement: s.OfTable, alter: Callable[[Json], None]) -> Answer:
    """The table as `alter` makes it; another change of it meanwhile makes this one fail."""
    table = _table(session, statement)
    if table.get("TableType") == "VIRTUAL_VIEW":
        raise _failed(f"Cannot alter a view with ALTER TABLE: {table['Name']}")
    kept = {key: value for key, value in table.items() if key in TABLE_INPUT}
    alter(kept)
    _check_storage(kept, f"{table['DatabaseName']}.{table['Name']}")
    return _changes(change(Catalog.update_table, table["DatabaseName"], kept, table["VersionId"]))


def _check_new(columns: s.Columns, taken: set[str]) -> None:
    _check_types(columns)
    for column in columns:
        if column["Name"] in taken:
            raise _failed(f"Duplicate column name: {column['Name']}")
        taken.add(column["Name"])


def add_columns(session: Session, statement: s.AddColumns) -> Answer:
    def alter(table: Json) -> None:
        columns = table["StorageDescriptor"]["Columns"]
        _check_new(statement.columns, _names(columns, table.get("PartitionKeys")))
        columns += statement.columns

    return _altered(session, statement, alter)


def replace_columns(session: Session, statement: s.ReplaceColumns) -> Answer:
    def alter(table: Json) -> None:
        _check_new(statement.columns, _names(table.get("PartitionKeys")))
        table["StorageDescriptor"]["Columns"] = statement.columns

    return _altered(session, statement, alter)


def change_column(session: Session, statement: s.ChangeColumn) -> Answer:
    def alter(table: Json) -> None:
        columns = table["StorageDescriptor"]["Columns"]
        names = [column["Name"] for column in columns]
        if statement.old not in names:
            raise _failed(f"Invalid column reference {statement.old}")
        place = names.index(statement.old)
        others = columns[:place] + columns[place + 1 :]
        _check_new([statement.column], _names(others, table.get("PartitionKeys")))
        if statement.after is None:
            others.insert(place, statement.column)
        else:
            left = [column["Name"] for column in others]
            if statement.after and statement.after not in left:
                raise _failed(f"Column '{statement.after}' not found to put a column after")
            others.insert(
                left.index(statement.after) + 1 if statement.after else 0, statement.column
            )
        table["StorageDescriptor"]["Columns"] = others

    return _altered(session, statement, alter)


def _names(*lists: Any) -> set[str]:
    return {column["Name"] for columns in lists for column in columns or []}


def set_location(session: Session, statement: s.SetLocation) -> Answer:
    split_uri(statement.location)
    if statement.partition is None:
        return _altered(
            session,
            statement,
            lambda table: table["StorageDescriptor"].update(Location=statement.location),
        )
    table, partition = _one_partition(session, statement, statement.partition)
    place = {**partition["StorageDescriptor"], "Location": statement.location}
    return _partition_updated(table, partition, {**partition, "StorageDescriptor": place})


def set_properties(session: Session, statement: s.SetProperties) -> Answer:
    return _altered(
        session,
        statement,
        lambda table: table.setdefault("Parameters", {}).update(statement.properties),
    )


# partitions


def _values(table: Json, values: dict[str, str]) -> list[str]:
    keys = _keys(table)
    if sorted(values) != sorted(keys):
        raise _failed(
            f"partition spec {values} doesn't contain all (or only) partition columns: {keys}"
        )
    return [values[key] for key in keys]


def _keys(table: Json) -> list[str]:
    return [key["Name"] for key in table.get("PartitionKeys") or []]


def add_partitions(session: Session, statement: s.AddPartitions) -> Answer:
    table = _table(session, statement)
    there = _partitions(session, table)
    changes = []
    for values, location in statement.partitions:
        listed = _values(table, values)
        if tuple(listed) in there:
            if statement.if_not_exists:
                continue
            raise _failed("Partition already exists.")
        there.add(tuple(listed))
        root = table["StorageDescriptor"]["Location"].rstrip("/")
        place = location or f"{root}/{partitions.folder(_keys(table), listed)}"
        changes.append(_new_partition(table, listed, place))
    return _changes(*changes)


def _partitions(session: Session, table: Json) -> set[tuple[str, ...]]:
    found = session.catalog.partitions(table["DatabaseName"], table["Name"])
    return {tuple(partition["Values"]) for partition in found}


def _new_partition(table: Json, values: list[str], location: str) -> Change:
    return change(
        Catalog.create_partition,
        table["DatabaseName"],
        table["Name"],
        {
            "Values": values,
            "StorageDescriptor": {**table["StorageDescriptor"], "Location": location},
            "Parameters": {},
        },
    )


def drop_partitions(session: Session, statement: s.DropPartitions) -> Answer:
    table = _table(session, statement)
    there = _partitions(session, table)
    changes = []
    for values in statement.partitions:
        listed = _values(table, values)
        if tuple(listed) not in there:
            if statement.if_exists:
                continue
            raise _failed(f"Partition not found ({values})")
        there.discard(tuple(listed))
        changes.append(
            change(Catalog.delete_partition, table["DatabaseName"], table["Name"], listed)
        )
    return _changes(*changes)


def _one_partition(session: Session, statement: Any, values: s.Pairs) -> tuple[Json, Json]:
    table = _table(session, statement)
    try:
        found = session.catalog.partition(
            table["DatabaseName"], table["Name"], _values(table, values)
        )
    except AwsError:
        raise _failed(f"Partition not found ({values})") from None
    return table, found


def _partition_updated(table: Json, old: Json, new: Json) -> Answer:
    given = {key: new[key] for key in ("Values", "StorageDescriptor", "Parameters") if key in new}
    place = (table["DatabaseName"], table["Name"], old["Values"])
    return _changes(change(Catalog.update_partition, *place, given))


def rename_partition(session: Session, statement: s.RenamePartition) -> Answer:
    """The partition's values change; its location stays, as the table is EXTERNAL."""
    table, partition = _one_partition(session, statement, statement.old)
    values = _values(table, statement.new)
    if tuple(values) in _partitions(session, table):
        raise _failed("Partition already exists.")
    return _partition_updated(table, partition, {**partition, "Values": values})


def repair_table(session: Session, statement: s.RepairTable) -> Answer:
    """Adds the partitions of folders named k=v, in the order of the keys. It drops none."""
    table = _table(session, statement)
    keys = _keys(table)
    if not keys:
        return NOTHING
    location = table["StorageDescriptor"]["Location"].rstrip("/") + "/"
    bucket, prefix = split_uri(location)
    there = _partitions(session, table)
    found: dict[tuple[str, ...], str] = {}
    for stored in session.aws.objects.list(bucket, prefix):
        parts = stored.key[len(prefix) :].split("/")
        names = [part.partition("=")[0].lower() for part in parts[: len(keys)]]
        if names == keys and len(parts) > len(keys) and not is_hidden("/".join(parts[: len(keys)])):
            values = tuple(unquote(part.partition("=")[2]) for part in parts[: len(keys)])
            found.setdefault(values, f"{location}{'/'.join(parts[: len(keys)])}/")
    new = {values: place for values, place in found.items() if values not in there}
    specs = ["/".join(f"{k}={v}" for k, v in zip(keys, values, strict=True)) for values in new]
    lines = []
    if new:
        shown = "\t".join(f"{table['Name']}:{spec}" for spec in specs)
        lines.append(f"Partitions not in metastore:\t{shown}")
    lines += [f"Repair: Added partition to metastore {table['Name']}:{spec}" for spec in specs]
    changes = [_new_partition(table, list(values), place) for values, place in new.items()]
    return Answer(lines, [], changes)


# showing


def show_tables(session: Session, statement: s.ShowTables) -> Answer:
    return _show_names(session, statement, views=False)


def show_views(session: Session, statement: s.ShowViews) -> Answer:
    return _show_names(session, statement, views=True)


def _show_names(session: Session, statement: s.ShowTables | s.ShowViews, views: bool) -> Answer:
    database = statement.database or session.database
    try:
        tables = session.catalog.tables(database)
    except AwsError:
        raise _failed(f"Database does not exist: {database}") from None
    names = [
        table["Name"] for table in tables if not views or table.get("TableType") == "VIRTUAL_VIEW"
    ]
    label = _text("views" if views else "tab_name")
    return Answer([n for n in names if _like(n, statement.pattern)], [label])


def show_columns(session: Session, statement: Any) -> Answer:
    table = _table(session, statement)
    columns = [*table["StorageDescriptor"]["Columns"], *(table.get("PartitionKeys") or [])]
    return Answer([f"{column['Name']:<20}" for column in columns], [_text("field")])


def show_partitions(session: Session, statement: Any) -> Answer:
    table = _table(session, statement)
    keys = _keys(table)
    if not keys:
        raise _failed(f"Table {table['Name']} is not a partitioned table")
    found = session.catalog.partitions(table["DatabaseName"], table["Name"])
    lines = [partitions.folder(keys, partition["Values"]).rstrip("/") for partition in found]
    return Answer(lines, [_text("partition")])


def describe(session: Session, statement: Any) -> Answer:
    table = _table(session, statement)

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
    return Answer(lines, [_text("col_name"), _text("data_type"), _text("comment")])


def show_create_table(session: Session, statement: Any) -> Answer:
    table = _table(session, statement)
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
    return Answer(lines, [_text("createtab_stmt")])


def show_create_view(session: Session, statement: Any) -> Answer:
    table = _table(session, statement)
    if table.get("TableType") != "VIRTUAL_VIEW":
        raise QueryError(
            "NOT_SUPPORTED",
            f"Relation '{table['DatabaseName']}.{table['Name']}' is a table, not a view",
        )
    sql = read_view(table)["originalSql"]
    head = f"CREATE VIEW {table['DatabaseName']}.{table['Name']} AS "
    return Answer([head, *sql.splitlines()], [_text("Create View")])


def show_properties(session: Session, statement: Any) -> Answer:
    parameters = _table(session, statement).get("Parameters") or {}
    lines = [f"{key}\t{value}" for key, value in sorted(parameters.items())]
    return Answer(lines, [_text("prpt_name"), _text("prpt_value")])


COMMANDS: dict[type[s.Statement], Callable[[Session, Any], Answer]] = {
    s.CreateDatabase: create_database,
    s.DropDatabase: drop_database,
    s.ShowDatabases: show_databases,
    s.CreateTable: create_table,
    s.DropTable: drop_table,
    s.DropView: drop_view,
    s.AddColumns: add_columns,
    s.ReplaceColumns: replace_columns,
    s.ChangeColumn: change_column,
    s.SetLocation: set_location,
    s.SetProperties: set_properties,
    s.AddPartitions: add_partitions,
    s.DropPartitions: drop_partitions,
    s.RenamePartition: rename_partition,
    s.RepairTable: repair_table,
    s.ShowTables: show_tables,
    s.ShowViews: show_views,
    s.ShowColumns: show_columns,
    s.ShowPartitions: show_partitions,
    s.Describe: describe,
    s.ShowCreateTable: show_create_table,
    s.ShowCreateView: show_create_view,
    s.ShowProperties: show_properties,
}

"""Databases, tables and views: made, changed, dropped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from localaws.athena.commands.result import (
    NOTHING,
    CatalogFailed,
    CommandResult,
    changed,
    failed,
    place_of,
    table_of,
)
from localaws.athena.grammar import statements as s
from localaws.athena.session import Session, change
from localaws.errors import AwsError
from localaws.s3.objects import split_uri
from localaws.shapes import Json
from localaws.tables.catalog import TABLE_INPUT, Catalog
from localaws.tables.errors import TableError
from localaws.tables.storage import LAZY_SIMPLE, SERDES, STORED_AS, descriptor, storage
from localaws.trino import types as t
from localaws.trino.errors import QueryError, not_emulated


def create_database(session: Session, statement: s.CreateDatabase) -> CommandResult:
    if any(found["Name"] == statement.name for found in session.catalog.databases()):
        if statement.if_not_exists:
            return NOTHING
        raise CatalogFailed(f"Database {statement.name} already exists")
    said = {
        "Name": statement.name,
        "Description": statement.comment,
        "LocationUri": statement.location,
        "Parameters": statement.properties,
    }
    given = {key: value for key, value in said.items() if value is not None}
    return changed(change(Catalog.create_database, given))


def drop_database(session: Session, statement: s.DropDatabase) -> CommandResult:
    try:
        tables = session.catalog.tables(statement.name)
    except AwsError:
        if statement.if_exists:
            return NOTHING
        raise failed(f"Database does not exist: {statement.name}") from None
    if tables and not statement.cascade:
        raise failed(
            f"InvalidOperationException(message:Database {statement.name} is not empty. One or "
            "more tables exist.)"
        )
    return changed(change(Catalog.delete_database, statement.name))


def create_table(session: Session, statement: s.CreateTable) -> CommandResult:
    database, name = place_of(session, statement)
    table = described(statement, database)
    if is_there(session, database, name, statement.if_not_exists):
        return NOTHING
    return changed(change(Catalog.create_table, database, table))


def described(statement: s.CreateTable, database: str) -> Json:
    """The catalog's entry that CREATE EXTERNAL TABLE makes. Raises QueryError and the like for
    what no query could read afterwards."""
    if statement.location is None:
        raise failed("The external table needs a LOCATION")
    split_uri(statement.location)
    _check_types([*statement.columns, *statement.keys])
    names = [column["Name"] for column in statement.columns]
    for place, label in enumerate(names):
        if label in names[:place]:
            raise QueryError(
                "FAILED", f"SemanticException [Error 10036]: Duplicate column name: {label}"
            )
    doubled = {c["Name"] for c in statement.columns} & {c["Name"] for c in statement.keys}
    if doubled:
        raise failed(f"Column repeated in partitioning columns: {', '.join(sorted(doubled))}")
    table = {
        "Name": statement.name,
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
    _check_storage(table, f"{database}.{statement.name}")
    return table


def is_there(session: Session, database: str, name: str, if_not_exists: bool) -> bool:
    """Whether there is such a table; raises QueryError if it must not be."""
    try:
        session.catalog.table(database, name)
    except AwsError as error:
        if error.message.startswith("Database"):
            raise failed(f"Database does not exist: {database}") from None
        if error.is_refusal:
            raise
        return False
    if if_not_exists:
        return True
    raise failed(f"AlreadyExistsException(message:Table {name} already exists.)")


def _check_types(columns: s.Columns) -> None:
    for column in columns:
        try:
            t.from_hive(column["Type"])
        except ValueError as error:
            raise failed(f"{column['Name']}: {error}") from None


def _check_storage(table: Json, name: str) -> None:
    """Refuses at once what no query could read afterwards."""
    try:
        storage(table["StorageDescriptor"], table["Parameters"], name)
    except TableError as error:
        raise QueryError(error.code, error.message) from None


def _storage(statement: s.CreateTable, location: str) -> Json:
    stored, formats = statement.stored_as, statement.formats
    if stored and stored not in STORED_AS:
        known = ", ".join(kind.upper() for kind in STORED_AS)
        raise not_emulated(f"STORED AS {stored.upper()}; {known} are")
    by_format = formats and "parquet" in formats[0].lower()
    library = statement.serde or STORED_AS[stored or ("parquet" if by_format else "textfile")]
    if library not in SERDES:
        raise not_emulated(f"the SerDe {library}")
    parameters = {"serialization.format": "1", **statement.serde_parameters}
    if library == LAZY_SIMPLE and not statement.serde:
        parameters |= {"field.delim": "\x01", **statement.delimited}
        parameters["serialization.format"] = parameters["field.delim"]
    built = descriptor(library, parameters, statement.columns, location)
    if formats:
        built["InputFormat"], built["OutputFormat"] = formats
    if statement.clustered is not None:
        built |= _clustered(statement.clustered, {c["Name"] for c in statement.columns})
    return built


def _clustered(said: s.Clustered, columns: set[str]) -> Json:
    for column in [*said.columns, *(column for column, _ in said.ordered)]:
        if column not in columns:
            raise failed(f"SemanticException [Error 10002]: Invalid column reference {column}")
    ordered = [
        {"Column": name, "SortOrder": int(not descending)} for name, descending in said.ordered
    ]
    return {
        "BucketColumns": said.columns,
        "NumberOfBuckets": said.count,
        "SortColumns": ordered,
    }


def drop_table(session: Session, statement: s.DropTable) -> CommandResult:
    return _drop(session, statement, view=False)


def drop_view(session: Session, statement: s.DropView) -> CommandResult:
    return _drop(session, statement, view=True)


def _drop(session: Session, statement: s.DropTable | s.DropView, view: bool) -> CommandResult:
    database, name = place_of(session, statement)
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
        raise QueryError(
            "FAILED", f"SemanticException [Error 10001]: Table not found {database}.{name}"
        ) from None
    if (table.get("TableType") == "VIRTUAL_VIEW") != view:
        kind, word = ("table", "DROP TABLE") if view else ("view", "DROP VIEW")
        raise QueryError("NOT_SUPPORTED", f"'{database}.{name}' is a {kind}, use {word}")
    return changed(change(Catalog.delete_table, database, name))


def altered(session: Session, statement: s.OfTable, alter: Callable[[Json], None]) -> CommandResult:
    """The table as `alter` makes it; another change of it meanwhile makes this one fail."""
    table = table_of(session, statement)
    if table.get("TableType") == "VIRTUAL_VIEW":
        raise failed(f"Cannot alter a view with ALTER TABLE: {table['Name']}")
    kept = {key: value for key, value in table.items() if key in TABLE_INPUT}
    alter(kept)
    _check_storage(kept, f"{table['DatabaseName']}.{table['Name']}")
    return changed(change(Catalog.update_table, table["DatabaseName"], kept, table["VersionId"]))


def _check_new(columns: s.Columns, taken: set[str]) -> None:
    _check_types(columns)
    for column in columns:
        if column["Name"] in taken:
            raise failed(f"Duplicate column name: {column['Name']}")
        taken.add(column["Name"])


def add_columns(session: Session, statement: s.AddColumns) -> CommandResult:
    def alter(table: Json) -> None:
        columns = table["StorageDescriptor"]["Columns"]
        _check_new(statement.columns, _names(columns, table.get("PartitionKeys")))
        columns += statement.columns

    return altered(session, statement, alter)


def replace_columns(session: Session, statement: s.ReplaceColumns) -> CommandResult:
    def alter(table: Json) -> None:
        _check_new(statement.columns, _names(table.get("PartitionKeys")))
        table["StorageDescriptor"]["Columns"] = statement.columns

    return altered(session, statement, alter)


def change_column(session: Session, statement: s.ChangeColumn) -> CommandResult:
    def alter(table: Json) -> None:
        columns = table["StorageDescriptor"]["Columns"]
        names = [column["Name"] for column in columns]
        if statement.old not in names:
            raise failed(f"Invalid column reference {statement.old}")
        place = names.index(statement.old)
        others = columns[:place] + columns[place + 1 :]
        _check_new([statement.column], _names(others, table.get("PartitionKeys")))
        if statement.after is None:
            others.insert(place, statement.column)
        else:
            left = [column["Name"] for column in others]
            if statement.after and statement.after not in left:
                raise failed(f"Column '{statement.after}' not found to put a column after")
            others.insert(
                left.index(statement.after) + 1 if statement.after else 0, statement.column
            )
        table["StorageDescriptor"]["Columns"] = others

    return altered(session, statement, alter)


def _names(*lists: Any) -> set[str]:
    return {column["Name"] for columns in lists for column in columns or []}


def set_properties(session: Session, statement: s.SetProperties) -> CommandResult:
    return altered(
        session,
        statement,
        lambda table: table.setdefault("Parameters", {}).update(statement.properties),
    )


# What only Iceberg tables have


def drop_column(session: Session, statement: s.DropColumn) -> CommandResult:
    raise QueryError(
        "FAILED",
        f"ParseException line 1:{statement.column_at} mismatched input 'COLUMN' expecting "
        "PARTITION near 'DROP' in drop partition statement",
    )


def rename(session: Session, statement: s.RenameTable) -> CommandResult:
    table_of(session, statement)
    raise QueryError("FAILED", "Query type not supported by DDL engine.")


def unset_properties(session: Session, statement: s.UnsetProperties) -> CommandResult:
    def alter(table: Json) -> None:
        kept = table.get("Parameters") or {}
        table["Parameters"] = {k: v for k, v in kept.items() if k not in statement.keys}

    return altered(session, statement, alter)

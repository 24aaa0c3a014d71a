"""Hive-style DDL: the lines it answers with, and what it changes in the catalog.

A command looks at the catalog and returns changes; they are made in one transaction with the
statement's end (localaws.athena.executions), so none is made twice or by half.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from localaws.athena.commands import iceberg, partitions, showing, tables
from localaws.athena.commands.result import CommandResult
from localaws.athena.grammar import statements as s
from localaws.athena.session import Session

Command = Callable[[Session, Any], CommandResult]


def run(session: Session, statement: s.Statement) -> CommandResult:
    """Raises QueryError."""
    if isinstance(statement, s.OfTable):
        entry = iceberg.entry(session, statement)
        if entry is not None:
            return iceberg.command(type(statement))(session, statement, entry)
    return COMMANDS[type(statement)](session, statement)


COMMANDS: dict[type[s.Statement], Command] = {
    s.CreateDatabase: tables.create_database,
    s.DropDatabase: tables.drop_database,
    s.ShowDatabases: showing.show_databases,
    s.CreateTable: tables.create_table,
    s.CreateIcebergTable: iceberg.create_table,
    s.DropTable: tables.drop_table,
    s.DropView: tables.drop_view,
    s.AddColumns: tables.add_columns,
    s.ReplaceColumns: tables.replace_columns,
    s.ChangeColumn: tables.change_column,
    s.DropColumn: tables.drop_column,
    s.RenameTable: tables.rename,
    s.UnsetProperties: tables.unset_properties,
    s.SetLocation: partitions.set_location,
    s.SetProperties: tables.set_properties,
    s.AddPartitions: partitions.add_partitions,
    s.DropPartitions: partitions.drop_partitions,
    s.RenamePartition: partitions.rename_partition,
    s.RepairTable: partitions.repair_table,
    s.ShowTables: showing.show_tables,
    s.ShowViews: showing.show_views,
    s.ShowColumns: showing.show_columns,
    s.ShowPartitions: showing.show_partitions,
    s.Describe: showing.describe,
    s.ShowCreateTable: showing.show_create_table,
    s.ShowCreateView: showing.show_create_view,
    s.ShowProperties: showing.show_properties,
}

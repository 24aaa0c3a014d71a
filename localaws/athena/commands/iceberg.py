"""DDL of Iceberg tables, and what SHOW and DESCRIBE say of them.

https://docs.aws.amazon.com/athena/latest/ug/querying-iceberg-evolving-table-schema.html
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from localaws.athena.commands.result import (
    NOTHING,
    CommandResult,
    changed,
    place_of,
    text_column,
)
from localaws.athena.commands.tables import is_there
from localaws.athena.grammar import statements as s
from localaws.athena.iceberg import plan, types
from localaws.athena.iceberg.properties import shown, table_properties
from localaws.athena.iceberg.state import IcebergTable, is_iceberg
from localaws.athena.session import Session, change
from localaws.errors import AwsError
from localaws.shapes import Json
from localaws.tables.catalog import TABLE_INPUT, Catalog
from localaws.trino.errors import QueryError

Command = Callable[[Session, Any, Json], CommandResult]


def entry(session: Session, statement: s.OfTable) -> Json | None:
    """The catalog's entry if the statement is about an Iceberg table."""
    try:
        found = session.catalog.table(*place_of(session, statement))
    except AwsError:
        return None
    return found if is_iceberg(found) else None


def command(kind: type[s.OfTable]) -> Command:
    return _COMMANDS.get(kind, _unsupported)


def _unsupported(session: Session, statement: s.OfTable, entry: Json) -> CommandResult:
    raise QueryError("NOT_SUPPORTED", "Query type not supported by Athena Iceberg at this time")


def create_table(session: Session, statement: s.CreateIcebergTable) -> CommandResult:
    database, name = place_of(session, statement)
    if is_there(session, database, name, statement.if_not_exists):
        return NOTHING
    return CommandResult(changes=plan.create_table(session, statement))


def _drop(session: Session, statement: s.DropTable, entry: Json) -> CommandResult:
    """Also what the table's metadata names; nothing else below its location."""
    database, name = place_of(session, statement)
    garbage = plan.contents(session, entry)
    gone = change(Catalog.delete_table, database, name)
    return CommandResult(changes=[gone], garbage=garbage)


def _altered(session: Session, table: IcebergTable, *steps: Json) -> CommandResult:
    return CommandResult(changes=plan.alter(session, table, list(steps)))


def _add_columns(session: Session, statement: s.AddColumns, entry: Json) -> CommandResult:
    table = plan.hold(session, entry)
    there = {label for label, _ in table.columns()}
    steps = []
    for column in statement.columns:
        if column["Name"] in there:
            raise QueryError("DUPLICATE_COLUMN_NAME", f"Column '{column['Name']}' already exists")
        there.add(column["Name"])
        kind = types.iceberg(types.declared(column))
        steps.append(
            {
                "kind": "add",
                "column": column["Name"],
                "type": kind,
                "comment": column.get("Comment"),
            }
        )
    return _altered(session, table, *steps)


def _drop_column(session: Session, statement: s.DropColumn, entry: Json) -> CommandResult:
    table = plan.hold(session, entry)
    label = _own_name(table, statement.column)
    return _altered(session, table, {"kind": "drop", "column": label})


def _change_column(session: Session, statement: s.ChangeColumn, entry: Json) -> CommandResult:
    table = plan.hold(session, entry)
    label, column = _own_name(table, statement.old), statement.column
    kinds = {field["name"]: field["type"] for field in table.fields()}
    wanted = types.iceberg(types.declared(column))
    after = statement.after
    step = {
        "kind": "change",
        "column": label,
        "name": column["Name"],
        "type": None if types.trino(wanted) == types.trino(kinds[label]) else wanted,
        "comment": column.get("Comment"),
        "first": after == "",
        "after": _own_name(table, after) if after else None,
    }
    return _altered(session, table, step)


def _own_name(table: IcebergTable, label: str) -> str:
    """As the schema spells it."""
    for field in table.fields():
        if field["name"].lower() == label:
            return str(field["name"])
    raise QueryError("COLUMN_NOT_FOUND", f"Column '{label}' does not exist")


def _rename(session: Session, statement: s.RenameTable, entry: Json) -> CommandResult:
    database, name = place_of(session, statement)
    wanted = statement.new[0] or database, statement.new[1]
    is_there(session, *wanted, False)
    held = plan.hold(session, entry).entry
    moved = {key: value for key, value in held.items() if key in TABLE_INPUT}
    return changed(
        change(Catalog.create_table, wanted[0], {**moved, "Name": wanted[1]}),
        change(Catalog.delete_table, database, name),
    )


def _set_properties(session: Session, statement: s.SetProperties, entry: Json) -> CommandResult:
    properties = table_properties(statement.properties)
    table = plan.hold(session, entry)
    return _altered(session, table, {"kind": "set", "properties": properties})


def _unset_properties(session: Session, statement: s.UnsetProperties, entry: Json) -> CommandResult:
    keys = [key for given in statement.keys for key in _own_keys(given)]
    return _altered(session, plan.hold(session, entry), {"kind": "unset", "keys": keys})


def _own_keys(key: str) -> list[str]:
    values = {"format": "parquet", "write_compression": "ZSTD"}
    return list(table_properties({key: values.get(key.lower(), "1")}))


# SHOW and DESCRIBE, as recorded


def _describe(session: Session, statement: s.Describe, entry: Json) -> CommandResult:
    table = session.iceberg.table(entry)
    lines = ["# Table schema:\t\t", "# col_name\tdata_type\tcomment"]
    for field in table.fields():
        if types.hive(field["type"]) in ("time", "uuid"):
            raise QueryError("INVALID_ARGUMENTS", "Table has unsupported column types")
        lines.append(f"{field['name']}\t{types.hive(field['type'])}\t{field.get('doc') or ''}")
    lines += ["\t\t", "# Partition spec:\t\t", "# field_name\tfield_transform\tcolumn_name"]
    lines += [f"{f['name']}\t{f['transform']}\t{source}" for f, source in table.spec()]
    labels = ("col_name", "data_type", "comment")
    return CommandResult(lines, [text_column(label) for label in labels])


def _show_columns(session: Session, statement: s.ShowColumns, entry: Json) -> CommandResult:
    names = [field["name"] for field in session.iceberg.table(entry).fields()]
    return CommandResult(names, [text_column("field")])


def _show_create_table(
    session: Session, statement: s.ShowCreateTable, entry: Json
) -> CommandResult:
    table = session.iceberg.table(entry)
    columns = [
        f"  {field['name']} {types.hive(field['type'])}"
        + (f" COMMENT '{field['doc']}'" if field.get("doc") else "")
        for field in table.fields()
    ]
    parts = [_written(field["transform"], source) for field, source in table.spec()]
    pairs = [f"  '{key}'='{value}'" for key, value in shown(table.properties).items()]
    lines = [f"CREATE TABLE {table.name} ("]
    lines += [f"{column}," for column in columns[:-1]] + [f"{columns[-1]})"]
    if parts:
        lines.append(f"PARTITIONED BY ({', '.join(parts)})")
    lines += [f"LOCATION '{table.location}'", "TBLPROPERTIES ("]
    lines += [f"{pair}," for pair in pairs[:-1]] + [pairs[-1], ");"]
    return CommandResult(lines, [text_column("createtab_stmt")])


def _written(transform: str, source: str) -> str:
    """bucket(4, c)"""
    found = re.fullmatch(r"(\w+)\[(\d+)\]", transform)
    if found:
        return f"{found[1]}({found[2]}, {source})"
    return source if transform == "identity" else f"{transform}({source})"


def _show_properties(session: Session, statement: s.ShowProperties, entry: Json) -> CommandResult:
    own = session.iceberg.table(entry).properties
    lines = [f"{key}\t{value}" for key, value in sorted(shown(own).items())]
    return CommandResult(lines, [text_column("prpt_name"), text_column("prpt_value")])


_COMMANDS: dict[type[s.OfTable], Command] = {
    s.DropTable: _drop,
    s.AddColumns: _add_columns,
    s.DropColumn: _drop_column,
    s.ChangeColumn: _change_column,
    s.RenameTable: _rename,
    s.SetProperties: _set_properties,
    s.UnsetProperties: _unset_properties,
    s.Describe: _describe,
    s.ShowColumns: _show_columns,
    s.ShowCreateTable: _show_create_table,
    s.ShowProperties: _show_properties,
}

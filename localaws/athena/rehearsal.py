"""A statement checked against tables that are only described: nothing is read, written or kept.

Grammar, names, types and Athena's rules are those of the real execution (`plan.py`); what depends
on data or on objects (an external location that holds files) is not looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from localaws.athena import buckets, plan, shaping
from localaws.athena.commands.tables import described
from localaws.athena.grammar import statements as s
from localaws.athena.grammar.read import read
from localaws.athena.sql.parsing import parse
from localaws.athena.sql.queries import Queries, Query
from localaws.athena.sql.sources import Found, no_schema, no_table
from localaws.athena.writing import check_types
from localaws.trino import types as t
from localaws.trino.errors import QueryError, not_emulated
from localaws.trino.types import Type

Name = tuple[str, str]  # database, table


@dataclass(frozen=True)
class Described:
    """A table or view: its columns with the partition keys last, and where its files are."""

    columns: tuple[tuple[str, Type], ...]
    keys: frozenset[str] = frozenset()
    location: str = ""
    view: str | None = None

    def found(self) -> Found:
        if self.view is not None:
            return Found((), view=self.view, view_columns=self.columns)
        return Found(self.columns, self.keys)


@dataclass(frozen=True)
class Effect:
    """What the statement would make, or drop; the columns of its result, if it is a query."""

    makes: tuple[Name, Described] | None = None
    drops: Name | None = None
    columns: tuple[tuple[str, Type], ...] = ()


@dataclass(frozen=True)
class Rehearsal:
    """The catalog as it would be, and the work group. `output` is where its results go."""

    tables: Mapping[Name, Described]
    databases: frozenset[str]
    database: str
    output: str = "s3://results/"
    enforced: bool = False
    execution_id: str = field(default="00000000-0000-0000-0000-000000000000", repr=False)

    def find(self, database: str, table: str, node: Any = None, as_of: Any = None) -> Found:
        """For the compiler. Raises QueryError (SCHEMA_NOT_FOUND, TABLE_NOT_FOUND)."""
        if as_of is not None:
            raise not_emulated("a snapshot in a rehearsal")
        if database not in self.databases:
            raise no_schema(database, node)
        if (database, table) not in self.tables:
            raise no_table(database, table, node)
        return self.tables[database, table].found()

    def check(self, sql: str) -> Effect:
        """What the statement would do. Raises SyntaxMistake and QueryError, in Athena's words."""
        statement = read(sql)
        rule = RULES.get(type(statement))
        if rule is None:
            raise not_emulated(f"{type(statement).__name__} in a rehearsal")
        effect: Effect = rule(self, statement)
        return effect

    def compile(self, sql: str) -> Query:
        return Queries(self, self.database).compile(parse(sql))

    def place(self, statement: Any) -> Name:
        """The statement's table; its database has to be there."""
        database = statement.database or self.database
        if database not in self.databases:
            raise no_schema(database)
        return database, statement.name


def select(state: Rehearsal, statement: s.Select | s.Explain) -> Effect:
    return Effect(columns=labelled(state.compile(statement.query)))


def create_table_as(state: Rehearsal, statement: s.CreateTableAs) -> Effect:
    name = state.place(statement)
    location, _, keys = plan.ctas_properties(state, statement.properties)
    query = state.compile(statement.query)
    labels = [column.name for column in query.columns]
    plan.check_named(labels)
    kept = [t.from_hive(kind) for kind in check_types(query, labels)]
    plan.check_partition_keys(keys, labels, query)
    buckets.chosen(statement.properties, keys, query)
    _check_new(state, name, statement.if_not_exists)
    columns = tuple(zip(labels, kept, strict=True))
    return Effect((name, Described(columns, frozenset(keys), location)))


def create_table(state: Rehearsal, statement: s.CreateTable) -> Effect:
    name = state.place(statement)
    table = described(statement, name[0])
    _check_new(state, name, statement.if_not_exists)
    columns = tuple(
        (column["Name"].lower(), t.from_hive(column["Type"]))
        for column in [*statement.columns, *statement.keys]
    )
    keys = frozenset(column["Name"].lower() for column in statement.keys)
    return Effect((name, Described(columns, keys, table["StorageDescriptor"]["Location"])))


def create_view(state: Rehearsal, statement: s.CreateView) -> Effect:
    name = state.place(statement)
    query = state.compile(statement.query)
    labels = plan.view_labels(statement, query)
    there = state.tables.get(name)
    if there is not None and (there.view is None or not statement.or_replace):
        raise _already(name)
    types = [column.type for column in query.columns]
    columns = tuple(zip(labels, types, strict=True))
    return Effect((name, Described(columns, view=statement.query)))


def insert(state: Rehearsal, statement: s.Insert) -> Effect:
    table = state.find(*state.place(statement))
    if table.view is not None:
        raise plan.no_insert_into_views()
    query = state.compile(statement.query)
    types = dict(table.columns)
    chosen = statement.columns or list(types)
    shaping.check_named(list(types), chosen)
    shaping.check_types([c.type for c in query.columns], [types[label] for label in chosen])
    return Effect()


def unload(state: Rehearsal, statement: s.Unload) -> Effect:
    _, keys = plan.unload_properties(statement.properties)
    query = state.compile(statement.query)
    labels = [column.name for column in query.columns]
    check_types(query, labels)
    plan.check_partition_keys(keys, labels, query)
    return Effect()


def drop(state: Rehearsal, statement: s.DropTable | s.DropView) -> Effect:
    name = state.place(statement)
    if name not in state.tables and not statement.if_exists:
        state.find(*name)
    return Effect(drops=name)


RULES: dict[type[s.Statement], Any] = {
    s.Select: select,
    s.Explain: select,
    s.CreateTableAs: create_table_as,
    s.CreateTable: create_table,
    s.CreateView: create_view,
    s.Insert: insert,
    s.Unload: unload,
    s.DropTable: drop,
    s.DropView: drop,
}


def labelled(query: Query) -> tuple[tuple[str, Type], ...]:
    return tuple((column.name, column.type) for column in query.columns)


def _check_new(state: Rehearsal, name: Name, if_not_exists: bool) -> None:
    if name in state.tables and not if_not_exists:
        raise _already(name)


def _already(name: Name) -> QueryError:
    return QueryError(
        "TABLE_ALREADY_EXISTS",
        f"line 1:1: Destination table 'awsdatacatalog.{name[0]}.{name[1]}' already exists",
    )

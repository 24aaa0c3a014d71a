"""SHOW and DESCRIBE."""

from __future__ import annotations

from collections.abc import Callable

from localaws.athena.grammar import statements as s
from localaws.athena.grammar.statements import Statement
from localaws.athena.grammar.words import Reader


def show_databases(reader: Reader) -> Statement:
    pattern = reader.text() if reader.take("LIKE") or reader.next.kind == "text" else None
    reader.end()
    return s.ShowDatabases(pattern)


def show_names(form: type[s.ShowTables] | type[s.ShowViews]) -> Callable[[Reader], Statement]:
    def read_show(reader: Reader) -> Statement:
        database = reader.name() if reader.take("IN") or reader.take("FROM") else None
        pattern = reader.text() if reader.take("LIKE") or reader.next.kind == "text" else None
        reader.end()
        return form(database, pattern)

    return read_show


def show_columns(reader: Reader) -> Statement:
    if not (reader.take("IN") or reader.take("FROM")):
        raise reader.wrong("IN", "FROM")
    database, name = reader.qualified()
    if reader.take("IN") or reader.take("FROM"):
        database = reader.name()
    reader.end()
    return s.ShowColumns(database, name)


def of_table(form: type[s.OfTable]) -> Callable[[Reader], Statement]:
    def read_of_table(reader: Reader) -> Statement:
        found = form(*reader.qualified())
        reader.end()
        return found

    return read_of_table


def describe(reader: Reader) -> Statement:
    reader.take("VIEW") or reader.take("FORMATTED") or reader.take("EXTENDED")
    found = s.Describe(*reader.qualified())
    if reader.next.upper == "PARTITION":
        return s.Unsupported("DESCRIBE ... PARTITION")
    reader.end()
    return found

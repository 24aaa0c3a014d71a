"""CREATE, ALTER and DROP of databases, tables and views, as Hive spells them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from localaws.athena.grammar import statements as s
from localaws.athena.grammar.statements import Statement
from localaws.athena.grammar.words import Reader
from localaws.athena.sql.parsing import SyntaxMistake


def create_database(reader: Reader) -> Statement:
    skip = reader.take("IF", "NOT", "EXISTS")
    name = reader.name()
    said: dict[str, Any] = {}
    while reader.next.kind != "end":
        if reader.take("COMMENT"):
            said["comment"] = reader.text()
        elif reader.take("LOCATION"):
            said["location"] = reader.text()
        elif reader.take("WITH", "DBPROPERTIES"):
            said["properties"] = reader.pairs()
        else:
            raise reader.wrong("COMMENT", "LOCATION", "WITH DBPROPERTIES")
    return s.CreateDatabase(name, skip, **said)


def create_table(reader: Reader) -> Statement:
    skip = reader.take("IF", "NOT", "EXISTS")
    database, name = reader.qualified()
    if reader.take("LIKE"):
        raise SyntaxMistake("CREATE TABLE LIKE is not supported")
    columns = reader.columns() if reader.next.upper == "(" else []
    said: dict[str, Any] = {}
    while reader.next.kind != "end":
        clause = next((found for found in _CLAUSES if reader.take(*found[0])), None)
        if clause is None:
            raise reader.wrong(
                "PARTITIONED BY", "ROW FORMAT", "STORED AS", "LOCATION", "TBLPROPERTIES"
            )
        _, key, read = clause
        said[key] = read(reader)
    given = {key.lower(): value for key, value in said.get("properties", {}).items()}
    if given.get("table_type", "").lower() == "iceberg":
        raise SyntaxMistake("External keyword not supported for table type ICEBERG")
    return s.CreateTable(database, name, columns, skip, **said)


def _clustered(reader: Reader) -> s.Clustered:
    """(a, b) [SORTED BY (c DESC, ..)] INTO 8 BUCKETS"""

    def order(inside: Reader) -> tuple[str, bool]:
        name, descending = inside.name(), inside.take("DESC")
        if not descending:
            inside.take("ASC")
        return name, descending

    columns = reader.names()
    ordered = reader.listed(order) if reader.take("SORTED", "BY") else []
    reader.need("INTO")
    count = reader.value()
    reader.need("BUCKETS")
    if not count.isdigit() or int(count) < 1:
        raise SyntaxMistake(f"the number of buckets must be greater than 0, not {count}")
    return s.Clustered(columns, int(count), ordered)


def _delimited(reader: Reader) -> s.Pairs:
    found = {}
    endings = {
        "FIELDS": "field.delim",
        "COLLECTION": "collection.delim",
        "MAP": "mapkey.delim",
        "LINES": "line.delim",
    }
    while True:
        if reader.take("ESCAPED", "BY"):
            found["escape.delim"] = reader.text()
        elif reader.take("NULL", "DEFINED", "AS"):
            found["serialization.null.format"] = reader.text()
        elif reader.next.upper in endings:
            key = endings[reader.next.upper]
            reader.at += 1
            reader.take("ITEMS") or reader.take("KEYS")
            reader.need("TERMINATED", "BY")
            found[key] = reader.text()
        else:
            return found


def _formats(reader: Reader) -> tuple[str, str]:
    first = reader.text()
    reader.need("OUTPUTFORMAT")
    return first, reader.text()


# What may follow the columns: its words, the member it fills and what reads it; the first fits.
_CLAUSES: tuple[tuple[tuple[str, ...], str, Callable[[Reader], Any]], ...] = (
    (("COMMENT",), "comment", Reader.text),
    (("PARTITIONED", "BY"), "keys", Reader.columns),
    (("CLUSTERED", "BY"), "clustered", _clustered),
    (("ROW", "FORMAT", "SERDE"), "serde", Reader.text),
    (("WITH", "SERDEPROPERTIES"), "serde_parameters", Reader.pairs),
    (("ROW", "FORMAT", "DELIMITED"), "delimited", _delimited),
    (("STORED", "AS", "INPUTFORMAT"), "formats", _formats),
    (("STORED", "AS"), "stored_as", Reader.name),
    (("LOCATION",), "location", Reader.text),
    (("TBLPROPERTIES",), "properties", Reader.pairs),
)


def drop_database(reader: Reader) -> Statement:
    skip = reader.take("IF", "EXISTS")
    name = reader.name()
    cascade = reader.take("CASCADE")
    reader.take("RESTRICT")
    reader.end()
    return s.DropDatabase(name, skip, cascade)


def drop(form: type[s.DropTable] | type[s.DropView]) -> Callable[[Reader], Statement]:
    def read_drop(reader: Reader) -> Statement:
        skip = reader.take("IF", "EXISTS")
        found = form(*reader.qualified(), skip)
        reader.end()
        return found

    return read_drop


def alter(reader: Reader) -> Statement:
    place = reader.qualified()
    for words, form in _ALTERATIONS:
        if reader.take(*words):
            found = form(reader, place)
            reader.end()
            return found
    if reader.next.upper == "PARTITION":
        return _alter_partition(reader, place)
    return s.Unsupported(f"ALTER TABLE ... {reader.next.raw or reader.next.value}")


Place = tuple[str | None, str]


def _add_partitions(reader: Reader, place: Place) -> Statement:
    skip = reader.take("IF", "NOT", "EXISTS")
    parts = []
    while reader.take("PARTITION"):
        values = _partition(reader)
        parts.append((values, reader.text() if reader.take("LOCATION") else None))
    if not parts:
        raise reader.wrong("COLUMNS", "PARTITION")
    return s.AddPartitions(*place, parts, skip)


def _drop_partitions(reader: Reader, place: Place) -> Statement:
    skip = reader.take("IF", "EXISTS")
    reader.need("PARTITION")
    gone = [_partition(reader)]
    while reader.take(","):
        reader.need("PARTITION")
        gone.append(_partition(reader))
    return s.DropPartitions(*place, gone, skip)


def _change_column(reader: Reader, place: Place) -> Statement:
    """CHANGE [COLUMN] old new type [COMMENT text] [FIRST | AFTER column]"""
    reader.take("COLUMN")
    old = reader.name()
    column = reader.column()
    after = "" if reader.take("FIRST") else reader.name() if reader.take("AFTER") else None
    return s.ChangeColumn(*place, old, column, after)


def _alter_partition(reader: Reader, place: Place) -> Statement:
    reader.need("PARTITION")
    values = _partition(reader)
    if reader.take("RENAME", "TO", "PARTITION"):
        new = _partition(reader)
        reader.end()
        return s.RenamePartition(*place, values, new)
    if reader.take("SET", "LOCATION"):
        location = reader.text()
        reader.end()
        return s.SetLocation(*place, location, values)
    return s.Unsupported(f"ALTER TABLE ... PARTITION ... {reader.next.raw or reader.next.value}")


def _partition(reader: Reader) -> s.Pairs:
    return reader.pairs(Reader.name)


def _drop_column(reader: Reader, place: Place) -> Statement:
    at = reader.tokens[reader.at - 1].start
    return s.DropColumn(*place, reader.name(), at)


_ALTERATIONS: tuple[tuple[tuple[str, ...], Callable[[Reader, Place], Statement]], ...] = (
    (("ADD", "COLUMNS"), lambda reader, place: s.AddColumns(*place, reader.columns())),
    (("ADD",), _add_partitions),
    (("DROP", "COLUMN"), _drop_column),
    (("DROP",), _drop_partitions),
    (("RENAME", "TO"), lambda reader, place: s.RenameTable(*place, reader.qualified())),
    (("REPLACE", "COLUMNS"), lambda reader, place: s.ReplaceColumns(*place, reader.columns())),
    (("CHANGE",), _change_column),
    (("SET", "LOCATION"), lambda reader, place: s.SetLocation(*place, reader.text())),
    (
        ("UNSET", "TBLPROPERTIES"),
        lambda reader, place: s.UnsetProperties(*place, reader.listed(Reader.text)),
    ),
    (("SET", "TBLPROPERTIES"), lambda reader, place: s.SetProperties(*place, reader.pairs())),
)

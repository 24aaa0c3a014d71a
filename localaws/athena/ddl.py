"""Reads Athena's statements; those that begin with a query's words are left as text.

Grammar: https://docs.aws.amazon.com/athena/latest/ug/ddl-reference.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from localaws.athena import statements as s
from localaws.athena.reader import Reader
from localaws.athena.sql.parsing import SyntaxMistake
from localaws.athena.statements import Statement

_QUERY_WORDS = ("SELECT", "WITH", "VALUES", "(", "TABLE")
_BEGINNINGS = (
    "ALTER", "CREATE", "DESCRIBE", "DROP", "EXPLAIN", "INSERT", "MSCK", "SELECT", "SHOW",
    "UNLOAD", "VALUES", "WITH",
)  # fmt: skip
_REFUSED = (
    "UPDATE", "DELETE", "MERGE", "OPTIMIZE", "VACUUM", "GRANT", "REVOKE", "USE", "SET", "ANALYZE",
    "CREATE", "ALTER", "CALL",
)  # fmt: skip


def read(sql: str) -> Statement:
    """The statement. Raises SyntaxMistake for one that does not parse."""
    reader = Reader(sql)
    for words, form in _FORMS:
        if reader.take(*words):
            return form(reader)
    if reader.next.upper in _QUERY_WORDS:
        return s.Select(sql)
    if reader.next.upper in _REFUSED:
        return s.Refused(
            " ".join(token.value for token in reader.tokens[reader.at : reader.at + 2])
        )
    raise reader.wrong(*_BEGINNINGS)


def _rest(reader: Reader) -> str:
    """What follows, at its own lines and columns."""
    start = reader.next.start
    before = "".join("\n" if letter == "\n" else " " for letter in reader.sql[:start])
    return before + reader.sql[start:]


# Queries, and what is written of them


def _create_table_as(reader: Reader) -> Statement:
    """CREATE TABLE [IF NOT EXISTS] name [COMMENT ..] [WITH (..)] AS query [WITH [NO] DATA]"""
    skip = reader.take("IF", "NOT", "EXISTS")
    database, name = reader.qualified()
    if reader.next.upper == "(":
        if any(token.value.lower() == "iceberg" for token in reader.tokens):
            return s.Refused("CREATE TABLE of an Iceberg table")
        raise SyntaxMistake(
            "line 1:8: missing 'EXTERNAL' at 'TABLE': only external tables and CTAS can be created"
        )
    if reader.take("COMMENT"):
        reader.text()
    properties = _properties(reader) if reader.take("WITH") else {}
    reader.need("AS")
    query, with_data = _without_data_clause(_rest(reader))
    return s.CreateTableAs(database, name, query, skip, properties, with_data)


def _without_data_clause(body: str) -> tuple[str, bool]:
    """The query without a closing WITH [NO] DATA, and whether it shall be run."""
    reader = Reader(body)
    last = [token.upper for token in reader.tokens[-4:-1]]
    if last[-3:] == ["WITH", "NO", "DATA"]:
        return body[: reader.tokens[-4].start], False
    if last[-2:] == ["WITH", "DATA"]:
        return body[: reader.tokens[-3].start], True
    return body, True


def _properties(reader: Reader) -> s.Properties:
    """(format = 'PARQUET', partitioned_by = ARRAY['a'], bucket_count = 3)"""
    reader.need("(")
    found: s.Properties = {}
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


def _insert(reader: Reader) -> Statement:
    database, name = reader.qualified()
    columns = None
    # A parenthesised query is no list of columns.
    if reader.next.upper == "(" and reader.tokens[reader.at + 1].upper not in _QUERY_WORDS:
        columns = reader.names()
    return s.Insert(database, name, _rest(reader), columns)


def _view(reader: Reader, or_replace: bool) -> Statement:
    database, name = reader.qualified()
    columns = reader.names() if reader.next.upper == "(" else None
    if reader.take("COMMENT"):
        reader.text()
    reader.need("AS")
    body = _rest(reader).rstrip().rstrip(";")
    return s.CreateView(database, name, body, or_replace, columns)


def _explain(reader: Reader) -> Statement:
    if reader.take("ANALYZE") or reader.next.upper == "(":
        return s.Refused("EXPLAIN with ANALYZE or options")
    return s.Explain(reader.sql[reader.next.start :])


def _unload(reader: Reader) -> Statement:
    """UNLOAD (query) TO 's3://...' WITH (format = 'PARQUET', ...)"""
    reader.need("(")
    start, depth = reader.next.start, 1
    while depth:
        if reader.next.kind == "end":
            raise reader.wrong(")")
        depth += (reader.next.upper == "(") - (reader.next.upper == ")")
        end = reader.next.start
        reader.at += 1
    reader.need("TO")
    location = reader.text()
    properties = _properties(reader) if reader.take("WITH") else {}
    reader.end()
    return s.Unload(reader.sql[start:end], location, properties)


# Prepared statements


def _prepare(reader: Reader) -> Statement:
    name = reader.name()
    reader.need("FROM")
    return s.Prepare(name, reader.sql[reader.next.start :].strip().rstrip(";"))


def _execute(reader: Reader) -> Statement:
    name = reader.name()
    if not reader.take("USING"):
        reader.end()
        return s.Execute(name, [])
    found, start, depth = [], reader.next.start, 0
    for token in reader.tokens[reader.at :]:
        depth += (token.upper == "(") - (token.upper == ")")
        if token.kind == "end" or (token.upper == "," and depth == 0):
            found.append(reader.sql[start : token.start].strip().rstrip(";"))
            start = token.start + 1
    return s.Execute(name, found)


# Databases and tables


def _create_database(reader: Reader) -> Statement:
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


def _create_table(reader: Reader) -> Statement:
    skip = reader.take("IF", "NOT", "EXISTS")
    database, name = reader.qualified()
    if reader.take("LIKE"):
        raise SyntaxMistake("CREATE TABLE LIKE is not supported")
    columns = reader.columns() if reader.next.upper == "(" else []
    said: dict[str, Any] = {}
    while reader.next.kind != "end":
        if reader.take("COMMENT"):
            said["comment"] = reader.text()
        elif reader.take("PARTITIONED", "BY"):
            said["keys"] = reader.columns()
        elif reader.take("CLUSTERED", "BY"):
            return s.Refused("CREATE EXTERNAL TABLE ... CLUSTERED BY")
        elif reader.take("ROW", "FORMAT", "SERDE"):
            said["serde"] = reader.text()
        elif reader.take("WITH", "SERDEPROPERTIES"):
            said["serde_parameters"] = reader.pairs()
        elif reader.take("ROW", "FORMAT", "DELIMITED"):
            said["delimited"] = _delimited(reader)
        elif reader.take("STORED", "AS", "INPUTFORMAT"):
            first = reader.text()
            reader.need("OUTPUTFORMAT")
            said["formats"] = (first, reader.text())
        elif reader.take("STORED", "AS"):
            said["stored_as"] = reader.name()
        elif reader.take("LOCATION"):
            said["location"] = reader.text()
        elif reader.take("TBLPROPERTIES"):
            said["properties"] = reader.pairs()
        else:
            raise reader.wrong(
                "PARTITIONED BY", "ROW FORMAT", "STORED AS", "LOCATION", "TBLPROPERTIES"
            )
    return s.CreateTable(database, name, columns, skip, **said)


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


def _drop_database(reader: Reader) -> Statement:
    skip = reader.take("IF", "EXISTS")
    name = reader.name()
    cascade = reader.take("CASCADE")
    reader.take("RESTRICT")
    reader.end()
    return s.DropDatabase(name, skip, cascade)


def _drop(form: type[s.DropTable] | type[s.DropView]) -> Callable[[Reader], Statement]:
    def read_drop(reader: Reader) -> Statement:
        skip = reader.take("IF", "EXISTS")
        found = form(*reader.qualified(), skip)
        reader.end()
        return found

    return read_drop


def _alter(reader: Reader) -> Statement:
    place = reader.qualified()
    for words, form in _ALTERATIONS:
        if reader.take(*words):
            found = form(reader, place)
            reader.end()
            return found
    if reader.next.upper == "PARTITION":
        return _alter_partition(reader, place)
    return s.Refused(f"ALTER TABLE ... {reader.next.raw or reader.next.value}")


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
    column = {"Name": reader.name(), "Type": reader.type()}
    if reader.take("COMMENT"):
        column["Comment"] = reader.text()
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
    return s.Refused(f"ALTER TABLE ... PARTITION ... {reader.next.raw or reader.next.value}")


def _partition(reader: Reader) -> s.Pairs:
    reader.need("(")
    found = {}
    while True:
        key = reader.name()
        reader.need("=")
        found[key] = reader.value()
        if not reader.take(","):
            break
    reader.need(")")
    return found


_ALTERATIONS: tuple[tuple[tuple[str, ...], Callable[[Reader, Place], Statement]], ...] = (
    (("ADD", "COLUMNS"), lambda reader, place: s.AddColumns(*place, reader.columns())),
    (("ADD",), _add_partitions),
    (("DROP",), _drop_partitions),
    (("REPLACE", "COLUMNS"), lambda reader, place: s.ReplaceColumns(*place, reader.columns())),
    (("CHANGE",), _change_column),
    (("SET", "LOCATION"), lambda reader, place: s.SetLocation(*place, reader.text())),
    (("SET", "TBLPROPERTIES"), lambda reader, place: s.SetProperties(*place, reader.pairs())),
)


# Showing


def _show_databases(reader: Reader) -> Statement:
    pattern = reader.text() if reader.take("LIKE") or reader.next.kind == "text" else None
    reader.end()
    return s.ShowDatabases(pattern)


def _show_names(form: type[s.ShowTables] | type[s.ShowViews]) -> Callable[[Reader], Statement]:
    def read_show(reader: Reader) -> Statement:
        database = reader.name() if reader.take("IN") or reader.take("FROM") else None
        pattern = reader.text() if reader.take("LIKE") or reader.next.kind == "text" else None
        reader.end()
        return form(database, pattern)

    return read_show


def _show_columns(reader: Reader) -> Statement:
    if not (reader.take("IN") or reader.take("FROM")):
        raise reader.wrong("IN", "FROM")
    database, name = reader.qualified()
    if reader.take("IN") or reader.take("FROM"):
        database = reader.name()
    reader.end()
    return s.ShowColumns(database, name)


def _of_table(form: type[s.OfTable]) -> Callable[[Reader], Statement]:
    def read_of_table(reader: Reader) -> Statement:
        found = form(*reader.qualified())
        reader.end()
        return found

    return read_of_table


def _describe(reader: Reader) -> Statement:
    reader.take("VIEW") or reader.take("FORMATTED") or reader.take("EXTENDED")
    found = s.Describe(*reader.qualified())
    if reader.next.upper == "PARTITION":
        return s.Refused("DESCRIBE ... PARTITION")
    reader.end()
    return found


def _refused(words: str) -> Callable[[Reader], Statement]:
    return lambda reader: s.Refused(f"{words} {reader.next.raw or reader.next.value}")


# The first form whose words come next is taken.
_FORMS: tuple[tuple[tuple[str, ...], Callable[[Reader], Statement]], ...] = (
    (("CREATE", "EXTERNAL", "TABLE"), _create_table),
    (("CREATE", "DATABASE"), _create_database),
    (("CREATE", "SCHEMA"), _create_database),
    (("CREATE", "TABLE"), _create_table_as),
    (("CREATE", "OR", "REPLACE", "VIEW"), lambda reader: _view(reader, or_replace=True)),
    (("CREATE", "VIEW"), lambda reader: _view(reader, or_replace=False)),
    (("DROP", "DATABASE"), _drop_database),
    (("DROP", "SCHEMA"), _drop_database),
    (("DROP", "TABLE"), _drop(s.DropTable)),
    (("DROP", "VIEW"), _drop(s.DropView)),
    (("DROP",), _refused("DROP")),
    (("ALTER", "TABLE"), _alter),
    (("MSCK", "REPAIR", "TABLE"), _of_table(s.RepairTable)),
    (("SHOW", "DATABASES"), _show_databases),
    (("SHOW", "SCHEMAS"), _show_databases),
    (("SHOW", "TABLES"), _show_names(s.ShowTables)),
    (("SHOW", "VIEWS"), _show_names(s.ShowViews)),
    (("SHOW", "COLUMNS"), _show_columns),
    (("SHOW", "PARTITIONS"), _of_table(s.ShowPartitions)),
    (("SHOW", "CREATE", "TABLE"), _of_table(s.ShowCreateTable)),
    (("SHOW", "CREATE", "VIEW"), _of_table(s.ShowCreateView)),
    (("SHOW", "TBLPROPERTIES"), _of_table(s.ShowProperties)),
    (("SHOW",), _refused("SHOW")),
    (("DESCRIBE",), _describe),
    (("DESC",), _describe),
    (("EXPLAIN",), _explain),
    (("UNLOAD",), _unload),
    (("INSERT", "INTO"), _insert),
    (("PREPARE",), _prepare),
    (("EXECUTE",), _execute),
    (("DEALLOCATE", "PREPARE"), lambda reader: s.Deallocate(reader.name())),
)

"""Reads Athena's Hive-style statements into plain data.

Grammar: https://docs.aws.amazon.com/athena/latest/ug/ddl-reference.html
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from localaws.athena.reader import Reader
from localaws.athena.sql.parsing import SyntaxMistake


@dataclass(frozen=True)
class Statement:
    """`kind` says which statement ("create table"), `given` what it says."""

    kind: str
    given: dict[str, Any] = field(default_factory=dict)


def read_create_table(reader: Reader) -> Statement:
    """After CREATE EXTERNAL TABLE. `serde`, `formats` are None where the statement says nothing."""
    given: dict[str, Any] = {"if_not_exists": reader.take("IF", "NOT", "EXISTS")}
    given["database"], given["name"] = reader.qualified()
    if reader.take("LIKE"):
        raise SyntaxMistake("CREATE TABLE LIKE is not supported")
    given["columns"] = reader.columns() if reader.next.upper == "(" else []
    given |= {"keys": [], "serde": None, "serde_parameters": {}, "formats": None, "stored_as": None}
    given |= {"location": None, "properties": {}, "comment": None, "delimited": {}}
    while reader.next.kind != "end":
        if reader.take("COMMENT"):
            given["comment"] = reader.text()
        elif reader.take("PARTITIONED", "BY"):
            given["keys"] = reader.columns()
        elif reader.take("CLUSTERED", "BY"):
            given["clustered"] = True
            raise reader.wrong("no CLUSTERED BY: localaws does not emulate buckets")
        elif reader.take("ROW", "FORMAT", "SERDE"):
            given["serde"] = reader.text()
        elif reader.take("WITH", "SERDEPROPERTIES"):
            given["serde_parameters"] = reader.pairs()
        elif reader.take("ROW", "FORMAT", "DELIMITED"):
            given["delimited"] = _delimited(reader)
        elif reader.take("STORED", "AS", "INPUTFORMAT"):
            first = reader.text()
            reader.need("OUTPUTFORMAT")
            given["formats"] = (first, reader.text())
        elif reader.take("STORED", "AS"):
            given["stored_as"] = reader.name()
        elif reader.take("LOCATION"):
            given["location"] = reader.text()
        elif reader.take("TBLPROPERTIES"):
            given["properties"] = reader.pairs()
        else:
            raise reader.wrong(
                "PARTITIONED BY", "ROW FORMAT", "STORED AS", "LOCATION", "TBLPROPERTIES"
            )
    return Statement("create table", given)


def _delimited(reader: Reader) -> dict[str, str]:
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


def _alter(reader: Reader) -> Statement:
    database, name = reader.qualified()
    place = {"database": database, "name": name}
    if reader.take("ADD"):
        if reader.take("COLUMNS"):
            columns = reader.columns()
            reader.end()
            return Statement("add columns", {**place, "columns": columns})
        skip = reader.take("IF", "NOT", "EXISTS")
        parts = []
        while reader.take("PARTITION"):
            values = _partition(reader)
            location = reader.text() if reader.take("LOCATION") else None
            parts.append((values, location))
        reader.end()
        return Statement("add partition", {**place, "if_not_exists": skip, "partitions": parts})
    if reader.take("DROP"):
        skip = reader.take("IF", "EXISTS")
        gone = []
        while reader.take("PARTITION"):
            gone.append(_partition(reader))
            reader.take(",")
        reader.end()
        return Statement("drop partition", {**place, "if_exists": skip, "partitions": gone})
    if reader.take("SET", "LOCATION"):
        location = reader.text()
        reader.end()
        return Statement("set location", {**place, "location": location})
    if reader.take("SET", "TBLPROPERTIES"):
        properties = reader.pairs()
        reader.end()
        return Statement("set properties", {**place, "properties": properties})
    return Statement("refused", {"what": f"ALTER TABLE ... {reader.next.raw or reader.next.value}"})


def _partition(reader: Reader) -> dict[str, str]:
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


def _show(reader: Reader) -> Statement:
    if reader.take("DATABASES") or reader.take("SCHEMAS"):
        pattern = reader.text() if reader.take("LIKE") or reader.next.kind == "text" else None
        reader.end()
        return Statement("show databases", {"pattern": pattern})
    for word, kind in (("TABLES", "show tables"), ("VIEWS", "show views")):
        if reader.take(word):
            database = reader.name() if reader.take("IN") or reader.take("FROM") else None
            pattern = reader.text() if reader.take("LIKE") or reader.next.kind == "text" else None
            reader.end()
            return Statement(kind, {"database": database, "pattern": pattern})
    if reader.take("COLUMNS"):
        if not (reader.take("IN") or reader.take("FROM")):
            raise reader.wrong("IN", "FROM")
        database, name = reader.qualified()
        if reader.take("IN") or reader.take("FROM"):
            database = reader.name()
        reader.end()
        return Statement("show columns", {"database": database, "name": name})
    for words, kind in (
        (("PARTITIONS",), "show partitions"),
        (("CREATE", "TABLE"), "show create table"),
        (("CREATE", "VIEW"), "show create view"),
        (("TBLPROPERTIES",), "show properties"),
    ):
        if reader.take(*words):
            database, name = reader.qualified()
            reader.end()
            return Statement(kind, {"database": database, "name": name})
    return Statement("refused", {"what": f"SHOW {reader.next.raw or reader.next.value}"})


def _database(reader: Reader) -> Statement:
    skip = reader.take("IF", "NOT", "EXISTS")
    given: dict[str, Any] = {"name": reader.name(), "if_not_exists": skip}
    while reader.next.kind != "end":
        if reader.take("COMMENT"):
            given["comment"] = reader.text()
        elif reader.take("LOCATION"):
            given["location"] = reader.text()
        elif reader.take("WITH", "DBPROPERTIES"):
            given["properties"] = reader.pairs()
        else:
            raise reader.wrong("COMMENT", "LOCATION", "WITH DBPROPERTIES")
    return Statement("create database", given)


def _drop(reader: Reader) -> Statement:
    for words, kind in (
        (("DATABASE",), "drop database"),
        (("SCHEMA",), "drop database"),
        (("TABLE",), "drop table"),
        (("VIEW",), "drop view"),
    ):
        if reader.take(*words):
            skip = reader.take("IF", "EXISTS")
            database, name = reader.qualified()
            given = {"if_exists": skip, "database": database, "name": name}
            given["cascade"] = reader.take("CASCADE")
            reader.take("RESTRICT")
            reader.end()
            return Statement(kind, given)
    return Statement("refused", {"what": f"DROP {reader.next.raw or reader.next.value}"})


def read(sql: str) -> Statement:
    """What kind of statement this is; queries are left as text ("query", "ctas", "view", ...).

    Raises SyntaxMistake for a DDL statement that does not parse.
    """
    reader = Reader(sql)
    if reader.take("CREATE", "EXTERNAL", "TABLE"):
        return read_create_table(reader)
    if reader.take("CREATE", "DATABASE") or reader.take("CREATE", "SCHEMA"):
        return _database(reader)
    if reader.take("CREATE", "TABLE"):
        return Statement("ctas")
    if reader.take("CREATE", "OR", "REPLACE", "VIEW") or reader.take("CREATE", "VIEW"):
        return Statement("view")
    if reader.take("DROP"):
        return _drop(reader)
    if reader.take("ALTER", "TABLE"):
        return _alter(reader)
    if reader.take("MSCK", "REPAIR", "TABLE"):
        database, name = reader.qualified()
        reader.end()
        return Statement("repair table", {"database": database, "name": name})
    if reader.take("SHOW"):
        return _show(reader)
    if reader.take("DESCRIBE") or reader.take("DESC"):
        reader.take("VIEW") or reader.take("FORMATTED") or reader.take("EXTENDED")
        database, name = reader.qualified()
        reader.end()
        return Statement("describe", {"database": database, "name": name})
    if reader.take("EXPLAIN"):
        if reader.take("ANALYZE") or reader.next.upper == "(":
            return Statement("refused", {"what": "EXPLAIN with ANALYZE or options"})
        return Statement("explain", {"query": sql[reader.next.start :]})
    if reader.take("UNLOAD"):
        return _unload(reader, sql)
    if reader.take("INSERT", "INTO"):
        return Statement("insert")
    if reader.take("PREPARE"):
        name = reader.name()
        reader.need("FROM")
        return Statement(
            "prepare", {"name": name, "query": sql[reader.next.start :].strip().rstrip(";")}
        )
    if reader.take("EXECUTE"):
        return Statement("execute", {"name": reader.name(), "using": _using(reader, sql)})
    if reader.take("DEALLOCATE", "PREPARE"):
        return Statement("deallocate", {"name": reader.name()})
    if reader.next.upper in ("SELECT", "WITH", "VALUES", "(", "TABLE"):
        return Statement("query")
    known = (
        "UPDATE",
        "DELETE",
        "MERGE",
        "OPTIMIZE",
        "VACUUM",
        "GRANT",
        "REVOKE",
        "USE",
        "SET",
        "ANALYZE",
        "CREATE",
        "ALTER",
        "CALL",
    )
    if reader.next.upper in known:
        return Statement(
            "refused",
            {"what": " ".join(token.value for token in reader.tokens[reader.at : reader.at + 2])},
        )
    raise reader.wrong(
        "ALTER",
        "CREATE",
        "DESCRIBE",
        "DROP",
        "EXPLAIN",
        "INSERT",
        "MSCK",
        "SELECT",
        "SHOW",
        "UNLOAD",
        "VALUES",
        "WITH",
    )


def _using(reader: Reader, sql: str) -> list[str]:
    if not reader.take("USING"):
        reader.end()
        return []
    found, start, depth = [], reader.next.start, 0
    for token in reader.tokens[reader.at :]:
        depth += (token.upper == "(") - (token.upper == ")")
        if token.kind == "end" or (token.upper == "," and depth == 0):
            found.append(sql[start : token.start].strip().rstrip(";"))
            start = token.start + 1
    return found


def _unload(reader: Reader, sql: str) -> Statement:
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
    properties: dict[str, Any] = {}
    if reader.take("WITH"):
        reader.need("(")
        while True:
            key = reader.name()
            reader.need("=")
            if reader.take("ARRAY"):
                reader.need("[")
                values = [reader.text()]
                while reader.take(","):
                    values.append(reader.text())
                reader.need("]")
                properties[key] = values
            else:
                properties[key] = reader.value()
            if not reader.take(","):
                break
        reader.need(")")
    reader.end()
    return Statement(
        "unload", {"query": sql[start:end], "location": location, "properties": properties}
    )

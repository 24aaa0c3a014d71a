"""Queries, what is written of them, and prepared statements. Their queries are left as text."""

from __future__ import annotations

from typing import Any

from localaws.athena.grammar import iceberg
from localaws.athena.grammar import statements as s
from localaws.athena.grammar.statements import Statement
from localaws.athena.grammar.words import Reader, rest

QUERY_WORDS = ("SELECT", "WITH", "VALUES", "(", "TABLE")


# Queries, and what is written of them


def create_table_as(reader: Reader) -> Statement:
    """CREATE TABLE [IF NOT EXISTS] name [COMMENT ..] [WITH (..)] AS query [WITH [NO] DATA]"""
    skip = reader.take("IF", "NOT", "EXISTS")
    database, name = reader.qualified()
    if reader.next.upper == "(":
        return iceberg.create_table(reader, database, name, skip)
    if reader.take("COMMENT"):
        reader.text()
    properties = _properties(reader) if reader.take("WITH") else {}
    reader.need("AS")
    query, with_data = _without_data_clause(rest(reader))
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
    return dict(reader.listed(_property))


def _property(reader: Reader) -> tuple[str, Any]:
    key = reader.name()
    reader.need("=")
    return key, reader.listed(Reader.text, "[", "]") if reader.take("ARRAY") else reader.value()


def insert(reader: Reader) -> Statement:
    database, name = reader.qualified()
    columns = None
    # A parenthesised query is no list of columns.
    if reader.next.upper == "(" and reader.tokens[reader.at + 1].upper not in QUERY_WORDS:
        columns = reader.names()
    return s.Insert(database, name, rest(reader), columns)


def view(reader: Reader, or_replace: bool) -> Statement:
    database, name = reader.qualified()
    columns = reader.names() if reader.next.upper == "(" else None
    if reader.take("COMMENT"):
        reader.text()
    reader.need("AS")
    body = rest(reader).rstrip().rstrip(";")
    return s.CreateView(database, name, body, or_replace, columns)


def explain(reader: Reader) -> Statement:
    """EXPLAIN [ANALYZE] [(FORMAT TEXT | TYPE VALIDATE)] query"""
    form = "analyze" if reader.take("ANALYZE") else "plan"
    if reader.next.upper == "(" and reader.tokens[reader.at + 1].upper in ("FORMAT", "TYPE"):
        for option in reader.listed(_explain_option):
            if option == "TYPE VALIDATE" and form == "plan":
                form = "validate"
            elif option != "FORMAT TEXT":
                return s.Unsupported(f"EXPLAIN {'ANALYZE ' * (form == 'analyze')}({option})")
    return s.Explain(rest(reader), form)


def _explain_option(reader: Reader) -> str:
    return f"{reader.name()} {reader.name()}".upper()


def unload(reader: Reader) -> Statement:
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


def prepare(reader: Reader) -> Statement:
    name = reader.name()
    reader.need("FROM")
    return s.Prepare(name, reader.sql[reader.next.start :].strip().rstrip(";"))


def execute(reader: Reader) -> Statement:
    if reader.next.upper == "IMMEDIATE" and reader.tokens[reader.at + 1].kind == "text":
        reader.take("IMMEDIATE")
        return s.ExecuteImmediate(reader.text(), _using(reader))
    return s.Execute(reader.name(), _using(reader))


def _using(reader: Reader) -> list[str]:
    """The parameters, each as it is written."""
    if not reader.take("USING"):
        reader.end()
        return []
    found, start, depth = [], reader.next.start, 0
    for token in reader.tokens[reader.at :]:
        depth += (token.upper == "(") - (token.upper == ")")
        if token.kind == "end" or (token.upper == "," and depth == 0):
            found.append(reader.sql[start : token.start].strip().rstrip(";"))
            start = token.start + 1
    return found

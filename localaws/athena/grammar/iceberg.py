"""Statements that only Iceberg tables have: CREATE TABLE, OPTIMIZE, VACUUM, and transforms.

https://docs.aws.amazon.com/athena/latest/ug/querying-iceberg.html
"""

from __future__ import annotations

from typing import Any

from localaws.athena.grammar import statements as s
from localaws.athena.grammar.statements import Statement
from localaws.athena.grammar.words import Reader, rest
from localaws.athena.sql.parsing import SyntaxMistake

_ENDINGS = {"bucket": "bucket", "truncate": "trunc"}  # of a partition field's name


def create_table(reader: Reader, database: str | None, name: str, skip: bool) -> Statement:
    """The rest of CREATE TABLE, from its columns on."""
    columns = reader.columns()
    said: dict[str, Any] = {}
    while reader.next.kind != "end":
        if reader.take("COMMENT"):
            said["comment"] = reader.text()
        elif reader.take("PARTITIONED", "BY"):
            said["partitioning"] = reader.listed(_transform)
        elif reader.take("LOCATION"):
            said["location"] = reader.text()
        elif reader.take("TBLPROPERTIES"):
            said["properties"] = reader.pairs()
        elif reader.take("STORED"):
            raise SyntaxMistake("Iceberg create table statement does not allow STORED AS/BY")
        else:
            raise reader.wrong("COMMENT", "PARTITIONED BY", "LOCATION", "TBLPROPERTIES")
    kind = {key.lower(): value for key, value in said.get("properties", {}).items()}
    if kind.get("table_type", "").lower() != "iceberg":
        raise SyntaxMistake("External keyword required for table type HIVE")
    return s.CreateIcebergTable(database, name, columns, skip, **said)


def transform(text: str) -> tuple[str, str, str]:
    """One of a CTAS's `partitioning`. Raises SyntaxMistake."""
    reader = Reader(text)
    found = _transform(reader)
    reader.end()
    return found


def _transform(reader: Reader) -> tuple[str, str, str]:
    """c, day(c), bucket(4, c), truncate(3, c); the number may come last."""
    word = reader.name()
    if not reader.take("("):
        return "identity", word, word
    sizes: list[str] = []
    column = None
    while True:
        if reader.next.kind == "word" and reader.next.value.isdigit():
            sizes.append(reader.value())
        else:
            column = reader.name()
        if not reader.take(","):
            break
    reader.need(")")
    sized = word in _ENDINGS
    if (
        column is None
        or len(sizes) != sized
        or not (sized or word in ("year", "month", "day", "hour"))
    ):
        raise SyntaxMistake(f"Unable to parse partitioning value: {word}({', '.join(sizes)})")
    whole = f"{word}[{sizes[0]}]" if sized else word
    return whole, column, f"{column}_{_ENDINGS.get(word, word)}"


def optimize(reader: Reader) -> Statement:
    place = reader.qualified()
    reader.need("REWRITE", "DATA", "USING", "BIN_PACK")
    if reader.take("WHERE"):
        return s.Optimize(*place, rest(reader))
    reader.end()
    return s.Optimize(*place)


def vacuum(reader: Reader) -> Statement:
    place = reader.qualified()
    reader.end()
    return s.Vacuum(*place)

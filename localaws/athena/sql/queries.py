"""Compiles a Trino query to one DuckDB query over the scans it names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from localaws.trino.values import Source

# The rules: imported for what they register with the compiler.
from . import conditions, ctes, rows, select, sql_json, syntax, windows  # noqa: F401
from .compiler import Compiler
from .scope import Column
from .sources import Scan, Tables


@dataclass(frozen=True)
class Query:
    """DuckDB text; its output columns (`Column.sql` is the name in DuckDB) and its scans."""

    sql: str
    columns: tuple[Column, ...]
    scans: tuple[Scan, ...]
    reads: frozenset[Source] = frozenset()  # the columns of scans that the result depends on

    def columns_read(self, scan: Scan) -> set[str]:
        return {label for alias, label in self.reads if alias == scan.alias}


class Queries:
    """The compiler of one statement."""

    def __init__(self, tables: Tables, database: str | None) -> None:
        self._compiler = Compiler(tables, database)

    def compile(self, node: Any) -> Query:
        """Raises QueryError for what Trino refuses and for what this engine lacks."""
        sql, columns = self._compiler.statement(node)
        reads = live(columns, self._compiler.reading, self._compiler.items)
        return Query(sql, columns, tuple(self._compiler.scans), reads)


def live(
    columns: tuple[Column, ...], reading: set[Source], items: dict[Source, set[Source]]
) -> frozenset[Source]:
    """What is read for these columns and, whatever they are, for the rows; `items` says what each
    output column of a subquery reads."""
    waiting = [*reading, *(column.source for column in columns if column.source)]
    read: set[Source] = set()
    while waiting:
        source = waiting.pop()
        if source not in read:
            read.add(source)
            waiting += items.get(source, ())
    return frozenset(read)

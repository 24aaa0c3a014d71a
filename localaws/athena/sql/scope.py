"""Which columns a name can mean at a place of a query."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlglot import exp

from localaws.trino import types as t
from localaws.trino.errors import QueryError
from localaws.trino.types import Type
from localaws.trino.values import Source, Value, name


@dataclass(frozen=True)
class Column:
    """A column as the outside sees it, and the DuckDB text that reads it."""

    name: str
    type: Type
    sql: str
    hidden: bool = False  # "$path" and the like: resolvable, not part of *
    origin: str | None = None  # see Value.origin
    source: Source | None = None


@dataclass(frozen=True)
class Relation:
    """A table, subquery or UNNEST in FROM. `qualifiers` are the names that may stand before the
    dot, longest last: ("orders",) or ("awsdatacatalog", "shop", "orders")."""

    qualifiers: tuple[str, ...]
    columns: tuple[Column, ...]

    def answers(self, parts: tuple[str, ...]) -> bool:
        return bool(parts) and self.qualifiers[-len(parts) :] == parts


SHOWN = "SELECT in FROM"  # a clause of `Scope.outside`


@dataclass
class Scope:
    """The relations in sight; names not found here are looked up in `outer` (correlation)."""

    relations: list[Relation] = field(default_factory=list)
    outer: Scope | None = None
    merged: list[Column] = field(default_factory=list)  # columns of JOIN ... USING
    locals: dict[str, Value] = field(default_factory=dict)  # lambda parameters, output aliases
    at_origin: bool = False  # columns are read from the scan they come from, past views
    is_query: bool = False  # what is not found here is of an outer row
    closed: bool = False  # a subquery may not read its columns
    clause: str = ""  # what is being compiled
    outside: set[str] = field(default_factory=set)  # the clauses that read an outer row
    showing: set[str] = field(default_factory=set)  # aliases of LATERAL that show an outer row

    def find(self, parts: tuple[str, ...], node: exp.Expression) -> tuple[Value, int] | None:
        """The value of a dotted name and how many of its parts that took; None if not in sight.

        Raises QueryError (AMBIGUOUS_COLUMN) if it could be two columns.
        """
        if parts[0] in self.locals:
            return self.locals[parts[0]], 1
        for taken in range(min(4, len(parts)), 0, -1):
            qualifier, wanted = parts[: taken - 1], parts[taken - 1]
            if not qualifier:
                merged = [column for column in self.merged if column.name == wanted]
                if merged:
                    return self._value(merged[0]), 1
            found = [
                column
                for relation in self.relations
                if not qualifier or relation.answers(qualifier)
                for column in relation.columns
                if column.name == wanted
            ]
            if len(found) > 1:
                raise QueryError(
                    "AMBIGUOUS_NAME", f"Column '{'.'.join(parts[:taken])}' is ambiguous", node
                )
            if found:
                return self._value(found[0]), taken
        return self._outside(parts, node)

    def _outside(self, parts: tuple[str, ...], node: exp.Expression) -> tuple[Value, int] | None:
        found = self.outer.find(parts, node) if self.outer else None
        if found is None or self.outer is None:
            return None
        if self.is_query and self.outer.closed:
            raise QueryError(
                "NOT_SUPPORTED",
                f"Reference to column '{'.'.join(parts)}' from outer scope not allowed in this "
                "context",
                node,
            )
        self._reads_outside()
        return found

    def find_relations(self, qualifier: tuple[str, ...]) -> list[Relation]:
        """What stands before `.*`."""
        found = [relation for relation in self.relations if relation.answers(qualifier)]
        if not found and self.outer is not None:
            found = self.outer.find_relations(qualifier)
            if found:
                self._reads_outside()
        return found

    def _reads_outside(self) -> None:
        """Notes the clause; a SELECT list in a FROM shows the outer row to that FROM's query, too,
        where it is an outer one's (SHOWN)."""
        self.outside.add(self.clause)
        if self.clause == "SELECT" and self.outer is not None and self.outer.outside & {"FROM"}:
            self.outer.outside.add(SHOWN)

    def _value(self, column: Column) -> Value:
        sql = column.origin if self.at_origin and column.origin else column.sql
        return Value(sql, column.type, origin=column.origin, source=column.source)


def check_widths(
    left: tuple[Column, ...], right: tuple[Column, ...], what: str, node: exp.Expression
) -> None:
    """Raises QueryError for two queries that are to have as many columns; `what` they are."""
    if len(left) != len(right):
        raise QueryError(
            "TYPE_MISMATCH",
            f"{what} different number of fields: {len(left)}, {len(right)}",
            node,
        )


def field_of(value: Value, wanted: str, node: exp.Expression) -> Value:
    """A field of a row."""
    if value.type.name == "row":
        for index, field_name in enumerate(value.type.names):
            if field_name is not None and field_name.lower() == wanted:
                item = value.type.items[index]
                sql = f"({value.sql}).{name(field_name.lower())}"
                # A field of a constant NULL has no type of its own.
                return Value(sql if item.items else f"CAST({sql} AS {t.duckdb(item)})", item)
    raise QueryError(
        "TYPE_MISMATCH", f"Expression {wanted!r} is not a field of type {value.type}", node
    )

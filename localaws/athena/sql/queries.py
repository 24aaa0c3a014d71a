"""Compiles a Trino query to one DuckDB query over the scans it names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from . import types as t
from .calls import direction
from .errors import QueryError, not_emulated
from .expressions import Expressions, name_parts
from .relations import Relations
from .scope import Column, Scope
from .sources import Environment, Scan, Tables, renamed
from .types import Type
from .values import OUTPUT, Source, Value, convert


@dataclass(frozen=True)
class Query:
    """DuckDB text; its output columns (`Column.sql` is the name in DuckDB) and its scans."""

    sql: str
    columns: tuple[Column, ...]
    scans: tuple[Scan, ...]
    reads: frozenset[Source] = frozenset()  # the columns of scans that the result depends on

    def columns_read(self, scan: Scan) -> set[str]:
        return {label for alias, label in self.reads if alias == scan.alias}


Item = tuple[str | None, Value, set[Source]]  # the name, the value and what it reads

_SELECT_PARTS = {
    "expressions", "from_", "joins", "where", "group", "having", "order", "limit", "offset",
    "distinct", "with_", "windows",
}  # fmt: skip


class Queries:
    """The compiler of one statement."""

    def __init__(self, tables: Tables, database: str | None) -> None:
        self.tables = tables
        self.scans: list[Scan] = []
        self.expressions = Expressions(self)
        self.relations = Relations(self)
        self.windows: dict[str, exp.Window] = {}
        self.environment = Environment(database, {})
        self.numbers = 0
        self.reading: set[Source] = set()  # the sources (Column.source) that are read here
        self.items: dict[Source, set[Source]] = {}  # what an output column of a subquery reads

    def compile(self, node: exp.Expression) -> Query:
        sql, columns = self.query(node, None)
        return Query(sql, columns, tuple(self.scans), live(columns, self.reading, self.items))

    @contextmanager
    def collecting(self, into: set[Source]) -> Iterator[None]:
        """What is read inside is noted apart."""
        outside, self.reading = self.reading, into
        try:
            yield
        finally:
            self.reading = outside

    def subquery(self, node: exp.Expression, scope: Scope) -> tuple[str, tuple[Column, ...]]:
        return self.query(node, scope)

    def query(self, node: Any, outer: Scope | None) -> tuple[str, tuple[Column, ...]]:
        """The text and columns of a SELECT, set operation, VALUES or parenthesised query."""
        before = self.environment
        try:
            with_ = self._with(node.args.get("with_"), outer)
            if isinstance(node, exp.Subquery):
                sql, columns = self.query(node.this, outer)
                if node.args.get("order") or node.args.get("limit") or node.args.get("offset"):
                    sql = self._tail(f"SELECT * FROM ({sql})", node, columns, outer)
            elif isinstance(node, exp.Select):
                sql, columns = self._select(node, outer)
            elif isinstance(node, exp.SetOperation):
                sql, columns = self._set_operation(node, outer)
            elif isinstance(node, exp.Values):
                sql, columns = self._values(node, outer)
            else:
                raise not_emulated(f"the query {type(node).__name__}", node)
            return with_ + sql, columns
        finally:
            self.environment = before

    def fresh(self, letter: str) -> str:
        self.numbers += 1
        return f"{letter}{self.numbers}"

    def _with(self, node: exp.With | None, outer: Scope | None) -> str:
        if node is None:
            return ""
        if node.args.get("recursive"):
            raise not_emulated("WITH RECURSIVE", node)
        parts = []
        for cte in node.expressions:
            sql, columns = self.query(cte.this, outer)
            alias = self.fresh("w")
            columns = renamed(columns, cte.args.get("alias"), cte)
            parts.append(f"{alias} AS ({sql})")
            env = self.environment
            ctes = {**env.ctes, cte.alias.lower(): (alias, columns)}
            self.environment = Environment(env.database, ctes, env.views)
        return "WITH " + ", ".join(parts) + " "

    # SELECT

    def _select(self, node: exp.Select, outer: Scope | None) -> tuple[str, tuple[Column, ...]]:
        for part, value in node.args.items():
            if value and part not in _SELECT_PARTS:
                raise not_emulated(f"{part.strip('_').upper()} in a query", node)
        windows = self.windows
        self.windows = {w.this.name.lower(): w for w in node.args.get("windows") or []}
        scope = Scope(outer=outer)
        from_sql = self.relations.text(node, scope)
        where = node.args.get("where")
        where_sql = ""
        if where is not None:
            where_sql = " WHERE " + self.expressions.condition(where.this, scope, "WHERE clause")
            self.relations.prune(where.this, scope)
        items = self._items(node, scope)
        group_sql = self._group(node.args.get("group"), scope, items)
        having = node.args.get("having")
        having_sql = ""
        if having is not None:
            having_sql = " HAVING " + self.expressions.condition(
                having.this, scope, "HAVING clause"
            )
        distinct = node.args.get("distinct")
        if distinct is not None and distinct.args.get("on"):
            raise not_emulated("DISTINCT ON", distinct)
        limits = ("group", "having", "distinct", "limit", "offset", "windows")
        plain = not any(node.args.get(part) for part in limits) and not node.find(exp.Window)
        lazy = not any(node.args.get(part) for part in ("distinct", "group", "order"))
        columns, texts = [], []
        for number, (label, value, reads) in enumerate(items):
            alias = self.fresh("c")
            texts.append(f"CAST({value.sql} AS {t.duckdb(value.type)}) AS {alias}")
            columns.append(
                Column(
                    label or f"_col{number}",
                    value.type,
                    alias,
                    origin=value.origin if plain else None,
                    source=(OUTPUT, alias),
                )
            )
            self.items[OUTPUT, alias] = reads
            if not lazy:
                self.reading.add((OUTPUT, alias))
        word = "SELECT DISTINCT" if distinct else "SELECT"
        sql = f"{word} {', '.join(texts)}{from_sql}{where_sql}{group_sql}{having_sql}"
        aliases = {label: value for label, value, _ in items if label}
        sql = self._tail(sql, node, tuple(columns), Scope(outer=scope, locals=aliases))
        self.windows = windows
        return sql, tuple(columns)

    def _items(self, node: exp.Select, scope: Scope) -> list[Item]:
        items: list[Item] = []
        for item in node.expressions:
            reads: set[Source] = set()
            star = item if isinstance(item, exp.Star) else item.this
            if isinstance(star, exp.Star) and isinstance(item, exp.Star | exp.Column):
                if any(star.args.get(part) for part in ("except_", "replace", "rename")):
                    raise not_emulated("SELECT * EXCEPT, REPLACE or RENAME", item)
                items += self._star(item, scope)
            elif isinstance(item, exp.Alias):
                with self.collecting(reads):
                    value = self.expressions.compile(item.this, scope)
                items.append((item.alias.lower(), value, reads))
            else:
                with self.collecting(reads):
                    value = self.expressions.compile(item, scope)
                named = item.expression if isinstance(item, exp.Dot) else item
                label = (
                    name_parts(named)[-1]
                    if isinstance(named, exp.Column | exp.Identifier)
                    else None
                )
                items.append((label, value, reads))
        return items

    def _star(self, item: exp.Expression, scope: Scope) -> list[Item]:
        qualifier: tuple[str, ...] = ()
        if isinstance(item, exp.Column):
            qualifier = tuple(part.name.lower() for part in item.parts[:-1])
        relations = [r for r in scope.relations if not qualifier or r.answers(qualifier)]
        if not relations:
            shown = ".".join(qualifier)
            if qualifier:
                raise QueryError(
                    "INVALID_COLUMN_REFERENCE", f"Unable to resolve reference {shown}", item
                )
            raise QueryError(
                "COLUMN_NOT_FOUND", "SELECT * not allowed in queries without FROM clause", item
            )
        merged = [] if qualifier else scope.merged
        names = {column.name for column in merged}
        chosen = [*merged] + [
            column
            for relation in relations
            for column in relation.columns
            if not column.hidden and column.name not in names
        ]
        return [
            (c.name, Value(c.sql, c.type, origin=c.origin), {c.source} if c.source else set())
            for c in chosen
        ]

    def _group(self, node: exp.Group | None, scope: Scope, items: list[Item]) -> str:
        if node is None:
            return ""
        if node.args.get("all") or node.args.get("totals"):
            raise not_emulated("GROUP BY ALL", node)

        def key(item: Any, ordinal: bool) -> str:
            if isinstance(item, exp.Literal) and not item.is_string:
                place = int(item.this)
                if not 1 <= place <= len(items):
                    raise QueryError(
                        "INVALID_COLUMN_REFERENCE",
                        f"GROUP BY position {place} is not in select list",
                        item,
                    )
                return str(place) if ordinal else items[place - 1][1].sql
            if isinstance(item, exp.Paren):
                return "(" + key(item.this, ordinal) + ")"
            if isinstance(item, exp.Tuple):
                return "(" + ", ".join(key(part, False) for part in item.expressions) + ")"
            if isinstance(item, exp.Rollup | exp.Cube | exp.GroupingSets):
                return (
                    _set_name(item)
                    + " ("
                    + ", ".join(key(part, False) for part in item.expressions)
                    + ")"
                )
            return self.expressions.compile(item, scope).sql

        keys = [key(item, True) for item in node.expressions]
        for kind in ("rollup", "cube", "grouping_sets"):
            keys += [key(item, False) for item in node.args.get(kind) or []]
        return " GROUP BY " + ", ".join(keys)

    def _tail(
        self, sql: str, node: exp.Expression, columns: tuple[Column, ...], scope: Scope | None
    ) -> str:
        """ORDER BY, OFFSET and LIMIT (or FETCH FIRST)."""
        order = node.args.get("order")
        if order is not None:
            keys = []
            for item in order.expressions:
                place = _place(item.this, columns)
                written = (
                    str(place)
                    if place
                    else self.expressions.compile(item.this, scope or Scope()).sql
                )
                keys.append(written + direction(item))
            sql += " ORDER BY " + ", ".join(keys)
        limit, offset = node.args.get("limit"), node.args.get("offset")
        if isinstance(limit, exp.Fetch):
            options = limit.args.get("limit_options")
            if options is not None and (
                options.args.get("with_ties") or options.args.get("percent")
            ):
                raise not_emulated("FETCH FIRST WITH TIES", limit)
            count = limit.args.get("count")
            sql += f" LIMIT {_whole(count) if count is not None else 1}"
        elif limit is not None and limit.expression.name.upper() != "ALL":
            sql += f" LIMIT {_whole(limit.expression)}"
        if offset is not None:
            sql += f" OFFSET {_whole(offset.expression)}"
        return sql

    # set operations and VALUES

    def _set_operation(self, node: Any, outer: Scope | None) -> tuple[str, tuple[Column, ...]]:
        left, left_columns = self.query(node.this, outer)
        right, right_columns = self.query(node.expression, outer)
        word = type(node).__name__.upper()
        if node.args.get("by_name") or node.args.get("on"):
            raise not_emulated(f"{word} BY NAME", node)
        if len(left_columns) != len(right_columns):
            raise QueryError(
                "TYPE_MISMATCH",
                f"{word} query has different number of fields: {len(left_columns)}, "
                f"{len(right_columns)}",
                node,
            )
        kinds = []
        for number, (a, b) in enumerate(zip(left_columns, right_columns, strict=True)):
            kind = t.common(a.type, b.type)
            if kind is None:
                raise QueryError(
                    "TYPE_MISMATCH",
                    f"column {number + 1} in {word} query has incompatible types: {a.type}, "
                    f"{b.type}",
                    node,
                )
            kinds.append(kind)
        columns = tuple(
            Column(column.name, kind, alias, source=(OUTPUT, alias))
            for column, kind in zip(left_columns, kinds, strict=True)
            for alias in [self.fresh("c")]
        )
        for column, a, b in zip(columns, left_columns, right_columns, strict=True):
            output = (OUTPUT, column.sql)
            self.items[output] = {side.source for side in (a, b) if side.source}
            if word != "UNION" or node.args.get("distinct"):
                self.reading.add(output)  # every column decides which rows there are
        both = f" {word}{'' if node.args.get('distinct') else ' ALL'} ".join(
            _reshaped(sql, given, columns)
            for sql, given in ((left, left_columns), (right, right_columns))
        )
        aliases = {column.name: Value(column.sql, column.type) for column in columns}
        return self._tail(f"SELECT * FROM ({both})", node, columns, Scope(locals=aliases)), columns

    def _values(self, node: exp.Values, outer: Scope | None) -> tuple[str, tuple[Column, ...]]:
        scope = Scope(outer=outer)
        rows = [
            [
                self.expressions.compile(item, scope)
                for item in (row.expressions if isinstance(row, exp.Tuple) else [row])
            ]
            for row in node.expressions
        ]
        width = len(rows[0])
        if any(len(row) != width for row in rows):
            raise QueryError("TYPE_MISMATCH", "Values rows have mismatched sizes", node)
        kinds: list[Type] = []
        for number in range(width):
            kind = rows[0][number].type
            for row in rows[1:]:
                both = t.common(kind, row[number].type)
                if both is None:
                    raise QueryError(
                        "TYPE_MISMATCH",
                        f"Values rows have mismatched types: {kind} vs {row[number].type}",
                        node,
                    )
                kind = both
            kinds.append(kind)
        texts = [
            "("
            + ", ".join(
                f"CAST({convert(v, k).sql} AS {t.duckdb(k)})"
                for v, k in zip(row, kinds, strict=True)
            )
            + ")"
            for row in rows
        ]
        columns = tuple(Column(f"_col{i}", kind, self.fresh("c")) for i, kind in enumerate(kinds))
        names = ", ".join(column.sql for column in columns)
        sql = f"SELECT {names} FROM (VALUES {', '.join(texts)}) AS v({names})"
        return self._tail(sql, node, columns, outer), columns


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


def _set_name(item: exp.Expression) -> str:
    return {exp.Rollup: "ROLLUP", exp.Cube: "CUBE"}.get(type(item), "GROUPING SETS")


def _reshaped(sql: str, given: tuple[Column, ...], wanted: tuple[Column, ...]) -> str:
    inside = ", ".join(
        f"CAST({a.sql} AS {t.duckdb(b.type)}) AS {b.sql}"
        for a, b in zip(given, wanted, strict=True)
    )
    return f"(SELECT {inside} FROM ({sql}))"


def _place(node: exp.Expression, columns: tuple[Column, ...]) -> int | None:
    """The output column that an ORDER BY key names, by position or by name."""
    if isinstance(node, exp.Literal) and not node.is_string:
        place = int(node.this)
        if not 1 <= place <= len(columns):
            raise QueryError(
                "INVALID_COLUMN_REFERENCE", f"ORDER BY position {place} is not in select list", node
            )
        return place
    if isinstance(node, exp.Column) and len(node.parts) == 1:
        found = [i for i, column in enumerate(columns, 1) if column.name == node.name.lower()]
        return found[0] if len(found) == 1 else None
    return None


def _whole(node: exp.Expression) -> int:
    if not isinstance(node, exp.Literal) or not node.this.isdigit():
        raise QueryError(
            "INVALID_LITERAL",
            f"LIMIT and OFFSET take a whole number, not {node.sql('trino')}",
            node,
        )
    return int(node.this)

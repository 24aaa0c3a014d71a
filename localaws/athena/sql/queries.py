"""Compiles a Trino query to one DuckDB query over the scans it names."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from sqlglot import exp

from . import types as t
from .errors import QueryError, not_emulated
from .expressions import Expressions, direction, name_parts
from .parsing import parse
from .scope import Column, Relation, Scope
from .types import Type
from .values import Value, convert, name

CATALOG = "awsdatacatalog"


@dataclass(frozen=True)
class Found:
    """What a name in FROM is: a table's columns (partition keys last), or a view's query."""

    columns: tuple[tuple[str, Type], ...]
    partition_keys: frozenset[str] = frozenset()
    view: str | None = None
    view_columns: tuple[tuple[str, Type], ...] = ()


class Tables(Protocol):
    """Where tables are looked up; raises QueryError (TABLE_NOT_FOUND, SCHEMA_NOT_FOUND)."""

    def find(self, database: str, table: str, node: exp.Expression | None) -> Found: ...


@dataclass
class Scan:
    """One reading of a table: `relation` is a DuckDB view that the engine has to make, `alias` its
    name in the query, `conditions` what partitions must satisfy to be read at all."""

    relation: str
    alias: str
    database: str
    table: str
    partition_keys: frozenset[str]
    conditions: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Query:
    """DuckDB text; its output columns (`Column.sql` is the name in DuckDB) and its scans."""

    sql: str
    columns: tuple[Column, ...]
    scans: tuple[Scan, ...]
    reads: str = ""  # the parts of the text that the result depends on: which columns are read


@dataclass(frozen=True)
class _Environment:
    """What names in FROM can be besides tables, and the database of names without one."""

    database: str | None
    ctes: dict[str, tuple[str, tuple[Column, ...]]]
    views: tuple[str, ...] = ()


HIDDEN = (("$path", t.VARCHAR), ("$file_size", t.BIGINT), ("$file_modified_time", t.TIMESTAMP_TZ))
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
        self.windows: dict[str, exp.Window] = {}
        self.environment = _Environment(database, {})
        self.numbers = 0
        self.items: dict[str, str] = {}  # output column to the text that defines it

    def compile(self, node: exp.Expression) -> Query:
        sql, columns = self.query(node, None)
        return Query(sql, columns, tuple(self.scans), live(sql, columns, self.items))

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

    def _fresh(self, letter: str) -> str:
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
            alias = self._fresh("w")
            columns = _renamed(columns, cte.args.get("alias"), cte)
            parts.append(f"{alias} AS ({sql})")
            env = self.environment
            ctes = {**env.ctes, cte.alias.lower(): (alias, columns)}
            self.environment = _Environment(env.database, ctes, env.views)
        return "WITH " + ", ".join(parts) + " "

    # SELECT

    def _select(self, node: exp.Select, outer: Scope | None) -> tuple[str, tuple[Column, ...]]:
        for part, value in node.args.items():
            if value and part not in _SELECT_PARTS:
                raise not_emulated(f"{part.strip('_').upper()} in a query", node)
        windows = self.windows
        self.windows = {w.this.name.lower(): w for w in node.args.get("windows") or []}
        scope = Scope(outer=outer)
        from_sql = self._from(node, scope)
        where = node.args.get("where")
        where_sql = ""
        if where is not None:
            where_sql = " WHERE " + self.expressions.condition(where.this, scope, "WHERE clause")
            self._prune(where.this, scope)
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
        columns, texts = [], []
        for number, (label, value) in enumerate(items):
            alias = self._fresh("c")
            texts.append(f"CAST({value.sql} AS {t.duckdb(value.type)}) AS {alias}")
            columns.append(
                Column(
                    label or f"_col{number}",
                    value.type,
                    alias,
                    origin=value.origin if plain else None,
                )
            )
            if not any(node.args.get(part) for part in ("distinct", "group", "order")):
                self.items[alias] = texts[-1]  # nothing but its readers needs it
        word = "SELECT DISTINCT" if distinct else "SELECT"
        sql = f"{word} {', '.join(texts)}{from_sql}{where_sql}{group_sql}{having_sql}"
        aliases = {label: value for label, value in items if label}
        sql = self._tail(sql, node, tuple(columns), Scope(outer=scope, locals=aliases))
        self.windows = windows
        return sql, tuple(columns)

    def _items(self, node: exp.Select, scope: Scope) -> list[tuple[str | None, Value]]:
        items: list[tuple[str | None, Value]] = []
        for item in node.expressions:
            star = item if isinstance(item, exp.Star) else item.this
            if isinstance(star, exp.Star) and isinstance(item, exp.Star | exp.Column):
                if any(star.args.get(part) for part in ("except_", "replace", "rename")):
                    raise not_emulated("SELECT * EXCEPT, REPLACE or RENAME", item)
                items += self._star(item, scope)
            elif isinstance(item, exp.Alias):
                items.append((item.alias.lower(), self.expressions.compile(item.this, scope)))
            else:
                value = self.expressions.compile(item, scope)
                named = item.expression if isinstance(item, exp.Dot) else item
                label = (
                    name_parts(named)[-1]
                    if isinstance(named, exp.Column | exp.Identifier)
                    else None
                )
                items.append((label, value))
        return items

    def _star(self, item: exp.Expression, scope: Scope) -> list[tuple[str | None, Value]]:
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
        return [(c.name, Value(c.sql, c.type, origin=c.origin)) for c in chosen]

    def _group(
        self, node: exp.Group | None, scope: Scope, items: list[tuple[str | None, Value]]
    ) -> str:
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

    # FROM

    def _from(self, node: exp.Select, scope: Scope) -> str:
        source = node.args.get("from_")
        if source is None:
            return ""
        sql = " FROM " + self._relation(source.this, scope)
        sql += self._joins(source.this.args.get("joins"), scope)
        return sql + self._joins(node.args.get("joins"), scope)

    def _joins(self, joins: list[exp.Join] | None, scope: Scope) -> str:
        return "".join(self._join(join, scope) for join in joins or [])

    def _join(self, join: exp.Join, scope: Scope) -> str:
        side, kind = (join.side or "").upper(), (join.kind or "").upper()
        if join.method or kind not in ("", "INNER", "CROSS", "OUTER") or join.args.get("hint"):
            raise not_emulated(f"{join.method or kind} JOIN", join)
        left = list(scope.relations)
        sql = self._relation(join.this, scope)
        right = [relation for relation in scope.relations if relation not in left]
        if side in ("RIGHT", "FULL"):
            self._keep_whole(left)
        if side in ("LEFT", "FULL"):
            self._keep_whole(right)
        word = f" {side} JOIN " if side else (" CROSS JOIN " if kind == "CROSS" else " JOIN ")
        on, using = join.args.get("on"), join.args.get("using")
        if using:
            return word + sql + " ON " + self._using(using, left, right, side, scope)
        if on is not None:
            condition = self.expressions.condition(on, scope, "JOIN ON clause")
            if not side:
                self._prune(on, scope)
            return f"{word}{sql} ON {condition}"
        if kind == "CROSS" or not (side or kind):
            return " CROSS JOIN " + sql
        raise QueryError("SYNTAX_ERROR", "a JOIN needs ON or USING", join)

    def _keep_whole(self, relations: list[Relation]) -> None:
        """Their rows may be missing in the join, so conditions on the result prune nothing."""
        aliases = {
            (column.origin or column.sql).partition(".")[0]
            for r in relations
            for column in r.columns
        }
        for scan in self.scans:
            if scan.alias in aliases:
                scan.partition_keys = frozenset()

    def _using(
        self, using: list[Any], left: list[Relation], right: list[Relation], side: str, scope: Scope
    ) -> str:
        tests = []
        for item in using:
            wanted = item.name.lower()
            first = Scope(left, merged=scope.merged).find((wanted,), item)
            second = Scope(right).find((wanted,), item)
            if first is None or second is None:
                raise QueryError(
                    "COLUMN_NOT_FOUND",
                    f"Column '{wanted}' is missing from a side of the join",
                    item,
                )
            a, b = first[0], second[0]
            kind = t.common(a.type, b.type)
            if kind is None:
                raise QueryError(
                    "TYPE_MISMATCH", f"Cannot apply operator: {a.type} = {b.type}", item
                )
            tests.append(f"{convert(a, kind).sql} = {convert(b, kind).sql}")
            both = {
                "RIGHT": convert(b, kind).sql,
                "FULL": f"coalesce({convert(a, kind).sql}, {convert(b, kind).sql})",
            }.get(side, convert(a, kind).sql)
            scope.merged = [c for c in scope.merged if c.name != wanted] + [
                Column(wanted, kind, both)
            ]
        return " AND ".join(tests)

    def _relation(self, node: Any, scope: Scope) -> str:
        """The text of one item of FROM; adds it to the scope."""
        if isinstance(node, exp.Table):
            if node.args.get("sample") or node.args.get("version") or node.args.get("pivots"):
                raise not_emulated("TABLESAMPLE, FOR VERSION or PIVOT", node)
            return self._table(node, scope)
        if isinstance(node, exp.Unnest):
            return self._unnest(node, scope)
        if isinstance(node, exp.Lateral):
            query = node.this.this if isinstance(node.this, exp.Subquery) else node.this
            if isinstance(query, exp.Unnest):
                return self._unnest(query, scope)
            sql, columns = self.query(query, scope)
            return "LATERAL " + self._derived(
                sql, columns, node.args.get("alias") or node.this.args.get("alias"), scope, node
            )
        if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Table):
            inner = self._relation(node.this, scope) + self._joins(
                node.this.args.get("joins"), scope
            )
            return "(" + inner + self._joins(node.args.get("joins"), scope) + ")"
        if isinstance(node, exp.Subquery | exp.Values):
            inside = node if isinstance(node, exp.Values) else node.this
            sql, columns = self.query(inside, scope.outer)
            return self._derived(sql, columns, node.args.get("alias"), scope, node)
        raise not_emulated(f"{type(node).__name__} in FROM", node)

    def _derived(
        self, sql: str, columns: tuple[Column, ...], alias: Any, scope: Scope, node: exp.Expression
    ) -> str:
        columns = _renamed(columns, alias, node)
        inner = self._fresh("r")
        label = (alias.name.lower(),) if alias is not None and alias.name else ()
        scope.relations.append(
            Relation(label, tuple(replace(c, sql=f"{inner}.{c.sql}") for c in columns))
        )
        return f"({sql}) AS {inner}"

    def _table(self, node: exp.Table, scope: Scope) -> str:
        parts = [part.name.lower() for part in node.parts]
        alias = node.args.get("alias")
        label = (alias.name.lower(),) if alias is not None and alias.name else None
        if len(parts) == 1 and parts[0] in self.environment.ctes:
            held, columns = self.environment.ctes[parts[0]]
            columns = _renamed(columns, alias, node)
            inner = self._fresh("r")
            scope.relations.append(
                Relation(
                    label or (parts[0],),  # read more than once, perhaps: nothing may prune it
                    tuple(replace(c, sql=f"{inner}.{c.sql}", origin=None) for c in columns),
                )
            )
            return f"{held} AS {inner}"
        database, table = self._place(parts, node)
        found = self.tables.find(database, table, node)
        qualifiers = label or (CATALOG, database, table)
        if found.view is not None:
            return self._view(found, database, table, qualifiers, alias, scope, node)
        inner = self._fresh("r")
        scan = Scan(f"scan_{len(self.scans)}", inner, database, table, found.partition_keys)
        self.scans.append(scan)
        columns = tuple(
            Column(label_, kind, f"{inner}.{name(label_)}", origin=f"{inner}.{name(label_)}")
            for label_, kind in found.columns
        )
        columns = _renamed(columns, alias, node)
        hidden = tuple(
            Column(label_, kind, f"{inner}.{name(label_)}", hidden=True) for label_, kind in HIDDEN
        )
        scope.relations.append(Relation(qualifiers, columns + hidden))
        return f"{scan.relation} AS {inner}"

    def _place(self, parts: list[str], node: exp.Expression) -> tuple[str, str]:
        if len(parts) == 3:
            if parts[0] != CATALOG:
                raise QueryError("CATALOG_NOT_FOUND", f"Catalog '{parts[0]}' not found", node)
            return parts[1], parts[2]
        if len(parts) == 2:
            return parts[0], parts[1]
        if self.environment.database is None:
            raise QueryError(
                "MISSING_SCHEMA_NAME",
                "Schema must be specified when session schema is not set",
                node,
            )
        return self.environment.database, parts[0]

    def _view(
        self, found: Found, database: str, table: str, qualifiers: tuple[str, ...], alias: Any,
        scope: Scope, node: exp.Expression,
    ) -> str:  # fmt: skip
        before, key = self.environment, f"{database}.{table}"
        if key in before.views:
            raise QueryError(
                "VIEW_IS_RECURSIVE", f"Statement would create a recursive view: {key}", node
            )
        self.environment = _Environment(database, {}, (*before.views, key))
        try:
            assert found.view is not None
            sql, columns = self.query(parse(found.view), None)
        finally:
            self.environment = before
        shown = found.view_columns or tuple((c.name, c.type) for c in columns)
        if len(shown) != len(columns) or any(
            not t.converts(column.type, kind) and column.type.name != kind.name
            for column, (_, kind) in zip(columns, shown, strict=True)
        ):
            raise QueryError(
                "VIEW_IS_STALE",
                f"View '{CATALOG}.{database}.{table}' is stale or in invalid state: "
                "its columns have changed; create it again",
                node,
            )
        named = tuple(replace(c, name=label) for (label, _), c in zip(shown, columns, strict=True))
        named = _renamed(named, alias, node)
        inner = self._fresh("r")
        scope.relations.append(
            Relation(qualifiers, tuple(replace(c, sql=f"{inner}.{c.sql}") for c in named))
        )
        return f"({sql}) AS {inner}"

    def _unnest(self, node: exp.Unnest, scope: Scope) -> str:
        """Arrays side by side, the shorter ones padded with NULL; an array of rows and a map give
        several columns each."""
        inner = self._fresh("r")
        texts: list[str] = []
        columns: list[tuple[str, Type]] = []  # text over the inner select, type
        sizes = []
        for item in node.expressions:
            value = self.expressions.compile(item, scope)
            column = f"u{len(texts)}"
            if value.type.name == "map":
                texts += [
                    f"unnest(map_keys({value.sql})) AS {column}",
                    f"unnest(map_values({value.sql})) AS u{len(texts) + 1}",
                ]
                columns += [
                    (column, value.type.items[0]),
                    (f"u{len(texts) - 1}", value.type.items[1]),
                ]
                sizes.append(f"cardinality({value.sql})")
            elif value.type.name == "array":
                inside = value.type.items[0]
                texts.append(f"unnest({value.sql}) AS {column}")
                sizes.append(f"len({value.sql})")
                if inside.name == "row":
                    columns += [
                        (f"{column}.{name(t.field_name(inside, i))}", kind)
                        for i, kind in enumerate(inside.items)
                    ]
                else:
                    columns.append((column, inside))
            else:
                raise QueryError("TYPE_MISMATCH", f"Cannot unnest type: {value.type}", node)
        offset = node.args.get("offset")
        if offset:
            texts.append(
                f"unnest(range(1, CAST(greatest({', '.join(sizes)}) AS BIGINT) + 1)) AS place"
            )
            columns.append(("place", t.BIGINT))
        alias = node.args.get("alias")
        labels = [part.name.lower() for part in alias.columns] if alias is not None else []
        if isinstance(offset, exp.Identifier) and offset.name.lower() not in labels:
            labels.append(offset.name.lower())
        if labels and len(labels) != len(columns):
            raise QueryError(
                "MISMATCHED_COLUMN_ALIASES",
                f"Column alias list has {len(labels)} entries but there are {len(columns)} columns",
                node,
            )
        out = ", ".join(f"{text} AS c{i}" for i, (text, _) in enumerate(columns))
        qualifier = (alias.name.lower(),) if alias is not None and alias.name else ()
        scope.relations.append(
            Relation(
                qualifier,
                tuple(
                    Column(labels[i] if labels else f"_col{i}", kind, f"{inner}.c{i}")
                    for i, (_, kind) in enumerate(columns)
                ),
            )
        )
        return f"LATERAL (SELECT {out} FROM (SELECT {', '.join(texts)}) AS u) AS {inner}"

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
            Column(column.name, kind, self._fresh("c"))
            for column, kind in zip(left_columns, kinds, strict=True)
        )
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
        columns = tuple(Column(f"_col{i}", kind, self._fresh("c")) for i, kind in enumerate(kinds))
        names = ", ".join(column.sql for column in columns)
        sql = f"SELECT {names} FROM (VALUES {', '.join(texts)}) AS v({names})"
        return self._tail(sql, node, columns, outer), columns

    # partitions

    def _prune(self, condition: exp.Expression, scope: Scope) -> None:
        """Remembers the conjuncts that look only at one scan's partition keys."""
        conjuncts = list(condition.flatten()) if isinstance(condition, exp.And) else [condition]
        for conjunct in conjuncts:
            while isinstance(conjunct, exp.Paren):
                conjunct = conjunct.this
            if isinstance(conjunct, exp.And):
                self._prune(conjunct, scope)
                continue
            if conjunct.find(exp.Select, exp.Subquery, exp.Lambda):
                continue
            reads = [
                scope.find(name_parts(column), column) for column in conjunct.find_all(exp.Column)
            ]
            found = {read[0].sql: read[0].origin for read in reads if read is not None}
            if not found or len(reads) != sum(read is not None for read in reads):
                continue
            for scan in self.scans:
                keys = {f"{scan.alias}.{name(key)}" for key in scan.partition_keys}
                if set(found.values()) <= keys:
                    condition_sql = self.expressions.compile(conjunct, scope).sql
                    scan.conditions.append(_over_scan(condition_sql, found))


def _over_scan(condition: str, origins: dict[str, str | None]) -> str:
    """The condition over the scan's own columns instead of a view's."""
    names = "|".join(re.escape(inside) for inside in origins)
    return re.sub(
        rf'(?<![\w."])(?:{names})(?![\w"])',
        lambda found: origins[found[0]] or found[0],
        condition,
    )


def live(sql: str, columns: tuple[Column, ...], items: dict[str, str]) -> str:
    """The text without the output columns of subqueries that nothing refers to."""
    rest, bodies = sql, {}
    order = list(items)
    for alias in reversed(order):
        rest = rest.replace(items[alias], "")
    for place, alias in enumerate(order):
        body = items[alias]
        for inner in reversed(order[:place]):
            body = body.replace(items[inner], "")
        bodies[alias] = body.rpartition(" AS ")[0]
    wanted = {column.sql for column in columns}
    kept: list[str] = [rest]
    while wanted:
        news = [bodies.pop(alias) for alias in list(bodies) if alias in wanted]
        kept += news
        text = " ".join(kept)
        wanted = {alias for alias in bodies if re.search(rf"\b{alias}\b", text)}
    return " ".join(kept)


def _set_name(item: exp.Expression) -> str:
    return {exp.Rollup: "ROLLUP", exp.Cube: "CUBE"}.get(type(item), "GROUPING SETS")


def _renamed(columns: tuple[Column, ...], alias: Any, node: exp.Expression) -> tuple[Column, ...]:
    """The columns under the names of `AS t(a, b)`."""
    labels = (
        [part.name.lower() for part in alias.columns] if isinstance(alias, exp.TableAlias) else []
    )
    if not labels:
        return columns
    if len(labels) != len(columns):
        raise QueryError(
            "MISMATCHED_COLUMN_ALIASES",
            f"Column alias list has {len(labels)} entries but '{alias.name}' has {len(columns)} "
            "columns available",
            node,
        )
    return tuple(replace(c, name=label) for label, c in zip(labels, columns, strict=True))


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

"""The FROM clause: relations and joins, and which partitions a condition leaves to be read."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from sqlglot import exp

from localaws.trino import types as t
from localaws.trino.errors import QueryError, not_emulated
from localaws.trino.types import Type
from localaws.trino.values import OUTPUT, name

from .casts import convert
from .compiler import Compiler, structure
from .grammar import written
from .json_table_grammar import JsonTable
from .json_tables import json_table
from .operators import comparison
from .parsing import parse
from .pruning import prune
from .scope import SHOWN, Column, Relation, Scope
from .sources import CATALOG, AsOf, Environment, Found, Scan, placed, renamed
from .stars import every_column
from .times import ZONED, sized
from .unnest import unnest

structure(exp.Join, takes=("this", "on", "side", "kind", "using", "method"))
structure(exp.Table, takes=("this", "alias", "db", "catalog", "joins", "version", "sample"))
structure(exp.TableSample, takes=("method", "percent"))
structure(exp.Version, takes=("this", "expression", "kind"))
structure(exp.Lateral, takes=("this", "alias"))
structure(exp.Subquery, takes=("joins",))


def from_clause(c: Compiler, node: exp.Select, scope: Scope) -> str:
    source = node.args.get("from_")
    if source is None:
        return ""
    first = _relation(c, source.this, scope)
    if scope.outside and first.startswith("LATERAL "):
        # Without a row before it DuckDB takes one column of the outer row for another.
        first = f"(SELECT 1) AS {c.fresh('r')} CROSS JOIN {first}"
    sql = " FROM " + first
    sql += _joins(c, source.this.args.get("joins"), scope)
    return sql + _joins(c, node.args.get("joins"), scope)


def _joins(c: Compiler, joins: list[exp.Join] | None, scope: Scope) -> str:
    return "".join(_join(c, join, scope) for join in joins or [])


def _join(c: Compiler, join: exp.Join, scope: Scope) -> str:
    side, kind = (join.side or "").upper(), (join.kind or "").upper()
    method = (join.method or "").upper()
    if method == "NATURAL":
        raise QueryError("NOT_SUPPORTED", "Natural join not supported", join)
    if method:
        raise not_emulated(f"{method} JOIN", join)
    if kind not in ("", "INNER", "CROSS", "OUTER"):
        raise not_emulated(f"{kind} JOIN", join)
    left = list(scope.relations)
    if side == "LEFT" and isinstance(join.this, exp.Unnest) and _is_true(join.args.get("on")):
        return " CROSS JOIN " + unnest(c, join.this, scope, outer=True)
    sql = _relation(c, join.this, scope)
    right = [relation for relation in scope.relations if relation not in left]
    if side in ("RIGHT", "FULL"):
        _keep_whole(c, left)
    if side in ("LEFT", "FULL"):
        _keep_whole(c, right)
    word = f" {side} JOIN " if side else (" CROSS JOIN " if kind == "CROSS" else " JOIN ")
    on, using = join.args.get("on"), join.args.get("using")
    if side in ("RIGHT", "FULL") and (
        _reads(sql, left) or (isinstance(join.this, exp.Lateral) and not _is_true(on))
    ):
        raise not_emulated(f"{side} JOIN LATERAL", join)
    if _is_unnest(join.this) and (using or (on is not None and not _is_true(on))):
        raise QueryError(
            "NOT_SUPPORTED",
            f"{side or 'INNER'} JOIN involving UNNEST is only supported with condition ON TRUE",
            using[0] if using else on,
        )
    if using:
        return word + sql + " ON " + _using(c, using, left, right, side, scope)
    if on is not None:
        scope.closed = bool(side)
        condition = c.condition(on, scope, "JOIN ON clause")
        scope.closed = False
        if not side:
            prune(c, on, scope)
        return f"{word}{sql} ON {condition}"
    if kind == "CROSS" or not (side or kind):
        return " CROSS JOIN " + sql
    raise QueryError("SYNTAX_ERROR", "a JOIN needs ON or USING", join)


def _is_unnest(node: exp.Expression) -> bool:
    inside = node.this if isinstance(node, exp.Lateral) else node
    return isinstance(inside.this if isinstance(inside, exp.Subquery) else inside, exp.Unnest)


def _is_true(node: exp.Expression | None) -> bool:
    return isinstance(node, exp.Boolean) and bool(node.this)


def _reads(sql: str, relations: list[Relation]) -> bool:
    """Whether the text reads a column of the relations."""
    aliases = {column.sql.partition(".")[0] for r in relations for column in r.columns}
    return any(re.search(rf"\b{re.escape(alias)}\.", sql) for alias in aliases)


def _keep_whole(c: Compiler, relations: list[Relation]) -> None:
    """Their rows may be missing in the join, so conditions on the result prune nothing."""
    aliases = {
        (column.origin or column.sql).partition(".")[0] for r in relations for column in r.columns
    }
    for scan in c.scans:
        if scan.alias in aliases:
            scan.whole = True


def _using(
    c: Compiler,
    using: list[Any],
    left: list[Relation],
    right: list[Relation],
    side: str,
    scope: Scope,
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
        c.reading |= {side.source for side in (a, b) if side.source}
        kind = t.common(a.type, b.type)
        if kind is None:
            raise QueryError("TYPE_MISMATCH", f"Cannot apply operator: {a.type} = {b.type}", item)
        tests.append(comparison("=", a, b).sql)
        both = {
            "RIGHT": convert(b, kind).sql,
            "FULL": f"coalesce({convert(a, kind).sql}, {convert(b, kind).sql})",
        }.get(side, convert(a, kind).sql)
        scope.merged = [c for c in scope.merged if c.name != wanted] + [Column(wanted, kind, both)]
        # From here on it is nobody's: t.k is not found, and t.* does not have it.
        scope.relations = [_without(relation, (a.sql, b.sql)) for relation in scope.relations]
    return " AND ".join(tests)


def _without(relation: Relation, texts: tuple[str, ...]) -> Relation:
    kept = tuple(column for column in relation.columns if column.sql not in texts)
    return replace(relation, columns=kept)


def _relation(c: Compiler, node: Any, scope: Scope) -> str:
    """The text of one item of FROM; adds it to the scope."""
    if isinstance(node, exp.Table) and isinstance(node.this, JsonTable):
        sql, columns = json_table(c, node.this, scope)
        return _derived(c, sql, columns, node.args.get("alias"), scope, node)
    if isinstance(node, exp.Table) and isinstance(node.this, exp.Values):
        sql, columns = c.query(node.this, scope.outer)
        return _derived(c, sql, columns, node.args.get("alias"), scope, node)
    if isinstance(node, exp.Table):
        return _table(c, node, scope)
    if isinstance(node, exp.Unnest):
        return unnest(c, node, scope)
    if isinstance(node, exp.Lateral):
        query = node.this.this if isinstance(node.this, exp.Subquery) else node.this
        if isinstance(query, exp.Unnest):
            return unnest(c, query, scope)
        sql, columns = c.query(query, scope)
        alias = node.args.get("alias") or node.this.args.get("alias")
        derived = _derived(c, sql, columns, alias, scope, node)
        if SHOWN in scope.outside:
            scope.outside.remove(SHOWN)
            scope.showing.add(derived.rpartition(" ")[2])
        return "LATERAL " + derived
    if isinstance(node, exp.Subquery) and (
        isinstance(node.this, exp.Table)
        or (not isinstance(node.this, exp.Select) and node.this.args.get("joins"))
    ):
        return _group(c, node, scope)
    if isinstance(node, exp.Subquery | exp.Values):
        inside = node if isinstance(node, exp.Values) else node.this
        beyond = Scope(outer=scope.outer)
        sql, columns = c.query(inside, beyond)
        if beyond.outside:
            scope.outside.add("FROM")
        return _derived(c, sql, columns, node.args.get("alias"), scope, node)
    raise not_emulated(f"{written(node)[:80]} in FROM", node)


def _group(c: Compiler, node: exp.Subquery, scope: Scope) -> str:
    """Joins in parentheses; with an alias they are one relation of all their columns."""
    alias = node.args.get("alias")
    inside = scope if alias is None else Scope(outer=scope.outer)
    inner = _relation(c, node.this, inside) + _joins(c, node.this.args.get("joins"), inside)
    if alias is None:
        return f"({inner})"
    columns, shown = [], []
    for label, value, reads in every_column(inside):
        name_ = c.fresh("c")
        columns.append(Column(label or "", value.type, name_, source=(OUTPUT, name_)))
        shown.append(f"{value.sql} AS {name_}")
        c.items[OUTPUT, name_] = reads
    sql = f"SELECT {', '.join(shown)} FROM {inner}"
    return _derived(c, sql, tuple(columns), alias, scope, node)


def _derived(
    c: Compiler,
    sql: str,
    columns: tuple[Column, ...],
    alias: Any,
    scope: Scope,
    node: exp.Expression,
) -> str:
    columns = renamed(columns, alias, node)
    inner = c.fresh("r")
    label = (alias.name.lower(),) if alias is not None and alias.name else ()
    scope.relations.append(
        Relation(label, tuple(replace(c, sql=f"{inner}.{c.sql}") for c in columns))
    )
    return f"({sql}) AS {inner}"


def _table(c: Compiler, node: exp.Table, scope: Scope) -> str:
    parts = [part.name.lower() for part in node.parts]
    alias = node.args.get("alias")
    label = (alias.name.lower(),) if alias is not None and alias.name else None
    as_of = _as_of(c, node.args.get("version"))
    if as_of is None and len(parts) == 1 and parts[0] in c.environment.ctes:
        held, columns = c.environment.ctes[parts[0]]
        columns = renamed(columns, alias, node)
        inner = c.fresh("r")
        scope.relations.append(
            Relation(
                label or (parts[0],),  # read more than once, perhaps: nothing may prune it
                tuple(replace(c, sql=f"{inner}.{c.sql}", origin=None) for c in columns),
            )
        )
        return f"{_sampled(node, held)} AS {inner}"
    if isinstance(node.this, exp.Anonymous):
        raise not_emulated("table functions, TABLE(...)", node)
    database, table = placed(parts, c.environment.database, node)
    told = {} if as_of is None else {"as_of": as_of}
    found = c.tables.find(database, table, node, **told)
    qualifiers = label or (CATALOG, database, table)
    if found.view is not None:
        return _view(c, found, database, table, qualifiers, alias, scope, node)
    inner = c.fresh("r")
    scan = Scan(f"scan_{len(c.scans)}", inner, database, table, found.partition_keys)
    if found.source is not None:
        scan.source, scan.types = found.source, dict(found.columns)
    c.scans.append(scan)
    columns = tuple(
        Column(label_, kind, read, origin=read, source=(inner, label_))
        for label_, kind in found.columns
        for read in [f"{inner}.{name(label_)}"]
    )
    columns = renamed(columns, alias, node)
    hidden = tuple(
        Column(label_, kind, _held(read, kind), hidden=True, source=(inner, label_))
        for label_, kind in found.hidden
        for read in [f"{inner}.{name(label_)}"]
    )
    scope.relations.append(Relation(qualifiers, columns + hidden))
    return f"{_sampled(node, scan.relation)} AS {inner}"


def _sampled(node: exp.Table, source: str) -> str:
    """TABLESAMPLE BERNOULLI: each row is taken with a probability of its own."""
    sample = node.args.get("sample")
    if sample is None:
        return source
    if sample.args["method"].name.upper() != "BERNOULLI":
        raise not_emulated("TABLESAMPLE SYSTEM, of splits; BERNOULLI is", node)
    percent = sample.args["percent"]
    if not isinstance(percent, exp.Literal) or percent.is_string:
        raise not_emulated("TABLESAMPLE with a percentage that is not a literal", node)
    if not 0 <= float(percent.name) <= 100:
        raise QueryError("INVALID_ARGUMENTS", "Sample percentage must be between 0 and 100", node)
    return f"(SELECT * FROM {source} WHERE random() * 100 < {float(percent.name)!r})"


def _as_of(c: Compiler, node: exp.Version | None) -> AsOf | None:
    if node is None:
        return None
    kind = str(node.args["this"]).upper()
    if node.args["kind"] != "AS OF" or kind not in ("TIMESTAMP", "VERSION"):
        raise not_emulated(f"FOR {kind} {node.args['kind']}", node)
    value = c.compile(node.expression, Scope())
    if kind == "VERSION":
        if not t.is_integer(value.type) and value.type.name != "varchar":
            raise QueryError(
                "TYPE_MISMATCH",
                f"Type {value.type} invalid. Temporal pointers of type Version must be of type "
                "bigint or varchar",
                node,
            )
        return AsOf(kind, value)
    if value.type.name not in ("date", "timestamp", ZONED):
        raise QueryError(
            "TYPE_MISMATCH",
            f"Type {value.type} invalid. Temporal pointers of type Timestamp must be of type "
            "Timestamp, Timestamp with Time Zone, or Date.",
            node,
        )
    return AsOf(kind, convert(value, sized(ZONED, 6)))


def _held(read: str, kind: Type) -> str:
    """A column of a scan as expressions hold it: a char filled up, a moment with its zone."""
    if kind.name == "char":
        return f"rpad({read}, {kind.numbers[0]}, ' ')"
    return f"trino_at(timezone('UTC', {read}), 'UTC')" if kind.name == ZONED else read


def _view(
    c: Compiler, found: Found, database: str, table: str, qualifiers: tuple[str, ...], alias: Any,
    scope: Scope, node: exp.Table,
) -> str:  # fmt: skip
    before, key = c.environment, f"{database}.{table}"
    if key in before.views:
        raise QueryError(
            "VIEW_IS_RECURSIVE", f"Statement would create a recursive view: {key}", node
        )
    c.environment = Environment(database, {}, (*before.views, key))
    try:
        assert found.view is not None
        sql, columns = c.statement(parse(found.view))
    finally:
        c.environment = before
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
    named = renamed(named, alias, node)
    inner = c.fresh("r")
    scope.relations.append(
        Relation(qualifiers, tuple(replace(c, sql=f"{inner}.{c.sql}") for c in named))
    )
    return f"{_sampled(node, f'({sql})')} AS {inner}"

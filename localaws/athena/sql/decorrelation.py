"""Which correlated subqueries Trino can plan. It refuses the others, whatever they would mean.

Its planner turns a subquery that reads the outer row into a join. What a condition compares with
the outer row moves into the join's; anything else that reads it has to stand where a join can
still compute it. https://github.com/trinodb/trino/issues/14199 asks for these rules in words;
https://github.com/trinodb/trino/issues/7223 has those of UNNEST.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from sqlglot import exp

from localaws.trino import types as t
from localaws.trino.errors import QueryError
from localaws.trino.values import Value

from .compiler import Compiler, name_parts
from .functions import AGGREGATES, ALIASES
from .grammar import nodes
from .scope import SHOWN, Scope
from .stars import Item

_SETS = (exp.Rollup, exp.Cube, exp.GroupingSets)


def check(c: Compiler, node: exp.Select, scope: Scope, items: list[Item]) -> None:
    """Raises QueryError (NOT_SUPPORTED). `scope.outside` says which clauses read an outer row."""
    outside = scope.outside
    if outside and not _plans(c, node, scope, items):
        raise QueryError("NOT_SUPPORTED", "Given correlated subquery is not supported", node)


def _plans(c: Compiler, node: exp.Select, scope: Scope, items: list[Item]) -> bool:
    if "FROM" in scope.outside:
        if _shows(node, scope, items) and not _is_single_row(node):
            return False
        return not _reads_unnest(node) or _plans_over_unnest(node)
    exists = isinstance(node.parent, exp.Exists)
    calls = list(_aggregates(node))
    grouped = node.args.get("group")
    if "SELECT" in scope.outside and not exists and not calls:
        above = node.parent.parent if isinstance(node.parent, exp.Subquery) else None
        if isinstance(above, exp.In) or not _is_single_row(node):
            return False
    if "ORDER BY" in scope.outside:
        return False
    if "WHERE" not in scope.outside or (calls and grouped is None):
        return True
    return _plans_filtered(c, node, scope, items, exists)


def _shows(node: exp.Select, scope: Scope, items: list[Item]) -> bool:
    """Whether the query reads what a LATERAL of its own shows of the outer row."""
    if SHOWN in scope.outside or (scope.showing and node.args.get("where")):
        return True
    used = re.compile(rf"\b(?:{'|'.join(scope.showing) or '$'})\.")
    return any(used.search(value.sql) for _, value, _ in items)


def _plans_filtered(
    c: Compiler, node: exp.Select, scope: Scope, items: list[Item], exists: bool
) -> bool:
    """Whether rows that a condition picks for each outer row can be grouped and limited for it:
    by columns that the condition fixes."""
    fixed, compared = _correlation(c, node.args["where"].this, scope)
    grouped, limit = node.args.get("group"), node.args.get("limit")
    shown = {value.sql for _, value, _ in items}
    single = False
    if any(isinstance(part, exp.Window) for part in _own(node)):
        return False
    if grouped is not None or node.args.get("distinct"):
        if any(isinstance(key, _SETS) for key in _keys(grouped)):
            return False
        keys = shown if grouped is None else _grouped(c, grouped, scope, items)
        lateral = isinstance(node.parent, exp.Subquery) and isinstance(
            node.parent.parent, exp.Lateral
        )
        if not (lateral or compared - keys <= fixed):
            return False
        single = keys | compared <= fixed
    if limit is None or exists or single:
        return True
    if isinstance(limit, exp.Fetch):
        options, count = limit.args.get("limit_options"), limit.args.get("count")
        if options is not None and options.args.get("with_ties"):
            return False
        size = "1" if count is None else count.name
    else:
        size = limit.expression.name
    if size == "1" and node.args.get("order") is None:
        return bool(fixed) and shown | compared <= fixed
    return size != "0" and compared <= fixed


def _plans_over_unnest(node: exp.Select) -> bool:
    """No condition may stand on the rows of an UNNEST of the outer row."""
    calls = list(_aggregates(node))
    filtered = bool(calls) and all(isinstance(call.parent, exp.Filter) for call in calls)
    where = node.args.get("where")
    return not filtered and (where is None or _is_true(where.this))


def _correlation(c: Compiler, condition: Any, scope: Scope) -> tuple[set[str], set[str]]:
    """The columns of this query that the condition makes equal to something of the outer row, and
    all that it compares with it."""
    if isinstance(condition, exp.Paren):
        return _correlation(c, condition.this, scope)
    if isinstance(condition, exp.And):
        sides = [_correlation(c, side, scope) for side in (condition.this, condition.expression)]
        return sides[0][0] | sides[1][0], sides[0][1] | sides[1][1]
    own, foreign = _columns(condition, scope)
    if not foreign:
        return set(), set()
    fixed: set[str] = set()
    if isinstance(condition, exp.EQ):
        for side, other in (
            (condition.this, condition.expression),
            (condition.expression, condition.this),
        ):
            mine, theirs = _columns(side, scope)[0], _columns(other, scope)[0]
            if isinstance(side, exp.Column) and mine and not theirs:
                value = next(iter(mine.values()))
                if _keeps(value, c.compile(other, scope)):
                    fixed.add(value.sql)
    return fixed, {value.sql for value in own.values()}


def _keeps(column: Value, other: Value) -> bool:
    """Whether what is compared for the column's sake still tells its values apart."""
    both = t.common(column.type, other.type)
    return (
        both is None
        or both.name not in ("real", "double")
        or column.type.name in ("real", "double", "tinyint", "smallint")
        or (column.type.name == "integer" and both.name == "double")
    )


def _columns(node: Any, scope: Scope) -> tuple[dict[str, Value], bool]:
    """The query's own columns that an expression reads, and whether it reads others."""
    own, foreign = {}, False
    inside = Scope(scope.relations, merged=scope.merged)
    for part in nodes(node):
        if isinstance(part, exp.Column):
            found = inside.find(name_parts(part), part)
            if found is not None:
                own[part.sql()] = found[0]
            foreign = foreign or found is None
    return own, foreign


def _keys(group: exp.Group | None) -> list[Any]:
    return [] if group is None else list(group.expressions)


def _grouped(c: Compiler, group: exp.Group, scope: Scope, items: list[Item]) -> set[str]:
    found = set()
    for key in _keys(group):
        if isinstance(key, exp.Literal) and not key.is_string:
            found.add(items[int(key.this) - 1][1].sql)
        else:
            parts = key.expressions if isinstance(key, exp.Tuple) else [key]
            found |= {c.compile(part, scope).sql for part in parts}
    return found


def _own(node: exp.Select) -> Iterator[exp.Expr]:
    """The nodes of the SELECT list without those of other queries in it."""
    waiting: list[Any] = list(node.expressions)
    while waiting:
        part = waiting.pop()
        if isinstance(part, exp.Query):
            continue
        yield part
        waiting += part.iter_expressions()


def _aggregates(node: exp.Select) -> Iterator[exp.Expr]:
    for part in _own(node):
        if isinstance(part, exp.GroupConcat) or (
            isinstance(part, exp.Anonymous)
            and ALIASES.get(part.name.lower(), part.name.lower()) in (*AGGREGATES, "reduce_agg")
        ):
            above = part.parent.parent if isinstance(part.parent, exp.Filter) else part.parent
            if not isinstance(above, exp.Window):
                yield part


def _reads_unnest(node: exp.Select) -> bool:
    joins = [join.this for join in node.args.get("joins") or []]
    sources = [node.args["from_"].this, *joins]
    return any(isinstance(part, exp.Unnest) for source in sources for part in nodes(source))


def _is_single_row(node: Any) -> bool:
    """A query that has one row whatever the outer row is, as the planner can see."""
    if isinstance(node, exp.Values):
        return len(node.expressions) == 1
    if isinstance(node, exp.Subquery | exp.Table | exp.Lateral | exp.Paren):
        return _is_single_row(node.this)
    if not isinstance(node, exp.Select):
        return False
    where, source = node.args.get("where"), node.args.get("from_")
    if where is not None and not _is_true(where.this):
        return False
    sources = [] if source is None else [source.this]
    sources += [join.this for join in node.args.get("joins") or []]
    return all(_is_single_row(source) for source in sources)


def _is_true(node: Any) -> bool:
    if isinstance(node, exp.EQ):
        return isinstance(node.this, exp.Literal) and node.this == node.expression
    return isinstance(node, exp.Boolean) and bool(node.this)

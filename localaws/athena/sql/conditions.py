"""Comparisons, logic, CASE, and the subqueries of a condition."""

from __future__ import annotations

import re
from typing import Any

from sqlglot import exp

from localaws.trino import types as t
from localaws.trino.errors import QueryError, not_emulated
from localaws.trino.types import Type
from localaws.trino.values import NULL, Value, text

from .casts import convert
from .compiler import Compiler, compiles, structure
from .equality import equal, is_plain, key
from .grammar import written
from .operators import comparison
from .scope import Column, Scope
from .special import SPECIALS, unify

structure(exp.Any, exp.All, takes=("this",))
_COMPARISONS: dict[type[exp.Binary], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.NullSafeEQ: "IS NOT DISTINCT FROM",
    exp.NullSafeNEQ: "IS DISTINCT FROM",
}


@compiles(*_COMPARISONS, takes=("this", "expression"))
def _comparison(c: Compiler, node: exp.Binary, scope: Scope) -> Value:
    operator = _COMPARISONS[type(node)]
    quantified = node.expression
    if isinstance(quantified, exp.Anonymous) and quantified.name.upper() in (
        "ALL",
        "ANY",
        "SOME",
    ):
        kind = exp.All if quantified.name.upper() == "ALL" else exp.Any
        quantified = kind(this=quantified.expressions[0])  # ALL (VALUES ...)
    if isinstance(quantified, exp.Any | exp.All):
        left = c.compile(node.this, scope)
        query, columns = c.query(quantified.this, scope)
        c.read_whole(columns)
        word = "ANY" if isinstance(quantified, exp.Any) else "ALL"
        right = _result(left, columns)
        test = comparison(operator, left, right).sql
        if t.common(left.type, right.type) != left.type or not _is_simple(left.type):
            return _over_rows(test, query, word)
        return Value(f"({left.sql} {operator} {word} ({query}))", t.BOOLEAN)
    left, right = c.compile(node.this, scope), c.compile(quantified, scope)
    above = {"<": quantified, ">": node.this}.get(operator)
    if isinstance(above, exp.Subquery) and t.common(left.type, right.type) == t.DOUBLE:
        return _above(*((left, right) if operator == "<" else (right, left)))
    return comparison(operator, left, right)


def _above(value: Value, query: Value) -> Value:
    """`value < (SELECT ..)` of doubles with the query written once: it would be run twice. NaN,
    which nothing is below, becomes the double that nothing is below."""
    number = convert(Value("v", query.type), t.DOUBLE).sql
    held = f"(SELECT CASE WHEN isnan({number}) THEN '-Infinity' ELSE {number} END FROM "
    return Value(f"({convert(value, t.DOUBLE).sql} < {held}{query.sql} AS s(v)))", t.BOOLEAN)


def _is_simple(kind: Type) -> bool:
    """Whether DuckDB's IN, ANY and ALL compare values of the type as Trino does."""
    return not kind.items and kind.name not in ("double", "real")


def _result(left: Value, columns: tuple[Column, ...]) -> Value:
    """What a subquery gives to be compared with `left`: several columns are a row."""
    if len(columns) == 1 and (
        left.type.name != "row" or columns[0].type.name in ("row", "unknown")
    ):
        return Value(columns[0].sql, columns[0].type)
    return as_row(columns)


def as_row(columns: tuple[Column, ...]) -> Value:
    fields = ", ".join(f"'field{i}': {column.sql}" for i, column in enumerate(columns))
    return Value(f"{{{fields}}}", t.row(column.type for column in columns))


def _over_rows(test: str, query: str, word: str) -> Value:
    """Whether the test holds for ANY or ALL rows of the query, in three truth values."""
    decisive, function = ("true", "bool_or") if word == "ANY" else ("false", "bool_and")
    return Value(
        f"(SELECT CASE WHEN {function}(test) IS NOT DISTINCT FROM {decisive} THEN {decisive} "
        f"WHEN count(*) = count(test) THEN NOT {decisive} END "
        f"FROM (SELECT {test} AS test FROM ({query})))",
        t.BOOLEAN,
    )


@compiles(exp.And, exp.Or, takes=("this", "expression"))
def logic(c: Compiler, node: exp.Connector, scope: Scope) -> Value:
    word = "AND" if isinstance(node, exp.And) else "OR"
    parts: list[Any] = []
    left: Any = node
    while isinstance(left, type(node)):
        parts.append(left.expression)
        left = left.this
    sides = [c.condition(side, scope, "Logical expression term") for side in (left, *parts[::-1])]
    return Value("(" + f" {word} ".join(sides) + ")", t.BOOLEAN)


@compiles(exp.Not, takes=("this",))
def negation(c: Compiler, node: exp.Not, scope: Scope) -> Value:
    return Value(
        f"(NOT {c.condition(node.this, scope, 'Value of logical NOT expression')})",
        t.BOOLEAN,
    )


@compiles(exp.Is, takes=("this", "expression"))
def is_(c: Compiler, node: exp.Is, scope: Scope) -> Value:
    if not isinstance(node.expression, exp.Null):
        raise not_emulated(f"IS {written(node.expression)}")
    return Value(f"({c.compile(node.this, scope).sql} IS NULL)", t.BOOLEAN)


@compiles(exp.Between, takes=("this", "low", "high"))
def between(c: Compiler, node: exp.Between, scope: Scope) -> Value:
    value = c.compile(node.this, scope)
    low, high = (c.compile(node.args[side], scope) for side in ("low", "high"))
    first, second = comparison(">=", value, low), comparison("<=", value, high)
    return Value(f"({first.sql} AND {second.sql})", t.BOOLEAN)


@compiles(exp.In, takes=("this", "expressions", "query"))
def in_(c: Compiler, node: exp.In, scope: Scope) -> Value:
    value = c.compile(node.this, scope)
    query = node.args.get("query")
    if len(node.expressions) == 1 and isinstance(node.expressions[0], exp.Values):
        query = node.expressions[0]
    if query is not None:
        sql, columns = c.query(query, scope)
        c.read_whole(columns)
        right = _result(value, columns)
        kind = t.common(value.type, right.type)
        if kind is None:
            raise QueryError(
                "TYPE_MISMATCH",
                "value and result of subquery must be of the same type for IN expression: "
                f"{value.type} vs {right.type}",
                node,
            )
        if kind.items:
            return _over_rows(comparison("=", value, right).sql, sql, "ANY")
        inside = f"SELECT {key(convert(right, kind).sql, kind)} FROM ({sql})"
        if kind.name in ("double", "real"):  # NaN is equal to nothing
            inside += f" WHERE {right.sql} IS NULL OR NOT isnan({right.sql})"
        return Value(f"({key(convert(value, kind).sql, kind)} IN ({inside}))", t.BOOLEAN)
    others = [c.compile(item, scope) for item in node.expressions]
    for other in others:
        comparison("=", value, other)
    (first, *rest), kind = unify([value, *others], "IN value and list items")
    if not is_plain(kind) or kind.items or kind.name in ("double", "real"):
        return Value(f"({' OR '.join(equal(first, item) for item in rest)})", t.BOOLEAN)
    listed = ", ".join(item.sql for item in rest)
    if any(item.find(exp.Div, exp.Mod) for item in node.expressions):
        # DuckDB stops at the first that is equal; an item that fails after it fails in Trino.
        return Value(f"trino_in([{listed}], {first.sql})", t.BOOLEAN)
    return Value(f"({first.sql} IN ({listed}))", t.BOOLEAN)


@compiles(exp.Like, takes=("this", "expression", "negate"))
def like(c: Compiler, node: exp.Like, scope: Scope) -> Value:
    return _like(c, node, bool(node.args.get("negate")), scope, "")


def _like(c: Compiler, node: exp.Like, negate: bool, scope: Scope, escape: str) -> Value:
    value, pattern = c.compile(node.this, scope), c.compile(node.expression, scope)
    if value.type.name != "char":
        value = _text(value, "Left side of", node.this)
    pattern = _text(pattern, "Pattern for", node.expression)
    word = "NOT LIKE" if negate else "LIKE"
    return Value(f"({value.sql} {word} {pattern.sql}{escape})", t.BOOLEAN)


def _text(value: Value, place: str, node: exp.Expression) -> Value:
    """A side of LIKE as text, which it must be."""
    if value.type.name not in ("varchar", "char", "unknown"):
        raise QueryError(
            "TYPE_MISMATCH",
            f"{place} LIKE expression must evaluate to a varchar (actual: {value.type})",
            node,
        )
    return value if value.type.name == "varchar" else convert(value, t.VARCHAR)


@compiles(exp.Escape, takes=("this", "expression"))
def escape(c: Compiler, node: exp.Escape, scope: Scope) -> Value:
    mark = _text(c.compile(node.expression, scope), "Escape for", node.expression)
    pattern = _text(c.compile(node.this.expression, scope), "Pattern for", node.this.expression)
    negate = bool(node.this.args.get("negate"))
    if mark.constant == "":
        return _like(c, node.this, negate, scope, "")
    if isinstance(mark.constant, str) and _escapes(pattern.constant, mark.constant):
        return _like(c, node.this, negate, scope, f" ESCAPE {mark.sql}")
    # DuckDB looks at a constant mark before it looks at the test.
    one = mark.sql if mark.constant is None else f"substr({mark.sql}, 1, 1)"
    test = _like(c, node.this, negate, scope, f" ESCAPE {one}")
    sure = f"trino_escapes({pattern.sql}, {mark.sql})"
    return Value(f"(CASE WHEN {sure} THEN {test.sql} END)", t.BOOLEAN)


def _escapes(pattern: object, mark: str) -> bool:
    """Whether the pattern is known, and escapes nothing that needs no escape."""
    if not isinstance(pattern, str):
        return False
    if len(mark) != 1 or mark > "\uffff":
        return False
    rest = re.sub(re.escape(mark) + f"[%_{re.escape(mark)}]", "", pattern)
    return mark not in rest


@compiles(exp.Case, takes=("this", "ifs", "default"))
def case(c: Compiler, node: exp.Case, scope: Scope) -> Value:
    subject = c.compile(node.this, scope) if node.this else None
    tests, results = [], []
    for branch in node.args["ifs"]:
        if subject is None:
            tests.append(c.condition(branch.this, scope, "CASE WHEN clause"))
        else:
            tests.append(comparison("=", subject, c.compile(branch.this, scope)).sql)
        results.append(c.compile(branch.args["true"], scope))
    default = node.args.get("default")
    results.append(c.compile(default, scope) if default is not None else NULL)
    values, kind = unify(results, "CASE results")
    branches = " ".join(
        f"WHEN {test} THEN {value.sql}" for test, value in zip(tests, values, strict=False)
    )
    return Value(f"CASE {branches} ELSE {values[-1].sql} END", kind)


@compiles(exp.If, takes=("this", "true", "false"))
def if_(c: Compiler, node: exp.If, scope: Scope) -> Value:
    sides = [node.this, node.args.get("true"), node.args.get("false")]
    return SPECIALS["if"]([c.compile(side, scope) for side in sides if side is not None])


@compiles(exp.Subquery, exp.Select, exp.Values, exp.Union, exp.Except, exp.Intersect)
def scalar_query(c: Compiler, node: exp.Expression, scope: Scope) -> Value:
    sql, columns = c.query(node, scope)
    c.read_whole(columns)
    if len(columns) == 1:
        return Value(f"({sql})", columns[0].type)
    row = as_row(columns)
    names = [None if column.name.startswith("_col") else column.name for column in columns]
    fields = ", ".join(
        f"{text(t.field_name(t.row(row.type.items, names), i))}: {column.sql}"
        for i, column in enumerate(columns)
    )
    return Value(f"(SELECT {{{fields}}} FROM ({sql}))", t.row(row.type.items, names))


@compiles(exp.Exists, takes=("this",))
def exists(c: Compiler, node: exp.Exists, scope: Scope) -> Value:
    return Value(f"EXISTS ({c.query(node.this, scope)[0]})", t.BOOLEAN)

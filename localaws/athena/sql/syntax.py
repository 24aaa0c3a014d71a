"""Functions with a grammar of their own: CAST, EXTRACT, TRIM, CURRENT_DATE, ..."""

from __future__ import annotations

from sqlglot import exp

from . import types as t
from .calls import call
from .compiler import Compiler, compiles
from .grammar import TypedLiteral
from .scope import Scope
from .type_names import from_trino
from .values import Value, cast


@compiles(
    exp.Cast,
    exp.TryCast,
    takes=(
        "this",
        "to",
    ),
)
def compile_cast(c: Compiler, node: exp.Cast, scope: Scope) -> Value:
    value = c.compile(node.this, scope)
    wanted = from_trino(node.to)
    return cast(value, wanted, attempt=isinstance(node, exp.TryCast))


@compiles(
    exp.Extract,
    takes=(
        "this",
        "expression",
    ),
)
def extract(c: Compiler, node: exp.Extract, scope: Scope) -> Value:
    unit = node.this.name.lower()
    return call(unit, [c.compile(node.expression, scope)], node)


@compiles(
    exp.Trim,
    takes=(
        "this",
        "expression",
        "position",
    ),
)
def trim(c: Compiler, node: exp.Trim, scope: Scope) -> Value:
    side = (node.args.get("position") or "BOTH").upper()
    name = {"BOTH": "trim", "LEADING": "ltrim", "TRAILING": "rtrim"}[side]
    arguments = [c.compile(node.this, scope)]
    if node.expression:
        arguments.append(c.compile(node.expression, scope))
    return call(name, arguments, node)


@compiles(
    exp.Substring,
    takes=(
        "this",
        "start",
        "length",
    ),
)
def substring(c: Compiler, node: exp.Substring, scope: Scope) -> Value:
    parts = [node.this, node.args.get("start"), node.args.get("length")]
    return call("substr", [c.compile(p, scope) for p in parts if p is not None], node)


@compiles(
    exp.StrPosition,
    takes=(
        "this",
        "substr",
    ),
)
def position(c: Compiler, node: exp.StrPosition, scope: Scope) -> Value:
    parts = [node.this, node.args["substr"]]
    return call("strpos", [c.compile(part, scope) for part in parts], node)


@compiles(TypedLiteral, takes=("this", "to"))
def typed_literal(c: Compiler, node: TypedLiteral, scope: Scope) -> Value:
    value = c.compile(node.this, scope)
    wanted = from_trino(node.args["to"], value.constant)
    if wanted == t.JSON:
        return call("json_parse", [value], node)
    return cast(value, wanted)


@compiles(exp.CurrentDate)
def current_date(c: Compiler, node: exp.CurrentDate, scope: Scope) -> Value:
    return Value("CAST(now() AS DATE)", t.DATE)


@compiles(exp.CurrentTimestamp)
def current_timestamp(c: Compiler, node: exp.CurrentTimestamp, scope: Scope) -> Value:
    return Value("date_trunc('millisecond', now())", t.TIMESTAMP_TZ)


@compiles(exp.Localtimestamp)
def localtimestamp(c: Compiler, node: exp.Localtimestamp, scope: Scope) -> Value:
    return Value("CAST(date_trunc('millisecond', now()) AS TIMESTAMP)", t.TIMESTAMP)

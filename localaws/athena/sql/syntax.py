"""Functions with a grammar of their own: CAST, EXTRACT, TRIM, CURRENT_DATE, ..."""

from __future__ import annotations

import re
from dataclasses import replace

from sqlglot import exp

from localaws.trino import types as t
from localaws.trino.errors import QueryError
from localaws.trino.types import Type
from localaws.trino.values import Value

from .calls import call
from .casts import cast
from .compiler import Compiler, compiles
from .dates import now
from .grammar import TypedLiteral
from .python.json_values import is_json
from .scope import Scope
from .times import date_literal, local, time_literal, timestamp_literal
from .type_names import from_trino


@compiles(exp.Cast, exp.TryCast, takes=("this", "to"))
def compile_cast(c: Compiler, node: exp.Cast, scope: Scope) -> Value:
    value = c.compile(node.this, scope)
    wanted = from_trino(node.to)
    return cast(value, wanted, attempt=isinstance(node, exp.TryCast))


_FIELDS = frozenset(
    """
    year quarter month week day day_of_month day_of_week dow day_of_year doy year_of_week yow hour
    minute second timezone_minute timezone_hour
    """.split()  # noqa: SIM905 - a list of quoted words reads worse
)


@compiles(exp.Extract, takes=("this", "expression"))
def extract(c: Compiler, node: exp.Extract, scope: Scope) -> Value:
    unit = node.this.name.lower()
    if unit not in _FIELDS:
        raise QueryError("SYNTAX_ERROR", f"Invalid EXTRACT field: {unit.upper()}", node)
    return call(unit, [c.compile(node.expression, scope)], node)


@compiles(exp.Trim, takes=("this", "expression", "position"))
def trim(c: Compiler, node: exp.Trim, scope: Scope) -> Value:
    side = (node.args.get("position") or "BOTH").upper()
    name = {"BOTH": "trim", "LEADING": "ltrim", "TRAILING": "rtrim"}[side]
    arguments = [c.compile(node.this, scope)]
    if node.expression:
        arguments.append(c.compile(node.expression, scope))
    return call(name, arguments, node)


@compiles(exp.Substring, takes=("this", "start", "length"))
def substring(c: Compiler, node: exp.Substring, scope: Scope) -> Value:
    parts = [node.this, node.args.get("start"), node.args.get("length")]
    return call("substr", [c.compile(p, scope) for p in parts if p is not None], node)


@compiles(exp.StrPosition, takes=("this", "substr"))
def position(c: Compiler, node: exp.StrPosition, scope: Scope) -> Value:
    parts = [node.this, node.args["substr"]]
    return call("strpos", [c.compile(part, scope) for part in parts], node)


@compiles(TypedLiteral, takes=("this", "to"))
def typed_literal(c: Compiler, node: TypedLiteral, scope: Scope) -> Value:
    written = node.this.name
    wanted = from_trino(node.args["to"], written)
    if wanted.name == "timestamp":
        return timestamp_literal(written)
    if wanted.name == "time":
        return time_literal(written)
    _check(written, wanted, node)
    value = c.compile(node.this, scope)
    if wanted.name == "date":
        return date_literal(written)
    if wanted == t.JSON:
        return call("json_parse", [value], node)
    if wanted.name == "char" and wanted.numbers == (1,):
        wanted = Type("char", (len(written),))
    return replace(cast(value, wanted), constant=written if wanted.name == "varchar" else None)


_LITERALS = {
    "decimal": re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)"),
    "uuid": re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"),
    "boolean": re.compile("t|f|true|false|1|0", re.IGNORECASE),
}


def _check(written: str, wanted: Type, node: exp.Expression) -> None:
    """Raises QueryError (INVALID_LITERAL) for a text that is no value of the type."""
    bad = False
    if wanted.name in t.INTEGERS:
        bits = {"tinyint": 7, "smallint": 15, "integer": 31, "bigint": 63}[wanted.name]
        whole = re.fullmatch(r"[+-]?[0-9]+", written)
        bad = whole is None or not -(1 << bits) <= int(written) < 1 << bits
    elif wanted == t.JSON:
        bad = not is_json(written)
    elif wanted.name in _LITERALS:
        bad = not _LITERALS[wanted.name].fullmatch(written)
    if bad:
        raise QueryError(
            "INVALID_LITERAL", f"'{written}' is not a valid {wanted.name.upper()} literal", node
        )


@compiles(exp.AtTimeZone, takes=("this", "zone"))
def at_time_zone(c: Compiler, node: exp.AtTimeZone, scope: Scope) -> Value:
    sides = [c.compile(node.this, scope), c.compile(node.args["zone"], scope)]
    return call("at_timezone", sides, node)


@compiles(exp.CurrentDate)
def current_date(c: Compiler, node: exp.CurrentDate, scope: Scope) -> Value:
    return Value("CAST(now() AS DATE)", t.DATE)


def _now(node: exp.Expr) -> Value:
    """With as many digits of a second as the call says."""
    return now(int(node.this.name)) if node.args.get("this") else now()


@compiles(exp.CurrentTimestamp, takes=("this",))
def current_timestamp(c: Compiler, node: exp.CurrentTimestamp, scope: Scope) -> Value:
    return _now(node)


@compiles(exp.CurrentTime, takes=("this",))
def current_time(c: Compiler, node: exp.CurrentTime, scope: Scope) -> Value:
    moment = _now(node)
    return cast(moment, Type("time with time zone", moment.type.numbers))


@compiles(exp.Localtime, takes=("this",))
def localtime(c: Compiler, node: exp.Localtime, scope: Scope) -> Value:
    moment = _now(node)
    return cast(moment, Type("time", moment.type.numbers))


@compiles(exp.Localtimestamp, takes=("this",))
def localtimestamp(c: Compiler, node: exp.Localtimestamp, scope: Scope) -> Value:
    return local(_now(node))

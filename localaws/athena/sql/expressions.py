"""Names, literals, arithmetic and what is put together from parts."""

from __future__ import annotations

import re
from dataclasses import replace

from sqlglot import exp

from localaws.trino import types as t
from localaws.trino.errors import QueryError
from localaws.trino.values import NULL, Value, text

from .casts import convert
from .compiler import Compiler, compiles, name_parts, structure
from .grammar import Plus
from .operators import arithmetic
from .scope import Scope, field_of
from .special import SPECIALS, unify
from .times import interval_literal

_ARITHMETIC = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.Mod: "%"}


@compiles(*_ARITHMETIC, takes=("this", "expression"))
def _arithmetic(c: Compiler, node: exp.Binary, scope: Scope) -> Value:
    left, right = c.compile(node.this, scope), c.compile(node.expression, scope)
    return arithmetic(_ARITHMETIC[type(node)], left, right)


@compiles(exp.Identifier, takes=("this", "quoted"))
@compiles(exp.Column, takes=("this", "table", "db", "catalog"))
def column(c: Compiler, node: exp.Expression, scope: Scope) -> Value:
    parts = name_parts(node)
    found = scope.find(parts, node)
    if found is None:
        raise QueryError(
            "COLUMN_NOT_FOUND",
            f"Column '{'.'.join(parts)}' cannot be resolved or requester is not authorized "
            "to access requested resources",
            node,
        )
    value, taken = found
    if value.source is not None:
        c.reading.add(value.source)
    for part in parts[taken:]:
        value = field_of(value, part, node)
    return value


@compiles(exp.Dot, takes=("this", "expression"))
def dot(c: Compiler, node: exp.Dot, scope: Scope) -> Value:
    try:
        return column(c, node, scope)
    except (QueryError, TypeError):  # not a dotted name: a field of an expression
        return field_of(c.compile(node.this, scope), node.expression.name.lower(), node)


@compiles(exp.Literal, takes=("this", "is_string"))
def literal(c: Compiler, node: exp.Literal, scope: Scope) -> Value:
    written = node.this
    if node.is_string:
        return Value(text(written), t.Type("varchar", (len(written),)), written)
    if re.fullmatch(r"\d+", written):
        number = int(written)
        if number >= 1 << 63:
            raise QueryError("INVALID_LITERAL", f"Invalid numeric literal: {written}")
        return Value(written, t.INTEGER if number < 1 << 31 else t.BIGINT, number)
    # Athena, unlike Trino, reads 1.5 as a double (recorded); DECIMAL '1.5' is a decimal.
    return Value(f"CAST('{written}' AS DOUBLE)", t.DOUBLE, float(written))


@compiles(exp.UnicodeString, takes=("this", "escape"))
def unicode_literal(c: Compiler, node: exp.UnicodeString, scope: Scope) -> Value:
    """U&'\\0041' with its escapes read."""
    escape = node.args.get("escape")
    mark = re.escape(escape.name if isinstance(escape, exp.Expr) else "\\")

    def letter(found: re.Match[str]) -> str:
        return chr(int(found[1] or found[2], 16)) if found[1] or found[2] else found[0][0]

    pattern = rf"{mark}(?:\+([0-9A-Fa-f]{{6}})|([0-9A-Fa-f]{{4}})|{mark})"
    written = re.sub(pattern, letter, str(node.this))
    if re.search(mark, re.sub(pattern, "", str(node.this))):
        raise QueryError("SYNTAX_ERROR", "Incomplete escape sequence in a unicode literal", node)
    return Value(text(written), t.Type("varchar", (len(written),)), written)


@compiles(exp.Null)
def null(c: Compiler, node: exp.Null, scope: Scope) -> Value:
    return NULL


@compiles(exp.Boolean, takes=("this",))
def boolean(c: Compiler, node: exp.Boolean, scope: Scope) -> Value:
    return Value("true" if node.this else "false", t.BOOLEAN)


@compiles(exp.HexString, takes=("this",))
def hexadecimal(c: Compiler, node: exp.HexString, scope: Scope) -> Value:
    return Value(f"unhex('{node.this}')", t.VARBINARY)


structure(exp.IntervalSpan, takes=("this", "expression"))


@compiles(exp.Interval, takes=("this", "unit"))
def interval(c: Compiler, node: exp.Interval, scope: Scope) -> Value:
    unit = node.args["unit"]
    if isinstance(unit, exp.IntervalSpan):
        if unit.this == unit.expression:
            raise QueryError(
                "SYNTAX_ERROR",
                f"Invalid interval qualifier: {unit.this.name} TO {unit.expression.name}",
                node,
            )
        return interval_literal(node.this.name, unit.this.name, unit.expression.name)
    return interval_literal(node.this.name, unit.name, unit.name)


@compiles(exp.Neg, takes=("this",))
def minus(c: Compiler, node: exp.Neg, scope: Scope) -> Value:
    written = node.this.this if isinstance(node.this, exp.Literal) else None
    for kind, bits in ((t.INTEGER, 31), (t.BIGINT, 63)):  # the sign is part of a number
        if written == str(1 << bits):
            return Value(f"CAST('-{written}' AS {t.duckdb(kind)})", kind, -(1 << bits))
    value = c.compile(node.this, scope)
    if not t.is_number(value.type) and not value.type.name.startswith("interval"):
        raise QueryError("TYPE_MISMATCH", f"Cannot negate {value.type}", node)
    number = -value.constant if isinstance(value.constant, int | float) else None
    return Value(f"(-{value.sql})", value.type, number)


@compiles(Plus, takes=("this",))
def plus(c: Compiler, node: Plus, scope: Scope) -> Value:
    value = c.compile(node.this, scope)
    if not t.is_number(value.type):
        raise QueryError(
            "TYPE_MISMATCH", f"Unary '+' operator cannot by applied to {value.type} type", node
        )
    return value


@compiles(exp.DPipe, takes=("this", "expression"))
def pipes(c: Compiler, node: exp.DPipe, scope: Scope) -> Value:
    sides = [c.compile(side, scope) for side in (node.this, node.expression)]
    return SPECIALS["concat"](sides)


@compiles(exp.Bracket, takes=("this", "expressions"))
def bracket(c: Compiler, node: exp.Bracket, scope: Scope) -> Value:
    if len(node.expressions) != 1:
        raise QueryError("SYNTAX_ERROR", "mismatched input ','. Expecting: ']'", node)
    value, place = c.compile(node.this, scope), c.compile(node.expressions[0], scope)
    if value.type.name == "array":
        if place.type == t.UNKNOWN:
            place = convert(place, t.BIGINT)
        if not t.is_integer(place.type):
            raise QueryError(
                "TYPE_MISMATCH", f"Cannot use {place.type} for subscript of {value.type}"
            )
        return Value(f"trino_subscript({value.sql}, {place.sql})", value.type.items[0])
    if value.type.name == "map":
        key = t.common(place.type, value.type.items[0])
        if key is None:
            raise QueryError(
                "TYPE_MISMATCH", f"Cannot use {place.type} for subscript of {value.type}"
            )
        return Value(
            f"trino_key({value.sql}, {convert(place, value.type.items[0]).sql})",
            value.type.items[1],
        )
    if value.type.name == "row" and isinstance(place.constant, int):
        index = place.constant - 1
        if 0 <= index < len(value.type.items):
            return Value(
                f'({value.sql})."{t.field_name(value.type, index)}"', value.type.items[index]
            )
    raise QueryError("TYPE_MISMATCH", f"Cannot use {place.type} for subscript of {value.type}")


@compiles(exp.Array, takes=("expressions",))
def array(c: Compiler, node: exp.Array, scope: Scope) -> Value:
    if not node.expressions:
        return Value("[]", t.array(t.UNKNOWN))
    values, kind = unify([c.compile(item, scope) for item in node.expressions], "ARRAY elements")
    return Value(f"[{', '.join(value.sql for value in values)}]", t.array(kind))


@compiles(exp.Tuple, takes=("expressions",))
def row(c: Compiler, node: exp.Expression, scope: Scope) -> Value:
    if not node.expressions:
        raise QueryError("SYNTAX_ERROR", "mismatched input ')'. Expecting: <expression>", node)
    values = [c.compile(item, scope) for item in node.expressions]
    fields = ", ".join(f"'field{i}': {value.sql}" for i, value in enumerate(values))
    return Value(f"{{{fields}}}", t.row(value.type for value in values))


@compiles(exp.Paren, takes=("this",))
def paren(c: Compiler, node: exp.Paren, scope: Scope) -> Value:
    value = c.compile(node.this, scope)
    return replace(value, sql=f"({value.sql})")

"""Compiles one Trino expression to DuckDB text of the same meaning, with its type."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from . import types as t
from .calls import Calls
from .errors import QueryError, not_emulated
from .operators import arithmetic, comparison
from .scope import Scope, field_of
from .special import SPECIALS, unify
from .type_names import from_trino
from .values import NULL, Value, cast, convert, text

if TYPE_CHECKING:
    from .queries import Queries

_ARITHMETIC = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.Mod: "%"}
_COMPARISONS: dict[type[exp.Expression], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.NullSafeEQ: "IS NOT DISTINCT FROM",
    exp.NullSafeNEQ: "IS DISTINCT FROM",
}


class Expressions:
    """The compiler of expressions; `queries` compiles the subqueries inside them."""

    def __init__(self, queries: Queries) -> None:
        self.queries = queries
        self.calls = Calls(self)
        self.names = 0  # lambda parameters get numbered names, so that none hides another

    def compile(self, node: Any, scope: Scope) -> Value:
        """Raises QueryError for what Trino refuses and for what this engine lacks."""
        kind = type(node)
        try:
            if kind in _ARITHMETIC:
                left, right = self.compile(node.this, scope), self.compile(node.expression, scope)
                return arithmetic(_ARITHMETIC[kind], left, right)
            if kind in _COMPARISONS:
                return self._comparison(node, _COMPARISONS[kind], scope)
            writer = _WRITERS.get(kind)
            if writer is None:
                raise not_emulated(f"the expression {kind.__name__} ({node.sql('trino')[:80]})")
            return writer(self, node, scope)
        except QueryError as error:
            if error.message.startswith("line "):
                raise
            raise QueryError(error.code, error.message, node) from None

    def condition(self, node: Any, scope: Scope, clause: str) -> str:
        """A boolean expression (WHERE, HAVING, ON)."""
        value = self.compile(node, scope)
        if value.type not in (t.BOOLEAN, t.UNKNOWN):
            raise QueryError(
                "TYPE_MISMATCH",
                f"{clause} must evaluate to a boolean: actual type {value.type}",
                node,
            )
        return value.sql

    # names and literals

    def column(self, node: exp.Expression, scope: Scope) -> Value:
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
            self.queries.reading.add(value.source)
        for part in parts[taken:]:
            value = field_of(value, part, node)
        return value

    def dot(self, node: exp.Dot, scope: Scope) -> Value:
        try:
            return self.column(node, scope)
        except (QueryError, TypeError):  # not a dotted name: a field of an expression
            return field_of(self.compile(node.this, scope), node.expression.name.lower(), node)

    def literal(self, node: exp.Literal, scope: Scope) -> Value:
        written = node.this
        if node.is_string:
            return Value(text(written), t.Type("varchar", (len(written),)), written)
        if re.fullmatch(r"\d+", written):
            number = int(written)
            if number >= 1 << 63:
                raise QueryError("INVALID_LITERAL", f"Invalid numeric literal: {written}")
            return Value(written, t.INTEGER if number < 1 << 31 else t.BIGINT, number)
        if "e" in written.lower():
            return Value(f"CAST({written} AS DOUBLE)", t.DOUBLE)
        whole, _, fraction = written.partition(".")
        whole = whole.lstrip("0")
        kind = t.decimal(max(1, len(whole) + len(fraction)), len(fraction))
        return Value(f"CAST('{written}' AS {t.duckdb(kind)})", kind)

    def interval(self, node: exp.Interval, scope: Scope) -> Value:
        unit = node.unit.name.upper() if node.unit else ""
        amount = node.this.name if isinstance(node.this, exp.Literal) else ""
        if unit not in ("SECOND", "MINUTE", "HOUR", "DAY", "MONTH", "YEAR") or not re.fullmatch(
            r"-?\d+", amount
        ):
            raise not_emulated(f"the interval {node.sql('trino')}")
        kind = t.YEAR_INTERVAL if unit in ("MONTH", "YEAR") else t.DAY_INTERVAL
        return Value(f"INTERVAL ({amount}) {unit}", kind)

    # operators

    def _comparison(self, node: exp.Binary, operator: str, scope: Scope) -> Value:
        quantified = node.expression
        if isinstance(quantified, exp.Anonymous) and quantified.name.upper() in (
            "ALL",
            "ANY",
            "SOME",
        ):
            kind = exp.All if quantified.name.upper() == "ALL" else exp.Any
            quantified = kind(this=quantified.expressions[0])  # ALL (VALUES ...)
        if isinstance(quantified, exp.Any | exp.All):
            left = self.compile(node.this, scope)
            query, columns = self.queries.subquery(quantified.this, scope)
            word = "ANY" if isinstance(quantified, exp.Any) else "ALL"
            both = comparison(operator, left, Value("x", columns[0].type))
            assert both is not None
            return Value(f"({left.sql} {operator} {word} ({query}))", t.BOOLEAN)
        return comparison(operator, self.compile(node.this, scope), self.compile(quantified, scope))

    def logic(self, node: exp.Connector, scope: Scope) -> Value:
        word = "AND" if isinstance(node, exp.And) else "OR"
        sides = [self.condition(side, scope, "Logical expression term") for side in node.flatten()]
        return Value("(" + f" {word} ".join(sides) + ")", t.BOOLEAN)

    def negation(self, node: exp.Not, scope: Scope) -> Value:
        return Value(
            f"(NOT {self.condition(node.this, scope, 'Value of logical NOT expression')})",
            t.BOOLEAN,
        )

    def minus(self, node: exp.Neg, scope: Scope) -> Value:
        value = self.compile(node.this, scope)
        if not t.is_number(value.type) and not value.type.name.startswith("interval"):
            raise QueryError("TYPE_MISMATCH", f"Cannot negate {value.type}", node)
        number = -value.constant if isinstance(value.constant, int) else None
        return Value(f"(-{value.sql})", value.type, number)

    def is_(self, node: exp.Is, scope: Scope) -> Value:
        if not isinstance(node.expression, exp.Null):
            raise not_emulated(f"IS {node.expression.sql('trino')}")
        return Value(f"({self.compile(node.this, scope).sql} IS NULL)", t.BOOLEAN)

    def between(self, node: exp.Between, scope: Scope) -> Value:
        value = self.compile(node.this, scope)
        low, high = (self.compile(node.args[side], scope) for side in ("low", "high"))
        first, second = comparison(">=", value, low), comparison("<=", value, high)
        return Value(f"({first.sql} AND {second.sql})", t.BOOLEAN)

    def in_(self, node: exp.In, scope: Scope) -> Value:
        value = self.compile(node.this, scope)
        query = node.args.get("query")
        if query is not None:
            sql, columns = self.queries.subquery(query, scope)
            if len(columns) != 1:
                raise QueryError(
                    "TYPE_MISMATCH",
                    "Multiple columns returned by subquery are not yet supported",
                    node,
                )
            kind = t.common(value.type, columns[0].type)
            if kind is None:
                raise QueryError(
                    "TYPE_MISMATCH",
                    "value and result of subquery must be of the same type for IN expression: "
                    f"{value.type} vs {columns[0].type}",
                    node,
                )
            inside = f'SELECT CAST("{columns[0].sql}" AS {t.duckdb(kind)}) FROM ({sql})'
            return Value(f"({convert(value, kind).sql} IN ({inside}))", t.BOOLEAN)
        others = [self.compile(item, scope) for item in node.expressions]
        for other in others:
            comparison("=", value, other)
        (first, *rest), _ = unify([value, *others], "IN value and list items")
        return Value(f"({first.sql} IN ({', '.join(item.sql for item in rest)}))", t.BOOLEAN)

    def like(self, node: exp.Like, scope: Scope, escape: str | None = None) -> Value:
        value, pattern = self.compile(node.this, scope), self.compile(node.expression, scope)
        for side in (value, pattern):
            if side.type.name not in ("varchar", "unknown"):
                raise QueryError(
                    "TYPE_MISMATCH", f"Type of LIKE value must be varchar: {side.type}", node
                )
        tail = f" ESCAPE {escape}" if escape else ""
        return Value(f"({value.sql} LIKE {pattern.sql}{tail})", t.BOOLEAN)

    def escape(self, node: exp.Escape, scope: Scope) -> Value:
        return self.like(node.this, scope, self.compile(node.expression, scope).sql)

    def pipes(self, node: exp.DPipe, scope: Scope) -> Value:
        sides = [self.compile(side, scope) for side in (node.this, node.expression)]
        return SPECIALS["concat"](sides)

    def case(self, node: exp.Case, scope: Scope) -> Value:
        subject = self.compile(node.this, scope) if node.this else None
        tests, results = [], []
        for branch in node.args["ifs"]:
            if subject is None:
                tests.append(self.condition(branch.this, scope, "CASE WHEN clause"))
            else:
                tests.append(comparison("=", subject, self.compile(branch.this, scope)).sql)
            results.append(self.compile(branch.args["true"], scope))
        default = node.args.get("default")
        results.append(self.compile(default, scope) if default is not None else NULL)
        values, kind = unify(results, "CASE results")
        branches = " ".join(
            f"WHEN {test} THEN {value.sql}" for test, value in zip(tests, values, strict=False)
        )
        return Value(f"CASE {branches} ELSE {values[-1].sql} END", kind)

    def if_(self, node: exp.If, scope: Scope) -> Value:
        sides = [node.this, node.args.get("true"), node.args.get("false")]
        return SPECIALS["if"]([self.compile(side, scope) for side in sides if side is not None])

    def cast(self, node: exp.Cast, scope: Scope) -> Value:
        value = self.compile(node.this, scope)
        wanted = from_trino(node.to, value.constant)
        if node.args.get("format"):
            raise not_emulated("CAST with FORMAT")
        if (
            isinstance(node.this, exp.Literal)
            and node.this.is_string
            and wanted.name in ("date", "timestamp")
        ):  # DATE '2020-01-01': a literal, or a cast of one; both fail alike
            return cast(value, wanted, attempt=isinstance(node, exp.TryCast))
        return cast(value, wanted, attempt=isinstance(node, exp.TryCast))

    def bracket(self, node: exp.Bracket, scope: Scope) -> Value:
        value, place = self.compile(node.this, scope), self.compile(node.expressions[0], scope)
        if value.type.name == "array":
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

    def array(self, node: exp.Array, scope: Scope) -> Value:
        if not node.expressions:
            return Value("[]", t.array(t.UNKNOWN))
        values, kind = unify(
            [self.compile(item, scope) for item in node.expressions], "ARRAY elements"
        )
        return Value(f"[{', '.join(value.sql for value in values)}]", t.array(kind))

    def row(self, node: exp.Expression, scope: Scope) -> Value:
        values = [self.compile(item, scope) for item in node.expressions]
        fields = ", ".join(f"'field{i}': {value.sql}" for i, value in enumerate(values))
        return Value(f"{{{fields}}}", t.row(value.type for value in values))

    def paren(self, node: exp.Paren, scope: Scope) -> Value:
        value = self.compile(node.this, scope)
        return replace(value, sql=f"({value.sql})")

    def scalar_query(self, node: exp.Expression, scope: Scope) -> Value:
        sql, columns = self.queries.subquery(node, scope)
        if len(columns) != 1:
            raise QueryError(
                "TYPE_MISMATCH", "Multiple columns returned by subquery are not yet supported", node
            )
        return Value(f"({sql})", columns[0].type)

    def exists(self, node: exp.Exists, scope: Scope) -> Value:
        return Value(f"EXISTS ({self.queries.subquery(node.this, scope)[0]})", t.BOOLEAN)

    def extract(self, node: exp.Extract, scope: Scope) -> Value:
        unit = node.this.name.lower()
        return self.calls.call(unit, [self.compile(node.expression, scope)], node)

    def trim(self, node: exp.Trim, scope: Scope) -> Value:
        side = (node.args.get("position") or "BOTH").upper()
        name = {"BOTH": "trim", "LEADING": "ltrim", "TRAILING": "rtrim"}[side]
        arguments = [self.compile(node.this, scope)]
        if node.expression:
            arguments.append(self.compile(node.expression, scope))
        return self.calls.call(name, arguments, node)

    def substring(self, node: exp.Substring, scope: Scope) -> Value:
        parts = [node.this, node.args.get("start"), node.args.get("length")]
        return self.calls.call(
            "substr", [self.compile(p, scope) for p in parts if p is not None], node
        )

    def position(self, node: exp.StrPosition, scope: Scope) -> Value:
        parts = [node.this, node.args["substr"]]
        return self.calls.call("strpos", [self.compile(part, scope) for part in parts], node)


def name_parts(node: exp.Expression) -> tuple[str, ...]:
    """A dotted name, lower-cased as Trino compares them."""
    if isinstance(node, exp.Dot):
        return (*name_parts(node.this), node.expression.name.lower())
    if isinstance(node, exp.Column):
        return tuple(part.name.lower() for part in node.parts)
    if isinstance(node, exp.Identifier):
        return (node.name.lower(),)
    raise TypeError(f"{type(node).__name__} is not a name")


Writer = Callable[[Expressions, Any, Scope], Value]
_WRITERS: dict[type[exp.Expression], Writer] = {
    exp.Column: Expressions.column,
    exp.Identifier: Expressions.column,
    exp.Dot: Expressions.dot,
    exp.Literal: Expressions.literal,
    exp.Null: lambda self, node, scope: NULL,
    exp.Boolean: lambda self, node, scope: Value("true" if node.this else "false", t.BOOLEAN),
    exp.HexString: lambda self, node, scope: Value(f"unhex('{node.this}')", t.VARBINARY),
    exp.Interval: Expressions.interval,
    exp.And: Expressions.logic,
    exp.Or: Expressions.logic,
    exp.Not: Expressions.negation,
    exp.Neg: Expressions.minus,
    exp.Is: Expressions.is_,
    exp.Between: Expressions.between,
    exp.In: Expressions.in_,
    exp.Like: Expressions.like,
    exp.Escape: Expressions.escape,
    exp.DPipe: Expressions.pipes,
    exp.Case: Expressions.case,
    exp.If: Expressions.if_,
    exp.Cast: Expressions.cast,
    exp.TryCast: Expressions.cast,
    exp.Bracket: Expressions.bracket,
    exp.Array: Expressions.array,
    exp.Tuple: Expressions.row,
    exp.Paren: Expressions.paren,
    exp.Subquery: Expressions.scalar_query,
    exp.Select: Expressions.scalar_query,
    exp.Exists: Expressions.exists,
    exp.Extract: Expressions.extract,
    exp.Trim: Expressions.trim,
    exp.Substring: Expressions.substring,
    exp.StrPosition: Expressions.position,
    exp.Anonymous: lambda self, node, scope: self.calls.function(node, scope),
    exp.Filter: lambda self, node, scope: self.calls.filter(node, scope),
    exp.Window: lambda self, node, scope: self.calls.window(node, scope),
    exp.ArgMax: lambda self, node, scope: self.calls.arg_extreme(node, scope),
    exp.ArgMin: lambda self, node, scope: self.calls.arg_extreme(node, scope),
    exp.GroupConcat: lambda self, node, scope: self.calls.listagg(node, scope),
    exp.ParseJSON: lambda self, node, scope: self.calls.parse_json(node, scope),
    exp.CurrentDate: lambda self, node, scope: Value("CAST(now() AS DATE)", t.DATE),
    exp.CurrentTimestamp: lambda self, node, scope: Value(
        "date_trunc('millisecond', now())", t.TIMESTAMP_TZ
    ),
    exp.Localtimestamp: lambda self, node, scope: Value(
        "CAST(date_trunc('millisecond', now()) AS TIMESTAMP)", t.TIMESTAMP
    ),
}

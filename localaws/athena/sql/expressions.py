"""Compiles one Trino expression to DuckDB text of the same meaning, with its type."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from . import types as t
from .errors import QueryError, not_emulated
from .functions import AGGREGATES, ALIASES, KNOWN_TO_TRINO, SCALARS, WINDOWS
from .lambdas import LAMBDAS
from .macros import FAILING
from .operators import arithmetic, average, comparison
from .scope import Scope, field_of
from .signatures import fit, read
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
        return self.call(unit, [self.compile(node.expression, scope)], node)

    def trim(self, node: exp.Trim, scope: Scope) -> Value:
        side = (node.args.get("position") or "BOTH").upper()
        name = {"BOTH": "trim", "LEADING": "ltrim", "TRAILING": "rtrim"}[side]
        arguments = [self.compile(node.this, scope)]
        if node.expression:
            arguments.append(self.compile(node.expression, scope))
        return self.call(name, arguments, node)

    def substring(self, node: exp.Substring, scope: Scope) -> Value:
        parts = [node.this, node.args.get("start"), node.args.get("length")]
        return self.call("substr", [self.compile(p, scope) for p in parts if p is not None], node)

    def position(self, node: exp.StrPosition, scope: Scope) -> Value:
        parts = [node.this, node.args["substr"]]
        return self.call("strpos", [self.compile(part, scope) for part in parts], node)

    # functions

    def function(self, node: exp.Anonymous, scope: Scope) -> Value:
        return self._function(node.name.lower(), node.expressions, node, scope, "", None)

    def _function(
        self,
        name: str,
        arguments: list[Any],
        node: exp.Expression,
        scope: Scope,
        tail: str,
        nulls: str | None,
    ) -> Value:
        name = ALIASES.get(name, name)
        if name in LAMBDAS:
            return LAMBDAS[name](self, arguments, scope)
        if name == "row":
            return self.row(node, scope)
        if name == "try":
            value = self.compile(arguments[0], scope)
            return Value(f"TRY({tried(value.sql)})", value.type)
        if name == "grouping":
            inside = ", ".join(self.compile(item, scope).sql for item in arguments)
            return Value(f"CAST(grouping({inside}) AS BIGINT)", t.BIGINT)
        if name in AGGREGATES or (name in WINDOWS and tail):
            return self._aggregate(name, arguments, node, scope, tail, nulls)
        if tail:
            raise QueryError(
                "FUNCTION_NOT_AGGREGATE", f"{name} is not an aggregate or window function", node
            )
        if name in WINDOWS:
            raise QueryError(
                "MISSING_OVER", f"Window function {name} requires an OVER clause", node
            )
        return self.call(name, [self.compile(item, scope) for item in arguments], node)

    def call(self, name: str, arguments: list[Value], node: exp.Expression) -> Value:
        """A scalar function by its Trino name."""
        name = ALIASES.get(name, name)
        if name in SPECIALS:
            return SPECIALS[name](arguments)
        return self._overload(name, SCALARS.get(name, []), arguments, node)

    def _overload(
        self,
        name: str,
        overloads: list[tuple[str, str]],
        arguments: list[Value],
        node: exp.Expression,
    ) -> Value:
        for signature, template in overloads:
            fitted = fit(read(signature), arguments)
            if fitted is not None:
                values, result = fitted
                texts = [value.sql for value in values]
                return Value(template.format(*texts, all=", ".join(texts)), result)
        shown = ", ".join(str(value.type) for value in arguments)
        if overloads:
            expected = ", ".join(
                f"{name}({signature.split(' -> ')[0].removeprefix('-> ')})"
                for signature, _ in overloads
            )
            raise QueryError(
                "TYPE_MISMATCH",
                f"Unexpected parameters ({shown}) for function {name}. Expected: {expected}",
                node,
            )
        if name in KNOWN_TO_TRINO:
            raise not_emulated(f"the function {name}", node)
        raise QueryError("FUNCTION_NOT_FOUND", f"Function '{name}' not registered", node)

    def _aggregate(
        self,
        name: str,
        arguments: list[Any],
        node: exp.Expression,
        scope: Scope,
        tail: str,
        nulls: str | None,
    ) -> Value:
        distinct, order = "", ""
        plain: list[Any] = []
        for argument in arguments:
            if isinstance(argument, exp.Order):
                order = " " + self.order(argument, scope)
                argument = argument.this
            if isinstance(argument, exp.Distinct):
                distinct = "DISTINCT "
                plain += argument.expressions
            elif not isinstance(argument, exp.Star):
                plain.append(argument)
        values = [self.compile(item, scope) for item in plain]
        special = _decimal_aggregate(name, values, tail, distinct)
        if special is not None:
            return special
        overloads = AGGREGATES.get(name, []) if name in AGGREGATES else WINDOWS[name]
        if name == "approx_percentile" and len(values) == 2:
            values = [values[0], Value(_constant_list(values[1]), values[1].type)]
        value = self._overload(name, overloads, values, node)
        if order and "~" not in value.sql:
            order = ""  # the result of min, sum, ... does not depend on the order
        if distinct and "#" not in value.sql and name not in ("min", "max", "bool_and", "bool_or"):
            raise not_emulated(f"{name} with DISTINCT", node)
        sql = value.sql.replace("#", distinct).replace("~", order).replace("@", tail)
        return Value(f"CAST({sql.replace('!', nulls or '')} AS {t.duckdb(value.type)})", value.type)

    def filter(self, node: exp.Filter, scope: Scope, over: str = "") -> Value:
        call = node.this
        where = self.condition(node.expression.this, scope, "FILTER expression")
        tail = f" FILTER (WHERE {where}){over}"
        return self._function(call.name.lower(), _arguments(call), call, scope, tail, None)

    def window(self, node: exp.Window, scope: Scope) -> Value:
        over = " OVER (" + self.window_definition(node, scope) + ")"
        call, nulls = node.this, None
        if isinstance(call, exp.IgnoreNulls | exp.RespectNulls):
            nulls = " IGNORE NULLS" if isinstance(call, exp.IgnoreNulls) else ""
            call = call.this
        if isinstance(call, exp.Filter):
            return self.filter(call, scope, over)
        return self._function(_function_name(call), _arguments(call), call, scope, over, nulls)

    def window_definition(self, node: exp.Window, scope: Scope) -> str:
        base = node.args.get("alias")
        parts = []
        if base is not None:
            named = self.queries.windows.get(base.name.lower())
            if named is None:
                raise QueryError(
                    "INVALID_WINDOW_REFERENCE", f"Cannot resolve WINDOW name {base.name}", node
                )
            parts.append(self.window_definition(named, scope))
        if node.args.get("partition_by"):
            keys = [self.compile(key, scope).sql for key in node.args["partition_by"]]
            parts.append("PARTITION BY " + ", ".join(keys))
        if node.args.get("order"):
            parts.append(self.order(node.args["order"], scope))
        spec = node.args.get("spec")
        if spec is not None:
            sides = []
            for side in ("start", "end"):
                bound = spec.args.get(side)
                if bound is None:
                    continue
                shown = bound if isinstance(bound, str) else self.compile(bound, scope).sql
                sides.append(
                    f"{shown} {spec.args.get(side + '_side') or ''}".strip().upper()
                    if isinstance(bound, str)
                    else f"{shown} {spec.args[side + '_side']}"
                )
            parts.append(
                f"{spec.args['kind']} BETWEEN {sides[0]} AND {sides[1]}"
                if len(sides) == 2
                else f"{spec.args['kind']} {sides[0]}"
            )
        return " ".join(parts)

    def order(self, node: exp.Order, scope: Scope) -> str:
        """ORDER BY with Trino's place for NULL (last, unless said otherwise) spelled out."""
        items = [
            f"{self.compile(item.this, scope).sql}{direction(item)}" for item in node.expressions
        ]
        return "ORDER BY " + ", ".join(items)

    def arg_extreme(self, node: exp.Expression, scope: Scope) -> Value:
        return self._function(_function_name(node), _arguments(node), node, scope, "", None)

    def listagg(self, node: exp.GroupConcat, scope: Scope) -> Value:
        inside = node.this
        order = ""
        if isinstance(inside, exp.Order):
            order, inside = " " + self.order(inside, scope), inside.this
        if isinstance(inside, exp.Distinct):
            raise not_emulated("listagg with DISTINCT", node)
        value = self.compile(inside, scope)
        separator = node.args.get("separator")
        mark = self.compile(separator, scope).sql if separator is not None else "''"
        return Value(f"string_agg({value.sql}, {mark}{order})", t.VARCHAR)

    def parse_json(self, node: exp.ParseJSON, scope: Scope) -> Value:
        return self.call("json_parse", [self.compile(node.this, scope)], node)


def tried(sql: str) -> str:
    """The text with failures that TRY() can catch; they must look at a column of the row."""
    failing = re.compile(rf"\b(?:trino_({'|'.join(sorted(FAILING))})|(error))\(")
    if not failing.search(sql):
        return sql
    column = re.search(r"\br\d+\.(?:\"[^\"]+\"|c\d+)", sql)
    if column is None:
        raise not_emulated("TRY of an expression without a column")
    witness = f"left(coalesce(CAST({column[0]} AS VARCHAR), ''), 0)"
    return failing.sub(
        lambda m: f"trino_fail({witness} || " if m[2] else f"tried_{m[1]}({witness}, ", sql
    )


def _constant_list(value: Value) -> str:
    """quantile_disc wants plain constants."""
    return re.sub(r"CAST\('([0-9.]+)' AS DECIMAL\(\d+,\d+\)\)", r"\1", value.sql)


def _function_name(call: exp.Expression) -> str:
    if isinstance(call, exp.ArgMax):
        return "max_by"
    if isinstance(call, exp.ArgMin):
        return "min_by"
    return call.name.lower()


def _arguments(call: exp.Expression) -> list[Any]:
    if isinstance(call, exp.ArgMax | exp.ArgMin):
        if call.args.get("count") is not None:
            raise not_emulated(f"{_function_name(call)} with a count", call)
        return [call.this, call.expression]
    return list(call.expressions)


def _decimal_aggregate(name: str, values: list[Value], tail: str, distinct: str) -> Value | None:
    """sum and avg of decimals, and avg of real, whose result keeps the argument's kind."""
    if len(values) != 1 or name not in ("sum", "avg"):
        return None
    kind = values[0].type
    if kind.name == "real" and name == "avg":
        return Value(f"CAST(avg({distinct}{values[0].sql}){tail} AS REAL)", kind)
    if kind.name != "decimal":
        return None
    wide = t.decimal(38, kind.numbers[1])
    total = f"CAST(sum({distinct}{values[0].sql}){tail} AS {t.duckdb(wide)})"
    if name == "sum":
        return Value(total, wide)
    return Value(average(total, f"count({distinct}{values[0].sql}){tail}", kind), kind)


def direction(item: exp.Ordered) -> str:
    way = " DESC" if item.args.get("desc") else " ASC"
    return way + (" NULLS FIRST" if item.args.get("nulls_first") else " NULLS LAST")


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
    exp.Anonymous: Expressions.function,
    exp.Filter: Expressions.filter,
    exp.Window: Expressions.window,
    exp.ArgMax: Expressions.arg_extreme,
    exp.ArgMin: Expressions.arg_extreme,
    exp.GroupConcat: Expressions.listagg,
    exp.ParseJSON: Expressions.parse_json,
    exp.CurrentDate: lambda self, node, scope: Value("CAST(now() AS DATE)", t.DATE),
    exp.CurrentTimestamp: lambda self, node, scope: Value(
        "date_trunc('millisecond', now())", t.TIMESTAMP_TZ
    ),
    exp.Localtimestamp: lambda self, node, scope: Value(
        "CAST(date_trunc('millisecond', now()) AS TIMESTAMP)", t.TIMESTAMP
    ),
}

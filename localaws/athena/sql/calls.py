"""Compiles function calls: scalar functions, aggregates, windows."""

from __future__ import annotations

from string import Formatter
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from . import types as t
from .errors import QueryError, not_emulated
from .functions import AGGREGATES, ALIASES, KNOWN_TO_TRINO, SCALARS, WINDOWS
from .lambdas import LAMBDAS
from .operators import average
from .scope import Scope
from .signatures import fit, read
from .special import SPECIALS
from .values import Value

if TYPE_CHECKING:
    from .expressions import Expressions


class Calls:
    """The compiler of calls; `expressions` compiles their arguments."""

    def __init__(self, expressions: Expressions) -> None:
        self._expressions = expressions

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
            return LAMBDAS[name](self._expressions, arguments, scope)
        if name == "row":
            return self._expressions.row(node, scope)
        if name == "try":
            value = self._expressions.compile(arguments[0], scope)
            return Value(f"TRY({value.sql})", value.type)
        if name == "grouping":
            inside = ", ".join(self._expressions.compile(item, scope).sql for item in arguments)
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
        return self.call(name, [self._expressions.compile(item, scope) for item in arguments], node)

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
        clauses: dict[str, str] | None = None,
    ) -> Value:
        """`clauses` are the texts of a template's named fields. One pass: what stands in an
        argument is never looked at again."""
        for signature, template in overloads:
            fitted = fit(read(signature), arguments)
            if fitted is not None:
                values, result = fitted
                texts = [value.sql for value in values]
                sql = template.format(*texts, all=", ".join(texts), **(clauses or {}))
                return Value(sql, result)
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
        values = [self._expressions.compile(item, scope) for item in plain]
        special = _decimal_aggregate(name, values, tail, distinct)
        if special is not None:
            return special
        overloads = AGGREGATES.get(name, []) if name in AGGREGATES else WINDOWS[name]
        allowed = {field for _, template in overloads for field in _fields(template)}
        same_without = name in ("min", "max", "bool_and", "bool_or")
        if distinct and "distinct" not in allowed and not same_without:
            raise not_emulated(f"{name} with DISTINCT", node)
        # Without a place for ORDER BY: the result of min, sum, ... does not depend on it.
        clauses = {"distinct": distinct, "order": order, "tail": tail, "nulls": nulls or ""}
        value = self._overload(name, overloads, values, node, clauses)
        return Value(f"CAST({value.sql} AS {t.duckdb(value.type)})", value.type)

    def filter(self, node: exp.Filter, scope: Scope, over: str = "") -> Value:
        call = node.this
        where = self._expressions.condition(node.expression.this, scope, "FILTER expression")
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
            named = self._expressions.queries.windows.get(base.name.lower())
            if named is None:
                raise QueryError(
                    "INVALID_WINDOW_REFERENCE", f"Cannot resolve WINDOW name {base.name}", node
                )
            parts.append(self.window_definition(named, scope))
        if node.args.get("partition_by"):
            keys = [self._expressions.compile(key, scope).sql for key in node.args["partition_by"]]
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
                shown = (
                    bound if isinstance(bound, str) else self._expressions.compile(bound, scope).sql
                )
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
            f"{self._expressions.compile(item.this, scope).sql}{direction(item)}"
            for item in node.expressions
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
        value = self._expressions.compile(inside, scope)
        separator = node.args.get("separator")
        mark = self._expressions.compile(separator, scope).sql if separator is not None else "''"
        return Value(f"string_agg({value.sql}, {mark}{order})", t.VARCHAR)

    def parse_json(self, node: exp.ParseJSON, scope: Scope) -> Value:
        return self.call("json_parse", [self._expressions.compile(node.this, scope)], node)


def _fields(template: str) -> list[str]:
    return [field for _, field, _, _ in Formatter().parse(template) if field]


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

"""Function calls: scalar functions and aggregates."""

from __future__ import annotations

from collections.abc import Callable
from string import Formatter
from typing import Any

from sqlglot import exp

from localaws.trino import types as t
from localaws.trino.errors import QueryError, not_emulated
from localaws.trino.types import Type
from localaws.trino.values import Value

from .compiler import Compiler, compiles
from .equality import is_plain, key
from .expressions import row
from .functions import AGGREGATES, ALIASES, KNOWN_TO_TRINO, SCALARS, WINDOWS
from .grammar import written
from .lambdas import LAMBDAS, over_functions
from .operators import average
from .ordering import order_by
from .plain_patterns import quick
from .scope import Scope
from .searching import SEARCHES
from .signatures import Overloads, fit, read
from .special import SPECIALS


def _substr(arguments: list[Value]) -> Value | None:
    """From a place that is given DuckDB takes what Trino takes."""
    places = [value.constant for value in arguments[1:]]
    if len(places) not in (1, 2) or arguments[0].type.name != "varchar":
        return None
    if not all(isinstance(place, int) and place > 0 for place in places):
        return None
    return Value(f"substr({', '.join(value.sql for value in arguments)})", t.VARCHAR)


# Bytes of an array's item in Trino's blocks, with its null flag.
_WIDTHS = {
    "boolean": 2, "tinyint": 2, "smallint": 3, "integer": 5, "real": 5, "date": 5,
    "bigint": 9, "double": 9,
}  # fmt: skip


def _repeat(arguments: list[Value]) -> Value | None:
    """An array of items of one width is limited in bytes, too: Trino's RepeatFunction."""
    if len(arguments) != 2 or not t.is_integer(arguments[1].type):
        return None
    item, size = arguments
    width = _WIDTHS.get(item.type.items[0].name) if item.type.name == "array" else None
    if width is None:
        return None
    taken = f"5 + {width} * len({item.sql})"
    return Value(f"trino_repeat_sized({item.sql}, {taken}, {size.sql})", t.array(item.type))


# Where a function is another for some arguments; None: it is not.
CLOSER = {**SEARCHES, "substr": _substr, "repeat": _repeat}


@compiles(exp.Anonymous, takes=("this", "expressions"))
def function(c: Compiler, node: exp.Anonymous, scope: Scope) -> Value:
    return call_by_name(c, node.name.lower(), node.expressions, node, scope, "", None)


def call_by_name(
    c: Compiler,
    name: str,
    arguments: list[Any],
    node: exp.Expression,
    scope: Scope,
    tail: str,
    nulls: str | None,
) -> Value:
    name = ALIASES.get(name, name)
    functions = any(isinstance(item, exp.Lambda) for item in arguments)
    if functions and name not in LAMBDAS:
        raise _lacking(name, node, "FUNCTION_NOT_FOUND",
                       f"Unexpected parameters (<function>) for function {name}")  # fmt: skip
    if isinstance(node, exp.GroupConcat):
        return _listagg(c, arguments, scope, tail)
    if name in LAMBDAS and (functions or name not in SCALARS):
        return over_functions(c, name, arguments, scope, tail)
    if name in _FORMS:
        return _FORMS[name](c, node, arguments, scope)
    if name in AGGREGATES or (name in WINDOWS and tail):
        return _aggregate(c, name, arguments, node, scope, tail, nulls)
    if tail:
        raise _lacking(name, node, "FUNCTION_NOT_AGGREGATE",
                       f"{name} is not an aggregate or window function")  # fmt: skip
    if name in WINDOWS:
        raise QueryError("MISSING_OVER", f"Window function {name} requires an OVER clause", node)
    return call(name, [c.compile(item, scope) for item in arguments], node)


def _lacking(name: str, node: exp.Expression, code: str, message: str) -> QueryError:
    """The refusal of a function that Trino has; else Trino's error."""
    if name in KNOWN_TO_TRINO:
        return not_emulated(f"the function {name}", node)
    return QueryError(code, message, node)


def _try(c: Compiler, node: exp.Expression, arguments: list[Any], scope: Scope) -> Value:
    if len(arguments) != 1:
        raise QueryError(
            "INVALID_FUNCTION_ARGUMENT", "The 'try' function must have exactly one argument", node
        )
    value = c.compile(arguments[0], scope)
    return Value(f"TRY({value.sql})", value.type)


def _grouping(c: Compiler, node: exp.Expression, arguments: list[Any], scope: Scope) -> Value:
    inside = ", ".join(c.compile(item, scope).sql for item in arguments)
    kind = t.INTEGER if len(arguments) < 32 else t.BIGINT
    return Value(f"CAST(grouping({inside}) AS {t.duckdb(kind)})", kind)


_FORMS: dict[str, Callable[[Compiler, Any, list[Any], Scope], Value]] = {
    "row": lambda c, node, arguments, scope: row(c, node, scope),
    "try": _try,
    "grouping": _grouping,
}


def call(name: str, arguments: list[Value], node: exp.Expression) -> Value:
    """A scalar function by its Trino name."""
    name = ALIASES.get(name, name)
    if name in SPECIALS:
        return SPECIALS[name](arguments)
    closer = CLOSER[name](arguments) if name in CLOSER else None
    if closer is not None:
        return closer
    return _overload(name, SCALARS.get(name, []), arguments, node)


def _overload(
    name: str,
    overloads: Overloads,
    arguments: list[Value],
    node: exp.Expression,
    clauses: dict[str, str] | None = None,
) -> Value:
    """`clauses` are the texts of a template's named fields. One pass: what stands in an
    argument is never looked at again."""
    for signature, template, *plain in overloads:
        fitted = fit(read(signature), arguments)
        if fitted is not None:
            values, result = fitted
            texts = [value.sql for value in values]
            sql = template.format(*texts, all=", ".join(texts), **(clauses or {}))
            if plain:
                sql = quick(plain[0], values, sql)
            if result.name == "char":
                sql = f"rpad({sql}, {result.numbers[0]}, ' ')"
            return Value(sql, result)
    shown = ", ".join(str(value.type) for value in arguments)
    if overloads:
        expected = ", ".join(
            f"{name}({signature.split(' -> ')[0].removeprefix('-> ')})"
            for signature, *_ in overloads
        )
        raise QueryError(
            "TYPE_MISMATCH",
            f"Unexpected parameters ({shown}) for function {name}. Expected: {expected}",
            node,
        )
    raise _lacking(name, node, "FUNCTION_NOT_FOUND", f"Function '{name}' not registered")


def _aggregate(
    c: Compiler,
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
            order = " " + order_by(c, argument, scope)
            argument = argument.this
        if isinstance(argument, exp.Distinct):
            distinct = "DISTINCT "
            plain += argument.expressions
        elif not isinstance(argument, exp.Star):
            plain.append(argument)
    if len(arguments) > 1 and any(isinstance(argument, exp.Star) for argument in arguments):
        raise QueryError("SYNTAX_ERROR", "mismatched input '*'", node)
    values = [c.compile(item, scope) for item in plain]
    error = values[1].constant if name == "approx_distinct" and len(values) == 2 else None
    if isinstance(error, int | float) and not 0.0040625 <= error <= 0.26:
        raise QueryError(
            "INVALID_FUNCTION_ARGUMENT",
            f"Standard error must be in [0.0040625, 0.26]: {float(error)}",
        )
    if name == "approx_distinct" or (distinct and name == "count"):
        values = [Value(key(v.sql, v.type), t.BIGINT if not is_plain(v.type) else v.type)
                  for v in values]  # fmt: skip
    elif distinct and not all(is_plain(value.type) for value in values):
        raise not_emulated(f"{name} with DISTINCT of {values[0].type}", node)
    if name == "approx_percentile" and len(values) == 3:
        raise not_emulated("approx_percentile with weights", node)
    if name == "checksum" and values and not _is_hashed(values[0].type):
        raise not_emulated(f"checksum of {values[0].type}", node)
    special = _decimal_aggregate(name, values, tail, distinct)
    if special is not None:
        return special
    overloads = AGGREGATES.get(name, []) if name in AGGREGATES else WINDOWS[name]
    allowed = {field for _, template, *_ in overloads for field in _fields(template)}
    same_without = name in ("min", "max", "bool_and", "bool_or")
    if distinct and "distinct" not in allowed and not same_without:
        raise not_emulated(f"{name} with DISTINCT", node)
    # Without a place for ORDER BY: the result of min, sum, ... does not depend on it.
    clauses = {"distinct": distinct, "order": order, "tail": tail, "nulls": nulls or ""}
    value = _overload(name, overloads, values, node, clauses)
    return Value(f"CAST({value.sql} AS {t.duckdb(value.type)})", value.type)


def _is_hashed(kind: Type) -> bool:
    return t.is_integer(kind) or kind.name in ("varchar", "varbinary") or kind == t.UNKNOWN


@compiles(exp.GroupConcat, takes=("this", "separator", "on_overflow"))
def listagg(c: Compiler, node: exp.GroupConcat, scope: Scope) -> Value:
    overflow = node.args.get("on_overflow")
    if overflow is not None and overflow.name.upper() != "ERROR":
        raise not_emulated("LISTAGG with ON OVERFLOW TRUNCATE", node)
    return call_by_name(c, function_name(node), call_arguments(node), node, scope, "", None)


def _listagg(c: Compiler, arguments: list[Any], scope: Scope, tail: str) -> Value:
    inside, separator = arguments
    distinct = ""
    if not isinstance(inside, exp.Order):
        raise QueryError("SYNTAX_ERROR", "mismatched input: LISTAGG(..). Expecting: 'WITHIN'")
    order, inside = " " + order_by(c, inside, scope), inside.this
    if isinstance(inside, exp.Distinct):
        distinct, inside = "DISTINCT ", inside.expressions[0]
    value = c.compile(inside, scope)
    if value.type.name not in ("varchar", "char", "unknown"):
        raise QueryError(
            "TYPE_MISMATCH",
            f"Expected expression of varchar, but '{written(inside)}' has {value.type} type",
        )
    if separator is not None and not separator.is_string:
        raise QueryError(
            "SYNTAX_ERROR", f"mismatched input '{written(separator)}'. Expecting: <string>"
        )
    mark = c.compile(separator, scope).sql if separator is not None else "''"
    return Value(f"string_agg({distinct}{value.sql}, {mark}{order}){tail}", t.VARCHAR)


def _fields(template: str) -> list[str]:
    return [field for _, field, _, _ in Formatter().parse(template) if field]


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
    rows = f"count({distinct}{values[0].sql}){tail}"
    return Value(average(total, rows, kind, window=" OVER (" in tail), kind)


def function_name(call: exp.Expression) -> str:
    if isinstance(call, exp.GroupConcat):
        return "listagg"
    return call.name.lower()


def call_arguments(call: exp.Expression) -> list[Any]:
    if isinstance(call, exp.GroupConcat):
        return [call.this, call.args.get("separator")]
    return list(call.expressions)

"""What DuckDB says of a query that failed, as Athena would put it.

Nothing of DuckDB's own words gets through: a message is one of those below, or it is logged and
told of without them. A local path is never told.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import duckdb

from localaws.trino.errors import INTERNAL, QueryError
from localaws.trino.numbers import double_text

logger = logging.getLogger(__name__)

_CODED = re.compile(
    r"Invalid Input Error: (?:Python exception occurred while executing the UDF: \w+: )?"
    r"([A-Z][A-Z0-9_]{5,}): (.*)",
    re.DOTALL,
)
_TYPES = {
    "INT8": "tinyint", "INT16": "smallint", "INT32": "integer", "INT64": "bigint",
    "INT128": "decimal", "DOUBLE": "double", "FLOAT": "real",
}  # fmt: skip


def _type(name: str) -> str:
    return _TYPES.get(name, "decimal")


@dataclass(frozen=True)
class _Known:
    """A message of DuckDB, and Trino's code and words for it; `told` takes the pattern's groups."""

    pattern: str
    code: str
    told: Callable[..., str]


_OUT, _CAST, _ARGUMENT = (
    "NUMERIC_VALUE_OUT_OF_RANGE", "INVALID_CAST_ARGUMENT", "INVALID_FUNCTION_ARGUMENT",
)  # fmt: skip
_FRAMES = {"following": "FOLLOWING", "current": "CURRENT ROW", "preceding": "PRECEDING"}
_KNOWN = [
    _Known("ivision by zero", "DIVISION_BY_ZERO", lambda: "Division by zero"),
    _Known(
        "More than one row returned by a subquery", "SUBQUERY_MULTIPLE_ROWS",
        lambda: "Scalar sub-query has returned multiple rows",
    ),
    _Known(
        'column "?([^" ]+)"? must appear in the GROUP BY', "EXPRESSION_NOT_AGGREGATE",
        lambda column: ("" if re.fullmatch(r"[a-z]\d+", column) else f"'{column}' ")
        + "must be an aggregate expression or appear in GROUP BY clause",
    ),
    _Known(
        "must appear in the GROUP BY", "EXPRESSION_NOT_AGGREGATE",
        lambda: "must be an aggregate expression or appear in GROUP BY clause",
    ),
    _Known(
        r"(WHERE|GROUP BY) clause cannot contain (?:aggregates|window functions)",
        "EXPRESSION_NOT_SCALAR",
        lambda clause: f"{clause} clause cannot contain aggregations, window functions or grouping "
        "operations",
    ),
    _Known(
        "aggregate function calls cannot be nested", "NESTED_AGGREGATION",
        lambda: "Cannot nest aggregations inside aggregation",
    ),
    _Known(
        r"Overflow in (?:addition|subtraction|subtract|multiplication) of DECIMAL", _OUT,
        lambda: "Decimal overflow",
    ),
    _Known(
        r"Overflow in (\w+) of (\w+) \((.*)\)", _OUT,
        lambda what, kind, values: f"{_type(kind)} {what} overflow: {values}",
    ),
    _Known(
        r"Type (?:DOUBLE|FLOAT) with value (\S+) can't be cast .* destination type (\w+)", _CAST,
        lambda value, kind: f"Unable to cast {double_text(float(value))} to {_type(kind)}",
    ),
    _Known(
        r"Type \w+ with value (\S+) can't be cast .* destination type (\w+)", _OUT,
        lambda value, kind: f"Out of range for {_type(kind)}: {value}",
    ),
    _Known(
        r"Failed to cast decimal value (\S+) to type (\w+)", _CAST,
        lambda value, kind: f"Cannot cast '{value}' to {_type(kind).upper()}",
    ),
    _Known(
        r'Casting value "(.*)" to type DECIMAL\((\d+),(\d+)\) failed', _CAST,
        lambda value, size, scale: f"Cannot cast DECIMAL '{value}' to DECIMAL({size}, {scale})",
    ),
    _Known(
        r"Could not cast value \S+ to DECIMAL\(38,0\)", _OUT, lambda: "Decimal overflow"
    ),
    _Known(
        r"Could not cast value (\S+) to DECIMAL\((\d+),(\d+)\)", _CAST,
        lambda value, size, scale: f"Cannot cast '{value}' to DECIMAL({size}, {scale})",
    ),
    _Known(
        r'Could not convert string "(.*)" to DECIMAL\((\d+),(\d+)\)', _CAST,
        lambda value, size, scale: f"Cannot cast '{value}' to DECIMAL({size}, {scale})",
    ),
    _Known(
        r"Could not convert string '(.*)' to (INT\d+|DOUBLE|FLOAT)", _CAST,
        lambda value, kind: f"Cannot cast '{value}' to {_type(kind).upper()}",
    ),
    _Known(
        "date(?:/time)? field value out of range", _OUT, lambda: "Value is out of range for date"
    ),
    _Known("Map keys must be unique", _ARGUMENT, lambda: "Duplicate map keys are not allowed"),
    _Known("Map keys can not be NULL", _ARGUMENT, lambda: "map key cannot be null"),
    _Known(
        "GROUPING function is not supported here", "EXPRESSION_NOT_SCALAR",
        lambda: "GROUP BY clause cannot contain aggregations, window functions or grouping "
        "operations",
    ),
    _Known(
        "GROUPING statement cannot be used without groups", "MISSING_GROUP_BY",
        lambda: "A GROUPING() operation can only be used with a corresponding GROUPING SET/CUBE/"
        "ROLLUP/GROUP BY clause",
    ),
    _Known(
        "Window (?:RANGE|GROUPS|ROWS) (?:PRECEDING|FOLLOWING) expression cannot be|"
        "Invalid (?:RANGE|GROUPS|ROWS) (?:PRECEDING|FOLLOWING) value", "INVALID_WINDOW_FRAME",
        lambda: "Window frame offset value must not be negative or null",
    ),
    _Known(
        "In a DISTINCT aggregate, ORDER BY expressions", "EXPRESSION_NOT_IN_DISTINCT",
        lambda: "For aggregate function with DISTINCT, ORDER BY expressions must appear in "
        "arguments",
    ),
    _Known(
        'argument in function "quantile_disc" must be a constant', "NOT_SUPPORTED",
        lambda: "localaws does not emulate approx_percentile with a percentile of each row",
    ),
    _Known(
        "Max expression depth limit", "NOT_SUPPORTED",
        lambda: "localaws does not emulate an expression of over 1000 levels",
    ),
    _Known(
        "RANGE frames must have only one ORDER BY", "INVALID_ORDER_BY",
        lambda: "Window frame of type RANGE PRECEDING or FOLLOWING requires single sort item in "
        "ORDER BY",
    ),
    _Known(
        r"Frame starting from (following|current) row cannot (?:end with|have) (current|preceding)",
        "INVALID_WINDOW_FRAME",
        lambda start, end: f"Window frame starting from {_FRAMES[start]} cannot end with "
        f"{_FRAMES[end]}",
    ),
    _Known(
        "Frame (start|end) cannot be (UNBOUNDED (?:FOLLOWING|PRECEDING))", "INVALID_WINDOW_FRAME",
        lambda side, bound: f"Window frame {side} cannot be {bound}",
    ),
    _Known(
        "aggregate functions are not allowed in FILTER", "EXPRESSION_NOT_SCALAR",
        lambda: "FILTER cannot contain aggregations, window functions or grouping operations",
    ),
    _Known(
        "aggregate function calls cannot contain window function", "NESTED_WINDOW",
        lambda: "Cannot nest window functions inside aggregation",
    ),
    _Known(
        "window functions are not allowed in window definitions", "NESTED_WINDOW",
        lambda: "Cannot nest window functions inside window specification",
    ),
    _Known(
        "HAVING clause cannot contain window functions", "NESTED_WINDOW",
        lambda: "HAVING clause cannot contain window functions",
    ),
    _Known(
        "don't know what type|Variable-length int over|decompression failure|[Pp]arquet file",
        "HIVE_BAD_DATA", lambda: "Malformed Parquet file",
    ),
    _Known(
        "^Invalid Input Error: Malformed JSON", "HIVE_CURSOR_ERROR",
        lambda: "Row is not a valid JSON Object - JSONException",
    ),
    _Known("as base64", _ARGUMENT, lambda: "Input is no base64"),
    _Known("[Uu]nknown [Tt]ime[Zz]one", _ARGUMENT, lambda: "The time zone is unknown"),
]  # fmt: skip


def explain(
    error: duckdb.Error, query: str = "", *, names: Mapping[str, str] | None = None
) -> QueryError:
    """The error of DuckDB as Athena would put it. `names` are the URIs of local files by path."""
    message = str(error)
    coded = _CODED.fullmatch(message)
    if coded:
        return QueryError(coded[1], coded[2].strip())
    of_file = next((uri for path, uri in (names or {}).items() if path in message), None)
    if of_file is not None:
        return QueryError("HIVE_BAD_DATA", f"Malformed data in {of_file}")
    head = message.partition("\n")[0]
    for known in _KNOWN:
        found = re.search(known.pattern, head)
        if found:
            return QueryError(known.code, known.told(*found.groups()))
    logger.warning("a query failed in DuckDB: %s", head)
    return _of_a_kind(error, head)


def _of_a_kind(error: duckdb.Error, head: str) -> QueryError:
    """By DuckDB's kind of error, where its message is none that is known."""
    if isinstance(error, duckdb.OutOfRangeException) or "out of range" in head:
        return QueryError(_OUT, "A value is out of the range of its type")
    if isinstance(error, duckdb.ConversionException):
        return QueryError(_CAST, "A value cannot be cast to the type that is asked for")
    if isinstance(error, duckdb.OutOfMemoryException):
        return QueryError(
            "EXCEEDED_LOCAL_MEMORY_LIMIT", "Query exhausted resources at this scale factor"
        )
    if isinstance(error, duckdb.IOException):
        return QueryError("HIVE_CANNOT_OPEN_SPLIT", "Error opening Hive split")
    return QueryError("GENERIC_INTERNAL_ERROR", INTERNAL)

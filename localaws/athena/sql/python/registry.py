"""The table of Python functions and how they come into a connection."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

from localaws.trino.errors import Fault

if TYPE_CHECKING:
    import duckdb

Function = Callable[..., Any]
_FUNCTIONS: dict[str, tuple[Function, list[str], str]] = {}


def python(signature: str, *, name: str = "") -> Callable[[Function], Function]:
    """Registers a function as `trino_<its name>` under DuckDB types such as
    `VARCHAR, BIGINT -> VARCHAR`. A NULL argument makes NULL without a call."""

    def register(function: Function) -> Function:
        before, _, result = signature.partition("->")
        kinds = [kind.strip() for kind in before.split(",")]
        key = name or f"trino_{function.__name__.strip('_')}"
        _FUNCTIONS[key] = (function, kinds, result.strip())
        return function

    return register


@python("VARCHAR -> NULL", name="fail")
def fail(message: str) -> None:
    """Of no type, so that it may stand in any CASE; not volatile as DuckDB's error() is, so that it
    may stand in TRY, in windows and in correlated subqueries."""
    raise Fault(message)


def register(connection: duckdb.DuckDBPyConnection) -> None:
    from duckdb.func import FunctionNullHandling  # the server has these functions, not DuckDB

    for key, (function, kinds, result) in _FUNCTIONS.items():
        if "None" in str(function.__annotations__.get("return", "")) and result != "NULL":
            connection.create_function(
                key, _null_for_null(function), list(kinds), result,
                null_handling=FunctionNullHandling.SPECIAL,
            )  # fmt: skip
        else:
            connection.create_function(key, function, list(kinds), result)


def _null_for_null(function: Function) -> Function:
    """DuckDB lets a function return NULL only if it takes NULL as well."""

    @wraps(function)
    def call(*arguments: Any) -> Any:
        return None if None in arguments else function(*arguments)

    return call

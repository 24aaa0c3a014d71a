"""What goes wrong with a query, named as Athena names it."""

from __future__ import annotations

from sqlglot import exp

INTERNAL = "localaws could not run this query; the server's log has the reason"


class SyntaxMistake(Exception):
    """A statement that does not parse; `str()` is Athena's message."""


class Fault(ValueError):
    """A failure of the query, `CODE: message` as Athena shows it."""


def invalid(message: str) -> Fault:
    return Fault(f"INVALID_FUNCTION_ARGUMENT: {message}")


class QueryError(Exception):
    """A query that cannot run or that failed: `code` is Trino's (TABLE_NOT_FOUND), `str()` the
    whole state change reason as Athena shows it."""

    def __init__(self, code: str, message: str, node: exp.Expr | None = None) -> None:
        place = position(node)
        self.code = code
        self.message = f"line {place[0]}:{place[1]}: {message}" if place else message
        super().__init__(f"{code}: {self.message}")

    @property
    def kind(self) -> tuple[int, int]:
        """ErrorCategory (1 system, 2 user) and ErrorType of Athena's error reference."""
        return error_type(self.code)


def not_emulated(what: str, node: exp.Expr | None = None) -> QueryError:
    """The refusal of something Athena has and this engine lacks; it names the thing."""
    return QueryError("NOT_SUPPORTED", f"localaws does not emulate {what}", node)


def position(node: exp.Expr | None) -> tuple[int, int] | None:
    """Line and column (both from 1) where the node starts, if the parser kept them."""
    if node is None:
        return None
    places = [
        (found.meta["line"], found.meta["col"] - (found.meta["end"] - found.meta["start"]))
        for found in node.walk()
        if "line" in found.meta and "start" in found.meta
    ]
    return min(places) if places else None


def place_in(text: str, offset: int) -> tuple[int, int]:
    """Line and column (both from 1) of a character of the statement."""
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1


# Recorded on Athena v3, 2026-09; the rest by the error reference:
# https://docs.aws.amazon.com/athena/latest/ug/error-reference.html
_TYPES = {
    "DIVISION_BY_ZERO": 1001, "SUBQUERY_MULTIPLE_ROWS": 1001, "HIVE_BAD_DATA": 1001,
    "TYPE_MISMATCH": 1002,
    "FAILED": 1006, "SYNTAX_ERROR": 1006, "CATALOG_NOT_FOUND": 1006, "COLUMN_NOT_FOUND": 1006,
    "INVALID_CAST_ARGUMENT": 1100, "NUMERIC_VALUE_OUT_OF_RANGE": 1100,
    "INVALID_PARAMETER_USAGE": 1100, "MISSING_COLUMN_NAME": 1100,
    "INVALID_FUNCTION_ARGUMENT": 1106,
    "TABLE_ALREADY_EXISTS": 1110,
    "NOT_SUPPORTED": 1200,
    "NOT_FOUND": 1300, "TABLE_NOT_FOUND": 1301, "SCHEMA_NOT_FOUND": 1301,
    "FUNCTION_NOT_FOUND": 1303,
}  # fmt: skip


def error_type(code: str) -> tuple[int, int]:
    """ErrorCategory (1 system, 2 user) and ErrorType of a code."""
    if code.startswith(("GENERIC_INTERNAL", "INTERNAL_ERROR", "EXCEEDED_")):
        return 1, 200
    return 2, _TYPES.get(code, 1000)

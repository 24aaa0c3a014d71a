"""What goes wrong with a query, named as Athena names it."""

from __future__ import annotations

from sqlglot import exp


class SyntaxMistake(Exception):
    """A statement that does not parse; `str()` is Athena's message."""


class QueryError(Exception):
    """A query that cannot run or that failed: `code` is Trino's (TABLE_NOT_FOUND), `str()` the
    whole state change reason as Athena shows it."""

    def __init__(self, code: str, message: str, node: exp.Expr | None = None) -> None:
        place = position(node)
        self.code = code
        self.message = f"line {place[0]}:{place[1]}: {message}" if place else message
        super().__init__(f"{code}: {self.message}")


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

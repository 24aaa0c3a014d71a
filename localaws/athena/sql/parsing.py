"""Reads Athena's DML with every function under its own Trino name."""

from __future__ import annotations

from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.trino import Trino
from sqlglot.errors import ErrorLevel, ParseError, TokenError

from .errors import place_in


class SyntaxMistake(Exception):
    """A statement that does not parse; `str()` is Athena's message."""


class AthenaNames(Trino):
    """Trino's grammar without sqlglot's renaming of functions, and subscripts left as written."""

    INDEX_OFFSET = 0

    class Parser(Trino.Parser):  # type: ignore[misc, valid-type]
        FUNCTIONS: ClassVar[dict[str, Any]] = {}
        FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
            name: parser
            for name, parser in Trino.Parser.FUNCTION_PARSERS.items()
            if name in ("CAST", "TRY_CAST", "EXTRACT", "TRIM", "SUBSTRING", "POSITION", "LISTAGG")
        }


def parse(sql: str) -> exp.Expression:
    """The statement's tree. Raises SyntaxMistake."""
    dialect = AthenaNames()
    try:
        trees = dialect.parser(error_level=ErrorLevel.RAISE, max_errors=1).parse(
            dialect.tokenize(sql), sql
        )
    except ParseError as error:
        first = error.errors[0] if error.errors else {}
        found = first.get("highlight") or "<EOF>"
        if found == "`":
            raise _backquoted(sql) from None
        line, end = first.get("line") or 1, first.get("col") or 1
        column = max(1, end - len(found)) if found != "<EOF>" else end
        raise SyntaxMistake(
            f"line {line}:{column}: mismatched input '{found}'. "
            f"{first.get('description', '')}".strip()
        ) from None
    except TokenError as error:
        if "`" in sql:
            raise _backquoted(sql) from None
        raise SyntaxMistake(f"line 1:1: {str(error).partition(chr(10))[0]}") from None
    trees = [tree for tree in trees if tree is not None]
    if len(trees) != 1:
        raise SyntaxMistake("Only one sql statement is allowed.")
    tree = trees[0]
    assert isinstance(tree, exp.Expression)
    return tree


def _backquoted(sql: str) -> SyntaxMistake:
    line, column = place_in(sql, sql.find("`"))
    return SyntaxMistake(
        f"line {line}:{column}: backquoted identifiers are not supported; "
        "use double quotes to quote identifiers"
    )

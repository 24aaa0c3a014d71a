"""Reads Athena's DML."""

from __future__ import annotations

from sqlglot import exp
from sqlglot.errors import ErrorLevel, ParseError, TokenError
from sqlglot.tokenizer_core import Token, TokenType

from localaws.trino.errors import SyntaxMistake, place_in

from .grammar import TrinoGrammar, Unread, nodes
from .tokens import RESERVED, checked, closed_up

__all__ = ["SyntaxMistake", "parse"]


def parse(sql: str) -> exp.Expression:
    """The statement's tree. Raises SyntaxMistake."""
    dialect, sql = TrinoGrammar(), closed_up(sql)
    try:
        tokens = dialect.tokenize(sql)
        for token in tokens:
            if token.token_type == TokenType.MATCH_RECOGNIZE or (
                token.text.upper() == "DEFINE" and any(o.text.upper() == "PATTERN" for o in tokens)
            ):
                return _unread(token, "MATCH_RECOGNIZE")
        tokens = checked(tokens, sql, dialect.tokenize)
        trees = dialect.parser(error_level=ErrorLevel.IMMEDIATE).parse(tokens, sql)
    except ParseError as error:
        first = error.errors[0] if error.errors else {}
        found = first.get("highlight") or "<EOF>"
        if found == "`":
            raise _backquoted(sql) from None
        line, end = first.get("line") or 1, first.get("col") or 1
        column = max(1, end - len(found) + 1)
        if found == "<EOF>":
            line, column = place_in(sql, len(sql.rstrip()))
        told = str(first.get("description") or "")
        # The parser's other words are about its own classes, and nobody's here.
        tail = f". {told}" if told.startswith("Expecting") else ""
        raise SyntaxMistake(f"line {line}:{column}: mismatched input '{found}'{tail}") from None
    except TokenError as error:
        if "`" in sql:
            raise _backquoted(sql) from None
        line, column = place_in(sql, len(sql))  # a text or a comment that does not end
        raise SyntaxMistake(f"line {line}:{column}: mismatched input '<EOF>'") from error
    trees = [tree for tree in trees if tree is not None]
    if not trees:
        line, column = place_in(sql, len(sql))
        raise SyntaxMistake(f"line {line}:{column}: mismatched input '<EOF>'")
    if len(trees) != 1:
        raise SyntaxMistake(f"Only one sql statement is allowed. Got: {sql}")
    tree = trees[0]
    assert isinstance(tree, exp.Expression)
    _check_names(tree)
    return tree


def _unread(token: Token, what: str) -> Unread:
    """The tree of a statement that is refused by name when it is compiled."""
    return Unread(this=exp.Var(this=what).update_positions(token))


def _check_names(tree: exp.Expression) -> None:
    for name in nodes(tree):
        if isinstance(name, exp.Select) and not name.expressions:
            raise SyntaxMistake("Queries of this type are not supported")
        if type(name) is not exp.Identifier:
            continue
        if not name.args.get("quoted") and name.name.upper() in RESERVED and "line" in name.meta:
            column = name.meta["col"] - (name.meta["end"] - name.meta["start"])
            raise SyntaxMistake(
                f"line {name.meta['line']}:{column}: mismatched input '{name.name}'. "
                "Expecting: <identifier>"
            )


def _backquoted(sql: str) -> SyntaxMistake:
    line, column = place_in(sql, sql.find("`"))
    return SyntaxMistake(
        f"line {line}:{column}: backquoted identifiers are not supported; "
        "use double quotes to quote identifiers"
    )

"""What sqlglot reads and Trino does not: refused from the tokens, with Trino's error."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from sqlglot.tokenizer_core import Token, TokenType

from localaws.trino.errors import SyntaxMistake, place_in

# https://trino.io/docs/current/language/reserved.html
RESERVED = frozenset(
    """
    ALTER AND AS BETWEEN BY CASE CAST CONSTRAINT CREATE CROSS CUBE CURRENT_CATALOG CURRENT_DATE
    CURRENT_PATH CURRENT_ROLE CURRENT_SCHEMA CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER DEALLOCATE
    DELETE DESCRIBE DISTINCT DROP ELSE END ESCAPE EXCEPT EXECUTE EXISTS EXTRACT FALSE FOR FROM FULL
    GROUP GROUPING HAVING IN INNER INSERT INTERSECT INTO IS JOIN LEFT LIKE LISTAGG LOCALTIME
    LOCALTIMESTAMP NATURAL NORMALIZE NOT NULL ON OR ORDER OUTER PREPARE RECURSIVE RIGHT ROLLUP
    SELECT SKIP TABLE THEN TRIM TRUE UESCAPE UNION UNNEST USING VALUES WHEN WHERE WITH
    """.split()  # noqa: SIM905 - a list of a hundred quoted words reads worse
)
_NUMBER = re.compile(r"(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_FOREIGN = {
    TokenType.DCOLON, TokenType.NULLSAFE_EQ, TokenType.AMP, TokenType.PIPE, TokenType.CARET,
    TokenType.TILDE, TokenType.HASH, TokenType.DOLLAR, TokenType.PARAMETER, TokenType.L_BRACE,
    TokenType.R_BRACE, TokenType.BIT_STRING, TokenType.BYTE_STRING, TokenType.RAW_STRING,
    TokenType.NATIONAL_STRING, TokenType.HEREDOC_STRING, TokenType.ILIKE, TokenType.RLIKE,
    TokenType.GLOB, TokenType.SIMILAR_TO, TokenType.DQMARK, TokenType.DARROW,
    TokenType.HASH_ARROW, TokenType.DHASH_ARROW, TokenType.LT_AT, TokenType.AT_GT, TokenType.DAT,
    TokenType.DIV,
}  # fmt: skip
_SUBSCRIPTED = {
    TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.STRING, TokenType.IDENTIFIER,
    TokenType.VAR, TokenType.PLACEHOLDER, TokenType.ARRAY,
}  # fmt: skip
_OPERATORS = {
    TokenType.L_PAREN, TokenType.COMMA, TokenType.SELECT, TokenType.PLUS, TokenType.DASH,
    TokenType.STAR, TokenType.SLASH, TokenType.MOD, TokenType.EQ, TokenType.NEQ, TokenType.LT,
    TokenType.GT, TokenType.LTE, TokenType.GTE, TokenType.DPIPE, TokenType.WHERE, TokenType.AND,
    TokenType.OR, TokenType.NOT, TokenType.IN, TokenType.LIKE, TokenType.L_BRACKET,
    TokenType.THEN, TokenType.ELSE, TokenType.WHEN, TokenType.BETWEEN, TokenType.NUMBER,
}  # fmt: skip


_ENDS = {
    TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.FROM, TokenType.WHERE, TokenType.GROUP_BY,
    TokenType.HAVING, TokenType.ORDER_BY, TokenType.LIMIT, TokenType.SEMICOLON,
}  # fmt: skip
# What may not follow: an item that is missing, a name that is none.
_NOT_AFTER: dict[TokenType, set[TokenType]] = {
    TokenType.COMMA: {TokenType.COMMA, *_ENDS},
    TokenType.L_PAREN: {TokenType.COMMA},
    TokenType.L_BRACKET: {TokenType.COMMA},
    TokenType.SELECT: {TokenType.COMMA},
    TokenType.VALUES: {TokenType.COMMA},
    TokenType.FROM: {TokenType.COMMA},
    TokenType.GROUP_BY: {TokenType.COMMA},
    TokenType.ORDER_BY: {TokenType.COMMA},
    TokenType.BETWEEN: {TokenType.BETWEEN},
    TokenType.ASC: {TokenType.DESC},
    TokenType.ALIAS: {TokenType.STRING, TokenType.NUMBER},
    TokenType.JOIN: {TokenType.STRING, TokenType.NUMBER},
    TokenType.PARTITION_BY: {TokenType.R_PAREN},
    **{
        kind: {TokenType.ISNULL, TokenType.NOTNULL}
        for kind in (TokenType.NUMBER, *(_SUBSCRIPTED - {TokenType.ARRAY}))
    },
}
_OPERANDS = {
    TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.STRING, TokenType.IDENTIFIER, TokenType.VAR,
    TokenType.NUMBER, TokenType.PLACEHOLDER, TokenType.NULL, TokenType.TRUE, TokenType.FALSE,
    TokenType.END,
}  # fmt: skip
_OF_NOTHING = ([TokenType.IN, TokenType.L_PAREN], [TokenType.VALUES, TokenType.L_PAREN])


def unexpected(token: Token, expecting: str = "") -> SyntaxMistake:
    column = token.col - (token.end - token.start)
    tail = f". Expecting: {expecting}" if expecting else ""
    return SyntaxMistake(f"line {token.line}:{column}: mismatched input '{token.text}'{tail}")


def checked(tokens: list[Token], sql: str, tokenize: Callable[[str], Any]) -> list[Token]:
    """The tokens, with numbers cut where Trino cuts them (`1e0-1` is a difference).

    Raises SyntaxMistake for what is no Trino.
    """
    found: list[Token] = []
    for token in tokens:
        written = sql[token.start : token.end + 1]
        _check(token, written, found)
        if token.token_type == TokenType.NUMBER:
            found += _cut(token, written, tokenize)
        else:
            found.append(token)
    if found and found[-1].token_type == TokenType.COMMA:
        line, column = place_in(sql, len(sql))
        raise SyntaxMistake(f"line {line}:{column}: mismatched input '<EOF>'")
    _check_limits(found)
    return found


def _check(token: Token, written: str, found: list[Token]) -> None:
    """A token for itself, and after those before it."""
    kind, before = token.token_type, found[-1] if found else None
    if kind in _FOREIGN or written in ("==", "!"):
        raise unexpected(token)
    if kind == TokenType.HEX_STRING:
        _check_bytes(token, written)
    if before is None:
        return
    if kind in _NOT_AFTER.get(before.token_type, ()):
        raise unexpected(token)
    if kind == TokenType.R_PAREN and [part.token_type for part in found[-2:]] in _OF_NOTHING:
        raise unexpected(token)
    not_null = kind == TokenType.NULL and before.token_type == TokenType.NOT
    if not_null and len(found) > 1 and found[-2].token_type in _OPERANDS:
        raise unexpected(token, "'BETWEEN', 'IN', 'LIKE'")
    if written.upper() == "SYSTEM_TIME" and before.text.upper() == "FOR":
        raise unexpected(token, "'TIMESTAMP', 'VERSION'")
    if kind == TokenType.L_BRACKET and before.token_type in _OPERATORS:
        raise unexpected(token, "<expression>")
    if kind != TokenType.NUMBER and _in_one(before, token) and re.match(r"[^\W\d]", written):
        raise _digits(token)


def _check_bytes(token: Token, written: str) -> None:
    if written[0] == "0":  # 0xFF
        raise _digits(token)
    if len(token.text) % 2:
        raise SyntaxMistake(
            f"line {token.line}:{token.col - (token.end - token.start)}: Binary literal must "
            "contain an even number of digits"
        )


_BYTES = re.compile(
    r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|/\*.*?\*/|\b[xX]'(?P<digits>[^']*)'""", re.DOTALL
)


def closed_up(sql: str) -> str:
    """The statement with the blanks of X'0A FF' after it, where nothing else has to move.

    Raises SyntaxMistake for what is no digit.
    """

    def close(found: re.Match[str]) -> str:
        digits = found["digits"]
        if digits is None:
            return found.group()
        kept = "".join(digits.split())
        if not re.fullmatch("[0-9a-fA-F]*", kept):
            line, column = place_in(sql, found.start())
            raise SyntaxMistake(
                f"line {line}:{column}: Binary literal can only contain hexadecimal digits"
            )
        blanks = "".join(letter for letter in digits if letter.isspace())
        return f"X'{kept}'{blanks}"

    return _BYTES.sub(close, sql)


def _cut(token: Token, written: str, tokenize: Callable[[str], Any]) -> list[Token]:
    number = _NUMBER.match(written)
    if number is None:
        raise unexpected(token)
    rest = written[number.end() :]
    if not rest:
        return [token]
    if rest[0].isalpha():
        raise _digits(token)
    return [
        _shifted(token, token.start, number.group()),
        *(
            _shifted(part, token.start + number.end() + part.start, part.text)
            for part in tokenize(rest)
        ),
    ]


def _digits(token: Token) -> SyntaxMistake:
    return SyntaxMistake(
        f"line {token.line}:{token.col - (token.end - token.start)}: identifiers must not start "
        "with a digit; surround the identifier with double quotes"
    )


def _shifted(token: Token, start: int, text: str) -> Token:
    return Token(
        token.token_type, text, token.line, token.col - (token.end - token.start) + len(text) - 1,
        start, start + len(text) - 1,
    )  # fmt: skip


def _check_limits(tokens: list[Token]) -> None:
    """OFFSET comes before LIMIT, which has one number."""
    limited = [False]
    for token, following in pairwise([*tokens, tokens[-1]] if tokens else []):
        kind, number = token.token_type, following.token_type == TokenType.NUMBER
        if kind == TokenType.L_PAREN:
            limited.append(False)
        elif kind == TokenType.R_PAREN and len(limited) > 1:
            limited.pop()
        elif kind in (TokenType.SELECT, TokenType.UNION):
            limited[-1] = False
        elif kind == TokenType.LIMIT and (number or following.token_type == TokenType.ALL):
            limited[-1] = True
        elif kind in (TokenType.OFFSET, TokenType.COMMA) and limited[-1] and number:
            raise unexpected(token, "<EOF>")


def _in_one(number: Token, token: Token) -> bool:
    return number.token_type == TokenType.NUMBER and token.start == number.end + 1

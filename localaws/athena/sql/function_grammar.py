"""Functions whose arguments have a grammar of their own: EXTRACT, SUBSTRING, TRIM, CAST, ...

Grammar: https://github.com/trinodb/trino/blob/master/core/trino-grammar (SqlBase.g4).
"""

from __future__ import annotations

from typing import Any

from sqlglot import exp
from sqlglot.dialects.trino import Trino
from sqlglot.tokenizer_core import TokenType


def _normalize(parser: Any) -> exp.Expression:
    """normalize(text [, NFC | NFD | NFKC | NFKD]): the form is a word."""
    arguments = [parser._parse_assignment()]
    if parser._match(TokenType.COMMA):
        if not parser._match_texts(("NFC", "NFD", "NFKC", "NFKD")):
            parser.raise_error("Expecting: 'NFC', 'NFD', 'NFKC', 'NFKD'")
        arguments.append(exp.Literal.string(parser._prev.text.upper()))
    return exp.Anonymous(this="normalize", expressions=arguments)


def _extract(parser: Any) -> exp.Expression:
    """EXTRACT(field FROM value)"""
    if parser._match(TokenType.STRING, advance=False):
        parser.raise_error("Expecting: <identifier>")
    field = parser._parse_var(any_token=True, upper=True)
    if not parser._match(TokenType.FROM):
        parser.raise_error("Expecting: 'FROM'")
    return exp.Extract(this=field, expression=parser._parse_bitwise())


def _substring(parser: Any) -> exp.Expression:
    """SUBSTRING(text FROM start [FOR length]), or with commas."""
    arguments = parser._parse_csv(parser._parse_bitwise)
    if len(arguments) == 1 and parser._match(TokenType.FROM):
        arguments.append(parser._parse_bitwise())
        if parser._match(TokenType.FOR):
            arguments.append(parser._parse_bitwise())
    found: exp.Expression = exp.Substring.from_arg_list(arguments)
    return found


def _position(parser: Any) -> exp.Expression:
    """POSITION(part IN text); with commas it is a function that is not there."""
    arguments = parser._parse_csv(parser._parse_bitwise)
    if len(arguments) == 1 and parser._match(TokenType.IN):
        return exp.StrPosition(this=parser._parse_bitwise(), substr=arguments[0])
    return exp.Anonymous(this="position", expressions=arguments)


def _clock(kind: type[exp.Expr]) -> Any:
    """current_timestamp(6): with so many digits of a second."""

    def parse(parser: Any) -> exp.Expr:
        digits = parser._parse_number()
        if digits is None:
            parser.raise_error("Expecting: <integer>")
        return kind(this=digits)

    return parse


def _from_its_word(name: str) -> Any:
    """A function with a grammar of its own, which knows where it starts."""
    read = Trino.Parser.FUNCTION_PARSERS[name]

    def parse(parser: Any) -> exp.Expr:
        word = parser._tokens[parser._index - 2]  # before the parenthesis
        found: exp.Expr = read(parser)
        return found.update_positions(word)

    return parse


PARSERS: dict[str, Any] = {
    **{name: Trino.Parser.FUNCTION_PARSERS[name] for name in ("TRIM", "LISTAGG")},
    "EXTRACT": _extract,
    "SUBSTRING": _substring,
    "POSITION": _position,
    "CAST": _from_its_word("CAST"),
    "TRY_CAST": _from_its_word("TRY_CAST"),
    "NORMALIZE": _normalize,
    "CURRENT_TIMESTAMP": _clock(exp.CurrentTimestamp),
    "CURRENT_TIME": _clock(exp.CurrentTime),
    "LOCALTIMESTAMP": _clock(exp.Localtimestamp),
    "LOCALTIME": _clock(exp.Localtime),
}

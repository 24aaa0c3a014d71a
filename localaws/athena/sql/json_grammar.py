"""The grammar of SQL/JSON: what stands between the parentheses of JSON_EXISTS, JSON_VALUE, ...

https://trino.io/docs/current/functions/json.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.tokenizer_core import TokenType


class JsonInput(exp.Expression):
    """A value that is read as JSON where `format` is set; `alias` is its name in a path."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "format": False, "alias": False}


class JsonBehaviour(exp.Expression):
    """What happens ON EMPTY or ON ERROR: `this` is the word, `expression` of DEFAULT."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "expression": False}


class JsonPath(exp.Expression):
    """JSON_EXISTS, JSON_VALUE and JSON_QUERY; the function's name is `this`."""

    arg_types: ClassVar[dict[str, bool]] = {
        "this": True, "input": True, "path": True, "passing": False, "returning": False,
        "wrapper": False, "quotes": False, "on_empty": False, "on_error": False,
    }  # fmt: skip


class JsonMember(exp.Expression):
    """`this` : `expression` (a JsonInput) of JSON_OBJECT."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "expression": True}


class JsonMade(exp.Expression):
    """JSON_OBJECT and JSON_ARRAY; the function's name is `this`."""

    arg_types: ClassVar[dict[str, bool]] = {
        "this": True, "expressions": False, "nulls": False, "unique": False, "returning": False,
    }  # fmt: skip


def word(parser: Any, *words: str) -> str | None:
    """The first of these word sequences that stands here."""
    return next((one for one in words if parser._match_text_seq(*one.split())), None)


def format_(parser: Any) -> str | None:
    """[FORMAT JSON [ENCODING UTF8|UTF16|UTF32]], as JSON or JSON ENCODING UTF8."""
    if not parser._match_text_seq("FORMAT", "JSON"):
        return None
    if not parser._match_text_seq("ENCODING"):
        return "JSON"
    return f"JSON ENCODING {word(parser, 'UTF8', 'UTF16', 'UTF32') or 'UTF8'}"


def needed(parser: Any, node: Any) -> Any:
    """What has to stand here."""
    if node is None:
        parser.raise_error("")
    return node


def input_(parser: Any) -> JsonInput:
    value = needed(parser, parser._parse_disjunction())
    return JsonInput(this=value, format=format_(parser))


def path_(parser: Any) -> exp.Expression:
    if not parser._match(TokenType.STRING):
        parser.raise_error("Expecting a JSON path")
    literal: exp.Expression = exp.Literal.string(parser._prev.text).update_positions(parser._prev)
    return literal


def _passed(parser: Any) -> JsonInput:
    value = input_(parser)
    if not parser._match_text_seq("AS"):
        parser.raise_error("Expecting AS")
    name = needed(parser, parser._parse_id_var())
    # A name without quotes is folded to upper case here, unlike everywhere else.
    value.set("alias", name.name if name.args.get("quoted") else name.name.upper())
    return value


def passing(parser: Any) -> list[JsonInput]:
    return parser._parse_csv(lambda: _passed(parser)) if word(parser, "PASSING") else []


def behaviour(parser: Any, *words: str) -> JsonBehaviour | None:
    """ERROR, NULL, DEFAULT value, ... before ON EMPTY or ON ERROR."""
    found = word(parser, *words)
    if found is None:
        return None
    value = needed(parser, parser._parse_disjunction()) if found == "DEFAULT" else None
    return JsonBehaviour(this=found, expression=value)


def behaviours(parser: Any, node: exp.Expression, *words: str) -> None:
    """Sets `on_empty` and `on_error` of the node."""
    while (found := behaviour(parser, *words)) is not None:
        side = word(parser, "ON EMPTY", "ON ERROR")
        argument = (side or "").lower().replace(" ", "_")
        if side is None or node.args.get(argument):
            parser.raise_error("Expecting ON EMPTY or ON ERROR")
        node.set(argument, found)


def _returning(parser: Any) -> JsonInput | None:
    """RETURNING type [FORMAT JSON ...]"""
    if not word(parser, "RETURNING"):
        return None
    return JsonInput(this=needed(parser, parser._parse_types()), format=format_(parser))


def wrapper(parser: Any) -> str | None:
    found = word(
        parser, "WITHOUT ARRAY WRAPPER", "WITHOUT WRAPPER", "WITH CONDITIONAL ARRAY WRAPPER",
        "WITH CONDITIONAL WRAPPER", "WITH UNCONDITIONAL ARRAY WRAPPER",
        "WITH UNCONDITIONAL WRAPPER", "WITH ARRAY WRAPPER", "WITH WRAPPER",
    )  # fmt: skip
    if found is None:
        return None
    words = found.split()
    return "WITHOUT" if words[0] == "WITHOUT" else "CONDITIONAL" * ("CONDITIONAL" in words) or "YES"


def quotes(parser: Any) -> str | None:
    found = word(parser, "KEEP QUOTES", "OMIT QUOTES")
    if found:
        word(parser, "ON SCALAR STRING")
    return found and found.split()[0]


def _by_path(name: str) -> Callable[[Any], exp.Expression]:
    def parse(parser: Any) -> exp.Expression:
        value = input_(parser)
        if not parser._match(TokenType.COMMA):
            parser.raise_error("Expecting ,")
        node = JsonPath(this=name, input=value, path=path_(parser), passing=passing(parser))
        if name == "json_exists":
            behaviours(parser, node, "TRUE", "FALSE", "UNKNOWN", "ERROR")
            return node
        node.set("returning", _returning(parser))
        if name == "json_value":
            behaviours(parser, node, "ERROR", "NULL", "DEFAULT")
            return node
        node.set("wrapper", wrapper(parser))
        node.set("quotes", quotes(parser))
        behaviours(parser, node, "ERROR", "NULL", "EMPTY ARRAY", "EMPTY OBJECT")
        return node

    return parse


def _member(parser: Any) -> JsonMember | None:
    if parser._curr.token_type == TokenType.R_PAREN:
        return None
    index = parser._index
    if parser._match_text_seq("KEY"):
        key = parser._parse_disjunction()
        if key is not None and word(parser, "VALUE"):
            return JsonMember(this=key, expression=input_(parser))
        parser._retreat(index)
    key = parser._parse_disjunction()
    if not parser._match(TokenType.COLON) and not word(parser, "VALUE"):
        parser.raise_error("Expecting :")
    return JsonMember(this=key, expression=input_(parser))


def _object(parser: Any) -> exp.Expression:
    node = JsonMade(this="json_object")
    if not _ends(parser):
        node.set("expressions", parser._parse_csv(lambda: _member(parser)))
    node.set("nulls", word(parser, "NULL ON NULL", "ABSENT ON NULL"))
    unique = word(
        parser, "WITH UNIQUE KEYS", "WITH UNIQUE", "WITHOUT UNIQUE KEYS", "WITHOUT UNIQUE"
    )
    node.set("unique", unique and unique.split()[0] == "WITH")
    node.set("returning", _returning(parser))
    return node


def _array(parser: Any) -> exp.Expression:
    node = JsonMade(this="json_array")
    if not _ends(parser):
        node.set("expressions", parser._parse_csv(lambda: input_(parser)))
    node.set("nulls", word(parser, "NULL ON NULL", "ABSENT ON NULL"))
    node.set("returning", _returning(parser))
    return node


def _ends(parser: Any) -> bool:
    """Whether no member comes, but a clause or the end."""
    index = parser._index
    clause = word(
        parser, ")", "NULL ON NULL", "ABSENT ON NULL", "WITH UNIQUE", "WITHOUT UNIQUE", "RETURNING"
    )
    parser._retreat(index)
    return clause is not None


PARSERS: dict[str, Callable[[Any], exp.Expression]] = {
    **{name.upper(): _by_path(name) for name in ("json_exists", "json_value", "json_query")},
    "JSON_OBJECT": _object,
    "JSON_ARRAY": _array,
}

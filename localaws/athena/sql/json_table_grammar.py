"""The grammar of JSON_TABLE.

https://trino.io/docs/current/functions/json.html#json-table
"""

from __future__ import annotations

from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.tokenizer_core import TokenType

from .json_grammar import behaviours, format_, input_, passing, path_, quotes, word, wrapper


class JsonTable(exp.Expression):
    """JSON_TABLE; `plan` is a JsonPlan, `strict` whether it has ERROR ON ERROR."""

    arg_types: ClassVar[dict[str, bool]] = {
        "input": True, "path": True, "name": False, "passing": False, "columns": True,
        "plan": False, "strict": False,
    }  # fmt: skip


class JsonColumn(exp.Expression):
    """A column, or NESTED PATH with columns; `kind` is ordinality, value, query or nested."""

    arg_types: ClassVar[dict[str, bool]] = {
        "this": False, "kind": True, "to": False, "format": False, "path": False, "wrapper": False,
        "quotes": False, "on_empty": False, "on_error": False, "name": False, "columns": False,
    }  # fmt: skip


class JsonPlan(exp.Expression):
    """PLAN: `this` is a path's name or a kind of join (OUTER, INNER, UNION, CROSS) of two
    `expressions`; DEFAULT has the two kinds of join in `words`."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "expressions": False, "words": False}


def _list(parser: Any, parse: Any) -> list[Any]:
    parser._match_l_paren()
    found: list[Any] = parser._parse_csv(parse)
    parser._match_r_paren()
    return found


def _path_name(parser: Any) -> str | None:
    if not parser._match_text_seq("AS"):
        return None
    return _label(parser._parse_id_var())


def _label(name: exp.Expression) -> str:
    return str(name.name) if name.args.get("quoted") else str(name.name).upper()


def _column(parser: Any) -> JsonColumn:
    if word(parser, "NESTED PATH", "NESTED"):
        path = path_(parser)
        name = _path_name(parser)
        if not word(parser, "COLUMNS"):
            parser.raise_error("Expecting COLUMNS")
        columns = _list(parser, lambda: _column(parser))
        return JsonColumn(kind="nested", path=path, name=name, columns=columns)
    name = parser._parse_id_var()
    if word(parser, "FOR ORDINALITY"):
        return JsonColumn(this=name, kind="ordinality")
    node = JsonColumn(this=name, kind="value", to=parser._parse_types())
    form = format_(parser)
    if word(parser, "PATH"):
        node.set("path", path_(parser))
    else:
        node.set("path", exp.Literal.string('lax $."' + _label(name).replace('"', '""') + '"'))
    if form is None:
        behaviours(parser, node, "ERROR", "NULL", "DEFAULT")
        return node
    node.set("kind", "query")
    node.set("format", form)
    node.set("wrapper", wrapper(parser))
    node.set("quotes", quotes(parser))
    behaviours(parser, node, "ERROR", "NULL", "EMPTY ARRAY", "EMPTY OBJECT")
    return node


def _plan(parser: Any) -> JsonPlan:
    """One name or parenthesised plan, then joins from left to right."""
    left = _plan_part(parser)
    while (kind := word(parser, "OUTER", "INNER", "UNION", "CROSS")) is not None:
        left = JsonPlan(this=kind, expressions=[left, _plan_part(parser)])
    return left


def _plan_part(parser: Any) -> JsonPlan:
    if parser._match(TokenType.L_PAREN):
        inner = _plan(parser)
        parser._match_r_paren()
        return inner
    return JsonPlan(this=_label(parser._parse_id_var()))


def json_table(parser: Any) -> exp.Expression:
    node = JsonTable(input=input_(parser))
    if not parser._match(TokenType.COMMA):
        parser.raise_error("Expecting ,")
    node.set("path", path_(parser))
    node.set("name", _path_name(parser))
    node.set("passing", passing(parser))
    if not word(parser, "COLUMNS"):
        parser.raise_error("Expecting COLUMNS")
    node.set("columns", _list(parser, lambda: _column(parser)))
    if word(parser, "PLAN DEFAULT"):
        words = _list(parser, lambda: word(parser, "OUTER", "INNER", "UNION", "CROSS"))
        node.set("plan", JsonPlan(this="DEFAULT", words=words))
    elif word(parser, "PLAN"):
        parser._match_l_paren()
        node.set("plan", _plan(parser))
        parser._match_r_paren()
    behaviour = word(parser, "ERROR ON ERROR", "EMPTY ON ERROR")
    node.set("strict", behaviour == "ERROR ON ERROR")
    return node

"""SQL/JSON: JSON_EXISTS, JSON_VALUE, JSON_QUERY, JSON_OBJECT and JSON_ARRAY."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from localaws.trino import types as t
from localaws.trino.errors import QueryError
from localaws.trino.types import Type
from localaws.trino.values import Value, text

from .casts import cast, convert, from_json, json_text, text_of
from .compiler import Compiler, compiles, structure
from .json_grammar import JsonBehaviour, JsonInput, JsonMade, JsonMember, JsonPath
from .python.json_paths import PathMistake, path
from .scope import Scope
from .type_names import from_trino

structure(JsonInput, takes=("this", "format", "alias"))
structure(JsonBehaviour, takes=("this", "expression"))
structure(JsonMember, takes=("this", "expression"))


def document(c: Compiler, node: JsonInput, scope: Scope) -> str:
    """A text or bytes that hold JSON, as text."""
    value, form = c.compile(node.this, scope), node.args.get("format") or "JSON"
    if isinstance(node.this, JsonMade | JsonPath) or value.type == t.UNKNOWN:
        return f"CAST({value.sql} AS VARCHAR)"
    if value.type.name in ("varchar", "char") and form == "JSON":
        return value.sql
    if value.type.name == "varbinary" and form in ("JSON", "JSON ENCODING UTF8"):
        return f"decode({value.sql})"
    raise QueryError(
        "TYPE_MISMATCH", f"Cannot read input of type {value.type} as JSON using formatting {form}",
        node.this,
    )  # fmt: skip


def item(c: Compiler, node: JsonInput, scope: Scope) -> str:
    """A value as JSON text; NULL stays NULL."""
    if node.args.get("format"):
        return f"trino_sql_json_read({document(c, node, scope)})"
    value = c.compile(node.this, scope)
    if isinstance(node.this, JsonMade) or (
        isinstance(node.this, JsonPath) and node.this.this == "json_query"
    ):
        return value.sql
    if value.type.items:
        raise QueryError(
            "NOT_SUPPORTED", f"Unsupported type of value passed to a JSON function: {value.type}"
        )
    if value.type == t.UNKNOWN:
        return "CAST(NULL AS VARCHAR)"
    if not t.is_number(value.type) and value.type.name not in ("boolean", "varchar", "char"):
        value = Value(text_of(value), t.VARCHAR)
    return f"CASE WHEN {value.sql} IS NOT NULL THEN {json_text(value.sql, value.type)} END"


def checked_path(node: exp.Expression, names: list[str]) -> str:
    written = str(node.this)
    try:
        needed = path(written).names
    except PathMistake as error:
        raise QueryError("SYNTAX_ERROR", str(error), node) from None
    for name in sorted(needed - set(names)):
        hint = "" if name.upper() not in names else (
            f'. Try quoting "{name}" in the PASSING clause to match case'
        )  # fmt: skip
        raise QueryError("INVALID_PATH", f"no value passed for parameter {name}{hint}", node)
    return text(written)


def passed(c: Compiler, inputs: list[JsonInput], scope: Scope) -> tuple[list[str], str]:
    """The names of PASSING, and the two arguments that stand for them."""
    names = [str(one.args["alias"]) for one in inputs]
    marked = [("=" if one.args.get("format") else ":") + name
              for one, name in zip(inputs, names, strict=True)]  # fmt: skip
    values = [
        document(c, one, scope) if one.args.get("format") else item(c, one, scope) for one in inputs
    ]
    shown = f"{_texts([text(name) for name in marked])}, {_texts(values)}"
    return names, shown


def _texts(values: list[str]) -> str:
    return f"CAST([{', '.join(values)}] AS VARCHAR[])"


def _word(node: JsonBehaviour | None, default: str) -> str:
    return default if node is None else str(node.this)


@compiles(
    JsonPath,
    takes=(
        "this", "input", "path", "passing", "returning", "wrapper", "quotes", "on_empty", "on_error"
    ),
)  # fmt: skip
def by_path(c: Compiler, node: JsonPath, scope: Scope) -> Value:
    names, given = passed(c, node.args.get("passing") or [], scope)
    place = node.args["path"]
    shown = f"{document(c, node.args['input'], scope)}, {checked_path(place, names)}, {given}"
    if node.this == "json_exists":
        word = _word(node.args.get("on_error"), "FALSE")
        return Value(f"trino_sql_json_exists({shown}, {text(word)})", t.BOOLEAN)
    returning = node.args.get("returning")
    if node.this == "json_query":
        behaviours = [_word(node.args.get(side), "NULL") for side in ("on_empty", "on_error")]
        return returned(query(shown, node, behaviours), returning)
    wanted = from_trino(returning.this) if returning is not None else t.VARCHAR
    strict = _word(node.args.get("on_error"), "NULL") == "ERROR"
    found = f"trino_sql_json_value({shown}, {str(strict).lower()})"
    return value_of(c, found, wanted, node, scope, strict=strict)


def query(shown: str, node: exp.Expression, behaviours: list[str]) -> str:
    wrapper, omit = node.args.get("wrapper") or "WITHOUT", node.args.get("quotes") == "OMIT"
    if omit and wrapper != "WITHOUT":
        raise QueryError(
            "INVALID_FUNCTION_ARGUMENT", "OMIT QUOTES behavior specified with an array WRAPPER"
        )
    return (
        f"trino_sql_json_query({shown}, {text(wrapper)}, {str(omit).lower()}, "
        + ", ".join(text(word) for word in behaviours)
        + ")"
    )


def returned(sql: str, returning: JsonInput | None) -> Value:
    """JSON text as the type after RETURNING."""
    if returning is None:
        return Value(sql, t.VARCHAR)
    wanted, form = from_trino(returning.this), returning.args.get("format") or "JSON"
    if wanted.name in ("varchar", "char") and form == "JSON":
        return cast(Value(sql, t.VARCHAR), wanted)
    if wanted.name == "varbinary" and form in ("JSON", "JSON ENCODING UTF8"):
        return Value(f"encode({sql})", wanted)
    raise QueryError(
        "TYPE_MISMATCH", f"Cannot output JSON value as {wanted} using formatting {form}"
    )


def value_of(
    c: Compiler, found: str, wanted: Type, node: exp.Expression, scope: Scope, *, strict: bool
) -> Value:
    """JSON_VALUE: the scalar that was found as the wanted type, with what stands for none and
    for an error; an error that is `strict` has been raised."""
    name = c.fresh("p")
    read = _scalar(f"CAST(substr({name}, 2) AS JSON)", wanted)
    fallback = _default(c, node.args.get("on_error"), wanted, scope, "NULL")
    if not strict:
        read = f"CASE WHEN {name} = '=null' THEN NULL ELSE coalesce(TRY({read}), {fallback}) END"
    empty = _default(c, node.args.get("on_empty"), wanted, scope, f"trino_sql_json_empty({name})")
    test = (
        f"CASE WHEN starts_with({name}, '=') THEN {read} WHEN {name} = 'empty' THEN {empty} "
        f"WHEN {name} IS NOT NULL THEN {fallback} END"
    )
    shown = f"CAST({test} AS {t.duckdb(wanted)})"
    defaults = [node.args[side] for side in ("on_empty", "on_error") if node.args.get(side)]
    if any(default.find(exp.Query) for default in defaults):  # DuckDB has none in lambdas
        return Value(f"(SELECT {shown} FROM (SELECT {found} AS {name}))", wanted)
    sql = f"list_transform([{found}], lambda {name}: {shown})[1]"
    return Value(sql, wanted)


def _default(
    c: Compiler, node: JsonBehaviour | None, wanted: Type, scope: Scope, error: str
) -> str:
    word = _word(node, "NULL")
    if word == "ERROR":
        return error
    if node is None or word == "NULL":
        return "NULL"
    value = c.compile(node.args["expression"], scope)
    if not t.converts(value.type, wanted):
        raise QueryError(
            "TYPE_MISMATCH",
            f"Return type of JSON_VALUE default must be {wanted}, not {value.type}", node,
        )  # fmt: skip
    return convert(value, wanted).sql


def _scalar(sql: str, wanted: Type) -> str:
    if wanted.name in ("boolean", "decimal", "varchar", "real", "double", *t.INTEGERS):
        return from_json(sql, wanted)
    return cast(Value(from_json(sql, t.VARCHAR), t.VARCHAR), wanted).sql


@compiles(JsonMade, takes=("this", "expressions", "nulls", "unique", "returning"))
def made(c: Compiler, node: JsonMade, scope: Scope) -> Value:
    members: list[Any] = node.expressions
    nulls = node.args.get("nulls")
    if node.this == "json_array":
        absent = str(nulls != "NULL ON NULL").lower()
        values = [item(c, member, scope) for member in members]
        return returned(
            f"trino_sql_json_array({_texts(values)}, {absent})", node.args.get("returning")
        )
    unique = bool(node.args.get("unique"))
    if unique and any(member.expression.args.get("format") for member in members):
        raise QueryError(
            "NOT_SUPPORTED",
            "WITH UNIQUE KEYS behavior is not supported for JSON_OBJECT function when input "
            "expression has FORMAT",
            node,
        )
    keys = []
    for member in members:
        key = c.compile(member.this, scope)
        if key.type.name not in ("varchar", "char", "unknown"):
            raise QueryError("TYPE_MISMATCH", f"Invalid type of JSON object key: {key.type}")
        keys.append(key.sql)
    values = [item(c, member.expression, scope) for member in members]
    absent = str(nulls == "ABSENT ON NULL").lower()
    sql = (
        f"trino_sql_json_object({_texts(keys)}, {_texts(values)}, {absent}, {str(unique).lower()})"
    )
    return returned(sql, node.args.get("returning"))

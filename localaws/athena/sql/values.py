"""A compiled expression, and how one is converted to another type."""

from __future__ import annotations

from dataclasses import dataclass

from . import types as t
from .errors import QueryError
from .types import Type

# What a column is known by, whatever it is renamed to: the alias of its scan and its name there, or
# OUTPUT and its alias in a subquery.
Source = tuple[str, str]
OUTPUT = ""


@dataclass(frozen=True)
class Value:
    """DuckDB text that yields a value of the Trino type; `constant` is a literal's own value."""

    sql: str
    type: Type
    constant: str | int | None = None
    origin: str | None = None  # the scan's column this is, unchanged, if it is one
    source: Source | None = None


NULL = Value("NULL", t.UNKNOWN)


def text(value: str) -> str:
    """The value as a SQL string literal."""
    return "'" + value.replace("'", "''") + "'"


def name(value: str) -> str:
    """The value as a quoted SQL identifier."""
    return '"' + value.replace('"', '""') + '"'


def convert(value: Value, wanted: Type) -> Value:
    """The implicit conversion; the caller has checked that Trino would do it."""
    if value.type == wanted or value.type.name == wanted.name == "varchar":
        return Value(value.sql, wanted, value.constant)
    return Value(f"CAST({value.sql} AS {t.duckdb(wanted)})", wanted, value.constant)


def cast(value: Value, wanted: Type, *, attempt: bool = False) -> Value:
    """CAST, or TRY_CAST when `attempt`. Raises QueryError for a pair that Trino refuses."""
    given = value.type
    if given == wanted or given == t.UNKNOWN:
        return Value(f"CAST({value.sql} AS {t.duckdb(wanted)})", wanted)
    writer = _CASTS.get((_family(given), _family(wanted)))
    if writer is None or "char" in (given.name, wanted.name):
        raise QueryError("TYPE_MISMATCH", f"Cannot cast {given} to {wanted}")
    return Value(writer(value.sql, given, wanted, attempt), wanted)


def _family(kind: Type) -> str:
    if t.is_integer(kind):
        return "integer"
    if kind.name in ("real", "double"):
        return "float"
    return "tz" if kind.name == "timestamp with time zone" else kind.name


def _plain(sql: str, given: Type, wanted: Type, attempt: bool) -> str:
    return f"{'TRY_CAST' if attempt else 'CAST'}({sql} AS {t.duckdb(wanted)})"


def _float_to_integer(sql: str, given: Type, wanted: Type, attempt: bool) -> str:
    return _plain(f"round({sql})", given, wanted, attempt)


def _boolean_to_number(sql: str, given: Type, wanted: Type, attempt: bool) -> str:
    return _plain(f"CAST({sql} AS INTEGER)", given, wanted, attempt)


_PATTERNS = {
    "integer": "[+-]?[0-9]+",
    "decimal": "[ ]*[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?[ ]*",
    "float": "[ ]*[+-]?(NaN|Infinity|([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?)[ ]*",
    "date": "[ ]*[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}[ ]*",
    "timestamp": "[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
    "( [0-9]{1,2}:[0-9]{1,2}(:[0-9]{1,2}([.][0-9]+)?)?)?",
}


def _from_text(sql: str, given: Type, wanted: Type, attempt: bool) -> str:
    """DuckDB accepts more spellings than Trino (`' 1 '`, `1_000`, `1.5` as an integer)."""
    pattern = text(_PATTERNS[_family(wanted)])
    good = f"CASE WHEN regexp_full_match({sql}, {pattern}) THEN {sql} END"
    if attempt:
        return f"TRY_CAST({good} AS {t.duckdb(wanted)})"
    shown = (
        wanted.name.upper()
        if not wanted.numbers or wanted.name == "timestamp"
        else str(wanted).upper()
    )
    wrong = _wrong_text(sql, wanted, shown)
    return (
        f"CASE WHEN regexp_full_match({sql}, {pattern}) THEN CAST({sql} AS {t.duckdb(wanted)}) "
        f"WHEN {sql} IS NOT NULL THEN fail({wrong}) END"
    )


def _wrong_text(sql: str, wanted: Type, shown: str) -> str:
    if wanted.name in ("date", "timestamp"):
        return f"'INVALID_CAST_ARGUMENT: Value cannot be cast to {wanted.name}: ' || {sql}"
    return f"'INVALID_CAST_ARGUMENT: Cannot cast ''' || {sql} || ''' to {shown}'"


def _text_to_boolean(sql: str, given: Type, wanted: Type, attempt: bool) -> str:
    other = (
        "NULL"
        if attempt
        else f"fail('INVALID_CAST_ARGUMENT: Cannot cast ''' || {sql} || ''' to BOOLEAN')"
    )
    return (
        f"CASE WHEN lower({sql}) IN ('t', 'true', '1') THEN true "
        f"WHEN lower({sql}) IN ('f', 'false', '0') THEN false "
        f"WHEN {sql} IS NOT NULL THEN {other} END"
    )


def _to_text(sql: str, given: Type, wanted: Type, attempt: bool) -> str:
    written = f"CAST({sql} AS VARCHAR)"
    if given.name in ("double", "real"):
        written = f"trino_scientific(CAST({sql} AS DOUBLE), CAST({sql} AS VARCHAR))"
    elif given.name == "timestamp":
        written = f"strftime({sql}, '%Y-%m-%d %H:%M:%S.%g')"
        if given.numbers[0] == 0:
            written = f"strftime({sql}, '%Y-%m-%d %H:%M:%S')"
        elif given.numbers[0] > 3:
            written = f"strftime({sql}, '%Y-%m-%d %H:%M:%S.%f')"
    elif given.name == "timestamp with time zone":
        written = f"strftime({sql}, '%Y-%m-%d %H:%M:%S.%g UTC')"
    elif given.name == "json":
        written = f"json_extract_string({sql}, '$')"
    if not wanted.numbers:
        return written
    size = wanted.numbers[0]
    if given.name == "varchar":
        return f"substr({written}, 1, {size})"
    wrong = (
        "NULL"
        if attempt
        else f"fail('INVALID_CAST_ARGUMENT: Value ' || {written} "
        f"|| ' cannot be represented as {wanted}')"
    )
    return f"CASE WHEN length({written}) > {size} THEN {wrong} ELSE {written} END"


def _to_json(sql: str, given: Type, wanted: Type, attempt: bool) -> str:
    return f"to_json({sql})"


def _from_json(sql: str, given: Type, wanted: Type, attempt: bool) -> str:
    form = "TRY(from_json({0}, {1}))" if attempt else "from_json({0}, {1})"
    return form.format(sql, text(_json_shape(wanted)))


def _json_scalar(sql: str, given: Type, wanted: Type, attempt: bool) -> str:
    inside = Value(f"json_extract_string({sql}, '$')", t.VARCHAR)
    return cast(inside, wanted, attempt=attempt).sql


def _json_shape(kind: Type) -> str:
    """The structure from_json wants, itself JSON."""
    if kind.name == "array":
        return f"[{_json_shape(kind.items[0])}]"
    if kind.name == "row":
        fields = (
            f'"{t.field_name(kind, i)}": {_json_shape(item)}' for i, item in enumerate(kind.items)
        )
        return "{" + ", ".join(fields) + "}"
    if kind.name == "map" and kind.items[0].name != "varchar":
        raise QueryError("NOT_SUPPORTED", f"localaws does not emulate CAST of json to {kind}")
    return f'"{t.duckdb(kind)}"'


def _nested(sql: str, given: Type, wanted: Type, attempt: bool) -> str:
    """Element by element, so that an inner cast keeps Trino's rules."""
    if given.name == "array":
        inside = cast(Value("e", given.items[0]), wanted.items[0], attempt=False).sql
        whole = f"list_transform({sql}, lambda e: {inside})"
    elif given.name == "map":
        key = cast(Value("e.key", given.items[0]), wanted.items[0]).sql
        item = cast(Value("e.value", given.items[1]), wanted.items[1]).sql
        whole = (
            f"map_from_entries(list_transform(map_entries({sql}), "
            f"lambda e: {{'key': {key}, 'value': {item}}}))"
        )
    else:
        if len(given.items) != len(wanted.items):
            raise QueryError("TYPE_MISMATCH", f"Cannot cast {given} to {wanted}")
        fields = ", ".join(
            f"{text(t.field_name(wanted, i))}: "
            + cast(Value(f"({sql}).{name(t.field_name(given, i))}", item), wanted.items[i]).sql
            for i, item in enumerate(given.items)
        )
        whole = f"CASE WHEN {sql} IS NOT NULL THEN {{{fields}}} END"
    return f"TRY({whole})" if attempt else whole


_CASTS = {
    ("boolean", "integer"): _boolean_to_number,
    ("boolean", "decimal"): _boolean_to_number,
    ("boolean", "float"): _boolean_to_number,
    ("integer", "integer"): _plain,
    ("integer", "decimal"): _plain,
    ("integer", "float"): _plain,
    ("integer", "boolean"): _plain,
    ("decimal", "integer"): _plain,
    ("decimal", "decimal"): _plain,
    ("decimal", "float"): _plain,
    ("decimal", "boolean"): _plain,
    ("float", "integer"): _float_to_integer,
    ("float", "decimal"): _plain,
    ("float", "float"): _plain,
    ("float", "boolean"): _plain,
    ("varchar", "integer"): _from_text,
    ("varchar", "decimal"): _from_text,
    ("varchar", "float"): _from_text,
    ("varchar", "date"): _from_text,
    ("varchar", "timestamp"): _from_text,
    ("varchar", "boolean"): _text_to_boolean,
    ("varchar", "json"): lambda sql, given, wanted, attempt: f"to_json({sql})",
    ("date", "timestamp"): _plain,
    ("timestamp", "date"): _plain,
    ("timestamp", "timestamp"): _plain,
    ("timestamp", "tz"): _plain,
    ("tz", "timestamp"): _plain,
    ("tz", "date"): _plain,
    ("date", "tz"): _plain,
    ("array", "array"): _nested,
    ("map", "map"): _nested,
    ("row", "row"): _nested,
    ("json", "array"): _from_json,
    ("json", "map"): _from_json,
    ("json", "row"): _from_json,
    **{
        (kind, "varchar"): _to_text
        for kind in (
            "boolean",
            "integer",
            "decimal",
            "float",
            "varchar",
            "date",
            "timestamp",
            "tz",
            "json",
        )
    },
    **{("json", kind): _json_scalar for kind in ("integer", "decimal", "float", "boolean")},
    **{
        (kind, "json"): _to_json
        for kind in (
            "boolean",
            "integer",
            "decimal",
            "float",
            "array",
            "map",
            "row",
            "date",
            "timestamp",
        )
    },
}

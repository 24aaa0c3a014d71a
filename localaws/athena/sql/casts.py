"""How a value becomes one of another type: CAST, TRY_CAST and the conversions nobody asked for."""

from __future__ import annotations

from collections.abc import Callable

from localaws.trino import types as t
from localaws.trino.errors import QueryError
from localaws.trino.types import Type
from localaws.trino.values import JAVA_FLOAT, Value, java_float, name, text

from .times import CLOCK_ZONED, CLOCKS, MOMENTS, ZONED, like, local, rounded, written


def convert(value: Value, wanted: Type) -> Value:
    """The implicit conversion; the caller has checked that Trino would do it."""
    if value.type == wanted or value.type.name == wanted.name == "varchar":
        return Value(value.sql, wanted, value.constant)
    if value.type != t.UNKNOWN and _needs_rule(value.type, wanted):
        return cast(value, wanted)
    return Value(f"CAST({value.sql} AS {t.duckdb(wanted)})", wanted, value.constant)


def _needs_rule(given: Type, wanted: Type) -> bool:
    times = (*MOMENTS, *CLOCKS, "char")
    return given.name in times or wanted.name in times or bool(wanted.items)


def cast(value: Value, wanted: Type, *, attempt: bool = False) -> Value:
    """CAST, or TRY_CAST when `attempt`. Raises QueryError for a pair that Trino refuses."""
    given = value.type
    if given in (wanted, t.UNKNOWN):
        return Value(f"CAST({value.sql} AS {t.duckdb(wanted)})", wanted)
    writer = _CASTS.get((family(given), family(wanted)))
    if writer is None:
        raise QueryError("TYPE_MISMATCH", f"Cannot cast {given} to {wanted}")
    return Value(writer(value, wanted, attempt), wanted)


def family(kind: Type) -> str:
    if t.is_integer(kind):
        return "integer"
    if kind.name in ("real", "double"):
        return "float"
    return {ZONED: "tz", CLOCK_ZONED: "timetz"}.get(kind.name, kind.name)


def _plain(value: Value, wanted: Type, attempt: bool) -> str:
    return f"{'TRY_CAST' if attempt else 'CAST'}({value.sql} AS {t.duckdb(wanted)})"


def _float_to_integer(value: Value, wanted: Type, attempt: bool) -> str:
    if attempt:
        return f"TRY_CAST(round({value.sql}) AS {t.duckdb(wanted)})"
    infinite = (
        f"CASE WHEN isnan({value.sql}) THEN 'Cannot cast {value.type.name} NaN' "
        f"WHEN {value.sql} > 0 THEN 'Unable to cast Infinity' ELSE 'Unable to cast -Infinity' END"
    )
    return (
        f"CAST(CASE WHEN isfinite({value.sql}) OR {value.sql} IS NULL THEN round({value.sql}) "
        f"ELSE fail('INVALID_CAST_ARGUMENT: ' || {infinite} || ' to {wanted.name}') "
        f"END AS {t.duckdb(wanted)})"
    )


def _float_to_float(value: Value, wanted: Type, attempt: bool) -> str:
    """What is too great for a real is infinite."""
    if wanted.name == "double":
        return _plain(value, wanted, attempt)
    greatest = "3.4028235677973366e38"  # from here on it is nearer to the next power of two
    infinite = f"CASE WHEN {value.sql} > 0 THEN 'Infinity' ELSE '-Infinity' END::REAL"
    return (
        f"CASE WHEN abs({value.sql}) >= {greatest} AND isfinite({value.sql}) THEN {infinite} "
        f"ELSE CAST({value.sql} AS REAL) END"
    )


def _float_to_decimal(value: Value, wanted: Type, attempt: bool) -> str:
    """By the digits that the number is written with, not by its binary value."""
    digits = f"CAST({value.sql} AS VARCHAR)"
    return f"{'TRY_CAST' if attempt else 'CAST'}({digits} AS {t.duckdb(wanted)})"


def _boolean_to_number(value: Value, wanted: Type, attempt: bool) -> str:
    return f"CAST(CAST({value.sql} AS INTEGER) AS {t.duckdb(wanted)})"


# text

_PATTERNS = {
    "uuid": "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
    "integer": r"\s*[+-]?[0-9]+\s*",
    "decimal": "[ ]*[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?[ ]*",
    "float": JAVA_FLOAT,
    "date": r"\s*[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}\s*",
    "timestamp": "[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
    "( [0-9]{1,2}:[0-9]{1,2}(:[0-9]{1,2}([.][0-9]+)?)?)?"
    "( ?([+-][0-9]{2}:[0-9]{2}|UTC|[A-Za-z_]+/[A-Za-z_/]+))?",  # a zone, which means nothing here
}  # fmt: skip


def _from_text(value: Value, wanted: Type, attempt: bool) -> str:
    """DuckDB accepts more spellings than Trino (`1_000`, `1.5` as an integer)."""
    pattern, sql = text(_PATTERNS[family(wanted)]), value.sql
    read = f"TRY_CAST({sql} AS {t.duckdb(wanted)})"
    if family(wanted) == "float":
        read = java_float(sql, wanted)
    if wanted.name == "timestamp":
        clock = f"regexp_extract({sql}, '^[0-9-]+( [0-9:.]+)?')"
        read = f"TRY_CAST({clock} AS TIMESTAMP)"
        read = rounded(Value(read, Type("timestamp", (6,))), wanted.numbers[0]).sql
    good = f"CASE WHEN regexp_full_match({sql}, {pattern}) THEN {read} END"
    if attempt:
        return good
    shown = "INT" if wanted == t.INTEGER else str(wanted).upper()
    if wanted.name in ("date", "timestamp"):
        wrong = f"'INVALID_CAST_ARGUMENT: Value cannot be cast to {wanted.name}: ' || {sql}"
    else:
        wrong = f"'INVALID_CAST_ARGUMENT: Cannot cast ''' || {sql} || ''' to {shown}'"
    return f"CASE WHEN {sql} IS NOT NULL THEN coalesce({good}, fail({wrong})) END"


def _text_to_boolean(value: Value, wanted: Type, attempt: bool) -> str:
    sql = value.sql
    wrong = f"fail('INVALID_CAST_ARGUMENT: Cannot cast ''' || {sql} || ''' to BOOLEAN')"
    return (
        f"CASE WHEN lower({sql}) IN ('t', 'true', '1') THEN true "
        f"WHEN lower({sql}) IN ('f', 'false', '0') THEN false "
        f"WHEN {sql} IS NOT NULL THEN {'NULL' if attempt else wrong} END"
    )


def _by_function(function: str) -> Writer:
    """A cast that a Python function reads: it takes the text and the digits of a second."""

    def write(value: Value, wanted: Type, attempt: bool) -> str:
        call = f"{function}({value.sql}, {wanted.numbers[0]})"
        return f"TRY({call})" if attempt else call

    return write


def text_of(value: Value) -> str:
    """The value as CAST(... AS varchar) writes it."""
    sql, kind = value.sql, value.type
    if kind.name in ("double", "real"):
        return f"trino_scientific(CAST({sql} AS DOUBLE), CAST({sql} AS VARCHAR))"
    if kind.name == "decimal":
        return decimal_text(sql, kind)
    if kind.name in (*MOMENTS, *CLOCKS, "interval day to second", "interval year to month"):
        return written(sql, kind)
    if kind.name == "json":
        return f"trino_json_to_varchar({sql})"
    return f"CAST({sql} AS VARCHAR)"


def decimal_text(sql: str, kind: Type) -> str:
    """0.05, which DuckDB writes as .05 where the type has no place before the point."""
    precision, scale = kind.numbers
    if precision == scale < 38:
        sql = f"CAST({sql} AS DECIMAL({precision + 1},{scale}))"
    elif precision == scale:
        return f"replace(replace(CAST({sql} AS VARCHAR), '-.', '-0.'), ' .', '0.')"
    return f"CAST({sql} AS VARCHAR)"


def _to_text(value: Value, wanted: Type, attempt: bool) -> str:
    shown = text_of(value)
    if not wanted.numbers:
        return shown
    size = wanted.numbers[0]
    if value.type.name in ("varchar", "char"):
        return f"substr({shown}, 1, {size})"
    wrong = (
        f"fail('INVALID_CAST_ARGUMENT: Value ' || {shown} || ' cannot be represented as {wanted}')"
    )
    return (
        f"CASE WHEN length({shown}) > {size} THEN {'NULL' if attempt else wrong} ELSE {shown} END"
    )


def _to_char(value: Value, wanted: Type, attempt: bool) -> str:
    """Held with blanks up to its length."""
    shown = _to_text(value, Type("varchar", wanted.numbers), attempt)
    return f"rpad({shown}, {wanted.numbers[0]}, ' ')"


# JSON


def _to_json(value: Value, wanted: Type, attempt: bool) -> str:
    sql, kind = value.sql, value.type
    return f"CASE WHEN {sql} IS NOT NULL THEN CAST({json_text(sql, kind)} AS JSON) END"


def json_text(sql: str, kind: Type) -> str:
    """The value, which is not NULL, as JSON text."""
    if kind.name in ("boolean", *t.INTEGERS):
        return f"CAST({sql} AS VARCHAR)"
    if kind.name in ("double", "real"):
        plain = f"trino_number_text({sql}, CAST({sql} AS VARCHAR))"
        return f"CASE WHEN isfinite({sql}) THEN {plain} ELSE '\"' || {plain} || '\"' END"
    if kind.name == "decimal":
        return decimal_text(sql, kind)
    if kind.name == "json":
        return f"CAST({sql} AS VARCHAR)"
    if kind == t.UNKNOWN:
        return "'null'"
    if kind.name == "array":
        inside = _json_or_null("e", kind.items[0])
        return f"('[' || array_to_string(list_transform({sql}, lambda e: {inside}), ',') || ']')"
    if kind.name == "map":
        label, item = kind.items
        if label.name in ("row", "array", "map", "json"):
            raise QueryError("TYPE_MISMATCH", f"Cannot cast {kind} to json")
        shown = text_of(Value("e.key", label))
        if label.name in ("double", "real"):
            shown = "trino_number_text(e.key, CAST(e.key AS VARCHAR))"
        entry = f"CAST(to_json(e.k) AS VARCHAR) || ':' || {_json_or_null('e.v', item)}"
        pairs = (
            f"list_sort(list_transform(map_entries({sql}), lambda e: "
            f"{{'k': {shown}, 'v': e.value}}))"
        )
        inside = f"list_transform({pairs}, lambda e: {entry})"
        return f"('{{' || array_to_string({inside}, ',') || '}}')"
    if kind.name == "row":
        fields = " || ',' || ".join(
            text(f'"{_escaped(kind.names[i] or "")}":')
            + " || "
            + _json_or_null(f"({sql}).{name(t.field_name(kind, i))}", item)
            for i, item in enumerate(kind.items)
        )
        return f"('{{' || {fields} || '}}')"
    if kind.name in ("varchar", "char", "uuid", *MOMENTS, *CLOCKS):
        return f"CAST(to_json({text_of(Value(sql, kind))}) AS VARCHAR)"
    raise QueryError("TYPE_MISMATCH", f"Cannot cast {kind} to json")


def _escaped(label: str) -> str:
    return label.replace("\\", "\\\\").replace('"', '\\"')


def _json_or_null(sql: str, kind: Type) -> str:
    return f"CASE WHEN {sql} IS NULL THEN 'null' ELSE {json_text(sql, kind)} END"


def _from_json(value: Value, wanted: Type, attempt: bool) -> str:
    whole = from_json(value.sql, wanted)
    return f"TRY({whole})" if attempt else whole


def from_json(sql: str, kind: Type) -> str:
    """The value of the type that a JSON document holds; JSON null is NULL."""
    if kind.name == "json":
        return f"CAST(coalesce({sql}, 'null') AS JSON)"
    if kind.name == "varchar":
        return _to_text(Value(sql, t.JSON), kind, attempt=False)
    if kind.name == "array":
        item = from_json("e", kind.items[0])
        return f"list_transform(trino_json_items({sql}), lambda e: {item})"
    if kind.name == "map":
        label = cast(Value("e.k", t.VARCHAR), kind.items[0]).sql
        item = from_json("e.v", kind.items[1])
        entry = f"{{'key': {label}, 'value': {item}}}"
        entries = f"list_transform(trino_json_entries({sql}), lambda e: {entry})"
        return f"trino_cast_map({entries})"
    if kind.name == "row":
        labels = ", ".join(text(label or "") for label in kind.names)
        fields = ", ".join(
            f"{text(t.field_name(kind, i))}: {from_json(f'e[{i + 1}]', item)}"
            for i, item in enumerate(kind.items)
        )
        found = f"trino_json_fields({sql}, [{labels}])"
        return (
            f"list_transform([{found}], lambda e: CASE WHEN e IS NOT NULL THEN {{{fields}}} END)[1]"
        )
    if kind.name in ("boolean", "decimal", *t.INTEGERS, "real", "double"):
        number = f"trino_json_to_{'integer' if t.is_integer(kind) else kind.name}({sql})"
        if kind.name == "boolean":
            return number
        return f"CAST({number} AS {t.duckdb(kind)})"
    raise QueryError("TYPE_MISMATCH", f"Cannot cast json to {kind}")


# times


def _timestamp(value: Value, wanted: Type, attempt: bool) -> str:
    given = local(value)
    if given.type.name == "date":
        return f"CAST({given.sql} AS TIMESTAMP)"
    return rounded(given, wanted.numbers[0]).sql


def _zoned(value: Value, wanted: Type, attempt: bool) -> str:
    """Without a zone a moment is read in the session's, which is UTC."""
    if value.type.name == ZONED:
        return rounded(value, wanted.numbers[0]).sql
    return f"trino_at({_timestamp(value, wanted, attempt)}, 'UTC')"


def _date(value: Value, wanted: Type, attempt: bool) -> str:
    return f"CAST({local(value).sql} AS DATE)"


def _time(value: Value, wanted: Type, attempt: bool) -> str:
    given = local(value)
    if given.type.name == "timestamp":
        given = Value(f"CAST({given.sql} AS TIME)", Type("time", given.type.numbers))
    return rounded(given, wanted.numbers[0]).sql


def _clock_zoned(value: Value, wanted: Type, attempt: bool) -> str:
    if value.type.name == CLOCK_ZONED:
        return rounded(value, wanted.numbers[0]).sql
    shift = f"trino_shift({value.sql})" if value.type.name == ZONED else "0"
    return f"trino_clock_zoned({_time(value, wanted, attempt)}, {shift})"


def _on_today(value: Value, wanted: Type, attempt: bool) -> str:
    moment = f"(CAST(now() AS DATE) + {local(value).sql})"
    given = Value(moment, Type("timestamp", value.type.numbers))
    if value.type.name == CLOCK_ZONED and wanted.name == ZONED:
        zone = f"trino_shift_text(({value.sql}).shift)"
        return like(moment, Value(f"trino_at({moment}, {zone})", wanted)).sql
    return cast(given, wanted).sql


# nested


def _nested(value: Value, wanted: Type, attempt: bool) -> str:
    """Element by element, so that an inner cast keeps Trino's rules."""
    sql, given = value.sql, value.type
    if given.name == "array":
        inside = cast(Value("e", given.items[0]), wanted.items[0]).sql
        whole = f"list_transform({sql}, lambda e: {inside})"
    elif given.name == "map":
        label = cast(Value("e.key", given.items[0]), wanted.items[0]).sql
        item = cast(Value("e.value", given.items[1]), wanted.items[1]).sql
        whole = (
            f"trino_cast_map(list_transform(map_entries({sql}), "
            f"lambda e: {{'key': {label}, 'value': {item}}}))"
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


Writer = Callable[[Value, Type, bool], str]
_NUMBERS = ("integer", "decimal", "float")
_TIMES = ("date", "timestamp", "tz", "time", "timetz")
_CASTS: dict[tuple[str, str], Writer] = {
    **{(a, b): _plain for a in _NUMBERS for b in (*_NUMBERS, "boolean")},
    **{("boolean", kind): _boolean_to_number for kind in _NUMBERS},
    ("float", "integer"): _float_to_integer,
    ("float", "float"): _float_to_float,
    ("float", "decimal"): _float_to_decimal,
    **{("varchar", kind): _from_text for kind in (*_NUMBERS, "date", "timestamp", "uuid")},
    ("varchar", "boolean"): _text_to_boolean,
    ("varchar", "tz"): _by_function("trino_read_zoned"),
    ("varchar", "time"): _by_function("trino_read_time"),
    ("varchar", "timetz"): _by_function("trino_read_clock"),
    ("varchar", "varbinary"): lambda value, wanted, attempt: f"encode({value.sql})",
    **{("char", kind): _from_text for kind in (*_NUMBERS, "date", "timestamp")},
    **{(kind, "timestamp"): _timestamp for kind in ("date", "timestamp", "tz")},
    **{(kind, "tz"): _zoned for kind in ("date", "timestamp", "tz")},
    **{(kind, "date"): _date for kind in ("timestamp", "tz")},
    **{(kind, "time"): _time for kind in ("timestamp", "tz", "time", "timetz")},
    **{(kind, "timetz"): _clock_zoned for kind in ("timestamp", "tz", "time", "timetz")},
    **{(a, b): _on_today for a in ("time", "timetz") for b in ("timestamp", "tz")},
    **{(kind, kind): _nested for kind in ("array", "map", "row")},
    **{
        (kind, shown): writer
        for shown, writer in (("varchar", _to_text), ("char", _to_char))
        for kind in (
            "boolean", *_NUMBERS, "varchar", "char", *_TIMES, "json", "uuid",
            "interval day to second", "interval year to month",
        )
    },
    **{
        (kind, "json"): _to_json
        for kind in (
            "boolean", *_NUMBERS, "varchar", "char", "array", "map", "row", "date", "timestamp",
            "tz", "time", "uuid",
        )
    },
    **{("json", kind): _from_json for kind in (*_NUMBERS, "boolean", "array", "map", "row")},
}  # fmt: skip

"""DuckDB expressions that read a cell of text as a value of a Hive type; NULL where it is none.

What counts as a number, a date or a truth value is the SerDe's: LazySimpleSerDe is lenient (Trino,
io.trino.hive.formats: TextColumnEncoding), JSON and OpenCSVSerDe are not.
https://docs.aws.amazon.com/athena/latest/ug/csv-serde.html
"""

from __future__ import annotations

from collections.abc import Callable

from localaws.tables.errors import not_emulated
from localaws.trino import types as t
from localaws.trino.types import Type
from localaws.trino.values import JAVA_FLOAT, java_float, text

Cell = Callable[[str, Type], str]
# The SerDe reads whole rows before any condition looks at one: DuckDB moves no condition below it.
EACH_ROW = f" LIMIT {(1 << 63) - 1}"
_DECIMAL = "[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?"
_DAY = "[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
_TIME = "[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}([.][0-9]{1,9})?"


def _matching(sql: str, pattern: str, then: str) -> str:
    return f"CASE WHEN regexp_full_match({sql}, {text(pattern)}) THEN {then} END"


def _integer(sql: str, kind: Type) -> str:
    return _matching(sql, "[+-]?[0-9]+", f"TRY_CAST({sql} AS {t.duckdb(kind)})")


def _cut_integer(sql: str, kind: Type) -> str:
    """Hive reads 1.9 as 1."""
    whole = f"TRY_CAST(split_part({sql}, '.', 1) AS {t.duckdb(kind)})"
    return f"coalesce({_integer(sql, kind)}, {_matching(sql, '[+-]?[0-9]+[.][0-9]*', whole)})"


def _json_integer(sql: str, kind: Type) -> str:
    whole = f"TRY_CAST(split_part({sql}, '.', 1) AS {t.duckdb(kind)})"
    return f"coalesce({_integer(sql, kind)}, {_matching(sql, '[+-]?[0-9]+[.]0+', whole)})"


def _java_integer(sql: str, kind: Type) -> str:
    """A JSON number as Jackson reads an integer of it: what follows the point is cut off."""
    cut = f"TRY_CAST(trunc(TRY_CAST({sql} AS DOUBLE)) AS {t.duckdb(kind)})"
    return f"coalesce({_integer(sql, kind)}, {_matching(sql, _DECIMAL, cut)})"


def _float(sql: str, kind: Type) -> str:
    return _matching(sql, JAVA_FLOAT, java_float(sql, kind))


def _decimal(sql: str, kind: Type) -> str:
    return _matching(sql, _DECIMAL, f"TRY_CAST({sql} AS {t.duckdb(kind)})")


def _boolean(sql: str, kind: Type) -> str:
    return f"CASE lower({sql}) WHEN 'true' THEN true WHEN 'false' THEN false END"


def _java_boolean(sql: str, kind: Type) -> str:
    return f"(lower({sql}) = 'true')"


def _varchar(sql: str, kind: Type) -> str:
    return f"substr({sql}, 1, {kind.numbers[0]})" if kind.numbers else sql


def _hive_date(sql: str, kind: Type) -> str:
    """The day in front; the 30th of February is the first of March (or the second)."""
    parts = [f"CAST(split_part(trim({sql}), '-', {n}) AS INTEGER)" for n in (1, 2)]
    day = f"CAST(split_part(split_part(trim({sql}), '-', 3), ' ', 1) AS INTEGER)"
    rolled = f"TRY(make_date({parts[0]}, {parts[1]}, 1)) + ({day} - 1)"
    return (
        f"coalesce({_matching(sql, _DAY, f'TRY_CAST({sql} AS DATE)')}, "
        f"{_matching(sql, f'[ ]*{_DAY}([ ].*)?', rolled)})"
    )


def milliseconds(sql: str) -> str:
    """A timestamp rounded to the milliseconds that Athena reads of it."""
    return f"make_timestamp(((epoch_us({sql}) + 500) // 1000) * 1000)"


def _timestamp(sql: str, kind: Type) -> str:
    parsed = milliseconds(f"TRY_CAST(replace(trim({sql}), 'T', ' ') AS TIMESTAMP)")
    return _matching(sql, f"[ ]*{_DAY}([ T]{_TIME})?[ ]*", parsed)


def _hive_binary(sql: str, kind: Type) -> str:
    return f"TRY(from_base64({sql}))"


def _bytes_of_text(sql: str, kind: Type) -> str:
    return f"encode({sql})"


def _epoch_days(sql: str, kind: Type) -> str:
    return f"DATE '1970-01-01' + {_integer(sql, t.INTEGER)}"


def _epoch_milliseconds(sql: str, kind: Type) -> str:
    return f"make_timestamp({_integer(sql, t.BIGINT)} * 1000)"


def _json_time(sql: str, kind: Type) -> str:
    """ISO with or without offset, or seconds (12 digits at most, or with a fraction) or
    milliseconds (13 digits and more) since 1970."""
    number = f"TRY_CAST({sql} AS DECIMAL(38,9))"
    scale = f"CASE WHEN contains({sql}, '.') OR length({sql}) < 13 THEN 1000000 ELSE 1000 END"
    counted = milliseconds(f"make_timestamp(CAST({number} * {scale} AS BIGINT))")
    zoned = f"TRY_CAST({sql} AS TIMESTAMPTZ) AT TIME ZONE 'UTC'"
    offset = f"[ ]*{_DAY}[ T]{_TIME}(Z|[+-][0-9]{{2}}:?[0-9]{{2}})[ ]*"
    return (
        f"coalesce({_timestamp(sql, kind)}, {_matching(sql, offset, milliseconds(zoned))}, "
        f"{_matching(sql, '[+-]?[0-9]+([.][0-9]+)?', counted)})"
    )


def _json_date(sql: str, kind: Type) -> str:
    return f"coalesce({_hive_date(sql, kind)}, {_epoch_days(sql, kind)})"


_LENIENT: dict[str, Cell] = {
    **dict.fromkeys(t.INTEGERS, _cut_integer),
    **dict.fromkeys(("real", "double"), _float),
    **dict.fromkeys(("varchar", "char"), _varchar),
    "decimal": _decimal,
    "boolean": _boolean,
    "date": _hive_date,
    "timestamp": _timestamp,
    "varbinary": _hive_binary,
}
CELLS: dict[str, dict[str, Cell]] = {
    "text": _LENIENT,
    "regex": _LENIENT,
    "grok": {
        **{name: reader for name, reader in _LENIENT.items() if name != "varbinary"},
        **dict.fromkeys(t.INTEGERS, _integer),
        "boolean": _java_boolean,
    },
    "open_csv": {
        **_LENIENT,
        **dict.fromkeys(t.INTEGERS, _integer),
        "date": _epoch_days,
        "timestamp": _epoch_milliseconds,
    },
    "json": {
        **_LENIENT,
        **dict.fromkeys(t.INTEGERS, _json_integer),
        "date": _json_date,
        "timestamp": _json_time,
    },
    # Trino, io.trino.hive.formats.line.json.JsonDeserializer.
    "hive_json": {
        **_LENIENT,
        **dict.fromkeys(t.INTEGERS, _java_integer),
        "boolean": _java_boolean,
        "varbinary": _bytes_of_text,
    },
}
_FORMAT_NAMES = {
    "text": "a text",
    "regex": "a RegexSerDe",
    "grok": "a GrokSerDe",
    "open_csv": "an OpenCSVSerDe",
    "json": "a JSON",
    "hive_json": "a JSON",
}


def cell(sql: str, kind: Type, format_: str, label: str) -> str:
    """The text `sql` as `kind`. Raises TableError for a type that the format has not."""
    reader = CELLS[format_].get(kind.name)
    if reader is None or (format_ == "open_csv" and kind.name == "varbinary"):
        raise not_emulated(f"the type {kind} in {_FORMAT_NAMES[format_]} table (column {label})")
    return reader(sql, kind)


def checked(
    sql: str, value: str, label: str, wrong: str = "HIVE_BAD_DATA: Error parsing field value"
) -> str:
    """The value, or the error `wrong` where the text `sql` is there and no value of the type."""
    start, end = text(f"{wrong} '"), text(f"' for field {label}")
    fails = f"error({start} || {sql} || {end})"
    return f"CASE WHEN {value} IS NULL AND {sql} IS NOT NULL THEN {fails} ELSE {value} END"

"""Functions of dates, times and intervals.

https://trino.io/docs/current/functions/datetime.html
"""

from __future__ import annotations

from collections.abc import Callable

from localaws.trino import types as t
from localaws.trino.errors import QueryError, not_emulated
from localaws.trino.types import Type
from localaws.trino.values import Value, text

from .casts import cast, convert
from .equality import key
from .patterns import joda_format, mysql_format
from .times import CLOCK_ZONED, CLOCKS, MOMENTS, ZONED, like, local, sized, written

Special = Callable[[list[Value]], Value]
UNITS = ("millisecond", "second", "minute", "hour", "day", "week", "month", "quarter", "year")
_CLOCK_UNITS = UNITS[:4]
_MS = {"millisecond": 1, "second": 1000, "minute": 60_000, "hour": 3_600_000}


def unexpected(name: str, arguments: list[Value]) -> QueryError:
    shown = ", ".join(str(value.type) for value in arguments)
    return QueryError("TYPE_MISMATCH", f"Unexpected parameters ({shown}) for function {name}")


def _take(arguments: list[Value], name: str, *counts: int) -> None:
    if len(arguments) not in counts:
        raise unexpected(name, arguments)


def _text(arguments: list[Value], name: str) -> str:
    """The only argument, which is a text."""
    _take(arguments, name, 1)
    if arguments[0].type.name not in ("varchar", "unknown"):
        raise unexpected(name, arguments)
    return arguments[0].sql


def _take_texts(arguments: list[Value], name: str) -> None:
    _take(arguments, name, 2)
    if any(value.type.name not in ("varchar", "unknown") for value in arguments):
        raise unexpected(name, arguments)


def _constant(arguments: list[Value], place: int, name: str) -> str:
    found = arguments[place].constant
    if not isinstance(found, str):
        raise not_emulated(f"{name} with a text that is not a literal (argument {place + 1})")
    return found


def _unit(arguments: list[Value], name: str, kind: Type) -> str:
    unit = _constant(arguments, 0, name).lower()
    shown = kind.name.upper()
    wrong = unit not in UNITS or (kind == t.DATE and unit in _CLOCK_UNITS)
    if wrong or (kind.name in CLOCKS and unit not in _CLOCK_UNITS):
        raise QueryError("INVALID_FUNCTION_ARGUMENT", f"'{unit}' is not a valid {shown} field")
    return unit


def _moment(value: Value, name: str, *more: str) -> Type:
    if value.type.name not in (*MOMENTS, *more):
        raise unexpected(name, [value])
    return value.type


def now(digits: int = 3) -> Value:
    moment = "CAST(timezone('UTC', date_trunc('millisecond', now())) AS TIMESTAMP)"
    if digits != 3:
        exact = Value("CAST(timezone('UTC', now()) AS TIMESTAMP)", sized("timestamp", 6))
        moment = cast(exact, sized("timestamp", digits)).sql
    return Value(f"trino_at({moment}, 'UTC')", sized(ZONED, digits))


def _now(arguments: list[Value]) -> Value:
    _take(arguments, "now", 0)
    return now()


def date_add(arguments: list[Value]) -> Value:
    _take(arguments, "date_add", 3)
    kind = _moment(arguments[2], "date_add", *CLOCKS)
    unit = _unit(arguments, "date_add", kind)
    if not t.is_integer(arguments[1].type):
        raise unexpected("date_add", arguments)
    amount, value = arguments[1].sql, arguments[2]
    if unit in _MS:
        step = f"to_microseconds(CAST({amount} AS BIGINT) * {_MS[unit] * 1000})"
        if kind.name == ZONED:
            return Value(
                f"trino_at(({value.sql}).utc::TIMESTAMP + {step}, ({value.sql}).zone)", kind
            )
        moved = like(f"({local(value).sql} + {step})", value)
        if unit == "millisecond" and kind.numbers[0] < 3:
            return _rounded(moved, kind.numbers[0])
        return moved
    return like(f"({local(value).sql} + to_{unit}s(trino_steps({amount})))", value)


def _rounded(value: Value, digits: int) -> Value:
    from_micros = Value(value.sql, Type(value.type.name, (6,)))
    return cast(from_micros, Type(value.type.name, (digits,)))


def date_diff(arguments: list[Value]) -> Value:
    """Whole units between two moments, as their clocks show it where a unit is a day or more."""
    _take(arguments, "date_diff", 3)
    kind = t.common(arguments[1].type, arguments[2].type)
    if kind is None or kind.name not in (*MOMENTS, *CLOCKS):
        raise unexpected("date_diff", arguments)
    unit = _unit(arguments, "date_diff", kind)
    first, second = (convert(value, kind) for value in arguments[1:])
    if kind.name in CLOCKS:
        a, b = (
            key(side.sql, kind) if kind.name == CLOCK_ZONED else f"epoch_us({side.sql})"
            for side in (first, second)
        )
        return Value(f"(({b} - {a}) // {_MS[unit] * 1000})", t.BIGINT)
    if unit in _MS:
        a, b = key(first.sql, kind), key(second.sql, kind)
        return Value(f"date_sub('{unit}', {a}, {b})", t.BIGINT)
    a, b = local(first).sql, local(second).sql
    if kind.name == ZONED:
        b = f"trino_in_zone(({second.sql}).utc::TIMESTAMP, ({first.sql}).zone)"
    return Value(f"date_sub('{unit}', {a}, {b})", t.BIGINT)


def date_trunc(arguments: list[Value]) -> Value:
    _take(arguments, "date_trunc", 2)
    kind = _moment(arguments[1], "date_trunc", *CLOCKS)
    unit = _unit(arguments, "date_trunc", kind)
    moment = local(arguments[1]).sql
    if kind.name in CLOCKS:
        step = _MS[unit] * 1000
        return like(f"trino_micros(epoch_us({moment}) // {step} * {step})", arguments[1])
    return like(f"date_trunc('{unit}', {moment})", arguments[1])


def date(arguments: list[Value]) -> Value:
    _take(arguments, "date", 1)
    return cast(arguments[0], t.DATE)


def field(name: str, function: str) -> Special:
    """year, month, ... of a moment or of an interval."""

    def compile_field(arguments: list[Value]) -> Value:
        _take(arguments, name, 1)
        value = arguments[0]
        if value.type == t.DAY_INTERVAL and name in ("day", *_CLOCK_UNITS):
            step, top = {"day": (86_400_000, 0), "hour": (3_600_000, 24), "minute": (60_000, 60),
                         "second": (1000, 60), "millisecond": (1, 1000)}[name]  # fmt: skip
            tail = f" % {top}" if top else ""
            return Value(f"({value.sql} // {step}{tail})", t.BIGINT)
        if value.type == t.YEAR_INTERVAL and name in ("year", "month"):
            sign = "// 12" if name == "year" else "% 12"
            return Value(f"CAST({value.sql} {sign} AS BIGINT)", t.BIGINT)
        clock = name in _CLOCK_UNITS
        accepted = MOMENTS[1:] + CLOCKS if clock else MOMENTS
        if value.type.name not in accepted:
            raise unexpected(name, arguments)
        sql = function.format(local(value).sql)
        return Value(f"CAST({sql} AS BIGINT)", t.BIGINT)

    return compile_field


def zone_part(name: str) -> Special:
    def compile_part(arguments: list[Value]) -> Value:
        _take(arguments, name, 1)
        value = arguments[0]
        if value.type.name == ZONED:
            shift = f"trino_shift({value.sql})"
        elif value.type.name == CLOCK_ZONED:
            shift = f"({value.sql}).shift"
        else:
            raise unexpected(name, arguments)
        sign = "// 60" if name == "timezone_hour" else "% 60"
        return Value(f"CAST({shift} {sign} AS BIGINT)", t.BIGINT)

    return compile_part


def timezone(arguments: list[Value]) -> Value:
    _take(arguments, "timezone", 1)
    if arguments[0].type.name == ZONED:
        return Value(f"({arguments[0].sql}).zone", t.VARCHAR)
    if arguments[0].type.name == CLOCK_ZONED:
        return Value(f"trino_shift_text(({arguments[0].sql}).shift)", t.VARCHAR)
    raise unexpected("timezone", arguments)


def last_day_of_month(arguments: list[Value]) -> Value:
    _take(arguments, "last_day_of_month", 1)
    _moment(arguments[0], "last_day_of_month")
    return Value(f"last_day({local(arguments[0]).sql})", t.DATE)


def at_timezone(arguments: list[Value]) -> Value:
    """The same moment, shown in another zone."""
    _take(arguments, "at_timezone", 2)
    value, zone = arguments
    if zone.type == t.DAY_INTERVAL:
        zone = Value(f"trino_shift_text(CAST({zone.sql} // 60000 AS INTEGER))", t.VARCHAR)
    elif zone.type.name != "varchar":
        raise unexpected("at_timezone", arguments)
    else:
        zone = Value(f"trino_zone({zone.sql})", t.VARCHAR)
    if value.type.name == "timestamp":
        value = cast(value, Type(ZONED, value.type.numbers))
    if value.type.name == "time":
        value = cast(value, Type(CLOCK_ZONED, value.type.numbers))
    if value.type.name == ZONED:
        return Value(f"trino_at(({value.sql}).utc::TIMESTAMP, {zone.sql})", value.type)
    if value.type.name == CLOCK_ZONED:
        shift = f"CASE WHEN {zone.sql} = 'UTC' THEN 0 ELSE trino_minutes({zone.sql}) END"
        return Value(f"trino_clock_in({value.sql}, {shift})", value.type)
    raise unexpected("at_timezone", arguments)


def with_timezone(arguments: list[Value]) -> Value:
    """The moment whose clock in that zone shows this timestamp."""
    _take(arguments, "with_timezone", 2)
    kinds = [value.type.name for value in arguments]
    if kinds[0] != "timestamp" or kinds[1] not in ("varchar", "unknown"):
        raise unexpected("with_timezone", arguments)
    sql = f"trino_zoned({arguments[0].sql}, trino_zone({arguments[1].sql}))"
    return Value(sql, Type(ZONED, arguments[0].type.numbers))


def from_unixtime(arguments: list[Value]) -> Value:
    _take(arguments, "from_unixtime", 1, 2, 3)
    if not (t.is_number(arguments[0].type) or arguments[0].type == t.UNKNOWN):
        raise unexpected("from_unixtime", arguments)
    us = f"trino_unixtime(CAST({arguments[0].sql} AS DOUBLE) * 1000) * 1000"
    zone = "'UTC'"
    kinds = [value.type.name for value in arguments[1:]]
    texts = len(kinds) == 1 and kinds[0] in ("varchar", "unknown")
    if (
        kinds
        and not texts
        and not (
            len(kinds) == 2 and all(t.converts(value.type, t.BIGINT) for value in arguments[1:])
        )
    ):
        raise unexpected("from_unixtime", arguments)
    if len(arguments) == 2:
        zone = f"trino_zone({arguments[1].sql})"
    if len(arguments) == 3:
        zone = f"trino_offset_zone({arguments[1].sql}, {arguments[2].sql})"
    return Value(f"trino_at(make_timestamp({us}), {zone})", Type(ZONED, (3,)))


def to_unixtime(arguments: list[Value]) -> Value:
    _take(arguments, "to_unixtime", 1)
    kind = _moment(arguments[0], "to_unixtime")
    return Value(f"(epoch_us({key(arguments[0].sql, kind)}) / 1000000)", t.DOUBLE)


def to_milliseconds(arguments: list[Value]) -> Value:
    _take(arguments, "to_milliseconds", 1)
    if arguments[0].type != t.DAY_INTERVAL:
        raise unexpected("to_milliseconds", arguments)
    return Value(arguments[0].sql, t.BIGINT)


def parse_duration(arguments: list[Value]) -> Value:
    return Value(f"trino_duration({_text(arguments, 'parse_duration')})", t.DAY_INTERVAL)


def to_iso8601(arguments: list[Value]) -> Value:
    _take(arguments, "to_iso8601", 1)
    value = arguments[0]
    kind = _moment(value, "to_iso8601", *CLOCKS)
    if kind.name in (ZONED, CLOCK_ZONED):
        plain = Type(kind.name.split()[0], kind.numbers)
        body = f"replace({written(local(value).sql, plain)}, ' ', 'T')"
        shift = f"trino_shift({value.sql})" if kind.name == ZONED else f"({value.sql}).shift"
        tail = f"CASE WHEN {shift} = 0 THEN 'Z' ELSE trino_shift_text({shift}) END"
        return Value(f"({body} || {tail})", t.VARCHAR)
    return Value(f"replace({written(value.sql, kind)}, ' ', 'T')", t.VARCHAR)


def from_iso8601_date(arguments: list[Value]) -> Value:
    return Value(f"trino_iso_date({_text(arguments, 'from_iso8601_date')})", t.DATE)


def from_iso8601_timestamp(arguments: list[Value]) -> Value:
    given = _text(arguments, "from_iso8601_timestamp")
    return Value(f"trino_iso_timestamp({given})", Type(ZONED, (3,)))


def date_format(arguments: list[Value]) -> Value:
    _take(arguments, "date_format", 2)
    _moment(arguments[0], "date_format")
    pattern = mysql_format(_constant(arguments, 1, "date_format"), "date_format")
    moment = arguments[0]
    if moment.type.name != "date":  # %f has milliseconds
        moment = cast(moment, Type(moment.type.name, (min(3, moment.type.numbers[0]),)))
    if not pattern:  # DuckDB takes none
        return Value(f"CASE WHEN {local(moment).sql} IS NOT NULL THEN '' END", t.VARCHAR)
    return Value(f"strftime({local(moment).sql}, {text(pattern)})", t.VARCHAR)


def date_parse(arguments: list[Value]) -> Value:
    _take_texts(arguments, "date_parse")
    _constant(arguments, 1, "date_parse")
    return Value(f"trino_date_parse({arguments[0].sql}, {arguments[1].sql})", t.TIMESTAMP)


def format_datetime(arguments: list[Value]) -> Value:
    _take(arguments, "format_datetime", 2)
    kind = _moment(arguments[0], "format_datetime")
    pattern = _constant(arguments, 1, "format_datetime")
    if not pattern:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", "Invalid pattern specification")
    value = arguments[0] if kind.name == ZONED else cast(arguments[0], Type(ZONED, (3,)))
    try:
        plain = joda_format(pattern, "format_datetime")
        return Value(f"strftime({local(value).sql}, {text(plain)})", t.VARCHAR)
    except QueryError:
        moment = f"epoch_us({local(value).sql}), trino_shift({value.sql}), ({value.sql}).zone"
        return Value(f"trino_joda_format({moment}, {text(pattern)})", t.VARCHAR)


def parse_datetime(arguments: list[Value]) -> Value:
    _take_texts(arguments, "parse_datetime")
    _constant(arguments, 1, "parse_datetime")
    sql = f"trino_joda_parse({arguments[0].sql}, {arguments[1].sql})"
    return Value(sql, Type(ZONED, (3,)))


def human_readable_seconds(arguments: list[Value]) -> Value:
    _take(arguments, "human_readable_seconds", 1)
    sql = f"trino_human_seconds(CAST({arguments[0].sql} AS DOUBLE))"
    return Value(sql, t.VARCHAR)


def current_timezone(arguments: list[Value]) -> Value:
    _take(arguments, "current_timezone", 0)
    return Value("'UTC'", t.VARCHAR)


_FIELDS = {
    "year": "year({0})", "quarter": "quarter({0})", "month": "month({0})", "week": "week({0})",
    "day": "day({0})", "day_of_week": "isodow({0})", "day_of_year": "dayofyear({0})",
    "year_of_week": "isoyear({0})", "hour": "hour({0})", "minute": "minute({0})",
    "second": "second({0})", "millisecond": "(millisecond({0}) % 1000)",
}  # fmt: skip

_NULL = Value("CAST(NULL AS TIMESTAMP)", t.TIMESTAMP)


def of_null(special: Special, *places: int) -> Special:
    """A function with one type of result, which takes a bare NULL for a moment."""

    def compile_null(arguments: list[Value]) -> Value:
        return special(
            [
                _NULL if place in places and value.type == t.UNKNOWN else value
                for place, value in enumerate(arguments)
            ]
        )

    return compile_null


DATES: dict[str, Special] = {
    **{name: of_null(field(name, function), 0) for name, function in _FIELDS.items()},
    **{name: zone_part(name) for name in ("timezone_hour", "timezone_minute")},
    "at_timezone": at_timezone,
    "current_timezone": current_timezone,
    "date": date,
    "date_add": date_add,
    "date_diff": of_null(date_diff, 1, 2),
    "date_format": of_null(date_format, 0),
    "date_parse": date_parse,
    "date_trunc": date_trunc,
    "format_datetime": of_null(format_datetime, 0),
    "from_iso8601_date": from_iso8601_date,
    "from_iso8601_timestamp": from_iso8601_timestamp,
    "from_unixtime": from_unixtime,
    "human_readable_seconds": human_readable_seconds,
    "last_day_of_month": of_null(last_day_of_month, 0),
    "now": _now,
    "parse_datetime": parse_datetime,
    "parse_duration": parse_duration,
    "timezone": timezone,
    "to_iso8601": of_null(to_iso8601, 0),
    "to_milliseconds": to_milliseconds,
    "to_unixtime": of_null(to_unixtime, 0),
    "with_timezone": with_timezone,
}

"""Times in DuckDB: how moments with zones and intervals are held, rounded, read and written.

timestamp(p) is a TIMESTAMP and time(p) a TIME, rounded to p digits. timestamp(p) with time zone is
STRUCT(utc TIMESTAMP, zone VARCHAR), time(p) with time zone STRUCT(us BIGINT, shift INTEGER): local
microseconds of the day and minutes east of UTC. An interval is BIGINT milliseconds or INTEGER
months. Rules: https://trino.io/docs/current/language/types.html#date-and-time
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from zoneinfo import available_timezones

from localaws.trino import types as t
from localaws.trino.errors import QueryError, not_emulated
from localaws.trino.types import Type
from localaws.trino.values import Value, text

DIGITS = 6  # DuckDB's microseconds
ZONED, CLOCK_ZONED = "timestamp with time zone", "time with time zone"
MOMENTS = ("date", "timestamp", ZONED)
CLOCKS = ("time", CLOCK_ZONED)
DAY = 86_400_000_000


def sized(name: str, digits: int) -> Type:
    """The time type of so many digits; above DuckDB's it is refused."""
    if digits > DIGITS:
        raise not_emulated(f"the type {Type(name, (digits,))}: {DIGITS} digits are the most")
    return Type(name, (digits,))


def rounded(value: Value, digits: int) -> Value:
    """The value to so many digits of a second, half up."""
    kind = Type(value.type.name, (digits,))
    if value.type.numbers[0] <= digits:
        return Value(value.sql, kind)
    step = 10 ** (DIGITS - digits)
    sql = value.sql
    if kind.name == "timestamp":
        return Value(f"trino_round_timestamp({sql}, {step})", kind)
    if kind.name == "time":
        return Value(f"trino_round_time({sql}, {step})", kind)
    return Value(f"trino_round_{'zoned' if kind.name == ZONED else 'clock'}({sql}, {step})", kind)


def local(value: Value) -> Value:
    """A moment as its zone's calendar and clock show it: a timestamp, time or date."""
    if value.type.name == ZONED:
        return Value(f"trino_local({value.sql})", Type("timestamp", value.type.numbers))
    if value.type.name == CLOCK_ZONED:
        return Value(f"trino_clock({value.sql})", Type("time", value.type.numbers))
    return value


def like(moved: str, original: Value, digits: int | None = None) -> Value:
    """Local time `moved` in the zone of the value it was made from."""
    kind = original.type if digits is None else Type(original.type.name, (digits,))
    if kind.name == ZONED:
        return Value(f"trino_zoned_like({moved}, {original.sql})", kind)
    if kind.name == CLOCK_ZONED:
        shift = f"({original.sql}).shift"
        return Value(f"trino_clock_zoned({moved}, {shift})", kind)
    return Value(f"CAST({moved} AS {t.duckdb(kind)})", kind)


def shifted(value: Value, milliseconds: str) -> Value:
    """The value moved along the time line."""
    step = f"to_microseconds(({milliseconds}) * 1000)"
    kind = value.type
    digits = max(3, kind.numbers[0])
    if kind.name == ZONED:
        sql = f"trino_at(({value.sql}).utc::TIMESTAMP + {step}, ({value.sql}).zone)"
        return Value(sql, Type(ZONED, (digits,)))
    if kind.name == CLOCK_ZONED:
        return like(f"({local(value).sql} + {step})", value, digits)
    return Value(f"({value.sql} + {step})", Type(kind.name, (digits,)))


# literals

_ZONE = r"(?:[+-]\d{1,2}(?::?\d{2})?|[A-Za-z][\w/+:-]*)"
_CLOCK = r"(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d+))?)?"
_TIMESTAMP = re.compile(
    rf"\s*([+-]?\d+)-(\d{{1,2}})-(\d{{1,2}})(?:[ T]{_CLOCK})?(?:\s*({_ZONE}))?\s*"
)
_TIME = re.compile(rf"\s*{_CLOCK}(?:\s*([+-]\d{{1,2}}(?::?\d{{2}})?))?\s*")
_UTC = ("utc", "z", "gmt", "ut", "zulu", "+00:00", "-00:00", "+00", "etc/utc", "universal")


def zone_of(written: str) -> str | None:
    """A zone as Trino names it: UTC, +05:30 or Europe/Berlin."""
    if written.lower() in _UTC:
        return "UTC"
    offset = re.fullmatch(r"([+-])(\d{1,2}):?(\d{2})?", written)
    if offset:
        minutes = int(offset[2]) * 60 + int(offset[3] or 0)
        if minutes > 14 * 60 or int(offset[3] or 0) > 59:
            return None
        return f"{offset[1]}{minutes // 60:02d}:{minutes % 60:02d}" if minutes else "UTC"
    return _ZONES.get(written.lower())


_ZONES = {name.lower(): name for name in available_timezones()}


def timestamp_literal(written: str) -> Value:
    """TIMESTAMP '2020-05-10 12:34:56.123 Asia/Kathmandu'; raises QueryError (INVALID_LITERAL)."""
    found = _TIMESTAMP.fullmatch(written)
    zone = zone_of(found[8]) if found and found[8] else None
    if found is None or (found[8] and zone is None) or not _is_day(found[1], found[2], found[3]):
        raise QueryError("INVALID_LITERAL", f"'{written}' is not a valid TIMESTAMP literal")
    if int(found[4] or 0) > 23 or int(found[5] or 0) > 59 or int(found[6] or 0) > 59:
        raise QueryError("INVALID_LITERAL", f"'{written}' is not a valid TIMESTAMP literal")
    fraction = found[7] or ""
    plain = sized("timestamp", len(fraction))
    day = f"{int(found[1]):04d}-{int(found[2]):02d}-{int(found[3]):02d}"
    clock = f"{int(found[4] or 0):02d}:{found[5] or '00'}:{found[6] or '00'}.{fraction or '0'}"
    sql = f"TIMESTAMP '{day} {clock}'"
    if zone is None:
        return Value(sql, plain)
    return Value(f"trino_zoned({sql}, {text(zone)})", Type(ZONED, plain.numbers))


def _is_day(year: str, month: str, day: str) -> bool:
    try:
        date(2000 + int(year) % 400, int(month), int(day))
    except ValueError:
        return False
    return True


# The days that 32 bits count from 1970; DuckDB's end some days before.
_FIRST, _LAST = (-5_877_641, 6, 23), (5_881_580, 7, 11)


def _held(found: re.Match[str]) -> bool:
    return _FIRST <= (int(found[1]), int(found[2]), int(found[3])) <= _LAST


def date_literal(written: str) -> Value:
    found = re.fullmatch(r"\s*(-?\d{4,})-(\d{1,2})-(\d{1,2})\s*", written)
    if found is None or not _is_day(found[1], found[2], found[3]) or not _held(found):
        raise QueryError("INVALID_LITERAL", f"'{written}' is not a valid DATE literal")
    if int(found[1]) in (_FIRST[0], _LAST[0]):
        raise not_emulated(f"the date {written}")
    day = f"{int(found[1]):04d}-{int(found[2]):02d}-{int(found[3]):02d}"
    return Value(f"DATE '{day}'", t.DATE)


def time_literal(written: str) -> Value:
    """TIME '12:34:56.123+08:35'; raises QueryError (INVALID_LITERAL)."""
    found = _TIME.fullmatch(written)
    zone = zone_of(found[5]) if found and found[5] else None
    if found is None or int(found[1]) > 23 or int(found[2]) > 59 or int(found[3] or 0) > 59:
        raise QueryError("INVALID_LITERAL", f"'{written}' is not a valid TIME literal")
    if found[5] and zone is None:
        raise QueryError("INVALID_LITERAL", f"'{written}' is not a valid TIME literal")
    fraction = found[4] or ""
    plain = sized("time", len(fraction))
    seconds = timedelta(hours=int(found[1]), minutes=int(found[2]), seconds=int(found[3] or 0))
    if zone is None:
        return Value(f"TIME '{seconds}.{fraction or '0'}'", plain)
    us = int(seconds.total_seconds()) * 10**6 + int(fraction.ljust(6, "0") or 0)
    value = f"{{'us': {us}::BIGINT, 'shift': {offset_minutes(zone)}::INTEGER}}"
    return Value(value, Type(CLOCK_ZONED, plain.numbers))


def offset_minutes(zone: str) -> int:
    if zone == "UTC":
        return 0
    sign = -1 if zone[0] == "-" else 1
    return sign * (int(zone[1:3]) * 60 + int(zone[4:6]))


_FIELDS = ("YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND")
_MS = {"DAY": 86_400_000, "HOUR": 3_600_000, "MINUTE": 60_000, "SECOND": 1000}


def interval_literal(written: str, first: str, last: str) -> Value:
    """INTERVAL '2 03:04' DAY TO MINUTE; raises QueryError (INVALID_LITERAL)."""
    fields = _FIELDS[_FIELDS.index(first) : _FIELDS.index(last) + 1]
    months = first in ("YEAR", "MONTH")
    wrong = QueryError("INVALID_LITERAL", f"Invalid INTERVAL {first} TO {last} value: {written}")
    if months != (last in ("YEAR", "MONTH")) or not fields:
        raise QueryError("INVALID_LITERAL", f"Invalid INTERVAL: {first} TO {last}")
    sign = -1 if written.strip().startswith("-") else 1
    parts = re.split(r"[-:]|\s+", written.strip().lstrip("+-").strip())
    if len(parts) > len(fields) or not all(re.fullmatch(r"\d+", part) for part in parts[:-1]):
        raise wrong
    if not re.fullmatch(r"\d+(\.\d+)?" if last == "SECOND" else r"\d+", parts[-1]):
        raise wrong
    if months:
        number = sum(
            int(part) * (12 if field == "YEAR" else 1)
            for part, field in zip(parts, fields, strict=False)
        )
        return Value(f"{sign * number}::INTEGER", t.YEAR_INTERVAL)
    total = 0
    for part, field in zip(parts, fields, strict=False):
        whole, _, fraction = part.partition(".")
        total += int(whole) * _MS[field] + int(fraction[:3].ljust(3, "0"))
    return Value(f"{sign * total}::BIGINT", t.DAY_INTERVAL)


# text


def written(sql: str, kind: Type) -> str:
    """A moment, a clock's time or an interval as Trino prints it."""
    if kind == t.DAY_INTERVAL:
        return f"trino_day_interval({sql})"
    if kind == t.YEAR_INTERVAL:
        return f"trino_year_interval({sql})"
    if kind.name == "date":
        return f"trino_date_text({sql})"
    digits = kind.numbers[0]
    cut = DIGITS - digits if digits else DIGITS + 1
    if kind.name == "timestamp":
        full = f"strftime({sql}, '%Y-%m-%d %H:%M:%S.%f')"
        return f"left({full}, -{cut})" if cut else full
    if kind.name == "time":
        full = f"trino_time_text({sql})"
        return f"left({full}, -{cut})" if cut else full
    plain = written(local(Value(sql, kind)).sql, Type(kind.name.split()[0], kind.numbers))
    if kind.name == ZONED:
        return f"({plain} || ' ' || ({sql}).zone)"
    return f"({plain} || trino_shift_text(({sql}).shift))"


MACROS = (
    # Years before 1 are -0001 and so on, where DuckDB writes (BC).
    """CREATE MACRO trino_date_text(v) AS CASE WHEN v >= DATE '0001-01-01' THEN CAST(v AS VARCHAR)
        ELSE printf(CASE WHEN year(v) < 0 THEN '%05d' ELSE '%04d' END, year(v))
            || strftime(v, '-%m-%d') END""",
    # Math.round, and the 52 bits that a moment with a zone has for its milliseconds.
    """CREATE MACRO trino_unixtime(ms) AS CASE
        WHEN isnan(ms) THEN 0
        WHEN abs(floor(ms + 0.5)) > 2251799813685247 THEN
            fail('INVALID_FUNCTION_ARGUMENT: Millis overflow: '
                || CASE WHEN ms >= 9223372036854775807 THEN 9223372036854775807
                    WHEN ms <= -9223372036854775808 THEN -9223372036854775808
                    ELSE CAST(floor(ms + 0.5) AS BIGINT) END)
        ELSE CAST(floor(ms + 0.5) AS BIGINT) END""",
    """CREATE MACRO trino_round_us(us, step) AS
        CASE WHEN us >= 0 THEN (us + step // 2) // step * step
        ELSE (us + 1 - step // 2) // step * step END""",
    """CREATE MACRO trino_round_timestamp(v, step) AS
        make_timestamp(trino_round_us(epoch_us(v), step))""",
    """CREATE MACRO trino_micros(us) AS TIME '00:00:00' + to_microseconds(us % 86400000000)""",
    """CREATE MACRO trino_round_time(v, step) AS trino_micros(trino_round_us(epoch_us(v), step))""",
    """CREATE MACRO trino_at(moment, place) AS CASE WHEN moment IS NOT NULL AND place IS NOT NULL
        THEN {'utc': moment::TIMESTAMP, 'zone': place::VARCHAR} END""",
    """CREATE MACRO trino_round_zoned(v, step) AS
        trino_at(trino_round_timestamp(v.utc::TIMESTAMP, step), v.zone)""",
    """CREATE MACRO trino_minutes(place) AS
        CAST(left(place, 1) || '1' AS INTEGER)
            * (CAST(place[2:3] AS INTEGER) * 60 + CAST(place[5:6] AS INTEGER))""",
    """CREATE MACRO trino_wall(moment, place) AS timezone(place::VARCHAR,
        timezone('UTC', moment::TIMESTAMP))""",
    """CREATE MACRO trino_in_zone(moment, place) AS CASE
        WHEN place = 'UTC' THEN moment
        WHEN left(place, 1) IN ('+', '-') THEN moment + to_minutes(trino_minutes(place))
        ELSE trino_wall(moment, place) END""",
    # A part of a constant NULL has no type of its own.
    """CREATE MACRO trino_local(v) AS trino_in_zone(v.utc::TIMESTAMP, v.zone::VARCHAR)""",
    # A local time that a zone has twice, when its clocks go back, is the earlier moment, or that of
    # the offset which is kept. DuckDB takes the later one. 26 hours before, by whatever clock, is
    # before the clocks went back. A lambda binds what stands in it more than once.
    """CREATE MACRO trino_by_offset(moment, reference, place, other) AS CASE
        WHEN trino_wall(moment - (trino_wall(reference, place) - reference), place) = moment
        THEN moment - (trino_wall(reference, place) - reference) ELSE other END""",
    """CREATE MACRO trino_first(moment, place) AS trino_by_offset(moment, moment - INTERVAL 26 HOUR,
        place, timezone('UTC', timezone(place, moment)))""",
    """CREATE MACRO trino_zoned(moment, place) AS trino_at(CASE
        WHEN place = 'UTC' THEN moment
        WHEN left(place, 1) IN ('+', '-') THEN moment - to_minutes(trino_minutes(place))
        ELSE list_transform([{'at': moment::TIMESTAMP, 'zone': place::VARCHAR}],
            lambda e: trino_first(e.at, e.zone))[1] END, place)""",
    """CREATE MACRO trino_zoned_like(moment, v) AS trino_at(CASE
        WHEN v.zone = 'UTC' THEN moment
        WHEN left(v.zone, 1) IN ('+', '-') THEN moment - to_minutes(trino_minutes(v.zone))
        ELSE list_transform([{'at': moment::TIMESTAMP, 'v': v}], lambda e: trino_by_offset(
            e.at, e.v.utc::TIMESTAMP, e.v.zone, trino_first(e.at, e.v.zone)))[1] END, v.zone)""",
    """CREATE MACRO trino_shift(v) AS
        CAST((epoch_us(trino_local(v)) - epoch_us(v.utc::TIMESTAMP)) // 60000000 AS INTEGER)""",
    """CREATE MACRO trino_clock(v) AS trino_micros(v.us)""",
    """CREATE MACRO trino_clock_zoned(clock, minutes) AS CASE
        WHEN clock IS NOT NULL AND minutes IS NOT NULL
        THEN {'us': epoch_us(clock::TIME)::BIGINT, 'shift': minutes::INTEGER} END""",
    """CREATE MACRO trino_round_clock(v, step) AS
        trino_clock_zoned(trino_micros(trino_round_us(v.us, step)), v.shift)""",
    """CREATE MACRO trino_clock_key(v) AS
        (v.us - v.shift::BIGINT * 60000000 + 172800000000) % 86400000000""",
    """CREATE MACRO trino_clock_in(v, minutes) AS CASE WHEN v IS NOT NULL THEN
        {'us': ((v.us + (minutes - v.shift)::BIGINT * 60000000 + 172800000000)
            % 86400000000)::BIGINT, 'shift': minutes::INTEGER} END""",
    """CREATE MACRO trino_time_text(v) AS strftime(TIMESTAMP '1970-01-01 00:00:00'
        + to_microseconds(epoch_us(v)), '%H:%M:%S.%f')""",
    """CREATE MACRO trino_shift_text(minutes) AS CASE WHEN minutes < 0 THEN '-' ELSE '+' END
        || lpad(CAST(abs(minutes) // 60 AS VARCHAR), 2, '0') || ':'
        || lpad(CAST(abs(minutes) % 60 AS VARCHAR), 2, '0')""",
    # Before 1900 or so local times are off by seconds too.
    """CREATE MACRO trino_java_shift(v) AS trino_shift_text(CAST(
            trunc((epoch_us(trino_local(v)) - epoch_us(v.utc::TIMESTAMP)) / 60000000) AS INTEGER))
        || CASE WHEN (epoch_us(trino_local(v)) - epoch_us(v.utc::TIMESTAMP)) % 60000000 = 0 THEN ''
        ELSE ':' || lpad(CAST(abs(epoch_us(trino_local(v)) - epoch_us(v.utc::TIMESTAMP))
            % 60000000 // 1000000 AS VARCHAR), 2, '0') END""",
    """CREATE MACRO trino_steps(amount) AS CASE WHEN abs(CAST(amount AS HUGEINT)) > 2147483647
        THEN fail('INVALID_FUNCTION_ARGUMENT: Magnitude of add amount is too large: ' || amount)
        ELSE CAST(amount AS INTEGER) END""",
    """CREATE MACRO trino_day_interval(ms) AS CASE WHEN ms < 0 THEN '-' ELSE '' END
        || CAST(abs(ms) // 86400000 AS VARCHAR) || ' ' || left(strftime(
            make_timestamp(abs(ms) % 86400000 * 1000), '%H:%M:%S.%f'), -3)""",
    """CREATE MACRO trino_year_interval(months) AS CASE WHEN months < 0 THEN '-' ELSE '' END
        || CAST(abs(months) // 12 AS VARCHAR) || '-' || CAST(abs(months) % 12 AS VARCHAR)""",
)

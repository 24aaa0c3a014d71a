"""Reading and writing dates and times by patterns, zones and durations."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from localaws.trino.errors import Fault, invalid

from ..times import offset_minutes, zone_of
from .registry import python

ZONED = 'STRUCT("utc" TIMESTAMP, "zone" VARCHAR)'
_EPOCH = datetime(1970, 1, 1)
_CLOCK = r"(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d+))?)?"
_ZONE = r"([+-]\d{1,2}(?::?\d{2})?|[A-Za-z][\w/+:-]*)"


def at(moment: datetime, zone: str) -> dict[str, Any]:
    """A zoned moment from what the zone's clock shows."""
    if zone == "UTC":
        utc = moment
    elif zone[0] in "+-":
        utc = moment - timedelta(minutes=offset_minutes(zone))
    else:
        utc = moment.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).replace(tzinfo=None)
    return {"utc": utc, "zone": zone}


def _micros(fraction: str | None, digits: int = 6) -> int:
    """Microseconds of a fraction, rounded to so many digits."""
    if not fraction:
        return 0
    step = 10 ** (6 - digits)
    exact = int(fraction[:7].ljust(7, "0"))
    return (exact + 5 * step) // (10 * step) * step


@python("VARCHAR -> VARCHAR")
def zone(written: str) -> str:
    found = zone_of(written)
    if found is None:
        raise invalid(f"'{written}' is not a valid time zone")
    return found


@python("BIGINT, BIGINT -> VARCHAR")
def offset_zone(hours: int, minutes: int) -> str:
    total = hours * 60 + minutes
    if abs(total) > 14 * 60:
        raise invalid(f"Invalid offset minutes {total}")
    sign = "-" if total < 0 else "+"
    return f"{sign}{abs(total) // 60:02d}:{abs(total) % 60:02d}" if total else "UTC"


@python(f"VARCHAR, INTEGER -> {ZONED}")
def read_zoned(written: str, digits: int) -> dict[str, Any]:
    found = re.fullmatch(
        rf"\s*(\d{{4,}})-(\d{{1,2}})-(\d{{1,2}})(?: {_CLOCK})?\s*{_ZONE}?\s*", written
    )
    zone = zone_of(found[8] or "UTC") if found else None
    try:
        if found is None or zone is None:
            raise ValueError
        moment = datetime(
            int(found[1]), int(found[2]), int(found[3]), int(found[4] or 0), int(found[5] or 0),
            int(found[6] or 0),
        )  # fmt: skip
    except ValueError:
        raise Fault(
            f"INVALID_CAST_ARGUMENT: Value cannot be cast to timestamp with time zone: {written}"
        ) from None
    return at(moment + timedelta(microseconds=_micros(found[7], digits)), zone)


@python("VARCHAR, INTEGER -> TIME")
def read_time(written: str, digits: int) -> Any:
    found = re.fullmatch(_CLOCK, written)
    try:
        if found is None:
            raise ValueError
        start = datetime(1970, 1, 1, int(found[1]), int(found[2]), int(found[3] or 0))
    except ValueError:
        raise Fault(f"INVALID_CAST_ARGUMENT: Value cannot be cast to time: {written}") from None
    return (start + timedelta(microseconds=_micros(found[4], digits))).time()


@python("VARCHAR, INTEGER -> STRUCT(us BIGINT, shift INTEGER)")
def read_clock(written: str, digits: int) -> dict[str, int]:
    found = re.fullmatch(rf"{_CLOCK}\s*([+-]\d{{1,2}}(?::?\d{{2}})?)?", written)
    zone = zone_of(found[5] or "UTC") if found else None
    if found is None or zone is None or int(found[1]) > 23 or int(found[2]) > 59:
        raise Fault(
            f"INVALID_CAST_ARGUMENT: Value cannot be cast to time with time zone: {written}"
        )
    seconds = int(found[1]) * 3600 + int(found[2]) * 60 + int(found[3] or 0)
    us = (seconds * 10**6 + _micros(found[4], digits)) % 86_400_000_000
    return {"us": us, "shift": offset_minutes(zone)}


# ISO 8601

_ISO = re.compile(
    r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?|-W(\d{2})(?:-(\d))?|-(\d{3}))?"
    r"(?:T(\d{2})(?::(\d{2})(?::(\d{2})(?:[.,](\d+))?)?)?(Z|[+-]\d{2}(?::?\d{2})?)?)?"
)


def _iso(written: str) -> tuple[datetime, str | None]:
    found = _ISO.fullmatch(written)
    try:
        if found is None:
            raise ValueError
        if found[4]:
            day = date.fromisocalendar(int(found[1]), int(found[4]), int(found[5] or 1))
        elif found[6]:
            day = date(int(found[1]), 1, 1) + timedelta(days=int(found[6]) - 1)
        else:
            day = date(int(found[1]), int(found[2] or 1), int(found[3] or 1))
        moment = datetime(
            day.year, day.month, day.day, int(found[7] or 0), int(found[8] or 0),
            int(found[9] or 0), int((found[10] or "0")[:3].ljust(3, "0")) * 1000,
        )  # fmt: skip
    except ValueError:
        raise invalid(f'Invalid format: "{written}"') from None
    return moment, found[11]


@python("VARCHAR -> DATE")
def iso_date(written: str) -> date:
    moment, _ = _iso(written)
    if "T" in written:
        raise invalid(f'Invalid format: "{written}"')
    return moment.date()


@python(f"VARCHAR -> {ZONED}")
def iso_timestamp(written: str) -> dict[str, Any]:
    moment, offset = _iso(written)
    zone = zone_of(offset or "UTC")
    if zone is None:
        raise invalid(f'Invalid format: "{written}"')
    return at(moment, zone)


@python("VARCHAR -> VARCHAR")
def java_time(written: str) -> str:
    """A time or timestamp as java.time writes it: three, six or no digits of a second."""
    if re.match(r"\d{5,}-", written):  # a year that ISO 8601 wants a sign of
        written = "+" + written
    body, _, fraction = written.replace(" ", "T").partition(".")
    fraction = fraction.rstrip("0")
    if fraction:
        return f"{body}.{fraction.ljust(3 if len(fraction) < 4 else 6, '0')}"
    return body.removesuffix(":00") if body.endswith(":00") else body


# durations

_UNITS = {
    "ns": 1e-6, "us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4, "h": 3.6e6, "d": 8.64e7,
}  # fmt: skip


@python("VARCHAR -> BIGINT")
def duration(written: str) -> int:
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]+)\s*", written)
    if found is None:
        raise invalid(f"duration is not a valid data duration string: {written}")
    if found[2] not in _UNITS:
        raise invalid(f"Unknown time unit: {found[2]}")
    return int(float(found[1]) * _UNITS[found[2]] + 0.5)


@python("DOUBLE -> VARCHAR")
def human_seconds(seconds: float) -> str:
    if seconds != seconds or seconds in (float("inf"), float("-inf")):
        raise invalid("Invalid argument found: it must be finite")
    left = int(abs(seconds) + 0.5)
    parts = []
    for size, unit in (
        (604800, "week"),
        (86400, "day"),
        (3600, "hour"),
        (60, "minute"),
        (1, "second"),
    ):
        number, left = divmod(left, size)
        if number:
            parts.append(f"{number} {unit}{'s' if number > 1 else ''}")
    return ", ".join(parts) or "0 seconds"

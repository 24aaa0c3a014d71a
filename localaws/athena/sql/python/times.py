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
_MONTHS = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
]  # fmt: skip
_DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
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


# MySQL patterns


@python("VARCHAR, VARCHAR -> TIMESTAMP")
def date_parse(written: str, pattern: str) -> datetime:
    """%d is read greedily, one or two digits; what is missing is 1970-01-01 00:00:00."""
    wrong = invalid(f'Invalid format: "{written}"')
    part: dict[str, int] = {}
    afternoon: bool | None = None
    place, letters = 0, iter(pattern)
    for letter in letters:
        code = next(letters, "") if letter == "%" else None
        if code is None or code == "%":
            if written[place : place + 1] != letter:
                raise wrong
            place += 1
            continue
        if code in ("D", "U", "u", "V", "w", "X"):
            raise invalid(f"%{code} not supported in date format string")
        expanded = {"T": "%H:%i:%s", "r": "%h:%i:%s %p"}.get(code)
        if expanded:
            return date_parse(written, pattern.replace(f"%{code}", expanded))
        rest = written[place:]
        if code in "MbaWp":
            words = {"M": _MONTHS, "b": [m[:3] for m in _MONTHS], "W": _DAYS,
                     "a": [d[:3] for d in _DAYS], "p": ["AM", "PM"]}[code]  # fmt: skip
            chosen = next((w for w in words if rest.lower().startswith(w.lower())), None)
            if chosen is None:
                raise wrong
            if code in "Mb":
                part["m"] = words.index(chosen) + 1
            elif code == "p":
                afternoon = chosen == "PM"
            place += len(chosen)
            continue
        width = {"Y": 4, "x": 4, "f": 9, "j": 3}.get(code, 2)
        found = re.match(rf"[+-]?\d{{1,{width}}}" if code == "Y" else rf"\d{{1,{width}}}", rest)
        if found is None:
            raise wrong
        place += found.end()
        number = int(found[0])
        if code == "f":
            part["f"] = int(found[0][:3].ljust(3, "0"))
        elif code == "y":
            part["Y"] = 1900 + number if number >= 70 else 2000 + number
        else:
            key = {"c": "m", "e": "d", "k": "H", "S": "s", "I": "h", "l": "h"}.get(code, code)
            part[key] = number
    if place != len(written):
        raise wrong
    try:
        return _moment(part, afternoon)
    except ValueError:
        raise wrong from None


def _moment(part: dict[str, int], afternoon: bool | None) -> datetime:
    hour = part.get("H", 0)
    if "h" in part:
        if not 1 <= part["h"] <= 12:
            raise ValueError
        hour = part["h"] % 12 + (12 if afternoon else 0)
    dated = "m" in part or "d" in part
    year = part.get("Y", 2000 if dated else 1970)
    if "v" in part:
        day = date.fromisocalendar(part.get("x", year), part["v"], 1)
    elif "j" in part:
        day = date(year, 1, 1) + timedelta(days=part["j"] - 1)
    else:
        day = date(year, part.get("m", 1), part.get("d", 1))
    return datetime(
        day.year, day.month, day.day, hour, part.get("i", 0), part.get("s", 0),
        part.get("f", 0) * 1000,
    )  # fmt: skip


# Joda patterns: https://www.joda.org/joda-time/key_format.html


def _joda(pattern: str) -> list[tuple[str, str]]:
    """(letter, run) of fields and ("'", text) of what stands for itself."""
    found: list[tuple[str, str]] = []
    for match in re.finditer(r"'((?:[^']|'')*)'|([A-Za-z])\2*|(.)", pattern, re.DOTALL):
        if match[2]:
            if match[2] not in "GCYxweEyMdDaKhHkmsSzZ":
                raise invalid(f"Illegal pattern component: {match[0]}")
            found.append((match[2], match[0]))
        else:
            text = match[3] if match[3] else (match[1].replace("''", "'") or "'")
            found.append(("'", text))
    return found


@python("BIGINT, INTEGER, VARCHAR, VARCHAR -> VARCHAR")
def joda_format(us: int, shift: int, zone: str, pattern: str) -> str:
    moment = _EPOCH + timedelta(microseconds=us)
    iso = moment.isocalendar()
    out = []
    for letter, run in _joda(pattern):
        size = len(run)
        numbers = {
            "Y": moment.year, "y": moment.year, "x": iso.year, "w": iso.week, "e": iso.weekday,
            "d": moment.day, "D": moment.timetuple().tm_yday, "K": moment.hour % 12,
            "h": (moment.hour + 11) % 12 + 1, "H": moment.hour, "k": (moment.hour + 23) % 24 + 1,
            "m": moment.minute, "s": moment.second, "C": moment.year // 100,
        }  # fmt: skip
        if letter == "'":
            out.append(run)
        elif letter in "Yyx" and size == 2:
            out.append(f"{numbers[letter] % 100:02d}")
        elif letter in numbers:
            out.append(str(numbers[letter]).zfill(size))
        elif letter == "M":
            name = _MONTHS[moment.month - 1]
            out.append(
                name if size > 3 else name[:3] if size == 3 else str(moment.month).zfill(size)
            )
        elif letter == "E":
            out.append(_DAYS[moment.weekday()][: None if size > 3 else 3])
        elif letter == "a":
            out.append("AM" if moment.hour < 12 else "PM")
        elif letter == "S":
            out.append(f"{moment.microsecond // 1000:03d}"[:size].ljust(size, "0"))
        elif letter == "G":
            out.append("AD")
        elif letter == "Z":
            sign = "-" if shift < 0 else "+"
            colon = ":" if size == 2 else ""
            out.append(
                zone if size > 2 else f"{sign}{abs(shift) // 60:02d}{colon}{abs(shift) % 60:02d}"
            )
        else:
            out.append(_zone_name(zone, moment, size))
    return "".join(out)


def _zone_name(zone: str, moment: datetime, size: int) -> str:
    if zone == "UTC":
        return "UTC" if size < 4 else "Coordinated Universal Time"
    if zone[0] in "+-":
        return zone
    if size > 3:
        raise Fault("NOT_SUPPORTED: localaws does not emulate a zone's long name")
    return moment.replace(tzinfo=ZoneInfo(zone)).tzname() or zone


@python(f"VARCHAR, VARCHAR -> {ZONED}")
def joda_parse(written: str, pattern: str) -> dict[str, Any]:
    wrong = invalid(f'Invalid format: "{written}"')
    part: dict[str, int] = {}
    afternoon: bool | None = None
    zone, place = "UTC", 0
    fields = _joda(pattern)
    for number, (letter, run) in enumerate(fields):
        rest = written[place:]
        if letter == "'":
            if not rest.lower().startswith(run.lower()):
                raise wrong
            place += len(run)
            continue
        if letter in "zZ":
            found = re.match(r"[+-]\d{2}:?\d{2}|Z|[A-Za-z][A-Za-z_/+-]*\d*", rest)
            known = zone_of(found[0]) if found else None
            if found is None or known is None:
                raise wrong
            zone, place = known, place + found.end()
            continue
        if letter in "aE" or (letter == "M" and len(run) > 2):
            words = {"a": ["AM", "PM"], "E": _DAYS, "M": _MONTHS}[letter]
            options = sorted([*words, *(w[:3] for w in words)], key=len, reverse=True)
            chosen = next((w for w in options if rest.lower().startswith(w.lower())), None)
            if chosen is None:
                raise wrong
            index = next(i for i, w in enumerate(words) if w.startswith(chosen))
            if letter == "M":
                part["m"] = index + 1
            elif letter == "a":
                afternoon = index == 1
            place += len(chosen)
            continue
        adjacent = number + 1 < len(fields) and fields[number + 1][0] in "YyxMdDHhKkmsSwe"
        most = (
            len(run)
            if adjacent
            else max(len(run), {"S": 9, "Y": 9, "y": 9, "x": 9, "D": 3}.get(letter, 2))
        )
        found = re.match(rf"[+-]?\d{{1,{most}}}" if letter in "Yyx" else rf"\d{{1,{most}}}", rest)
        if found is None:
            raise wrong
        value = int(found[0])
        place += found.end()
        if letter in "Yyx" and len(run) == 2 and len(found[0]) == 2:
            value += 2000 if value < 50 else 1900
        if letter == "S":
            value = int(found[0][:3].ljust(3, "0"))
        if letter == "k":
            value %= 24
        if letter == "K":
            value = value or 12
        key = {"Y": "Y", "y": "Y", "M": "m", "D": "j", "k": "H", "K": "h", "m": "i", "S": "f",
               "w": "v"}.get(letter, letter)  # fmt: skip
        part[key] = value
    if place != len(written):
        raise wrong
    try:
        return at(_moment(part, afternoon), zone)
    except ValueError:
        raise wrong from None

"""Dates and times by patterns: MySQL's of date_parse, Joda's of format_datetime."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from localaws.trino.errors import Fault, invalid

from ..times import zone_of
from .registry import python
from .times import ZONED, at

_EPOCH = datetime(1970, 1, 1)
_MONTHS = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
]  # fmt: skip
_DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_HALVES = ["AM", "PM"]


class Reading:
    """A text that is read from its front."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.place = 0

    @property
    def wrong(self) -> Fault:
        return invalid(f'Invalid format: "{self.text}"')

    def same(self, wanted: str) -> None:
        if not self.text.startswith(wanted, self.place):
            raise self.wrong
        self.place += len(wanted)

    def same_but_case(self, wanted: str) -> None:
        if not self.text[self.place :].lower().startswith(wanted.lower()):
            raise self.wrong
        self.place += len(wanted)

    def word(self, words: list[str]) -> int:
        """The place of the word that comes next, the longest there is."""
        rest = self.text[self.place :].lower()
        fitting = [word for word in words if rest.startswith(word.lower())]
        if not fitting:
            raise self.wrong
        chosen = max(fitting, key=len)
        self.place += len(chosen)
        return words.index(chosen)

    def pattern(self, pattern: str) -> str:
        found = re.compile(pattern).match(self.text, self.place)
        if found is None:
            raise self.wrong
        self.place = found.end()
        return found[0]

    def moment(self, part: dict[str, int]) -> datetime:
        """At the end of the text, what its parts say."""
        if self.place != len(self.text):
            raise self.wrong
        try:
            return _moment(part)
        except ValueError:
            raise self.wrong from None


def _moment(part: dict[str, int]) -> datetime:
    """What is missing is of 1970-01-01 00:00:00; `p` is 1 after noon."""
    hour = part.get("H", 0)
    if "h" in part:
        if not 1 <= part["h"] <= 12:
            raise ValueError
        hour = part["h"] % 12 + 12 * part.get("p", 0)
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


# MySQL patterns

_UNREAD = ("D", "U", "u", "V", "w", "X")
_WORDS: dict[str, tuple[str, list[str]]] = {
    "M": ("m", _MONTHS), "b": ("m", [month[:3] for month in _MONTHS]), "p": ("p", _HALVES),
    "W": ("", _DAYS), "a": ("", [day[:3] for day in _DAYS]),
}  # fmt: skip
_NUMBERS = {"Y": r"[+-]?\d{1,4}", "x": r"\d{1,4}", "f": r"\d{1,9}", "j": r"\d{1,3}"}
_KEYS = {"c": "m", "e": "d", "k": "H", "S": "s", "I": "h", "l": "h", "y": "Y"}


def _mysql(pattern: str) -> Iterator[tuple[str, str]]:
    """(letter, "") of what stands for itself and ("", code) of fields."""
    letters = iter(pattern)
    for letter in letters:
        code = next(letters, "") if letter == "%" else ""
        if letter != "%" or code == "%":
            yield letter, ""
        elif code in ("T", "r"):
            yield from _mysql({"T": "%H:%i:%s", "r": "%h:%i:%s %p"}[code])
        elif code in _UNREAD:
            raise invalid(f"%{code} not supported in date format string")
        else:
            yield "", code


@python("VARCHAR, VARCHAR -> TIMESTAMP")
def date_parse(written: str, pattern: str) -> datetime:
    """%d is read greedily, one or two digits."""
    reading = Reading(written)
    part: dict[str, int] = {}
    for letter, code in _mysql(pattern):
        if letter:
            reading.same(letter)
        elif code in _WORDS:
            key, words = _WORDS[code]
            part[key] = reading.word(words) + (key == "m")
        else:
            digits = reading.pattern(_NUMBERS.get(code, r"\d{1,2}"))
            part[_KEYS.get(code, code)] = _number(code, digits)
    return reading.moment(part)


def _number(code: str, digits: str) -> int:
    if code == "f":
        return _thousandths(digits)
    number = int(digits)
    return number + (1900 if number >= 70 else 2000) if code == "y" else number


def _thousandths(digits: str) -> int:
    return int(digits[:3].ljust(3, "0"))


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


_SAID = {"a": ("p", _HALVES), "E": ("", _DAYS), "M": ("m", _MONTHS)}
_MOST = {"S": 9, "Y": 9, "y": 9, "x": 9, "D": 3}  # digits; of others two
_JODA_KEYS = {"y": "Y", "M": "m", "D": "j", "k": "H", "K": "h", "m": "i", "S": "f", "w": "v"}


@python(f"VARCHAR, VARCHAR -> {ZONED}")
def joda_parse(written: str, pattern: str) -> dict[str, Any]:
    reading = Reading(written)
    part: dict[str, int] = {}
    zone, fields = "UTC", _joda(pattern)
    for number, (letter, run) in enumerate(fields):
        if letter == "'":
            reading.same_but_case(run)
        elif letter in "zZ":
            zone = _zone(reading)
        elif letter in "aE" or (letter == "M" and len(run) > 2):
            key, words = _SAID[letter]
            place = reading.word([*words, *(word[:3] for word in words)]) % len(words)
            part[key] = place + (key == "m")
        else:
            adjacent = number + 1 < len(fields) and fields[number + 1][0] in "YyxMdDHhKkmsSwe"
            most = len(run) if adjacent else max(len(run), _MOST.get(letter, 2))
            sign = "[+-]?" if letter in "Yyx" else ""
            digits = reading.pattern(rf"{sign}\d{{1,{most}}}")
            part[_JODA_KEYS.get(letter, letter)] = _joda_number(letter, run, digits)
    return at(reading.moment(part), zone)


def _zone(reading: Reading) -> str:
    known = zone_of(reading.pattern(r"[+-]\d{2}:?\d{2}|Z|[A-Za-z][A-Za-z_/+-]*\d*"))
    if known is None:
        raise reading.wrong
    return known


def _joda_number(letter: str, run: str, digits: str) -> int:
    if letter == "S":
        return _thousandths(digits)
    value = int(digits)
    if letter in "Yyx" and len(run) == 2 and len(digits) == 2:
        # The hundred years that Joda takes two digits for; the clock is that of SQL's now().
        first = datetime.now(UTC).year - 80  # noqa: TID251
        return first + (value - first) % 100
    if letter == "k":
        return value % 24
    return value or 12 if letter == "K" else value

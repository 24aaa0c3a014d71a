"""When a schedule of EventBridge comes next: pure functions of its expression.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html: at(), rate() and
cron() with six fields, Sunday as day 1, `?`, `L`, `W` and `#`. A local time that the clocks skip
does not come; one that they repeat comes once, the first time.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

UNITS = {"minute": 60, "hour": 3600, "day": 86_400}
MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
WEEKDAYS = {name: n for n, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), 1)}
LAST_YEAR = 2199
YEARS_AHEAD = 12  # 29 February may be eight years away


def next_times(
    expression: str, after: datetime, zone: str = "UTC", *, anchor: datetime, count: int = 5
) -> list[datetime]:
    """Up to `count` times later than `after`, in UTC; a rate counts from `anchor`.

    Raises ValueError for an expression or zone that cannot be read.
    """
    return list(islice(_times(expression, after, ZoneInfo(zone), anchor), count))


def _times(text: str, after: datetime, zone: ZoneInfo, anchor: datetime) -> Iterator[datetime]:
    kind, _, rest = text.strip().partition("(")
    inner = rest.removesuffix(")").strip()
    if kind == "rate" and (match := re.fullmatch(r"(\d+)\s+(minute|hour|day)s?", inner)):
        step = timedelta(seconds=int(match[1]) * UNITS[match[2]])
        count = max(1, (after - anchor) // step + 1)
        while True:
            yield anchor + step * count
            count += 1
    if kind == "at":
        moment = _real(datetime.fromisoformat(inner), zone)
        if moment is not None and moment > after:
            yield moment
        return
    if kind != "cron" or len(inner.split()) != 6:
        raise ValueError(f"{text} is no at(), rate() or cron() that is known here.")
    minutes, hours, day, months, weekday, years = inner.upper().split()
    wanted = _numbers(months, 1, 12, MONTHS), _numbers(years, 1970, LAST_YEAR, {})
    clock = [
        (hour, minute)
        for hour in sorted(_numbers(hours, 0, 23, {}))
        for minute in sorted(_numbers(minutes, 0, 59, {}))
    ]
    first = after.astimezone(zone).date()
    for year in range(first.year, min(first.year + YEARS_AHEAD, LAST_YEAR + 1)):
        for month in range(1, 13):
            if month not in wanted[0] or year not in wanted[1]:
                continue
            for number in sorted(_days(day, weekday, year, month)):
                for hour, minute in clock:
                    moment = _real(datetime(year, month, number, hour, minute), zone)
                    if moment is not None and moment > after:
                        yield moment


def _real(local: datetime, zone: ZoneInfo) -> datetime | None:
    """The UTC time of a local one; None when the clocks skip it."""
    moment = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    return moment if moment.astimezone(zone).replace(tzinfo=None) == local else None


def _days(day: str, weekday: str, year: int, month: int) -> set[int]:
    last = calendar.monthrange(year, month)[1]
    found: set[int] = set()
    for part in (day if weekday == "?" else weekday).split(","):
        if weekday == "?":
            found |= _by_day(part, year, month, last)
        else:
            found |= _by_weekday(part, year, month, last)
    return {number for number in found if 1 <= number <= last}


def _by_day(part: str, year: int, month: int, last: int) -> set[int]:
    if part in ("L", "LW"):
        return {_working(year, month, last, last) if part == "LW" else last}
    if part.startswith("L-"):
        return {last - int(part[2:])}
    if part.endswith("W"):
        number = int(part[:-1])
        return {_working(year, month, number, last)} if number <= last else set()
    return _numbers(part, 1, 31, {})


def _working(year: int, month: int, day: int, last: int) -> int:
    """Monday to Friday nearest to a day, within the month."""
    weekday = date(year, month, day).weekday()
    if weekday == calendar.SATURDAY:
        return day - 1 if day > 1 else day + 2
    if weekday == calendar.SUNDAY:
        return day + 1 if day < last else day - 2
    return day


def _by_weekday(part: str, year: int, month: int, last: int) -> set[int]:
    def all_of(number: int) -> list[int]:
        return [
            d for d in range(1, last + 1) if date(year, month, d).isoweekday() % 7 + 1 == number
        ]

    name, _, which = part.partition("#")
    if which:
        return set(all_of(_number(name, WEEKDAYS))[int(which) - 1 : int(which)])
    if part == "L":
        return set(all_of(7))
    if part.endswith("L"):
        return {all_of(_number(part[:-1], WEEKDAYS))[-1]}
    return {d for number in _numbers(part, 1, 7, WEEKDAYS) for d in all_of(number)}


def _numbers(text: str, low: int, high: int, names: dict[str, int]) -> set[int]:
    """The numbers of one field: `*`, `5`, `1-5`, `0/15`, and several of them with commas."""
    found: set[int] = set()
    for part in text.split(","):
        span, slash, step = part.partition("/")
        start, dash, end = span.partition("-")
        first = low if start == "*" else _number(start, names)
        open_end = start == "*" or (slash and not dash)
        final = high if open_end else _number(end, names) if dash else first
        if first > final:  # FRI-MON goes over the end of the week
            found |= set(range(low, final + 1)) | set(range(first, high + 1, int(step or 1)))
        found |= set(range(first, final + 1, int(step or 1)))
    return found


def _number(text: str, names: dict[str, int]) -> int:
    return names[text] if text in names else int(text)

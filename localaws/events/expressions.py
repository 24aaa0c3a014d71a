"""Schedule expressions and their next time: pure functions.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
`at(2026-01-31T08:00:00)`, `rate(5 minutes)`, `cron(minutes hours day-of-month month day-of-week
year)`, with `?`, `L`, `W` and `#` as AWS has them and Sunday as day 1. croniter has five fields,
Unix weekdays and no `W`, so the fields are worked out here.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from localaws.errors import AwsError

MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
WEEKDAYS = {"SUN": 1, "MON": 2, "TUE": 3, "WED": 4, "THU": 5, "FRI": 6, "SAT": 7}
YEARS = (1970, 2199)
UNITS = {"minute": 60, "hour": 3600, "day": 86_400}
_RATE = re.compile(r"rate\(\s*(\d+)\s+(minute|hour|day)(s?)\s*\)")
_AT = re.compile(r"at\(\s*(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})\s*\)")
_CRON = re.compile(r"cron\((.*)\)")


def invalid(expression: str, why: str) -> AwsError:
    return AwsError("ValidationException", f"Invalid Schedule Expression {expression}. {why}")


@dataclass(frozen=True)
class At:
    """Once, at a local time."""

    moment: datetime  # without a zone


@dataclass(frozen=True)
class Rate:
    """Every so many seconds from an anchor; days are 24 hours, whatever the clocks do."""

    seconds: int


@dataclass(frozen=True)
class Cron:
    """Local times by fields. `day` and `weekday` keep their text: they depend on the month."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    day: str
    months: tuple[int, ...]
    weekday: str
    years: tuple[int, ...]


Expression = At | Rate | Cron


def parse_expression(text: str) -> Expression:
    """Raises ValidationException saying which part is wrong and what it takes."""
    if match := _RATE.fullmatch(text):
        if int(match[1]) < 1:
            raise invalid(text, "A rate is at least 1.")
        return Rate(int(match[1]) * UNITS[match[2]])
    if match := _AT.fullmatch(text):
        try:
            return At(datetime.fromisoformat(match[1]))
        except ValueError as error:
            raise invalid(text, f"{error}") from error
    if match := _CRON.fullmatch(text):
        return _cron(text, match[1].split())
    raise invalid(text, "It is at(yyyy-mm-ddThh:mm:ss), rate(value unit) or cron(six fields).")


def check_rule_expression(text: str) -> None:
    """For a rule: no at(), and a rate's unit agrees with its value."""
    expression = parse_expression(text)
    if isinstance(expression, At):
        raise AwsError("ValidationException", "Parameter ScheduleExpression is not valid.")
    match = _RATE.fullmatch(text)
    if match is not None and (match[1] == "1") == bool(match[3]):
        raise AwsError("ValidationException", "Parameter ScheduleExpression is not valid.")


def next_time(
    expression: Expression, after: datetime, zone: ZoneInfo | None = None, *, anchor: datetime
) -> datetime | None:
    """The first time, in UTC, later than `after` (aware); None if there is none any more.

    A local time that the clocks skip does not come; one that they repeat comes once (the first).
    A rate counts from `anchor`, whose own moment is not a run.
    """
    zone = zone or ZoneInfo("UTC")
    if isinstance(expression, Rate):
        passed = (after - anchor).total_seconds()
        count = max(1, int(passed // expression.seconds) + 1)
        return anchor + timedelta(seconds=count * expression.seconds)
    if isinstance(expression, At):
        moment = _real(expression.moment, zone)
        return moment if moment is not None and moment > after else None
    for local in _local_times(expression, after.astimezone(zone).replace(tzinfo=None)):
        moment = _real(local, zone)
        if moment is not None and moment > after:
            return moment
    return None


def _real(local: datetime, zone: ZoneInfo) -> datetime | None:
    """The UTC time of a local one; None if the clocks skip it."""
    moment = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    return moment if moment.astimezone(zone).replace(tzinfo=None) == local else None


def _local_times(cron: Cron, start: datetime) -> Iterator[datetime]:
    """The expression's local times from the minute of `start` on, in order."""
    first = start.date()
    for year in cron.years:
        if year < first.year:
            continue
        for month in cron.months:
            if (year, month) < (first.year, first.month):
                continue
            for day in days_of_month(cron, year, month):
                when = date(year, month, day)
                if when < first:
                    continue
                for hour in cron.hours:
                    for minute in cron.minutes:
                        local = datetime(year, month, day, hour, minute)
                        if local >= start.replace(second=0, microsecond=0):
                            yield local


def days_of_month(cron: Cron, year: int, month: int) -> list[int]:
    """The days of one month that the day fields mean."""
    last = calendar.monthrange(year, month)[1]
    if cron.weekday == "?":
        return _by_day(cron.day, year, month, last)
    return _by_weekday(cron.weekday, year, month, last)


def _by_day(text: str, year: int, month: int, last: int) -> list[int]:
    found = set()
    for part in text.split(","):
        if part in ("L", "LW"):
            found.add(_nearest_weekday(year, month, last, last) if part == "LW" else last)
        elif part.startswith("L-"):
            found.add(last - int(part[2:]))
        elif part.endswith("W"):
            if int(part[:-1]) <= last:
                found.add(_nearest_weekday(year, month, int(part[:-1]), last))
        else:
            found.update(_numbers(part, 1, 31, {}))
    return sorted(day for day in found if 1 <= day <= last)


def _nearest_weekday(year: int, month: int, day: int, last: int) -> int:
    """Monday to Friday nearest to a day, within the month."""
    weekday = date(year, month, day).weekday()
    if weekday == 5:
        return day - 1 if day > 1 else day + 2
    if weekday == 6:
        return day + 1 if day < last else day - 2
    return day


def _by_weekday(text: str, year: int, month: int, last: int) -> list[int]:
    found: set[int] = set()
    for part in text.split(","):
        name, number_sign, count = part.partition("#")
        if number_sign:
            days = _weekdays(_weekday(name), year, month, last)
            found.update(days[int(count) - 1 : int(count)])
        elif part == "L":
            found.update(_weekdays(7, year, month, last))
        elif part.endswith("L"):
            found.add(_weekdays(_weekday(part[:-1]), year, month, last)[-1])
        else:
            for weekday in _numbers(part, 1, 7, WEEKDAYS):
                found.update(_weekdays(weekday, year, month, last))
    return sorted(found)


def _weekdays(weekday: int, year: int, month: int, last: int) -> list[int]:
    """The days of a month that are a weekday (1 is Sunday)."""
    first = (date(year, month, 1).weekday() + 1) % 7 + 1
    return list(range(1 + (weekday - first) % 7, last + 1, 7))


def _weekday(text: str) -> int:
    number = WEEKDAYS.get(text.upper()) or int(text)
    if not 1 <= number <= 7:
        raise ValueError(f"{text} is no weekday, 1 (SUN) to 7 (SAT)")
    return number


def _numbers(text: str, low: int, high: int, names: dict[str, int]) -> list[int]:
    """The numbers of one field. Raises ValueError."""
    found: set[int] = set()
    for part in text.split(","):
        span, slash, step_text = part.partition("/")
        step = int(step_text) if slash else 1
        if step < 1:
            raise ValueError(f"{part} has no step of at least 1")
        if span == "*":
            first, final = low, high
        else:
            first_text, dash, final_text = span.partition("-")
            first = _number(first_text, names)
            final = _number(final_text, names) if dash else (high if slash else first)
        if not (low <= first <= high and low <= final <= high):
            raise ValueError(f"{part} is outside {low} to {high}")
        if first > final and names:  # FRI-MON goes over the end of the week
            found.update(range(first, high + 1, step), range(low, final + 1, step))
        elif first > final:
            raise ValueError(f"{part} ends before it begins")
        found.update(range(first, final + 1, step))
    return sorted(found)


def _number(text: str, names: dict[str, int]) -> int:
    if text.upper() in names:
        return names[text.upper()]
    if not text.isdigit():
        raise ValueError(f"{text!r} is no number" + (f" or {', '.join(names)}" if names else ""))
    return int(text)


def _cron(text: str, fields: list[str]) -> Cron:
    if len(fields) != 6:
        raise invalid(text, f"A cron expression has six fields, not {len(fields)}.")
    minutes, hours, day, months, weekday, years = fields
    if (day == "?") == (weekday == "?"):
        raise invalid(text, "Exactly one of day-of-month and day-of-week is a ?.")
    try:
        cron = Cron(
            tuple(_numbers(minutes, 0, 59, {})),
            tuple(_numbers(hours, 0, 23, {})),
            day.upper(),
            tuple(_numbers(months, 1, 12, MONTHS)),
            weekday.upper(),
            tuple(_numbers(years, *YEARS, {})),
        )
        _check_days(cron)
    except ValueError as error:
        raise invalid(text, f"{error}.") from error
    return cron


def _check_days(cron: Cron) -> None:
    """Raises ValueError for a day field that no month can read."""
    if cron.weekday == "?":
        for part in cron.day.split(","):
            if re.fullmatch(r"L|LW|L-([1-9]|[12]\d|30)|([1-9]|[12]\d|3[01])W", part) is None:
                _numbers(part, 1, 31, {})
        return
    for part in cron.weekday.split(","):
        if "#" in part:
            name, _, count = part.partition("#")
            if count not in ("1", "2", "3", "4", "5"):
                raise ValueError(f"{part}: after # comes 1 to 5")
            _weekday(name)
        elif part.endswith("L"):
            if part != "L":
                _weekday(part[:-1])
        else:
            _numbers(part, 1, 7, WEEKDAYS)

"""Files that come every day, and days whose file is missing: by the dates in their names alone.

`raw/orders/orders-2026-11-29.csv` and its like are one series. A day is expected if the series had
a file on the same weekday a week before; in the first week, if it had one on each of the three days
before. It is missing once it is later than files of the series usually come, and some hours more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta, timezone
from statistics import median
from typing import Any

Json = dict[str, Any]

DATE = re.compile(r"(?<!\d)(20\d\d)([-_/]?)(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])(?!\d)")
DAY, WEEK = timedelta(days=1), timedelta(days=7)
IN_A_ROW = 3  # days that make a series daily before it is a week old
LATE = timedelta(hours=3)  # after the time at which files of the series usually come
LOOKS_BACK = timedelta(days=7)  # an older gap is known, or was meant


def missing(listed: Iterable[Json], now: datetime) -> list[Json]:
    """[{files: the series' name with {day} in place of the date, day: ISO date}], oldest first.

    `listed` are entries of an S3 listing (Key, LastModified)."""
    found = [
        {"files": name, "day": day.isoformat()}
        for name, came in series(listed).items()
        for day in expected(set(came), now.date())
        if day not in came and now.date() - day <= LOOKS_BACK and now > due(day, came)
    ]
    return sorted(found, key=lambda entry: (entry["day"], entry["files"]))


def series(listed: Iterable[Json]) -> dict[str, dict[date, datetime]]:
    """Each series' days, and when their files came."""
    found: dict[str, dict[date, datetime]] = {}
    for entry in listed:
        match = next(DATE.finditer(entry["Key"]), None)
        if match is None:
            continue
        try:
            day = date(int(match[1]), int(match[3]), int(match[4]))
        except ValueError:  # 30 February
            continue
        before, after = (
            re.sub(r"\d+", "#", text)
            for text in (entry["Key"][: match.start()], entry["Key"][match.end() :])
        )
        came = found.setdefault(f"{before}{{day}}{after}", {})
        came[day] = max(entry["LastModified"], came.get(day, entry["LastModified"]))
    return found


def expected(days: set[date], today: date) -> list[date]:
    """The days of which the series should have a file, up to today."""
    first = min(days)
    found: list[date] = []
    known = set(days)
    for number in range(IN_A_ROW, (today - first).days + 1):
        day = first + number * DAY
        if day - WEEK >= first:
            wanted = day - WEEK in known
            # What is missing once is expected a week later all the same.
            known |= {day} if wanted else set()
        else:
            wanted = all(day - (back + 1) * DAY in days for back in range(IN_A_ROW))
        found += [day] if wanted else []
    return found


def due(day: date, came: dict[date, datetime]) -> datetime:
    """When the day's file is late: as long after the day's begin as the last week's files came,
    and LATE."""
    newest = sorted(came)[-7:]
    usual = median((came[one] - begin(one)).total_seconds() for one in newest)
    return begin(day) + timedelta(seconds=max(usual, DAY.total_seconds())) + LATE


def begin(day: date) -> datetime:
    return datetime.combine(day, time(), timezone.utc)

"""RFC 3339 timestamps as the Amazon States Language takes and AWS writes them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

FORM = re.compile(
    r"(?P<date>\d{4}-\d{2}-\d{2})T(?P<time>\d{2}:\d{2}:\d{2})(?P<fraction>\.\d+)?"
    r"(?P<zone>Z|[+-]\d{2}:\d{2})"
)


def parse(text: object) -> datetime | None:
    """An aware time, or None for what is no RFC 3339 timestamp (capital T and Z, as AWS wants).

    Digits beyond microseconds are dropped.
    """
    match = FORM.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return None
    zone = "+00:00" if match["zone"] == "Z" else match["zone"]
    fraction = (match["fraction"] or ".0")[:7]
    try:
        return datetime.strptime(
            f"{match['date']}T{match['time']}{fraction}{zone}", "%Y-%m-%dT%H:%M:%S.%f%z"
        )
    except ValueError:
        return None


def iso(time: datetime) -> str:
    """`2026-01-31T08:00:00.123Z`: milliseconds, UTC, as in the context object."""
    # GUESSED: times in the output of aws-sdk tasks have three digits of a second, or as many.
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{time.microsecond // 1000:03d}Z"


def from_epoch(seconds: float) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)


def epoch_milliseconds(time: datetime) -> int:
    """Whole milliseconds, the rest dropped, as in `iso` and in what the API answers."""
    return (time - from_epoch(0)) // timedelta(milliseconds=1)

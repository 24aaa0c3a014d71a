"""A file that comes every day, and the day on which it does not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tasks.functions import daily_files, notify

NOW = datetime(2026, 11, 29, 8, 0, tzinfo=UTC)  # a Sunday


def listed(names: list[str], *, hours: float = 26) -> list[dict[str, Any]]:
    """Objects that came so many hours after their day began; `{day}` is the date."""
    found = []
    for name in names:
        text, _, ago = name.rpartition(" ")
        day = (NOW - timedelta(days=int(ago))).replace(hour=0)
        found.append(
            {
                "Key": text.format(
                    day=day.date(), packed=f"{day:%Y%m%d}", folders=f"{day:%Y/%m/%d}"
                ),
                "LastModified": day + timedelta(hours=hours),
            }
        )
    return found


DAILY = "raw/orders/orders-{day}.csv "


def days(*ago: int, name: str = DAILY) -> list[str]:
    return [f"{name}{one}" for one in ago]


CASES: list[tuple[str, list[str], list[str]]] = [
    ("every day has its file", days(*range(1, 20)), []),
    ("yesterday's has not come", days(*range(2, 20)), ["2026-11-28"]),
    ("one in between has not come", days(1, 2, 4, 5, 6, 7, 8, 9, 10), ["2026-11-26"]),
    ("nor has the one beside it", days(1, 4, 5, 6, 7, 8, 9, 10), ["2026-11-26", "2026-11-27"]),
    ("a week without Sundays", days(*[n for n in range(1, 22) if n % 7]), []),
    ("the first days of a series", days(2, 3), []),
    ("three days, then none", days(2, 3, 4), ["2026-11-28"]),
    ("a gap of long ago", days(1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15), []),
    (
        "dates without hyphens",
        days(*range(2, 9), name="raw/orders/o{packed}T0130.csv "),
        ["2026-11-28"],
    ),
    ("a folder a day", days(*range(2, 9), name="raw/orders/{folders}/o.csv "), ["2026-11-28"]),
    ("no dates at all", ["raw/orders/orders.csv 3", "raw/orders/more.csv 1"], []),
]


@pytest.mark.parametrize(("why", "names", "missing"), CASES, ids=[case[0] for case in CASES])
def test_a_day_is_missing(why: str, names: list[str], missing: list[str]) -> None:
    assert [entry["day"] for entry in daily_files.missing(listed(names), NOW)] == missing


def test_each_series_is_told_by_its_name() -> None:
    lines = days(*range(1, 9), name="raw/order_products/lines-{day}.csv ")
    found = daily_files.missing(listed([*days(*range(2, 9)), *lines]), NOW)
    assert found == [{"files": "raw/orders/orders-{day}.csv", "day": "2026-11-28"}]


def test_a_file_is_not_missed_before_it_usually_comes() -> None:
    """Files that come at noon of the day after are not late at eight."""
    assert daily_files.missing(listed(days(*range(2, 9)), hours=36), NOW) == []


def test_a_missing_file_is_told_once_and_again_at_noon_and_midnight() -> None:
    """Files come two hours after midnight, so yesterday's is late after five."""
    files = listed(days(*range(2, 9)))

    def told(hour: int) -> list[tuple[str, str]]:
        return notify.missing(files, NOW.replace(hour=hour))

    assert [hour for hour in range(24) if told(hour)] == [6, 12]
    ((subject, text),) = told(6)
    assert subject == "rebuy: 1 daily file(s) missing, 2026-11-28"
    assert "raw/orders/orders-2026-11-28.csv has not come." in text

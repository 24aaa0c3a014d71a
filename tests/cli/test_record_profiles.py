"""What `rebuy audit` says of a run whose tables were profiled."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from rebuy.cli import records

Json = dict[str, Any]
FINDING = {"column": "order_dow", "what": "share of 0", "before": "14.0%", "now": "34.0%"}


def told(*profiles: Json) -> str:
    sink = io.StringIO()
    records.show_profiles(list(profiles), Console(file=sink, width=100))
    return " ".join(sink.getvalue().split())


def profile(*drift: Json, before: str | None = "monday") -> Json:
    return {
        "name": "orders", "rows": 1_234, "columns": 7, "duplicate_rows": 0,
        "rules": ["A week has seven days"], "compared_with": before, "drift": list(drift),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (profile(FINDING), "Drift"),
        (profile(FINDING), "share of 0 │ 14.0% │ 34.0%"),
        (profile(), "No table has drifted since monday."),
        (profile(before=None), "1,234 │ 7 │ 0 │ 1"),
    ],
)
def test_profiles_and_their_drift_are_shown(given: Json, said: str) -> None:
    assert said in told(given)


def test_the_first_profile_has_nothing_to_drift_from() -> None:
    assert "drift" not in told(profile(before=None)).lower()

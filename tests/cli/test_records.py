"""What `rebuy audit` says of a run, and of its profiled tables."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from rebuy.cli import records

Json = dict[str, Any]
FINDING = {"column": "order_dow", "what": "share of 0", "before": "14.0%", "now": "34.0%"}


RECORD: Json = {
    "status": "FAILED", "failed_state": "Train", "failed_item": None,
    "error": "AlgorithmError", "cause": "no [bold] memory", "outcome": None,
    "execution": {"name": "monday", "arn": "arn:e", "definition_sha256": "d" * 64},
    "trigger": {"kind": "schedule"},
    "amendments": [{"at": "09:00", "changes": [{"what": "states"}, {"what": "costs"}]}],
    "inputs": [{"key": "raw/a.csv", "bytes": 1234, "version_id": None, "sha256": "ab" * 32}],
    "states": [
        {"state": "Choose", "type": "Choice", "seconds": 0.0, "attempts": []},
        {"state": "Train", "type": "Task", "seconds": 2.04, "attempts": [{"status": "failed"}] * 3},
    ],
    "outputs": [{"dataset": "clean/orders", "rows": None, "bytes": 5678, "objects": [{}, {}]}],
    "gate": {
        "publish": False, "reason": "Worse.",
        "challenger": {"auc": 0.51}, "champion": {"auc": 0.61239},
    },
    "endpoint": {
        "name": "shop",
        "before": {"endpoint_config": None}, "after": {"endpoint_config": "friday"},
    },
    "cost_inputs": {"state_transitions": 4321},
}  # fmt: skip
SAID = (
    "FAILED monday arn:e at Train: AlgorithmError no [bold] memory",
    "Trigger: schedule",
    f"Definition: {'d' * 64}",
    "Amended 09:00: states, costs",
    "raw/a.csv │ 1,234 │ │ abababababababab",
    "Train │ 2.0 │ 3 │ failed",
    "clean/orders │ │ 5,678 │ 2",
    "auc │ 0.5100 │ 0.6124",
    "Gate: not published. Worse.",
    "Endpoint shop: nothing before, friday now",
    "Cost inputs: state_transitions 4,321",
)


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


def test_every_part_of_a_record_is_shown() -> None:
    sink = io.StringIO()
    records.show(RECORD, Console(file=sink, width=100))
    shown = " ".join(sink.getvalue().split())

    assert [said for said in SAID if said not in shown] == []
    assert "Choose" not in shown  # no state that only leads on

"""What the functions around the endpoint and the views decide, as tables of cases."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tasks.functions import canary, published_views, put_model_live, roll_back
from tasks.functions import endpoint_changes as changes

OURS, BEFORE, OTHER = "rebuy-ours", "rebuy-before", "rebuy-other"
NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)


# (status, configuration, asked already): what to do to serve OURS
@pytest.mark.parametrize(
    ("status", "config", "asked", "step"),
    [
        (None, None, False, "create"),
        (None, None, True, "failed"),  # somebody has deleted it
        ("Creating", OURS, True, "wait"),
        ("Updating", BEFORE, False, "wait"),  # somebody else's change
        ("SystemUpdating", BEFORE, False, "wait"),
        ("RollingBack", BEFORE, True, "wait"),
        ("Deleting", BEFORE, False, "wait"),
        ("InService", BEFORE, False, "update"),
        ("OutOfService", BEFORE, False, "update"),
        ("InService", OURS, True, "done"),
        ("InService", OURS, False, "done"),
        ("InService", BEFORE, True, "failed"),  # SageMaker itself went back
        ("Failed", BEFORE, False, "delete"),  # all that can be done to it
        ("Failed", OURS, True, "failed"),
        # Asked once, and what comes of it ends the run: never round and round.
        ("UpdateRollbackFailed", BEFORE, False, "update"),
        ("UpdateRollbackFailed", OURS, False, "update"),
        ("UpdateRollbackFailed", OURS, True, "failed"),
    ],
)
def test_towards_the_new_model(status: Any, config: Any, asked: bool, step: str) -> None:
    assert changes.next_call(changes.Endpoint(status, config), OURS, asked) == step


@pytest.mark.parametrize(
    ("status", "config", "before", "asked", "step"),
    [
        ("Updating", OURS, BEFORE, False, "wait"),
        ("InService", OURS, BEFORE, False, "update"),
        ("InService", OURS, BEFORE, True, "failed"),
        ("InService", BEFORE, BEFORE, True, "done"),
        ("InService", BEFORE, BEFORE, False, "done"),  # SageMaker itself went back
        ("InService", OTHER, BEFORE, False, "done"),  # not ours to change
        ("InService", OURS, None, False, "delete"),  # a first one, which never worked
        ("Failed", OURS, None, False, "delete"),
        ("Deleting", OURS, None, True, "wait"),
        (None, None, None, True, "done"),
    ],
)
def test_back_to_what_was_live(
    status: Any, config: Any, before: Any, asked: bool, step: str
) -> None:
    endpoint = changes.Endpoint(status, config)
    assert changes.next_call_back(endpoint, OURS, before, asked) == step


def test_what_was_asked_counts_in_its_own_try_alone() -> None:
    first, later = changes.Round(0, NOW.isoformat()), NOW + timedelta(days=2)
    endpoint = changes.Endpoint("Updating", BEFORE)
    state = {"endpoint": {"answer": first.answer(endpoint, settled=False, asked=True)}}

    def then(redrives: int, *, rolling_back: bool = False) -> changes.Round:
        execution = {"RedriveCount": redrives}
        return changes.current_round(state, execution, later, rolling_back=rolling_back)

    same, redriven, back = then(0), then(1), then(0, rolling_back=True)
    assert (same.asked, same.began_at) == (True, NOW.isoformat())
    assert (redriven.asked, redriven.began_at) == (False, later.isoformat())
    assert (back.asked, back.began_at) == (False, later.isoformat())
    assert changes.out_of_time(later, same.began_at)
    assert not changes.out_of_time(later, redriven.began_at)


def test_a_canary_is_given_its_time_and_told_with_its_alarms(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert (canary.wanted(OURS), canary.seconds(None), canary.watched(None)) == (None, 0, "")
    for name, value in {"CANARY_PERCENT": "10", "CANARY_MINUTES": "15"}.items():
        monkeypatch.setenv(f"ENDPOINT_{name}", value)
    config = canary.wanted(OURS)
    said = f" It was watched by the alarms {OURS}-errors and {OURS}-slow."
    assert canary.watched(config) == said
    begun = (NOW - timedelta(minutes=80)).isoformat()
    assert changes.out_of_time(NOW, begun)
    assert not changes.out_of_time(NOW, begun, config)


def test_a_model_that_went_live_meanwhile_is_not_replaced_unseen() -> None:
    serving = changes.Endpoint("InService", OTHER)
    with pytest.raises(put_model_live.LiveModelChanged, match=f"serves {OTHER}; this run compared"):
        put_model_live.require_compared("rebuy", serving, BEFORE, OURS)
    put_model_live.require_compared("rebuy", changes.Endpoint("InService", BEFORE), BEFORE, OURS)


@pytest.mark.parametrize(
    ("redrive_time", "entered_at", "redriven"),
    [
        (None, "2026-11-22T08:00:00.000Z", False),
        ("2026-11-22T08:00:05.000Z", "2026-11-22T08:00:00.000Z", True),
        # The execution was redriven, and failed again: this visit is another one.
        ("2026-11-22T08:00:05Z", "2026-11-22T08:00:06.100Z", False),
    ],
)
def test_a_redrive_is_known_by_its_time(redrive_time: Any, entered_at: str, redriven: bool) -> None:
    execution = {"RedriveTime": redrive_time} if redrive_time else {}
    assert roll_back.redriven(execution, entered_at) is redriven


LAMBDA = json.dumps({"errorMessage": "Golden row 1", "errorType": "SmokeTestFailed"})


@pytest.mark.parametrize(
    ("error", "cause", "problem", "text"),
    [
        ("SmokeTestFailed", LAMBDA, None, "Golden row 1"),
        ("States.TaskFailed", '{"QueryExecution": {}}', None, '{"QueryExecution": {}}'),
        (
            "SageMaker.SageMakerException",
            "no quota",
            "Rolling back: no",
            "no quota\nRolling back: no",
        ),
    ],
)
def test_a_rolled_back_run_fails_as_it_was_going_to(
    error: str, cause: str, problem: str | None, text: str
) -> None:
    failure = roll_back.failure({"Error": error, "Cause": cause}, problem)
    assert (type(failure).__name__, str(failure)) == (error, text)


def view(run_id: str) -> dict[str, str]:
    sql = json.dumps({"originalSql": f'SELECT * FROM "rebuy"."user_features_{run_id}"'})
    return {"ViewOriginalText": f"/* Presto View: {base64.b64encode(sql.encode()).decode()} */"}


def test_a_view_shows_the_run_that_it_selects_from() -> None:
    assert published_views.shows(view("demo_1a2b3c4d"), "demo_1a2b3c4d")
    assert not published_views.shows(view("demo_1a2b3c4d"), "demo_5e6f7a8b")

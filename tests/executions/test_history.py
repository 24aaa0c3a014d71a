"""Events read as visits: the same rules in Python and in the page."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from types import SimpleNamespace
from typing import Any

import pytest

from console import drawing
from executions import costs
from executions.cause import message
from executions.history import History, failure_of, job_of, recorded
from tests.conftest import cases

Json = dict[str, Any]
BEGAN = datetime(2026, 11, 22, tzinfo=UTC)


def member(kind: str) -> str:
    for name in ("stateEntered", "stateExited"):
        if kind.lower().endswith(name.lower()):
            return f"{name}EventDetails"
    return f"{kind[0].lower()}{kind[1:]}EventDetails"


def history_of(case: Json) -> list[Json]:
    """The case's events as GetExecutionHistory gives them."""
    return [
        {
            "id": number,
            "previousEventId": previous,
            "type": kind,
            "timestamp": BEGAN + timedelta(seconds=seconds),
            **({member(kind): details[0]} if details else {}),
        }
        for number, (kind, previous, seconds, *details) in enumerate(case["events"], 1)
    ]


def items_of(case: Json) -> list[str | None]:
    return case.get("items", [None] * len(case["visits"]))


each = pytest.mark.parametrize("case", cases("visits"), ids=itemgetter("why"))


@each
def test_visits_attempts_and_transitions(case: Json) -> None:
    history = History(history_of(case))
    failure = failure_of(history.visits)

    assert [
        [visit.state, visit.status, [attempt.status for attempt in visit.attempts]]
        for visit in history.visits
    ] == case["visits"]
    assert history.transitions == case["transitions"]
    assert (failure and failure.label) == case["failed"]
    assert [visit.item for visit in history.visits] == items_of(case)
    for visit, seconds in zip(history.visits, case.get("seconds", ()), strict=False):
        assert recorded(visit)["seconds"] == seconds


@each
def test_the_page_reads_the_same(case: Json) -> None:
    events = json.dumps(
        [event | {"timestamp": event["timestamp"].timestamp() * 1000} for event in history_of(case)]
    )
    page = drawing.engine().evaluate(
        f"(() => {{ const fold = modules['draw.js'].fold({events});"
        " return {visits: fold.visits.map(v => [v.name, v.status, v.attempts.map(a => a.status)]),"
        " items: fold.visits.map(v => v.item), transitions: fold.transitions,"
        " failed: (v => v && modules['fold.js'].labelOf(v))"
        "(modules['fold.js'].failureOf(fold))}; })()"
    )

    expected = {name: case[name] for name in ("visits", "transitions", "failed")}
    assert page == {**expected, "items": items_of(case)}


@each
def test_costs_count_the_same_transitions(case: Json) -> None:
    (line, *_) = costs.estimate(history_of(case))["lines"]

    assert line["quantity"] == f"{case['transitions']:,} transitions"


def test_a_record_says_which_attempts_a_redrive_made() -> None:
    (case,) = [case for case in cases("visits") if "redrives" in case]
    states = {visit.state: recorded(visit) for visit in History(history_of(case)).visits}

    for state, redrives in case["redrives"].items():
        assert [attempt["redrive"] for attempt in states[state]["attempts"]] == redrives


@pytest.mark.parametrize("case", cases("causes"), ids=itemgetter("why"))
def test_the_message_in_a_cause(case: Json) -> None:
    assert message(case["cause"]) == case["message"]
    page = drawing.engine().evaluate(f"modules['cause.js'].message({json.dumps(case['cause'])})")
    assert page == case["message"]


def test_a_long_cause_is_cut() -> None:
    assert message("x" * 700, most=10) == "xxxxxxxxxx ..."


@pytest.mark.parametrize(
    ("service", "submitted", "request_", "found"),
    [
        ("athena", {"QueryExecutionId": "q"}, {}, "q"),
        ("glue", {"JobRunId": "jr"}, {"JobName": "j"}, "jr"),
        ("databrew", {"RunId": "db"}, {"Name": "j"}, "db"),
        ("sagemaker", {"TrainingJobArn": "a"}, {"TrainingJobName": "t"}, "t"),
        ("sagemaker", {"x": "a"}, {"HyperParameterTuningJobName": "h"}, "h"),
        ("sagemaker", {"x": "a"}, {"TransformJobName": "b"}, None),
    ],
)
def test_the_job_of_a_task_has_the_id_that_its_service_gives(
    service: str, submitted: dict[str, str], request_: dict[str, str], found: str | None
) -> None:
    attempt = SimpleNamespace(service=service, submitted=json.dumps(submitted))
    visit: Any = SimpleNamespace(attempts=[attempt], request=request_)

    assert job_of(visit) == (found and {"service": service, "id": found})

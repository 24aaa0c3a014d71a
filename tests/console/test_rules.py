"""What the console works out by itself: next times, costs, what can be explained and drawn."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from operator import itemgetter
from types import SimpleNamespace
from typing import Any, get_args

import pytest

from console import evaluation, evaluation_tables, model_work
from console.executions import origin
from console.page import STATIC
from console.queries import query_of
from console.sections import Kind
from console.times import next_times
from executions import costs
from tests.conftest import cases

Json = dict[str, Any]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize("case", cases("schedules"), ids=itemgetter("why"))
def test_next_times(case: Json) -> None:
    """The same cases as the scheduler of the local AWS, which fires at these times."""
    after, anchor = utc(case["after"]), utc(case.get("anchor", case["after"]))
    expected = [utc(text) for text in case["next"] if text]
    found = next_times(
        case["expression"], after, case.get("zone", "UTC"), anchor=anchor, count=len(case["next"])
    )

    assert found == expected


def test_an_unknown_expression_is_an_error_and_not_a_time() -> None:
    with pytest.raises(ValueError, match="daily"):
        next_times("daily", utc("2026-01-01"), anchor=utc("2026-01-01"))


@pytest.mark.parametrize("case", cases("console_queries"), ids=itemgetter("why"))
def test_query_of_a_statement(case: Json) -> None:
    assert query_of(case["sql"]) == case["query"]


def history(resource: str, output: Json, retries: int = 0) -> list[Json]:
    """One Task that succeeded, after so many failures that were retried."""
    *kind, verb = resource.split(":")
    task = {"resourceType": ":".join(kind), "resource": verb, "parameters": "{}"}
    events: list[Json] = [
        {"type": "ExecutionStarted"},
        {"type": "TaskStateEntered", "stateEnteredEventDetails": {"name": "Work"}},
    ]
    for _ in range(retries):
        events += [
            {"type": "TaskScheduled", "taskScheduledEventDetails": task},
            {"type": "TaskFailed", "taskFailedEventDetails": {"error": "E", "cause": "no JSON"}},
        ]
    events += [
        {"type": "TaskScheduled", "taskScheduledEventDetails": task},
        {"type": "TaskStarted"},
        {"type": "TaskSucceeded", "taskSucceededEventDetails": {"output": json.dumps(output)}},
        {"type": "TaskStateExited", "stateExitedEventDetails": {"name": "Work"}},
    ]
    return [
        {"id": number, "previousEventId": number - 1, "timestamp": utc("2026-11-22")} | event
        for number, event in enumerate(events, 1)
    ]


@pytest.mark.parametrize("case", cases("console_costs"), ids=itemgetter("why"))
def test_cost_of_a_task(case: Json) -> None:
    found = costs.estimate(history(case["resource"], case["output"]))
    lines = [line for line in found["lines"] if line["service"] != "Step Functions"]

    assert [line["service"] for line in lines] == ([case["service"]] if case["service"] else [])
    if case["service"]:
        assert lines[0]["dollars"] == pytest.approx(case["dollars"], rel=1e-4)
        assert lines[0]["state"] == "Work"
    assert any(case.get("untold", "") in why for why in found["not_counted"]) is ("untold" in case)


def test_retries_are_transitions() -> None:
    found = costs.estimate(history("aws-sdk:s3:getObject", {}, retries=2))

    assert found["lines"][0]["quantity"] == "3 transitions"
    assert found["total"] == pytest.approx(3 * 0.000025)


def test_prices_say_where_and_when_they_come_from() -> None:
    services = [price for price in costs.PRICES.values() if isinstance(price, dict)]

    assert services
    assert all(price["source"].startswith("https://aws.amazon.com/") for price in services)
    assert datetime.fromisoformat(costs.PRICES["date"])


def test_a_file_of_another_form_is_a_note() -> None:
    for body in (b"no JSON", b"[1]", b'{"accuracy": {"value": 1}}'):
        assert evaluation.of(body, "s3://b/evaluation.json")["kind"] == "note"


def test_what_is_not_a_curve_is_left_out() -> None:
    body = json.dumps(
        {
            "challenger": {
                "auc": 0.8,
                "logloss": "low",
                "roc_curve": {"false_positive_rate": [0, 1], "true_positive_rate": [0]},
                "feature_importance": {"gain": {"small": 1, "large": 2.5, "odd": None}},
            },
            "learning_curve": {"round": [0, 1], "validation_auc": [0.5, 0.6], "note": ["a", "b"]},
        }
    )
    found = evaluation.of(body.encode(), "s3://b/evaluation.json")

    (model,) = found["models"]
    assert model["figures"] == {"auc": 0.8}
    assert model["roc"] == []
    assert [item["name"] for item in model["importance"]] == ["large", "small"]
    assert [line["name"] for line in found["learning"]["series"]] == ["validation auc"]


@pytest.mark.parametrize(
    ("given", "kind", "detail"),
    [
        ("{}", "request", ""),
        ("no json", "request", ""),
        (
            '{"upload": {"newest": "raw/orders/orders.csv", "objects": 6}}',
            "upload",
            "raw/orders/orders.csv",
        ),
        (
            '{"schedule": {"arn": "arn:aws:scheduler:eu-west-1:1:schedule/default/daily"}}',
            "schedule",
            "daily",
        ),
        (
            '{"source": "aws.s3", "detail": {"bucket": {"name": "b"}, "object": {"key": "k"}}}',
            "upload",
            "b/k",
        ),
        (
            '{"source": "aws.ec2", "detail-type": "State changed"}',
            "event",
            "aws.ec2: State changed",
        ),
        (
            '{"AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID": "arn:aws:states:::m:parent"}',
            "execution",
            "parent",
        ),
    ],
)
def test_what_started_an_execution(given: str, kind: str, detail: str) -> None:
    assert origin({"input": given}) == {"kind": kind, "detail": detail}


def test_no_line_of_the_page_is_longer_than_a_screen() -> None:
    long = [
        f"{file.name}:{number}"
        for file in sorted(STATIC.glob("*.js"))
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if len(line) > 120
    ]

    assert long == []


@pytest.mark.parametrize("kind", get_args(Kind))
def test_every_kind_of_section_is_drawn(kind: str) -> None:
    source = (STATIC / "sections.js").read_text()

    assert f'kind === "{kind}"' in source or re.search(rf"^  {kind}: \(\) => import", source, re.M)


def test_an_evaluation_tells_what_is_better_than_the_live_model() -> None:
    gain = {"gain": 0.0123, "low": -0.001, "high": 0.02}
    names = ("auc", "logloss", "mean_f1_of_baskets")
    compared = {"users": 40, "samples": 200, "level": 0.9, **dict.fromkeys(names, gain)}
    (found,) = evaluation_tables.tables({"comparison": compared})

    assert found["title"] == "Better than the live model"
    assert found["text"] == "Paired by 40 users drawn again 200 times."
    assert found["columns"] == ["In", "Gain", "90% interval"]
    assert found["rows"][0] == ["AUC", "+0.0123", "-0.0010 to +0.0200"]
    assert [row[0] for row in found["rows"]] == ["AUC", "log loss", "mean F1 of baskets"]


def test_trials_are_told_the_best_first_with_what_was_searched() -> None:
    def trial(name: str, auc: float | None, **tuned: str) -> Json:
        told: Json = {"TrainingJobName": name, "TrainingJobStatus": "Completed"}
        if auc is not None:
            told["FinalHyperParameterTuningJobObjectiveMetric"] = {"Value": auc}
        return told | {"TunedHyperParameters": tuned}

    class SageMaker:
        def describe_hyper_parameter_tuning_job(self, **given: str) -> Json:
            objective = {"MetricName": "validation:auc", "Type": "Maximize"}
            config = {"Strategy": "Random", "HyperParameterTuningJobObjective": objective}
            return {
                "HyperParameterTuningJobStatus": "Completed",
                "HyperParameterTuningJobConfig": config,
            }

        def list_training_jobs_for_hyper_parameter_tuning_job(self, **given: Any) -> Json:
            worse, none = trial("worse", 0.7, eta="0.3"), trial("none", None, eta="0.9")
            return {"TrainingJobSummaries": [none, worse, trial("best", 0.8, eta="0.1", alpha="2")]}

    request = {"HyperParameterTuningJobName": "t"}
    (_, table) = model_work.tuning(lambda name: SageMaker(), SimpleNamespace(request=request))

    assert table["columns"] == ["Training job", "State", "Objective", "alpha", "eta"]
    assert [row[0] for row in table["rows"]] == ["best", "worse", "none"]
    assert table["rows"][0] == ["best", "Completed", 0.8, "2", "0.1"]

"""The decisions of the pipeline's functions, as tables of cases."""

from __future__ import annotations

import io
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tasks.functions import (
    check_raw_data,
    judge_model,
    raw_checks,
    receive_trigger,
    run_options,
    run_plan,
    smoke_test,
    storage,
    write_audit,
)

ARN = "arn:aws:states:us-east-1:000000000000:execution:rebuy:"


def plan(given: Any, name: str = "manual-1") -> dict[str, Any]:
    return run_plan.plan(
        {
            "Input": given,
            "Id": ARN + name,
            "Name": name,
            "StartTime": "2026-11-22T08:00:00.250Z",
        }
    )


DEFAULTS = {
    "force": False,
    "full": False,
    "train": True,
    "threshold": None,
    "publish": "if_better",
    "hyperparameters": {},
    "tune": None,
    "approval": "automatic",
    "minimum_gain": 0.0,
    "holdout_week": None,
    "profile": False,
    "sample_buckets": 20,
    "settle_seconds": 0,
}


def test_an_empty_input_is_a_manual_run_with_every_default() -> None:
    run = plan({})

    assert run["trigger"] == {"kind": "manual"}
    assert run["options"] == {**DEFAULTS, "force": True}
    assert run["training"] == {"threshold": "best", "hyperparameters": {}, "ranges": {}}
    assert run["waits_for"] is None


def test_an_upload_and_a_schedule_do_not_force_and_may_carry_options() -> None:
    run = plan({"upload": {"objects": 6}})
    assert run["trigger"] == {"kind": "upload", "upload": {"objects": 6}}
    assert run["options"] == DEFAULTS

    run = plan({"schedule": {"time": "2026-11-22T08:00:00Z"}, "publish": "never", "force": True})
    assert run["trigger"]["kind"] == "schedule"
    assert run["options"] == {**DEFAULTS, "publish": "never", "force": True}


def test_a_threshold_reaches_training_as_text() -> None:
    from training.hyperparameters import read_hyperparameters

    for given, text, value in ((0.35, "0.35", 0.35), (1e-5, "1e-05", 1e-5), (None, "best", "best")):
        run = plan({"threshold": given})
        assert run["training"] == {"threshold": text, "hyperparameters": {}, "ranges": {}}
        assert read_hyperparameters({"threshold": text})["threshold"] == value


def test_hyperparameters_of_the_input_reach_training_as_text() -> None:
    run = plan({"hyperparameters": {"max_depth": 5, "eta": 0.1}})
    assert run["training"]["hyperparameters"] == {"max_depth": "5", "eta": "0.1"}


def test_tuning_has_every_member_and_its_ranges_as_the_service_takes_them() -> None:
    run = plan({"tune": {"trials": 4, "ranges": {"eta": [0.05, 0.1]}}})
    assert run["options"]["tune"] == {
        "trials": 4,
        "parallel": 2,
        "strategy": "Bayesian",
        "ranges": {"eta": [0.05, 0.1]},
    }
    assert run["training"]["ranges"] == {"eta": {"MinValue": "0.05", "MaxValue": "0.1"}}


RAW = [
    {"key": "raw/a.csv", "version_id": "v1", "etag": "e", "bytes": 1, "sha256": "aa"},
    {"key": "raw/b.csv", "version_id": "v1", "etag": "e", "bytes": 1, "sha256": "bb"},
]


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        ({}, True),
        ({"raw": [{**entry, "version_id": "v2"} for entry in RAW]}, True),
        ({"chosen": {**DEFAULTS, "force": True, "settle_seconds": 9}}, True),
        ({"chosen": {**DEFAULTS, "sample_buckets": 1}}, False),
        ({"chosen": {**DEFAULTS, "threshold": 0.5}}, False),
        ({"build": b"{}"}, False),
        ({"raw": RAW[:1]}, False),
        ({"raw": [RAW[0], {**RAW[1], "sha256": "cc"}]}, False),
        ({"raw": [RAW[0], {**RAW[1], "key": "raw/c.csv"}]}, False),
    ],
)
def test_what_is_new_is_another_file_other_code_or_another_option(
    changed: dict[str, Any], same: bool
) -> None:
    before: dict[str, Any] = {"raw": RAW, "chosen": DEFAULTS, "build": b""}
    fingerprint = receive_trigger.fingerprint
    assert (fingerprint(**before) == fingerprint(**{**before, **changed})) is same


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"publsh": "always"},
            "Unknown input publsh; accepted are approval, force, full, holdout",
        ),
        ({"upload": {}, "schedule": {}}, "The input has upload and schedule; it takes one"),
        (
            {"detail-type": "Object Created", "source": "aws.s3"},
            "Unknown input detail-type, source",
        ),
        ({"force": 1}, "force is 1; it takes true or false"),
        ({"train": "skip"}, "train is 'skip'; it takes true or false"),
        ({"threshold": 0}, "threshold is 0; it takes a number above 0 and below 1, or null"),
        ({"threshold": True}, "threshold is True"),
        ({"threshold": "0.5"}, "threshold is '0.5'"),
        ({"threshold": float("nan")}, "threshold is nan"),
        ({"publish": "maybe"}, "publish is 'maybe'; it takes one of if_better, always, never"),
        ({"settle_seconds": -1}, "settle_seconds is -1; it takes a whole number 0 to 3600"),
        ({"settle_seconds": True}, "settle_seconds is True"),
        ({"hyperparameters": 5}, "hyperparameters is 5; it takes an object"),
        ({"hyperparameters": {"depth": 5}}, "hyperparameters has 'depth'; it takes max_depth, eta"),
        ({"hyperparameters": {"eta": 2}}, "hyperparameter eta is '2'; accepted: a number above 0"),
        ({"hyperparameters": {"eta": "1"}}, "hyperparameters.eta is '1'; it takes a number"),
        ({"tune": 3}, "tune is 3; it takes an object, or null"),
        ({"tune": {"jobs": 3}}, "tune has 'jobs'; it takes trials, parallel, strategy, ranges"),
        ({"tune": {"trials": 1}}, "tune.trials is 1; it takes a whole number 2 to 100"),
        ({"tune": {"strategy": "Grid"}}, "tune.strategy is 'Grid'; it takes one of Bayesian, R"),
        ({"tune": {"ranges": {"seed": [1, 2]}}}, "tune.ranges has 'seed'; it takes max_depth"),
        ({"tune": {"ranges": {"eta": 0.1}}}, r"tune.ranges.eta is 0.1; it takes \[lowest, high"),
        ({"tune": {"ranges": {"eta": [0.1, 2]}}}, "hyperparameter eta is '2'; accepted"),
        ({"tune": {"ranges": {"eta": [0.2, 0.1]}}}, "eta is .*; the lowest is not below"),
        ({"tune": {"ranges": {"lambda": [0, 1]}}}, "lambda is .*or not above 0"),
        ({"tune": {}, "train": False}, "tune is given with train false"),
        (
            {"tune": {"ranges": {"eta": [0.1, 0.2]}}, "hyperparameters": {"eta": 0.1}},
            "hyperparameters and tune.ranges both have eta",
        ),
        ({"approval": "no"}, "approval is 'no'; it takes one of automatic, by_hand"),
        ({"minimum_gain": 0.2}, "minimum_gain is 0.2; it takes a number from -0.05 to 0.05"),
        ({"minimum_gain": "0"}, "minimum_gain is '0'"),
        ({"holdout_week": "48"}, "holdout_week is '48'; it takes a week as"),
        ({"sample_buckets": 21}, "sample_buckets is 21; it takes a whole number 1 to 20"),
        ([1], "The input is list; it takes a JSON object"),
        ("x", "The input is str; it takes a JSON object"),
    ],
)
def test_a_wrong_input_is_refused_with_what_is_accepted(given: Any, message: str) -> None:
    with pytest.raises(run_options.InvalidInput, match=message):
        plan(given)


@pytest.mark.parametrize(
    ("given", "started_at", "week"),
    [
        (None, "2026-11-22T23:59:59.999Z", "2026-W47"),
        (None, "2026-11-23T00:00:00Z", "2026-W48"),
        (None, "2027-01-01T08:00:00Z", "2026-W53"),  # ISO 8601: the year of its Thursday
        ("2026-W01", "2026-11-23T00:00:00Z", "2026-W01"),
    ],
)
def test_the_users_who_judge_change_on_mondays(
    given: str | None, started_at: str, week: str
) -> None:
    execution = {"Id": ARN, "Name": "a", "StartTime": started_at}
    run = run_plan.plan({**execution, "Input": {"holdout_week": given}})
    assert run["holdout_week"] == week


LONGEST = "a" * 18 + "--"  # as a stack may be called at most


@pytest.mark.parametrize("name", ["a", "Ünïcode-Name", "x" * 80, "2026.11.22_run", "---", "UPPER"])
def test_run_ids_fit_tables_and_sagemaker_and_are_the_executions_own(name: str) -> None:
    import re

    run = plan({}, name)

    assert re.fullmatch(r"[a-z0-9_]{1,40}", run["id"])
    for made in (f"{LONGEST}{run['name']}", f"{LONGEST}{run['name']}-100"):  # of the hundredth try
        assert re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", made)
    assert plan({}, name)["id"] == run["id"]
    assert plan({}, name + "b")["id"] != run["id"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0.1\n0.3", "Golden row 2: 0.3 instead of 0.2"),
        ("0.1", "1 answers to 2 golden rows"),
        ("nan\n0.2", "Golden row 1: nan"),
        ("<html>", "The endpoint answered '<html>'"),
    ],
)
def test_a_wrong_answer_fails_the_smoke_test(text: str, message: str) -> None:
    with pytest.raises(smoke_test.SmokeTestFailed, match=message):
        smoke_test.compare([0.1, 0.2], text)


def test_the_right_answer_passes_with_commas_or_lines() -> None:
    assert smoke_test.compare([0.1, 0.2], "0.1,0.200001")["rows"] == 2


def test_a_violation_is_reported_with_name_count_and_sample() -> None:
    found = raw_checks.violation("orders_are_unique", [{"violation_count": 17, "order_id": "3"}])
    assert found is not None
    assert check_raw_data.report([found]) == (
        'orders_are_unique: 17 violation(s), for example [{"order_id": "3"}]'
    )


GLUE_JOB = {"job": {"service": "glue", "id": "jr_1"}, "request": {"JobName": "join"}}


class Refusing:
    """A Glue client whose every answer is the error."""

    def __init__(self, code: str) -> None:
        self.error = ClientError({"Error": {"Code": code, "Message": "no"}}, "GetJobRun")

    def get_job_run(self, **_: Any) -> Any:
        raise self.error


@pytest.mark.parametrize(
    ("code", "ended_well"),
    [
        ("EntityNotFoundException", True),  # forgotten by the service
        ("EntityNotFoundException", False),
        ("AccessDeniedException", False),  # the record of a failure says what it lacks
    ],
)
def test_a_record_says_that_a_jobs_figures_could_not_be_looked_up(
    code: str, ended_well: bool
) -> None:
    found = write_audit.figures(lambda _: Refusing(code), GLUE_JOB, ended_well=ended_well)
    assert code in found["look_up_error"]


def test_a_good_run_whose_record_may_not_look_at_a_job_does_not_end_well() -> None:
    with pytest.raises(ClientError, match="AccessDeniedException"):
        write_audit.figures(lambda _: Refusing("AccessDeniedException"), GLUE_JOB, ended_well=True)


class _OneObject:
    """An S3 that answers the same bytes to every key."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def get_object(self, **_: Any) -> dict[str, Any]:
        return {"Body": io.BytesIO(self._body)}


@pytest.mark.parametrize("body", [b"", b'{"objects": [', b"\x1f\x8b\x08", b"<html></html>"])
def test_what_a_state_wrote_and_somebody_damaged_is_named(body: bytes) -> None:
    with pytest.raises(
        storage.DamagedObject, match=rf"s3://lake/plan.json \({len(body)} bytes\) is"
    ):
        storage.read_json(_OneObject(body), "lake", "plan.json")


def test_the_evaluation_of_another_run_judges_no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKE_BUCKET", "lake")
    monkeypatch.setattr(boto3, "client", lambda _: _OneObject(b'{"run": "other"}'))
    state = {"run": {"id": "r1", "name": "r-1"}, "training": {"status": "Completed"}}
    told = r"evaluation\.json is of other, and this run is r-1"
    with pytest.raises(judge_model.AnotherRunsEvaluation, match=told):
        judge_model.handler({"state": state, "container": {}}, None)

"""What DataBrew wrote of a run's tables, judged: rules that are broken, and drift since then."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from tasks.functions import profiles

Json = dict[str, Any]
RULES = [{"name": "There once", "status": "SUCCEEDED"}]
BROKEN = [
    {"name": "There once", "status": "SUCCEEDED"},
    {"name": "A week has seven days", "status": "FAILED", "failedCount": 2},
    {"name": "Nothing is missing", "status": "FAILED",
     "columnResults": [{"name": "a", "status": "FAILED"}, {"name": "b", "status": "SUCCEEDED"}]},
]  # fmt: skip


class Lake:
    """What of S3 the judge uses."""

    def __init__(self, **documents: Json) -> None:
        self._documents = {key.replace("__", "/"): value for key, value in documents.items()}

    def get_object(self, Bucket: str, Key: str, **_: str) -> Json:  # noqa: N803
        return {"Body": io.BytesIO(json.dumps(self._documents[Key]).encode())}

    def get_paginator(self, _: str) -> Lake:
        return self

    def paginate(self, Bucket: str, Prefix: str) -> list[Json]:  # noqa: N803
        keys = sorted(key for key in self._documents if key.startswith(Prefix))
        return [{"Contents": [{"Key": key, "Size": 1} for key in keys]}]


def column(name: str, kind: str = "int", **figures: Any) -> Json:
    return {
        "name": name, "type": kind, "missingValuesCount": 0, "distinctValuesCount": 1_000,
        "mean": 10.0, "standardDeviation": 5.0, "mostCommonValues": [], **figures,
    }  # fmt: skip


def profile(*columns: Json, rows: int = 1_000) -> Json:
    return {"sampleSize": rows, "duplicateRowsCount": 0, "columns": list(columns)}


def judged(lake: Lake, *keys: str) -> Json:
    given = {"name": "orders", "job_run_id": "db_1", "keys": list(keys)}
    return profiles.judge(lake, "lake", given)


def test_rules_that_hold_are_named_and_the_first_profile_has_nothing_to_compare_with() -> None:
    report = {"rulesetResults": [{"ruleResults": RULES}]}
    lake = Lake(now=profile(column("a")), dq__dq={})
    lake._documents["a_dq-validation-report.json"] = report

    found = judged(lake, "now", "a_dq-validation-report.json")

    assert found["rules"] == ["There once"]
    assert (found["rows"], found["compared_with"], found["drift"]) == (1_000, None, [])


def test_a_broken_rule_fails_the_run_with_its_name_and_the_report() -> None:
    lake = Lake(now=profile(column("a")))
    lake._documents["a_dq-validation-report.json"] = {"rulesetResults": [{"ruleResults": BROKEN}]}

    with pytest.raises(profiles.DataRulesBroken) as error:
        judged(lake, "now", "a_dq-validation-report.json")

    assert str(error.value).splitlines() == [
        "A week has seven days: FAILED: 2 rows do not",
        "Nothing is missing (in a): FAILED",
        "The report is s3://lake/a_dq-validation-report.json.",
    ]


def test_the_last_good_run_with_a_profile_is_the_one_to_compare_with() -> None:
    def record(status: str, run: str, *tables: str) -> Json:
        made = [{"name": name, "uri": f"s3://lake/{run}"} for name in tables]
        return {"status": status, "run": {"id": run}, "profiles": made or None}

    lake = Lake(
        now=profile(column("a", mean=11.0)),
        old=profile(column("a")),
        audit__1=record("SUCCEEDED", "older", "orders"),
        audit__2=record("SUCCEEDED", "old", "orders"),
        audit__3=record("FAILED", "failed", "orders"),
        audit__4=record("SUCCEEDED", "plain"),
    )

    found = judged(lake, "now")

    assert found["compared_with"] == "old"
    assert found["drift"] == [{"column": "a", "what": "mean", "before": "10", "now": "11"}]


@pytest.mark.parametrize(
    ("before", "now", "found"),
    [
        (column("a"), column("a", mean=10.4), None),
        (column("a"), column("a", mean=10.6), ("mean", "10", "10.6")),
        (column("a_id"), column("a_id", mean=900.0), None),
        (column("a", "string"), column("a", "string", mean=20.0), None),
        (column("a"), column("a", missingValuesCount=9), None),
        (column("a"), column("a", missingValuesCount=30), ("missing", "0.0%", "3.0%")),
        (column("a"), column("a", "string"), ("type", "int", "string")),
        (column("a"), column("b"), ("column", "there", "gone")),
        (
            column("a", distinctValuesCount=2, mostCommonValues=[{"value": 0, "count": 500}]),
            column("a", distinctValuesCount=2, mostCommonValues=[{"value": 0, "count": 900}]),
            ("share of 0", "50.0%", "90.0%"),
        ),
    ],
)
def test_drift(before: Json, now: Json, found: tuple[str, str, str] | None) -> None:
    drift = profiles.drifted(profile(before), profile(now))

    told = [(one["what"], one["before"], one["now"]) for one in drift if one["column"] == "a"]
    assert told == ([found] if found else [])

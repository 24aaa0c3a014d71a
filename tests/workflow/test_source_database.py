"""Whose turn it is to read a database: started once a run, waited for, again after a redrive."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import ValidationError

from configuration.database import Database
from tasks.functions import source_database, start_on_upload

Json = dict[str, Any]
RUN = {"id": "one_1"}
EARLY, LATE = "2026-11-22T08:00:00.000Z", "2026-11-22T10:00:00.000Z"


class Taken(Exception):
    pass


class Glue:
    """A job with these runs, the newest first."""

    exceptions = SimpleNamespace(ConcurrentRunsExceededException=Taken)

    def __init__(self, runs: list[Json], taken: bool = False) -> None:
        self.runs, self.taken, self.started = runs, taken, list[Json]()

    def get_paginator(self, _: str) -> Any:
        return SimpleNamespace(paginate=lambda **_: [{"JobRuns": self.runs}])

    def start_job_run(self, **given: Any) -> Json:
        if self.taken:
            raise Taken
        self.started.append(given["Arguments"])
        return {"JobRunId": "jr_new"}


def job_run(state: str, run: str = "one_1") -> Json:
    return {
        "Id": "jr_1",
        "JobRunState": state,
        "Arguments": {"--run": run},
        "ErrorMessage": "no route to host",
        "StartedOn": datetime(2026, 11, 22, 9, tzinfo=UTC),
    }


@pytest.mark.parametrize(
    ("runs", "redriven", "answer", "starts"),
    [
        ([], None, "jr_new", True),
        ([job_run("SUCCEEDED", run="another_2")], None, "jr_new", True),
        ([job_run("RUNNING")], None, "jr_1", False),
        ([job_run("SUCCEEDED")], LATE, "jr_1", False),
        ([job_run("FAILED")], LATE, "jr_new", True),
    ],
)
def test_a_run_reads_the_database_once(
    runs: list[Json], redriven: str | None, answer: str, starts: bool
) -> None:
    glue = Glue(runs)
    found = source_database.run_of(glue, "read", RUN, {"RedriveTime": redriven})

    assert found["Id"] == answer
    assert glue.started == ([{"--run": "one_1"}] if starts else [])


def test_the_read_of_a_run_that_was_stopped_is_waited_for() -> None:
    assert source_database.run_of(Glue([], taken=True), "read", RUN, {}) == {"Id": "read"}


@pytest.mark.parametrize("redriven", [None, EARLY])
def test_a_read_that_failed_fails_the_run_with_its_reason(redriven: str | None) -> None:
    with pytest.raises(source_database.DatabaseNotRead, match="is FAILED: no route to host"):
        source_database.run_of(Glue([job_run("FAILED")]), "read", RUN, {"RedriveTime": redriven})


def test_what_a_run_has_put_there_itself_is_no_upload(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = ["raw/orders/orders.csv", "raw/orders/database_000000000000.csv"]
    at = datetime(2026, 11, 22, tzinfo=UTC)
    listed = [{"Key": key, "ETag": "e", "Size": 1, "LastModified": at} for key in keys]
    s3 = SimpleNamespace(
        get_paginator=lambda _: SimpleNamespace(paginate=lambda **_: [{"Contents": listed}])
    )
    monkeypatch.setenv("RAW_BUCKET", "raw")
    found = start_on_upload.Aws(lambda name: s3 if name == "s3" else None).raw_objects()

    assert [one.key for one in found] == keys[:1]


GOOD = {
    "url": "jdbc:postgresql://shop.example.com:5432/shop",
    "secret": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop-AbCdEf",
}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"url": "jdbc:mysql://h:3306/shop"}, "url"),
        ({"secret": "hunter2"}, "secret"),
        ({"orders": "DROP TABLE orders"}, "one SELECT without a semicolon"),
        ({"orders": "SELECT * FROM orders; DELETE FROM orders"}, "without a semicolon"),
        ({"orders": "SELECT 1 AS order_id"}, "orders lacks the columns user_id, eval_set"),
        ({"order_products": "SELECT FROM WHERE"}, "is no query|lacks the columns"),
    ],
)
def test_a_database_that_could_not_be_read_is_refused_with_the_settings(
    given: Json, says: str
) -> None:
    assert Database(**{**GOOD, "orders": "shop.orders"}).order_products == "order_products"
    with pytest.raises(ValidationError, match=says):
        Database(**{**GOOD, **given})

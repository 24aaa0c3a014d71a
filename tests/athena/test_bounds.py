"""A statement that wants too much fails by itself: the server and other statements go on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from localaws.core import orphans
from localaws.core.aws import start
from localaws.core.jobs.limits import Limits
from localaws.services import factories
from tests.athena.conftest import Athena

HUNGRY = (
    "SELECT array_agg(a.x * b.x) FROM UNNEST(sequence(1, 10000)) AS a(x),"
    " UNNEST(sequence(1, 9000)) AS b(x), UNNEST(sequence(1, 9)) AS c(x)"
)


@pytest.fixture
def athena(tmp_path: Path) -> Iterator[Athena]:
    names = ("localaws.s3", "localaws.glue", "localaws.athena")
    wanted = [factory for factory in factories() if factory.__module__.startswith(names)]
    limits = Limits(memory_bytes=600 << 20, threads=1)
    local = start(tmp_path / "home", wanted, url="http://127.0.0.1:9", limits=limits)
    made = Athena(local)
    made.s3.create_bucket(Bucket="lake")
    made.glue.create_database(DatabaseInput={"Name": "shop"})
    yield made
    local.stop()


def test_query_that_needs_more_memory_than_it_may_have_fails_and_others_go_on(
    athena: Athena,
) -> None:
    hungry = athena.start(HUNGRY)
    slowest = 0.0
    while athena.client.get_query_execution(QueryExecutionId=hungry)["QueryExecution"]["Status"][
        "State"
    ] in ("QUEUED", "RUNNING"):
        assert athena.rows("SELECT 1") == [["1"]]
        began = time.monotonic()
        athena.client.get_work_group(WorkGroup="primary")
        slowest = max(slowest, time.monotonic() - began)

    status = athena.wait(hungry)["Status"]
    assert status["State"] == "FAILED"
    assert status["StateChangeReason"] == "Query exhausted resources at this scale factor"
    assert status["AthenaError"]["ErrorMessage"] == status["StateChangeReason"]
    assert slowest < 2
    assert athena.rows("SELECT 2") == [["2"]]


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELECT repeat('a', 2000000000)", "INVALID_FUNCTION_ARGUMENT: count argument of repeat"),
        ("SELECT sequence(1, 100000000)", "INVALID_FUNCTION_ARGUMENT: result of sequence function"),
    ],
)
def test_values_beyond_all_measure_are_a_named_error(athena: Athena, sql: str, reason: str) -> None:
    assert athena.failure(sql).startswith(reason)


def test_worker_that_is_killed_is_a_failed_query(athena: Athena) -> None:
    athena.run("SELECT 1")
    running = athena.start(HUNGRY)
    while (
        athena.client.get_query_execution(QueryExecutionId=running)["QueryExecution"]["Status"][
            "State"
        ]
        == "QUEUED"
    ):
        time.sleep(0.005)
    time.sleep(0.1)
    orphans.end(orphans.home_mark(athena.local.home.root))

    status = athena.wait(running)["Status"]
    assert status["State"] == "FAILED"
    assert status["StateChangeReason"] == (
        "[ErrorCode: INTERNAL_ERROR_QUERY_ENGINE] Amazon Athena experienced an internal error"
        " while executing this query: the worker ended with code -9."
    )
    kind = {"ErrorCategory": 1, "ErrorType": 200}
    assert {name: status["AthenaError"][name] for name in kind} == kind
    assert athena.rows("SELECT 1") == [["1"]]

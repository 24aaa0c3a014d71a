"""Executions whose histories AWS has been seen to write so, event by event, on the real engine."""

from __future__ import annotations

from collections.abc import Iterator
from operator import itemgetter
from typing import Any

import pytest

from localaws.core.aws import start
from localaws.s3 import api as s3
from tests.conftest import cases
from tests.stepfunctions.conftest import Ended, Jobs, Workflows, services

Json = dict[str, Any]


@pytest.fixture(scope="module")
def sfn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workflows]:
    jobs = Jobs()
    home = tmp_path_factory.mktemp("histories")
    aws = start(home, [s3.service, *services(jobs)], wait_scale=0)
    aws.client("s3").create_bucket(Bucket="lake")
    yield Workflows(aws, jobs)
    aws.stop()


@pytest.mark.parametrize("case", cases("histories"), ids=itemgetter("why"))
def test_history(sfn: Workflows, case: Json) -> None:
    for name, replies in case.get("replies", {}).items():
        left = iter(replies)

        def reply(_event: Any, left: Iterator[Any] = left) -> Any:
            answer = next(left)
            if isinstance(answer, dict) and "raises" in answer:
                raise ValueError(answer["raises"])
            return answer

        sfn.jobs.replies[name] = reply
    for key, text in case.get("objects", {}).items():
        sfn.aws.client("s3").put_object(Bucket="lake", Key=key, Body=text.encode())

    done = sfn.run(case["definition"], case["input"])

    assert list(zip(done.types, done.previous, strict=True)) == [
        (type_, previous) for type_, previous, *_ in case["events"]
    ]
    for number, (_type, _previous, *expected) in enumerate(case["events"]):
        for details in expected:
            shown = _details(done, number)
            assert {name: shown.get(name) for name in details} == details


def _details(done: Ended, number: int) -> Json:
    event = done.events[number]
    return next((value for key, value in event.items() if key.endswith("EventDetails")), {})

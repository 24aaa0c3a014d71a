"""When schedules fire: limits, missed runs, restarts; and one that really does."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from localaws.core.aws import LocalAws
from localaws.events.expressions import parse_expression
from localaws.events.runner import Runner, due_at

QUEUE = "arn:aws:sqs:us-east-1:000000000000:due"
ROLE = "arn:aws:iam::000000000000:role/r"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def due(expression: str, seen: str, now: str, **item: Any) -> Any:
    anchor = at("2026-01-01T00:00:00")
    return due_at(item, parse_expression(expression), anchor, at(seen), at(now))


def test_after_a_long_sleep_only_the_latest_missed_run_is_due() -> None:
    latest, following = due("rate(1 hour)", "2026-01-01T00:00:00", "2026-01-01T10:30:00")
    assert latest == at("2026-01-01T10:00:00")
    assert following == at("2026-01-01T11:00:00")


def test_nothing_is_due_before_its_time() -> None:
    assert due("cron(0 8 * * ? *)", "2026-01-01T00:00:00", "2026-01-01T07:59:59")[0] is None


def test_a_rate_with_a_start_runs_at_the_start() -> None:
    start = at("2026-01-01T05:00:00")
    seen, now = "2026-01-01T00:00:00", "2026-01-01T05:00:00"
    assert due("rate(1 hour)", seen, now, StartDate=start)[0] == start


def test_nothing_runs_before_the_start_or_after_the_end() -> None:
    start, end = at("2026-01-02T00:00:00"), at("2026-01-03T00:00:00")
    window = {"StartDate": start, "EndDate": end}
    seen = "2026-01-01T00:00:00"
    assert due("cron(0 12 * * ? *)", seen, "2026-01-01T13:00:00", **window)[0] is None
    last, following = due("cron(0 12 * * ? *)", seen, "2026-01-09T00:00:00", **window)
    assert last == at("2026-01-02T12:00:00")
    assert following is None


def test_a_run_is_not_repeated_by_a_restart(aws: LocalAws) -> None:
    fired: list[datetime] = []
    items = [({"Arn": "a"}, parse_expression("rate(1 hour)"), at("2026-01-01T00:00:00"))]
    for _ in range(2):
        runner = Runner(aws, "test", lambda: items, lambda _, when: fired.append(when))
        runner.tick(at("2026-01-01T03:30:00"))
    assert fired == [at("2026-01-01T03:00:00")]


def test_a_schedule_fires_with_its_input_and_deletes_itself(aws: LocalAws) -> None:
    url = aws.client("sqs").create_queue(QueueName="due")["QueueUrl"]
    moment = (datetime.now(UTC) + timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%S")
    scheduler = aws.client("scheduler")
    scheduler.create_schedule(
        Name="once",
        ScheduleExpression=f"at({moment})",
        FlexibleTimeWindow={"Mode": "OFF"},
        ActionAfterCompletion="DELETE",
        Target={
            "Arn": QUEUE,
            "RoleArn": ROLE,
            "Input": '{"at": "<aws.scheduler.scheduled-time>",'
            ' "n": <aws.scheduler.attempt-number>}',
        },
    )
    messages: list[Any] = []
    end = time.monotonic() + 60
    while not messages and time.monotonic() < end:
        messages = aws.client("sqs").receive_message(QueueUrl=url).get("Messages", [])
        time.sleep(0.05)
    assert json.loads(messages[0]["Body"]) == {"at": f"{moment}Z", "n": 1}
    assert scheduler.list_schedules()["Schedules"] == []


def test_schedules_are_kept_as_given(aws: LocalAws) -> None:
    scheduler = aws.client("scheduler")
    scheduler.create_schedule_group(Name="nightly")
    given = {
        "Name": "run",
        "GroupName": "nightly",
        "ScheduleExpression": "cron(0 8 * * ? *)",
        "ScheduleExpressionTimezone": "Europe/Berlin",
        "FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15},
        "State": "DISABLED",
        "Target": {
            "Arn": "arn:aws:states:us-east-1:000000000000:stateMachine:m",
            "RoleArn": ROLE,
            "Input": "{}",
            "RetryPolicy": {"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 600},
            "DeadLetterConfig": {"Arn": QUEUE},
        },
    }
    scheduler.create_schedule(**given)
    found = scheduler.get_schedule(Name="run", GroupName="nightly")
    assert {name: found[name] for name in given} == given
    with pytest.raises(scheduler.exceptions.ConflictException):
        scheduler.create_schedule(**given)
    scheduler.delete_schedule_group(Name="nightly")
    with pytest.raises(scheduler.exceptions.ResourceNotFoundException):
        scheduler.get_schedule(Name="run", GroupName="nightly")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"ScheduleExpressionTimezone": "Mars/Base"}, "Mars/Base is not in the IANA"),
        ({"FlexibleTimeWindow": {"Mode": "FLEXIBLE"}}, "MaximumWindowInMinutes"),
        ({"Target": {"Arn": "arn:aws:ecs:us-east-1:1:cluster/x", "RoleArn": ROLE}}, "arn:aws:ecs"),
        ({"KmsKeyArn": "arn:aws:kms:us-east-1:000000000000:key/1"}, "KmsKeyArn"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(aws: LocalAws, change: Any, error: str) -> None:
    scheduler = aws.client("scheduler")
    good = {
        "Name": "x",
        "ScheduleExpression": "rate(1 day)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {"Arn": QUEUE, "RoleArn": ROLE},
    }
    with pytest.raises(scheduler.exceptions.ClientError) as caught:
        scheduler.create_schedule(**(good | change))
    assert error in str(caught.value)


def test_schedules_and_groups_come_in_pages(aws: LocalAws) -> None:
    scheduler = aws.client("scheduler")
    for name in "cab":
        scheduler.create_schedule_group(Name=name)
        scheduler.create_schedule(
            Name="same",
            GroupName=name,
            ScheduleExpression="rate(1 day)",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": QUEUE, "RoleArn": ROLE},
        )
    first = scheduler.list_schedules(MaxResults=2)
    second = scheduler.list_schedules(MaxResults=2, NextToken=first["NextToken"])
    groups = [[one["GroupName"] for one in page["Schedules"]] for page in (first, second)]
    assert groups == [["a", "b"], ["c"]]
    assert "NextToken" not in second
    page = scheduler.list_schedule_groups(MaxResults=3)
    rest = scheduler.list_schedule_groups(MaxResults=3, NextToken=page["NextToken"])
    assert [group["Name"] for group in rest["ScheduleGroups"]] == ["default"]
    with pytest.raises(scheduler.exceptions.ValidationException, match="was not given by"):
        scheduler.list_schedules(NextToken="2")

"""From an upload to the targets of a rule."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws.core.aws import LocalAws, start
from localaws.core.clock import Clock
from localaws.events import delivery
from localaws.services import factories
from tests.threads import on_threads

QUEUES = "arn:aws:sqs:us-east-1:000000000000:"
ROLE = "arn:aws:iam::000000000000:role/r"
UPLOADS = {
    "source": ["aws.s3"],
    "detail-type": ["Object Created"],
    "detail": {"bucket": {"name": ["lake"]}, "object": {"key": [{"wildcard": "raw/*.csv"}]}},
}


def messages(aws: LocalAws, name: str, count: int = 1) -> list[Any]:
    url = aws.client("sqs").get_queue_url(QueueName=name)["QueueUrl"]
    found: list[Any] = []
    end = time.monotonic() + 60
    while len(found) < count and time.monotonic() < end:
        answer = aws.client("sqs").receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        )
        found += answer.get("Messages", [])
        time.sleep(0.02)
    return found


@pytest.fixture
def queues(aws: LocalAws) -> LocalAws:
    for name in ("seen", "dead"):
        aws.client("sqs").create_queue(QueueName=name)
    return aws


@pytest.fixture
def lake(queues: LocalAws) -> LocalAws:
    s3 = queues.client("s3")
    s3.create_bucket(Bucket="lake")
    s3.put_bucket_notification_configuration(
        Bucket="lake", NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    return queues


def test_an_upload_reaches_the_queue_and_another_key_does_not(lake: LocalAws) -> None:
    events = lake.client("events")
    events.put_rule(Name="uploads", EventPattern=json.dumps(UPLOADS))
    events.put_targets(Rule="uploads", Targets=[{"Id": "1", "Arn": QUEUES + "seen"}])
    lake.objects.put("lake", "raw/notes.txt", b"no")
    lake.client("s3").put_object(Bucket="lake", Key="raw/orders.csv", Body=b"1,2")
    event = json.loads(messages(lake, "seen")[0]["Body"])
    assert event["detail"]["object"]["key"] == "raw/orders.csv"
    assert event["detail"]["object"]["size"] == 3
    assert event["detail"]["reason"] == "PutObject"
    assert event["resources"] == ["arn:aws:s3:::lake"]


def test_a_disabled_rule_is_silent(queues: LocalAws) -> None:
    events = queues.client("events")
    events.put_rule(Name="own", EventPattern=json.dumps({"source": ["shop"]}), State="DISABLED")
    events.put_targets(Rule="own", Targets=[{"Id": "1", "Arn": QUEUES + "seen"}])
    entry = {"Source": "shop", "DetailType": "order", "Detail": '{"id": 1}'}
    events.put_events(Entries=[entry])
    rule = events.describe_rule(Name="own")
    assert (rule["State"], json.loads(rule["EventPattern"])) == ("DISABLED", {"source": ["shop"]})
    assert rule["CreatedBy"] == queues.account
    events.enable_rule(Name="own")
    assert events.describe_rule(Name="own")["State"] == "ENABLED"
    events.put_events(Entries=[{**entry, "Detail": '{"id": 2}'}])
    assert json.loads(messages(queues, "seen")[0]["Body"])["detail"] == {"id": 2}


def test_what_a_target_refuses_goes_to_the_dead_letter_queue(queues: LocalAws) -> None:
    events = queues.client("events")
    events.put_rule(Name="own", EventPattern=json.dumps({"source": ["shop"]}))
    machine = "arn:aws:states:us-east-1:000000000000:stateMachine:none"
    dead = {"Arn": QUEUES + "dead"}
    events.put_targets(
        Rule="own",
        Targets=[{"Id": "1", "Arn": machine, "RoleArn": ROLE, "DeadLetterConfig": dead}],
    )
    events.put_events(Entries=[{"Source": "shop", "DetailType": "order", "Detail": "{}"}])
    letter = messages(queues, "dead")[0]
    told = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
    assert told["ERROR_CODE"] == "StateMachineDoesNotExist"
    assert told["TARGET_ARN"] == machine
    assert told["RETRY_ATTEMPTS"] == "0"


def test_throttled_deliveries_are_tried_again(
    queues: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []
    really_send: Callable[..., None] = delivery.send

    def throttled(aws: LocalAws, target: Any, text: str, key: str) -> None:
        tried.append(key)
        if len(tried) < 3:
            error = {"Error": {"Code": "Throttling", "Message": "slow down"}}
            raise ClientError(error | {"ResponseMetadata": {"HTTPStatusCode": 400}}, "Send")
        really_send(aws, target, text, key)

    monkeypatch.setattr(delivery, "send", throttled)
    events = queues.client("events")
    events.put_rule(Name="own", EventPattern=json.dumps({"source": ["shop"]}))
    events.put_targets(Rule="own", Targets=[{"Id": "1", "Arn": QUEUES + "seen", "Input": '"x"'}])
    events.put_events(Entries=[{"Source": "shop", "DetailType": "order", "Detail": "{}"}])
    assert messages(queues, "seen")[0]["Body"] == '"x"'
    assert len(tried) == 3 and len(set(tried)) == 1


@pytest.mark.parametrize(
    ("target", "error"),
    [
        ({"Arn": "arn:aws:logs:us-east-1:000000000000:log-group:x"}, "No delivery to arn:aws:logs"),
        ({"Arn": "arn:aws:states:us-east-1:000000000000:stateMachine:m"}, "RoleArn is required"),
        ({"Arn": QUEUES + "seen", "Input": "{}", "InputPath": "$"}, "Only one of Input"),
        ({"Arn": QUEUES + "seen", "Input": "{"}, "JSON syntax error"),
        ({"Arn": QUEUES + "seen", "KinesisParameters": {"PartitionKeyPath": "$"}}, "Kinesis"),
    ],
)
def test_targets_that_cannot_work_are_refused(queues: LocalAws, target: Any, error: str) -> None:
    events = queues.client("events")
    events.put_rule(Name="own", EventPattern=json.dumps({"source": ["shop"]}))
    with pytest.raises(ClientError) as caught:
        events.put_targets(Rule="own", Targets=[{"Id": "1", **target}])
    assert error in str(caught.value)


def test_bad_entries_fail_one_by_one(queues: LocalAws) -> None:
    good = {"Source": "shop", "DetailType": "order", "Detail": "{}"}
    answer = queues.client("events").put_events(
        Entries=[good, {**good, "Detail": "no"}, {**good, "Source": "aws.s3"}]
    )
    assert answer["FailedEntryCount"] == 2
    codes = [entry.get("ErrorCode") for entry in answer["Entries"]]
    assert codes == [None, "MalformedDetail", "NotAuthorizedForSourceException"]


def test_a_rule_with_targets_cannot_be_deleted(queues: LocalAws) -> None:
    events = queues.client("events")
    events.put_rule(Name="own", ScheduleExpression="rate(1 day)")
    events.put_targets(Rule="own", Targets=[{"Id": "1", "Arn": QUEUES + "seen"}])
    assert events.list_rule_names_by_target(TargetArn=QUEUES + "seen")["RuleNames"] == ["own"]
    with pytest.raises(ClientError, match="has targets"):
        events.delete_rule(Name="own")
    events.remove_targets(Rule="own", Ids=["1"])
    events.delete_rule(Name="own")
    assert events.list_rules()["Rules"] == []


class MovedClock(Clock):
    """A clock that a test moves on."""

    moved = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.moved


def test_an_event_that_is_too_old_is_not_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = MovedClock(wait_scale=0)
    aws = start(tmp_path / "home", factories(), clock=clock)
    tried: list[str] = []

    def throttled(aws: LocalAws, target: Any, text: str, key: str) -> None:
        tried.append(key)
        clock.moved = timedelta(seconds=59 if len(tried) < 3 else 61)
        error = {"Error": {"Code": "Throttling", "Message": "slow down"}}
        raise ClientError(error | {"ResponseMetadata": {"HTTPStatusCode": 400}}, "Send")

    monkeypatch.setattr(delivery, "send", throttled)
    aws.client("sqs").create_queue(QueueName="dead")
    events = aws.client("events")
    events.put_rule(Name="own", EventPattern=json.dumps({"source": ["shop"]}))
    target = {"Id": "1", "Arn": QUEUES + "seen", "DeadLetterConfig": {"Arn": QUEUES + "dead"}}
    retries = {"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 100}
    events.put_targets(Rule="own", Targets=[{**target, "RetryPolicy": retries}])
    events.put_events(Entries=[{"Source": "shop", "DetailType": "order", "Detail": "{}"}])
    (dead,) = messages(aws, "dead")
    reason = dead["MessageAttributes"]["EXHAUSTED_RETRY_CONDITION"]["StringValue"]
    assert reason == "MaximumEventAgeInSeconds"
    assert len(tried) == 3
    aws.stop()


def test_lists_of_rules_and_targets_come_in_pages(queues: LocalAws) -> None:
    events = queues.client("events")
    for name in "cab":
        events.put_rule(Name=name, ScheduleExpression="rate(1 day)")
    first = events.list_rules(Limit=2)
    events.delete_rule(Name="b")  # the one that the token stands on
    second = events.list_rules(Limit=2, NextToken=first["NextToken"])
    names = [[rule["Name"] for rule in page["Rules"]] for page in (first, second)]
    assert names == [["a", "b"], ["c"]]
    assert "NextToken" not in second

    queue = QUEUES + "seen"
    events.put_targets(Rule="a", Targets=[{"Id": id, "Arn": queue} for id in "21"])
    page = events.list_targets_by_rule(Rule="a", Limit=1)
    rest = events.list_targets_by_rule(Rule="a", Limit=1, NextToken=page["NextToken"])
    assert [target["Id"] for target in page["Targets"] + rest["Targets"]] == ["1", "2"]
    with pytest.raises(ClientError, match="ValidationException"):
        events.list_rules(NextToken="1")


def test_changes_of_a_rule_at_the_same_time_lose_nothing(queues: LocalAws) -> None:
    events = queues.client("events")
    rule = events.put_rule(Name="own", ScheduleExpression="rate(1 day)")["RuleArn"]

    def change(number: int) -> None:
        client = queues.client("events")
        client.put_targets(Rule="own", Targets=[{"Id": str(number), "Arn": QUEUES + "seen"}])
        client.tag_resource(ResourceARN=rule, Tags=[{"Key": f"t{number}", "Value": "x"}])

    on_threads(5, change)
    assert len(events.list_targets_by_rule(Rule="own")["Targets"]) == 5
    assert len(events.list_tags_for_resource(ResourceARN=rule)["Tags"]) == 5

"""Topics, subscriptions and what arrives of what is published."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws.core.aws import LocalAws, start
from localaws.core.service import Call, Service
from localaws.events import delivery
from localaws.plain.api import FACTORIES
from localaws.sns import api

WAIT_SECONDS = 60.0


class Functions:
    """Takes invocations; the first `failing` of them fail."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.failing = 0

    def service(self, _: LocalAws) -> Service:
        made = Service("lambda")

        @made.operation("Invoke", "FunctionName", "Payload", "InvocationType")
        def invoke(call: Call) -> dict[str, Any]:
            if self.failing:
                self.failing -= 1
                raise ValueError("not now")
            self.events.append((call.caller, json.loads(call.params["Payload"])))
            return {"StatusCode": 202}

        return made


@pytest.fixture
def functions() -> Functions:
    return Functions()


@pytest.fixture
def local(tmp_path: Path, functions: Functions) -> Iterator[LocalAws]:
    aws = start(tmp_path / "home", [FACTORIES["sqs"], functions.service, api.service], wait_scale=0)
    yield aws
    aws.stop()


def until(condition: Callable[[], Any]) -> Any:
    end = time.monotonic() + WAIT_SECONDS
    while not (value := condition()):
        assert time.monotonic() < end
        time.sleep(0.01)
    return value


def queue(local: LocalAws, name: str) -> tuple[str, str]:
    sqs = local.client("sqs")
    fifo = {"FifoQueue": "true"} if name.endswith(".fifo") else {}
    url = sqs.create_queue(QueueName=name, Attributes=fifo)["QueueUrl"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return url, found["Attributes"]["QueueArn"]


def received(local: LocalAws, url: str) -> dict[str, Any]:
    """The one message that is in the queue."""
    (message,) = until(
        lambda: (
            local.client("sqs")
            .receive_message(QueueUrl=url, MessageAttributeNames=["All"])
            .get("Messages")
        )
    )
    found: dict[str, Any] = message
    return found


def test_a_queue_gets_the_notification_and_a_raw_one_the_text(local: LocalAws) -> None:
    sns = local.client("sns")
    topic = sns.create_topic(Name="news")["TopicArn"]
    told_url, told = queue(local, "told")
    raw_url, raw = queue(local, "raw")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=told)
    sns.subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=raw, Attributes={"RawMessageDelivery": "true"}
    )
    attributes = {
        "kind": {"DataType": "String", "StringValue": "late"},
        "bytes": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
    }
    made = sns.publish(TopicArn=topic, Message="m", Subject="s", MessageAttributes=attributes)

    notification = json.loads(received(local, told_url)["Body"])
    assert {key: notification[key] for key in ("Type", "MessageId", "TopicArn", "Message")} == {
        "Type": "Notification",
        "MessageId": made["MessageId"],
        "TopicArn": topic,
        "Message": "m",
    }
    assert notification["MessageAttributes"]["kind"] == {"Type": "String", "Value": "late"}
    message = received(local, raw_url)
    assert message["Body"] == "m"
    assert message["MessageAttributes"]["bytes"]["BinaryValue"] == b"\x00\xff"


def test_a_function_is_called_as_sns_on_behalf_of_the_topic(
    local: LocalAws, functions: Functions
) -> None:
    sns = local.client("sns")
    topic = sns.create_topic(Name="news")["TopicArn"]
    function = "arn:aws:lambda:us-east-1:000000000000:function:f"
    made = sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=function)
    texts = {"default": "all", "lambda": "for functions"}
    functions.failing = 2  # which are tried again
    sns.publish(TopicArn=topic, Message=json.dumps(texts), MessageStructure="json")

    (caller, event) = until(lambda: functions.events)[0]
    assert (caller.arn, caller.source_arn) == ("sns.amazonaws.com", topic)
    (record,) = event["Records"]
    assert record["EventSubscriptionArn"] == made["SubscriptionArn"]
    assert (record["Sns"]["Message"], record["Sns"]["Subject"]) == ("for functions", None)


def test_a_fifo_topic_numbers_messages_and_takes_each_once(local: LocalAws) -> None:
    sns = local.client("sns")
    topic = sns.create_topic(Name="n.fifo", Attributes={"FifoTopic": "true"})["TopicArn"]
    url, arn = queue(local, "q.fifo")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    with pytest.raises(sns.exceptions.InvalidParameterException, match="MessageGroupId parameter"):
        sns.publish(TopicArn=topic, Message="m")
    one = {"TopicArn": topic, "Message": "m", "MessageGroupId": "g", "MessageDeduplicationId": "1"}
    first, again = sns.publish(**one), sns.publish(**one)
    second = sns.publish(**one | {"MessageDeduplicationId": "2"})

    assert again["MessageId"] == first["MessageId"] != second["MessageId"]
    assert len(first["SequenceNumber"]) == 20
    assert first["SequenceNumber"] < second["SequenceNumber"]
    assert json.loads(received(local, url)["Body"])["SequenceNumber"] == first["SequenceNumber"]


def test_messages_of_a_group_arrive_in_the_order_they_were_published(
    local: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """https://docs.aws.amazon.com/sns/latest/dg/fifo-topic-message-ordering.html"""
    send, attempts = delivery._send_message, itertools.count()

    def throttled(*given: Any, **more: Any) -> None:
        """Every third attempt has to be made again."""
        if next(attempts) % 3 == 0:
            answer = {"Code": "RequestLimitExceeded", "Message": "Later."}
            told: Any = {"Error": answer, "ResponseMetadata": {"HTTPStatusCode": 403}}
            raise ClientError(told, "SendMessage")
        send(*given, **more)

    monkeypatch.setattr(delivery, "_send_message", throttled)
    sns, sqs = local.client("sns"), local.client("sqs")
    topic = sns.create_topic(
        Name="n.fifo", Attributes={"FifoTopic": "true", "ContentBasedDeduplication": "true"}
    )["TopicArn"]
    url, arn = queue(local, "q.fifo")
    sns.subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"}
    )
    for number in range(60):
        sns.publish(TopicArn=topic, Message=f"{number:02d}", MessageGroupId=f"g{number % 3}")

    def of_group(one: int) -> list[str]:
        return [text for text in arrived if int(text) % 3 == one]

    arrived: list[str] = []
    while len(arrived) < 60:
        for one in until(
            lambda: sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages")
        ):
            arrived.append(one["Body"])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
    assert all(of_group(one) == sorted(of_group(one)) for one in range(3)), arrived


def test_topics_and_subscriptions_are_there_after_a_restart(
    local: LocalAws, tmp_path: Path
) -> None:
    sns = local.client("sns")
    topic = sns.create_topic(Name="news", Tags=[{"Key": "k", "Value": "v"}])["TopicArn"]
    assert sns.create_topic(Name="news")["TopicArn"] == topic
    made = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue(local, "q")[1])
    again = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue(local, "q")[1])
    assert again["SubscriptionArn"] == made["SubscriptionArn"]
    local.stop()

    anew = start(tmp_path / "home", [FACTORIES["sqs"], api.service])
    sns = anew.client("sns")
    assert sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"] == [
        {
            "SubscriptionArn": made["SubscriptionArn"],
            "Owner": "000000000000",
            "Protocol": "sqs",
            "Endpoint": "arn:aws:sqs:us-east-1:000000000000:q",
            "TopicArn": topic,
        }
    ]
    attributes = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    assert attributes["SubscriptionsConfirmed"] == "1"
    assert sns.list_tags_for_resource(ResourceArn=topic)["Tags"] == [{"Key": "k", "Value": "v"}]
    sns.unsubscribe(SubscriptionArn=made["SubscriptionArn"])
    sns.delete_topic(TopicArn=topic)
    assert (sns.list_subscriptions()["Subscriptions"], sns.list_topics()["Topics"]) == ([], [])
    anew.stop()


@pytest.mark.parametrize(
    ("operation", "params", "problem"),
    [
        ("publish", {"Message": "m"}, "TopicArn or TargetArn"),
        ("publish", {"TopicArn": "arn:aws:sns:us-east-1:000000000000:no", "Message": "m"},
         "NotFound.*Topic does not exist"),
        ("publish", {"TopicArn": "$", "Message": ""}, "Empty message"),
        ("publish", {"TopicArn": "$", "Message": "x" * 262_145}, "Message too long"),
        ("publish", {"TopicArn": "$", "Message": "m", "Subject": "a\nb"}, "Subject"),
        ("publish", {"TopicArn": "$", "Message": "{}", "MessageStructure": "json"}, "No default"),
        ("publish", {"PhoneNumber": "+1", "Message": "m"}, "parameter PhoneNumber"),
        ("subscribe", {"TopicArn": "$", "Protocol": "email", "Endpoint": "a@b"}, "Protocol=email"),
        ("subscribe", {"TopicArn": "$", "Protocol": "sqs", "Endpoint": "q"}, "SQS endpoint ARN"),
        ("create_topic", {"Name": "a b"}, "Topic Name"),
        ("create_topic", {"Name": "a", "Attributes": {"KmsMasterKeyId": "k"}}, "KmsMasterKeyId"),
    ],
)  # fmt: skip # https://docs.aws.amazon.com/sns/latest/api/API_Publish.html and its neighbours
def test_what_is_refused(
    local: LocalAws, operation: str, params: dict[str, Any], problem: str
) -> None:
    topic = local.client("sns").create_topic(Name="news")["TopicArn"]
    given = {name: topic if value == "$" else value for name, value in params.items()}
    with pytest.raises(ClientError, match=problem):
        getattr(local.client("sns"), operation)(**given)

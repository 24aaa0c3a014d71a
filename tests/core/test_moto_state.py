"""What moto keeps: written after each change, read back, and refused where it is not its own."""

from __future__ import annotations

import io
import json
import os
import pickle
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import backends

from localaws.core.aws import LocalAws, start
from localaws.core.home import Home
from localaws.iam import api as iam
from localaws.plain import api as plain
from localaws.sns import api as sns
from tests.threads import on_threads

KEY = {"k": {"S": "a"}}


def opened(home: Path, *names: str) -> LocalAws:
    kept = [plain.FACTORIES[name] for name in names or plain.FACTORIES]
    return start(home, [*kept, sns.service])


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def local(home: Path) -> Iterator[LocalAws]:
    running = opened(home)
    dynamodb = running.client("dynamodb")
    dynamodb.create_table(
        TableName="items",
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    dynamodb.put_item(TableName="items", Item=KEY)
    running.client("sqs").create_queue(QueueName="work")
    running.client("sns").create_topic(Name="news")
    yield running
    running.stop()


def stamp(home: Path) -> dict[str, int]:
    return {file.name: file.stat().st_ino for file in (home / "moto").glob("*.json")}


READS: dict[str, Callable[[LocalAws], Any]] = {
    "GetItem": lambda aws: aws.client("dynamodb").get_item(TableName="items", Key=KEY),
    "BatchGetItem": lambda aws: aws.client("dynamodb").batch_get_item(
        RequestItems={"items": {"Keys": [KEY]}}
    ),
    "TransactGetItems": lambda aws: aws.client("dynamodb").transact_get_items(
        TransactItems=[{"Get": {"TableName": "items", "Key": KEY}}]
    ),
    "Scan": lambda aws: aws.client("dynamodb").scan(TableName="items"),
    "DescribeTable": lambda aws: aws.client("dynamodb").describe_table(TableName="items"),
    "GetQueueUrl": lambda aws: aws.client("sqs").get_queue_url(QueueName="work"),
    "ListTopics": lambda aws: aws.client("sns").list_topics(),
}


@pytest.mark.parametrize("name", READS)
def test_a_read_writes_nothing(local: LocalAws, home: Path, name: str) -> None:
    before = stamp(home)
    READS[name](local)
    assert stamp(home) == before


def queue_url(aws: LocalAws) -> str:
    return str(aws.client("sqs").get_queue_url(QueueName="work")["QueueUrl"])


def wait_for_message(aws: LocalAws) -> Any:
    url = queue_url(aws)
    return aws.client("sqs").receive_message(QueueUrl=url).get("Messages", [{}])[0].get("Body")


# Operation to (the change, what then is there, by a client of the next server).
WRITES: dict[str, tuple[Callable[[LocalAws], Any], Callable[[LocalAws], Any], Any]] = {
    "PutItem": (
        lambda aws: aws.client("dynamodb").put_item(TableName="items", Item={"k": {"S": "b"}}),
        lambda aws: aws.client("dynamodb").scan(TableName="items")["Count"],
        2,
    ),
    "TransactWriteItems": (
        lambda aws: aws.client("dynamodb").transact_write_items(
            TransactItems=[{"Put": {"TableName": "items", "Item": {"k": {"S": "c"}}}}]
        ),
        lambda aws: aws.client("dynamodb").scan(TableName="items")["Count"],
        2,
    ),
    "BatchWriteItem": (
        lambda aws: aws.client("dynamodb").batch_write_item(
            RequestItems={"items": [{"DeleteRequest": {"Key": KEY}}]}
        ),
        lambda aws: aws.client("dynamodb").scan(TableName="items")["Count"],
        0,
    ),
    "SendMessage": (
        lambda aws: aws.client("sqs").send_message(QueueUrl=queue_url(aws), MessageBody="m"),
        wait_for_message,
        "m",
    ),
    "SetTopicAttributes": (
        lambda aws: aws.client("sns").set_topic_attributes(
            TopicArn="arn:aws:sns:us-east-1:000000000000:news",
            AttributeName="DisplayName",
            AttributeValue="News",
        ),
        lambda aws: aws.client("sns").get_topic_attributes(
            TopicArn="arn:aws:sns:us-east-1:000000000000:news"
        )["Attributes"]["DisplayName"],
        "News",
    ),
}


@pytest.mark.parametrize("name", WRITES)
def test_a_write_is_on_disk_when_the_server_dies(
    local: LocalAws, tmp_path: Path, name: str
) -> None:
    change, look, expected = WRITES[name]
    change(local)
    # What a killed server leaves; moto's state of this process is forgotten, as with it.
    shutil.copytree(local.home.root, tmp_path / "left")
    local.moto.reset(list(plain.FACTORIES))

    successor = opened(tmp_path / "left")
    try:
        assert look(successor) == expected
    finally:
        successor.stop()


class Evil:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, ("touch /tmp/localaws-was-here",)


DAMAGED = {
    "code": (pickle.dumps({("000000000000", "us-east-1"): {"x": Evil()}}), "names posix.system"),
    "cut off": (b"\x80\x05\x95\xff", "UnpicklingError"),
    "empty": (b"", "EOFError"),
    "not a pickle": (b"{}", "cannot be read"),
    "another service's": (
        pickle.dumps({}).replace(b"}", b"cmoto.sns.models\nTopic\n"),
        "moto.sns.models.Topic",
    ),
}


DAMAGED_JSON = {
    "half a file": (b'{"format": 1, "regions": [{"acc', "JSONDecodeError"),
    "nothing": (b"", "JSONDecodeError"),
    "of a later version": (b'{"format": 2, "regions": []}', "its format is 2"),
    "without a member": (
        b'{"format": 1, "regions": [{"account": "000000000000", "region": "us-east-1"}]}',
        "KeyError: 'queues'",
    ),
}


def test_writers_wait_for_their_turn_and_never_for_one_another(local: LocalAws) -> None:
    local.client("dynamodb").put_item(TableName="items", Item=KEY | {"n": {"N": "0"}})

    def count(_: int) -> None:
        for _ in range(25):
            local.client("dynamodb").update_item(
                TableName="items",
                Key=KEY,
                UpdateExpression="SET n = n + :one",
                ExpressionAttributeValues={":one": {"N": "1"}},
            )

    on_threads(6, count)

    item = local.client("dynamodb").get_item(TableName="items", Key=KEY)["Item"]
    assert item["n"] == {"N": "150"}


@pytest.mark.parametrize("name", [*DAMAGED, *DAMAGED_JSON])
def test_a_state_that_cannot_be_read_is_that_services_affair(home: Path, name: str) -> None:
    data, reason = {**DAMAGED, **DAMAGED_JSON}[name]
    ending = "pickle" if name in DAMAGED else "json"
    file = Home(home).directory("moto") / f"sqs.{ending}"
    file.write_bytes(data)

    running = opened(home)
    try:
        with pytest.raises(ClientError) as refused:
            running.client("sqs").list_queues()
        message = refused.value.response["Error"]["Message"]
        assert reason in message
        assert str(file) in message
        assert "move it away and take its name out of home.json to begin sqs anew" in message
        running.client("sns").create_topic(Name="news")  # the others work
    finally:
        running.stop()
    assert file.read_bytes() == data
    assert not Path("/tmp/localaws-was-here").exists()

    file.rename(file.with_suffix(".aside"))  # the way out
    mark = home / "home.json"
    mark.write_text(mark.read_text().replace(', "moto/sqs.json"', ""))
    again = opened(home)
    assert again.client("sqs").create_queue(QueueName="q")["QueueUrl"]
    assert again.client("sns").list_topics()["Topics"]
    again.stop()


def fill(aws: LocalAws) -> None:
    """Something of everything that the three services keep."""
    dynamodb = aws.client("dynamodb")
    dynamodb.create_table(
        TableName="rows",
        KeySchema=[
            {"AttributeName": "a", "KeyType": "HASH"},
            {"AttributeName": "b", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "a", "AttributeType": "S"},
            {"AttributeName": "b", "AttributeType": "N"},
        ],
        ProvisionedThroughput={"ReadCapacityUnits": 3, "WriteCapacityUnits": 4},
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-b",
                "KeySchema": [{"AttributeName": "b", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
                "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 2},
            }
        ],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
        Tags=[{"Key": "team", "Value": "data"}],
        DeletionProtectionEnabled=True,
    )
    dynamodb.update_time_to_live(
        TableName="rows", TimeToLiveSpecification={"Enabled": True, "AttributeName": "ends"}
    )
    nested = {"M": {"l": {"L": [{"N": "1"}, {"NULL": True}, {"BOOL": False}]}}}
    for number in ("1", "2"):
        row = {"a": {"S": "x"}, "b": {"N": number}, "bin": {"B": b"\x00\xff"}, "m": nested}
        row |= {"set": {"SS": ["p", "q"]}, "bins": {"BS": [b"\x01", b"\x02"]}}
        dynamodb.put_item(TableName="rows", Item=row)

    sqs = aws.client("sqs")
    dead = sqs.create_queue(QueueName="dead", tags={"$bytes": "v"})["QueueUrl"]
    place = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])
    target = place["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": target, "maxReceiveCount": 2})
    url = sqs.create_queue(
        QueueName="main", Attributes={"RedrivePolicy": policy, "VisibilityTimeout": "600"}
    )["QueueUrl"]
    sqs.create_queue(QueueName="in-order.fifo", Attributes={"FifoQueue": "true"})
    sqs.send_message(
        QueueUrl=url,
        MessageBody="taken",
        MessageAttributes={
            "kind": {"DataType": "String", "StringValue": "k"},
            "bytes": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
        },
    )
    sqs.receive_message(QueueUrl=url)
    sqs.send_message(QueueUrl=url, MessageBody="late", DelaySeconds=900)
    sqs.send_message(QueueUrl=url, MessageBody="gone")
    gone = sqs.receive_message(QueueUrl=url)["Messages"][0]["ReceiptHandle"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=gone)
    sqs.send_message(QueueUrl=url, MessageBody="waiting")


def told(aws: LocalAws) -> dict[str, Any]:
    """What the services say of everything, without taking a message."""
    dynamodb, sqs = (aws.client(name) for name in ("dynamodb", "sqs"))
    calls: dict[str, Any] = {}
    for table in dynamodb.list_tables()["TableNames"]:
        described = dynamodb.describe_table(TableName=table)
        calls[f"table {table}"] = described["Table"]
        calls[f"rows of {table}"] = dynamodb.scan(TableName=table)["Items"]
        calls[f"time to live of {table}"] = dynamodb.describe_time_to_live(TableName=table)
        place = described["Table"]["TableArn"]
        calls[f"tags of {table}"] = dynamodb.list_tags_of_resource(ResourceArn=place)["Tags"]
    for url in sqs.list_queues()["QueueUrls"]:
        calls[url] = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        calls[f"tags of {url}"] = sqs.list_queue_tags(QueueUrl=url).get("Tags")
    return {
        name: {key: value for key, value in answer.items() if key != "ResponseMetadata"}
        if isinstance(answer, dict)
        else answer
        for name, answer in calls.items()
    }


def test_everything_that_they_keep_comes_back(local: LocalAws, home: Path) -> None:
    fill(local)
    before = told(local)
    local.stop()
    successor = opened(home)
    try:
        assert told(successor) == before
        sqs = successor.client("sqs")
        url = sqs.get_queue_url(QueueName="main")["QueueUrl"]
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
        assert [message["Body"] for message in messages] == ["waiting"]  # the others are not due
        # What was taken is given again once its time is over, and goes to the other queue then.
        backend = backends.get_backend("sqs")["000000000000"]["us-east-1"]
        taken = next(one for one in backend.queues["main"]._messages if one.body == "taken")
        taken.visible_at = 0
        again = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"][0]
        assert again["MessageAttributes"]["bytes"]["BinaryValue"] == b"\x00\xff"
        taken.visible_at = 0
        assert "Messages" not in sqs.receive_message(QueueUrl=url)
        dead = sqs.get_queue_url(QueueName="dead")["QueueUrl"]
        assert sqs.receive_message(QueueUrl=dead)["Messages"][0]["Body"] == "taken"
    finally:
        successor.stop()


KEPT = sorted((Path(__file__).parents[1] / "cases" / "records").glob("*.json"))


@pytest.mark.parametrize("file", KEPT, ids=lambda file: file.stem)
def test_a_file_of_the_first_format_is_read_for_ever(home: Path, file: Path) -> None:
    """The files were written by version 0.1 with moto 5.2.5. They stay as they are: whatever moto
    is, it must be made to hold all that is in them, which writing them again shows."""
    place = Home(home).directory("moto") / file.name
    shutil.copy(file, place)
    running = opened(home, file.stem)
    try:
        service = running.gateway.services[file.stem]
        assert service.failure is None
        place.unlink()
        running.moto.save(service)
        assert json.loads(place.read_text()) == json.loads(file.read_text())
    finally:
        running.stop()


def test_every_service_that_moto_keeps_has_such_a_file() -> None:
    assert [file.stem for file in KEPT] == sorted(plain.FACTORIES)


def test_queues_of_earlier_versions_are_read(local: LocalAws, tmp_path: Path) -> None:
    """They wrote a queue's condition with the methods of its lock."""
    state = dict(backends.get_backend("sqs")["000000000000"]["us-east-1"].__dict__)
    local.client("sqs").send_message(QueueUrl=queue_url(local), MessageBody="old")
    buffer = io.BytesIO()
    pickler = pickle.Pickler(buffer)
    pickler.dispatch_table = {
        type(threading.RLock()): lambda _: (threading.RLock, ()),
        type(threading.Lock()): lambda _: (threading.Lock, ()),
    }
    pickler.dump({("000000000000", "us-east-1"): state})
    assert b"getattr" in buffer.getvalue()
    (Home(tmp_path / "old").directory("moto") / "sqs.pickle").write_bytes(buffer.getvalue())
    local.moto.reset(["sqs"])

    successor = opened(tmp_path / "old", "sqs")
    try:
        assert wait_for_message(successor) == "old"
    finally:
        successor.stop()
    kept = sorted(file.name for file in (tmp_path / "old" / "moto").iterdir())
    assert kept == ["sqs.adopted", "sqs.json"]  # read once; the old file stays


def test_roles_that_moto_kept_are_taken_over(home: Path) -> None:
    trust = (
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",'
        '"Principal":{"Service":"glue.amazonaws.com"}}]}'
    )
    policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'
    backend = backends.get_backend("iam")["000000000000"]["aws"]
    backend.create_role(
        "crawls", trust, "/jobs/", None, "reads", [{"Key": "a", "Value": "b"}], "7200"
    )
    backend.put_role_policy("crawls", "inline", policy)
    own = backend.create_policy("what it is", "/", policy, "own", [])
    backend.attach_role_policy(own.arn, "crawls")
    file = Home(home).directory("moto") / "iam.pickle"
    file.write_bytes(pickle.dumps({("000000000000", "aws"): dict(backend.__dict__)}))
    backends.get_backend("iam").reset()

    for _ in range(2):  # the second start finds them in its own store
        running = start(home, [iam.service])
        client = running.client("iam")
        role = client.get_role(RoleName="crawls")["Role"]
        assert (role["Path"], role["MaxSessionDuration"]) == ("/jobs/", 7200)
        assert role["Tags"] == [{"Key": "a", "Value": "b"}]
        assert client.list_role_policies(RoleName="crawls")["PolicyNames"] == ["inline"]
        attached = client.list_attached_role_policies(RoleName="crawls")["AttachedPolicies"]
        assert attached[0]["PolicyArn"] == "arn:aws:iam::000000000000:policy/own"
        running.stop()
    assert [found.name for found in file.parent.iterdir()] == ["iam.adopted"]


def test_topics_that_moto_kept_are_taken_over(home: Path) -> None:
    backend = backends.get_backend("sns")["000000000000"]["us-east-1"]
    made = backend.create_topic("news", {"DisplayName": "News"}, {"a": "b"})
    backend.create_topic("n.fifo", {"FifoTopic": "true"})
    file = Home(home).directory("moto") / "sns.pickle"
    file.write_bytes(pickle.dumps({("000000000000", "us-east-1"): dict(backend.__dict__)}))
    backends.get_backend("sns").reset()

    for _ in range(2):  # the second start finds them in its own store
        running = start(home, [sns.service])
        client = running.client("sns")
        names = [topic["TopicArn"].split(":")[5] for topic in client.list_topics()["Topics"]]
        assert names == ["n.fifo", "news"]
        attributes = client.get_topic_attributes(TopicArn=made.arn)["Attributes"]
        assert (attributes["DisplayName"], "FifoTopic" in attributes) == ("News", False)
        tags = client.list_tags_for_resource(ResourceArn=made.arn)["Tags"]
        assert tags == [{"Key": "a", "Value": "b"}]
        running.stop()
    assert [found.name for found in file.parent.iterdir()] == ["sns.adopted"]

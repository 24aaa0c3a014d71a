"""The one way in: what it answers, what it refuses, and that clients see AWS's errors."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.core.request import Request

from localaws.core import server as http
from localaws.core.aws import LocalAws, start
from localaws.core.service import Call, Operation, Records, Service, check_parameters
from localaws.errors import AwsError
from localaws.identity import caller as callers
from localaws.plain.api import FACTORIES
from localaws.stepfunctions import api as stepfunctions


def crawler(aws: LocalAws) -> Service:
    """A small Glue: one operation of our own."""
    service = Service("glue")

    @service.operation("StartCrawler", "Name")
    def start_crawler(call: Call) -> dict[str, Any]:
        if call.params["Name"] == "busy":
            raise AwsError("CrawlerRunningException", "Crawler busy is running.")
        if call.params["Name"] == "broken":
            raise KeyError("a fault of ours")
        return {}

    return service


def topics(aws: LocalAws) -> Service:
    """SNS as moto answers it; none of it is kept."""
    service = Service("sns")
    service.moto(Records(lambda _: {}, lambda *_: None), "CreateTopic", "ListTopics")
    return service


@pytest.fixture
def small(tmp_path: Path) -> Iterator[LocalAws]:
    local = start(tmp_path / "home", [crawler, topics])
    yield local
    local.stop()


def test_an_error_is_the_exception_that_boto3_has_for_it(small: LocalAws) -> None:
    glue = small.client("glue")
    with pytest.raises(glue.exceptions.CrawlerRunningException, match="busy is running"):
        glue.start_crawler(Name="busy")


def test_an_operation_that_nobody_registered_is_refused_by_name(small: LocalAws) -> None:
    with pytest.raises(ClientError, match="localaws does not emulate glue:GetTables") as refused:
        small.client("glue").get_tables(DatabaseName="d")
    assert refused.value.response["Error"]["Code"] == "NotEmulated"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


def test_a_service_that_nobody_registered_is_refused_by_name(small: LocalAws) -> None:
    with pytest.raises(ClientError, match="localaws does not emulate sqs:ListQueues"):
        small.client("sqs").list_queues()


def test_a_fault_of_ours_is_an_error_and_never_a_success(small: LocalAws) -> None:
    with pytest.raises(ClientError) as failed:
        small.client("glue").start_crawler(Name="broken")
    assert failed.value.response["Error"]["Code"] == "InternalFailure"


@pytest.mark.parametrize(
    ("given", "accepted", "refused"),
    [
        ({"A": 1}, {"A"}, None),
        ({"A": 1, "B": 2}, {"A"}, "B"),
        ({"A": {"X": 1, "Y": 2}}, {"A"}, None),
        ({"A": {"X": 1, "Y": 2}}, {"A.X"}, "A.Y"),
        ({"A": [{"X": 1}, {"Y": 2}]}, {"A.X"}, "A.Y"),
        ({"A": {"X": {"Z": 1}}}, {"A.X"}, None),
        ({"A": {}}, {"A.X"}, None),
        ({"A": False}, set(), "A"),
    ],
)
def test_a_parameter_that_is_not_taken_is_named(
    given: dict[str, Any], accepted: set[str], refused: str | None
) -> None:
    operation = Operation("Do", None, frozenset(accepted))
    if refused is None:
        check_parameters("service", operation, given)
        return
    with pytest.raises(AwsError, match=f"service:Do, parameter {refused}\\."):
        check_parameters("service", operation, given)


def request(url: str, **headers: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_only_requests_that_mean_this_machine_are_served(small: LocalAws) -> None:
    with http.BackgroundServer(http.bind(0), small.gateway) as server:
        status, body = request(f"{server.url}/_aws/health")
        assert status == 200
        assert json.loads(body)["home"] == str(small.home.root)

        assert request(f"{server.url}/_aws/health", Host="evil.example") == (
            403,
            "Host 'evil.example' is not this machine.\n",
        )
        assert request(f"{server.url}/_aws/health", Origin="https://evil.example")[0] == 403
        assert request(f"{server.url}/_aws/health", Origin="http://localhost:3000")[0] == 403


def test_boto3_over_http_sees_the_same_as_in_process(small: LocalAws) -> None:
    with http.BackgroundServer(http.bind(0), small.gateway) as server:
        glue = boto3.client(
            "glue",
            endpoint_url=server.url,
            region_name="us-east-1",
            aws_access_key_id="a",
            aws_secret_access_key="b",
        )
        assert glue.start_crawler(Name="idle")["ResponseMetadata"]["HTTPStatusCode"] == 200
        with pytest.raises(glue.exceptions.CrawlerRunningException):
            glue.start_crawler(Name="busy")


@pytest.mark.parametrize("depth", [600, 100_000])
@pytest.mark.parametrize("target", ["DynamoDB_20120810.PutItem", "AWSGlue.StartCrawler"])
def test_a_body_that_is_nested_without_end_is_refused(
    tmp_path: Path, target: str, depth: int
) -> None:
    local = start(tmp_path / "home", [crawler, FACTORIES["dynamodb"]])
    service = {"A": "glue", "D": "dynamodb"}[target[0]]
    nested = '{"M":{"a":' * depth + '{"S":"x"}' + "}}" * depth
    body = '{"TableName":"t","Name":[' + nested + '],"Item":{"a":' + nested + "}}"
    request = Request.from_values(
        "/",
        method="POST",
        data=body,
        headers={
            "X-Amz-Target": target,
            "Content-Type": "application/x-amz-json-1.0",
            "Authorization": f"Credential=x/20260101/us-east-1/{service}/aws4_request",
        },
    )
    answer = local.gateway.handle(request, callers.root(local.account))
    local.stop()
    assert (answer.status_code < 500, answer.status_code >= 400) == (True, True), answer.data


def test_an_item_is_nested_as_deep_as_dynamodb_takes_it(tmp_path: Path) -> None:
    """https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html"""

    def item(levels: int) -> dict[str, Any]:
        value: dict[str, Any] = {"S": "x"}
        for level in range(levels):
            value = {"M": {"L": value}} if level % 2 else {"L": [value]}
        return {"id": {"S": "1"}, "deep": value}

    local = start(tmp_path / "home", [FACTORIES["dynamodb"]])
    client = local.client("dynamodb")
    client.create_table(
        TableName="t",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    client.put_item(TableName="t", Item=item(32))
    for call in (
        lambda: client.put_item(TableName="t", Item=item(33)),
        lambda: client.batch_write_item(
            RequestItems={"t": [{"PutRequest": {"Item": item(33)}}]}
        ),
        lambda: client.update_item(
            TableName="t", Key={"id": {"S": "1"}}, UpdateExpression="SET deep = :v",
            ExpressionAttributeValues={":v": item(33)["deep"]},
        ),
    ):  # fmt: skip
        with pytest.raises(ClientError, match="Nesting Levels have exceeded supported limits"):
            call()
    assert client.get_item(TableName="t", Key={"id": {"S": "1"}})["Item"] == item(32)
    local.stop()


def test_a_document_that_is_nested_without_end_is_no_fault_of_ours(tmp_path: Path) -> None:
    local = start(tmp_path / "home", [stepfunctions.service])
    deep = '{"a":' * 100_000 + "1" + "}" * 100_000
    before = '{"StartAt":"P","States":{"P":{"Type":"Pass","End":true,"Result":'
    after = "}}}"
    with pytest.raises(ClientError, match="nested too deeply") as refused:
        local.client("stepfunctions").create_state_machine(
            name="m",
            roleArn="arn:aws:iam::000000000000:role/states",
            definition=before + deep + after,
        )
    local.stop()
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


@pytest.mark.parametrize("body", [b"{", b"half", b'{"QueueNamePrefix": "a"', b"[1]"])
def test_a_body_that_is_no_document_is_no_empty_one(tmp_path: Path, body: bytes) -> None:
    local = start(tmp_path / "home", FACTORIES.values())
    with http.BackgroundServer(http.bind(0), local.gateway) as server:
        scope = "Credential=a/20260101/us-east-1/sqs/aws4_request"
        headers = {
            "X-Amz-Target": "AmazonSQS.ListQueues",
            "Content-Type": "application/x-amz-json-1.0",
            "Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0",
        }
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(urllib.request.Request(server.url, body, headers))
    local.stop()
    assert refused.value.code == 400
    assert b"SerializationException" in refused.value.read()

"""Who calls: every call has somebody, passes one gate, and says so to the service."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from localaws.core import server as http
from localaws.core.aws import LocalAws, start
from localaws.core.service import Call, Records, Service
from localaws.errors import AwsError
from localaws.identity import caller as callers
from localaws.identity.caller import Caller
from localaws.s3 import api as s3

ROOT = "arn:aws:iam::000000000000:root"
ROLE = "arn:aws:iam::000000000000:role/service-role/crawls"


def told(aws: LocalAws) -> Service:
    """A Glue that answers with who asked."""
    service = Service("glue")

    @service.operation("GetDatabase", "Name")
    def get_database(call: Call) -> dict[str, Any]:
        return {"Database": {"Name": call.caller.arn, "Description": call.caller.via or ""}}

    return service


def topics(aws: LocalAws) -> Service:
    """SNS as moto answers it; none of it is kept."""
    service = Service("sns")
    service.moto(Records(lambda _: {}, lambda *_: None), "CreateTopic", "ListTopics")
    return service


@pytest.fixture
def small(tmp_path: Path) -> Iterator[LocalAws]:
    local = start(tmp_path / "home", [told, topics, s3.service])
    yield local
    local.stop()


@pytest.fixture
def seen(small: LocalAws) -> list[tuple[str, str, dict[str, Any]]]:
    """(caller's ARN, service:operation, parameters) of each call that asked whether it may."""
    calls: list[tuple[str, str, dict[str, Any]]] = []

    def note(caller: Caller, service: str, operation: str, params: dict[str, Any]) -> None:
        calls.append((caller.arn, f"{service}:{operation}", params))

    small.authorize.observers.append(note)
    return calls


def test_a_client_of_nobody_in_particular_is_the_accounts_root(small: LocalAws) -> None:
    assert small.client("glue").get_database(Name="d")["Database"]["Name"] == ROOT


def test_a_services_call_is_its_roles_session(small: LocalAws) -> None:
    acting = small.acting_as_role(ROLE, "AWS-Crawler", "glue.amazonaws.com")

    database = acting.client("glue").get_database(Name="d")["Database"]

    # The session's ARN has the role's name without its path.
    assert database["Name"] == "arn:aws:sts::000000000000:assumed-role/crawls/AWS-Crawler"
    assert database["Description"] == "glue.amazonaws.com"


def test_a_service_as_itself_says_for_what_it_acts() -> None:
    caller = callers.service("events.amazonaws.com", "000000000000", "arn:aws:events:::rule/r")
    assert (caller.is_service, caller.source_arn) == (True, "arn:aws:events:::rule/r")


def test_callers_share_a_client_and_not_their_names(small: LocalAws) -> None:
    first = small.acting(Caller("arn:aws:iam::000000000000:user/a", "0" * 12)).client("glue")
    second = small.acting(Caller("arn:aws:iam::000000000000:user/b", "0" * 12)).client("glue")

    names = [glue.get_database(Name="d")["Database"]["Name"] for glue in (first, second, first)]

    assert [name[-1] for name in names] == ["a", "b", "a"]
    with pytest.raises(first.exceptions.ClientError, match="NotEmulated"):
        next(iter(first.get_paginator("get_tables").paginate(DatabaseName="d")))


def test_every_call_asks_whether_it_may_and_so_do_motos(
    small: LocalAws, seen: list[tuple[str, str, dict[str, Any]]]
) -> None:
    user = small.acting(Caller("arn:aws:iam::000000000000:user/a", "0" * 12))
    user.client("sns").create_topic(Name="news")
    small.client("s3").create_bucket(Bucket="lake-of-a")
    user.objects.put("lake-of-a", "k", b"1")
    user.objects.list("lake-of-a", "k")

    assert seen == [
        ("arn:aws:iam::000000000000:user/a", "sns:CreateTopic", {"Name": "news"}),
        (ROOT, "s3:CreateBucket", {"Bucket": "lake-of-a"}),
        ("arn:aws:iam::000000000000:user/a", "s3:PutObject", {"Bucket": "lake-of-a", "Key": "k"}),
        (
            "arn:aws:iam::000000000000:user/a",
            "s3:ListObjectsV2",
            {"Bucket": "lake-of-a", "Prefix": "k"},
        ),
    ]


def test_what_the_gate_refuses_is_not_done(small: LocalAws) -> None:
    def refuse(*_: Any) -> None:
        raise AwsError("AccessDenied", "not you", 403)

    small.client("s3").create_bucket(Bucket="lake-of-a")
    small.authorize.observers.append(refuse)
    with pytest.raises(ClientError, match="AccessDenied"):
        small.client("sns").create_topic(Name="news")
    with pytest.raises(AwsError, match="not you"):
        small.acting(callers.root("0" * 12)).objects.put("lake-of-a", "k", b"1")

    small.authorize.observers.clear()
    assert small.client("sns").list_topics()["Topics"] == []
    assert small.objects.list("lake-of-a") == []


def test_a_call_over_http_has_a_caller_too(small: LocalAws) -> None:
    with http.BackgroundServer(http.bind(0), small.gateway) as server:
        glue = boto3.client(
            "glue",
            endpoint_url=server.url,
            region_name="us-east-1",
            aws_access_key_id="a",
            aws_secret_access_key="b",
        )
        assert glue.get_database(Name="d")["Database"]["Name"] == ROOT

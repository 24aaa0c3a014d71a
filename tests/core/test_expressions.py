"""What users write as a pattern, in every service: it ends in time while others are served."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws import services, wildcards
from localaws.core.aws import LocalAws, start
from localaws.functions.permissions import arn_like
from localaws.identity.policy.patterns import Pattern
from localaws.logs.patterns import compiled
from localaws.s3.policy import allows_public
from localaws.tables.exclusions import BadExclusion, excluded

LONG = "a" * 60
EXPONENTIAL = "(a|a)*$"  # tries 2^60 ways on LONG and another letter
STARS = "*a" * 20 + "b"  # and this, on LONG, one more for each star
SERVED_SECONDS = 5.0  # a machine that does nothing else serves in thousandths


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    names = ("s3", "glue", "athena", "cloudformation", "events", "sns")
    made = {name: services.SERVICES[name] for name in names}
    aws = start(tmp_path_factory.mktemp("expressions") / "home", made, wait_scale=0)
    glue = aws.client("glue")
    glue.create_database(DatabaseInput={"Name": "d"})
    keys = [{"Name": "p", "Type": "string"}]
    storage = {"Columns": [{"Name": "x", "Type": "int"}], "Location": "s3://b/"}
    table = {"Name": LONG + "_", "PartitionKeys": keys, "StorageDescriptor": storage}
    glue.create_table(DatabaseName="d", TableInput=table)
    partition = {"Values": [LONG * 3], "StorageDescriptor": storage}
    glue.create_partition(DatabaseName="d", TableName=LONG + "_", PartitionInput=partition)
    yield aws
    aws.stop()


def tables(aws: LocalAws) -> Any:
    return aws.client("glue").get_tables(DatabaseName="d", Expression=EXPONENTIAL)


def metadata(aws: LocalAws) -> Any:
    return aws.client("athena").list_table_metadata(
        CatalogName="AwsDataCatalog", DatabaseName="d", Expression=EXPONENTIAL
    )


def partitions(aws: LocalAws) -> Any:
    like = "p LIKE '" + "%a" * 20 + "b'"
    glue = aws.client("glue")
    return glue.get_partitions(DatabaseName="d", TableName=LONG + "_", Expression=like)[
        "Partitions"
    ]


def parameter(aws: LocalAws) -> Any:
    about = {"Type": "String", "AllowedPattern": EXPONENTIAL, "Default": LONG + "!"}
    topic = {"T": {"Type": "AWS::SNS::Topic"}}
    body = json.dumps({"Parameters": {"P": about}, "Resources": topic})
    return aws.client("cloudformation").create_stack(StackName="s", TemplateBody=body)


def event(aws: LocalAws) -> Any:
    names = ("id", "account", "source", "time", "region", "detail-type")
    found = dict.fromkeys(names, "2026-01-01T00:00:00Z") | {"resources": [], "detail": {"a": LONG}}
    pattern = json.dumps({"detail": {"a": [{"wildcard": STARS}]}})
    return aws.client("events").test_event_pattern(EventPattern=pattern, Event=json.dumps(found))[
        "Result"
    ]


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        (tables, "takes longer than 1 s"),
        (metadata, "takes longer than 1 s"),
        (partitions, []),
        (parameter, "takes longer than 1 s"),
        (event, False),
    ],
)
def test_a_pattern_without_end_is_answered_while_others_are_served(
    local: LocalAws, ask: Callable[[LocalAws], Any], expected: Any
) -> None:
    answers: list[Any] = []

    def asked() -> None:
        try:
            answers.append(ask(local))
        except ClientError as error:
            answers.append(error.response["Error"]["Message"])

    thread = threading.Thread(target=asked, daemon=True)
    thread.start()
    longest, deadline = 0.0, time.monotonic() + 60
    while thread.is_alive() and time.monotonic() < deadline:
        began = time.monotonic()
        local.client("sns").list_topics()
        longest = max(longest, time.monotonic() - began)

    assert answers and longest < SERVED_SECONDS
    assert expected in answers[0] if isinstance(expected, str) else answers[0] == expected


def test_wildcards_mean_what_plain_stars_do() -> None:
    """All patterns of up to four signs against all texts of up to five."""
    texts = ["".join(letters) for size in range(6) for letters in product("ab", repeat=size)]
    for size in range(1, 5):
        for letters in product("ab*?", repeat=size):
            pattern = "".join(letters)
            plain = re.compile(pattern.replace("*", ".*").replace("?", "."))
            found = [text for text in texts if Pattern(pattern).matches(text, {})]
            assert found == [text for text in texts if plain.fullmatch(text)], pattern
            if "?" not in pattern:
                assert found == [text for text in texts if wildcards.starred(text, pattern)]


def test_a_policys_variables_stand_between_its_stars() -> None:
    context = {"aws:username": "a*b"}
    pattern = Pattern("x/*/${aws:username}/?*")
    assert pattern.matches("x/1/2/a*b/z", context)
    assert not pattern.matches("x/1/a1b/z", context)
    assert not pattern.matches("x/1/a*b/", context)


def test_patterns_of_many_stars_are_quick() -> None:
    began = time.perf_counter()
    assert not Pattern("arn:aws:s3:::" + STARS).matches("arn:aws:s3:::" + "a" * 2000, {})
    assert not wildcards.starred("a" * 200_000, STARS)
    everyone = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"}
    policy = json.dumps({"Statement": [{**everyone, "Resource": "arn:aws:s3:::b/" + STARS}]})
    assert not allows_public(policy, "s3:GetObject", "arn:aws:s3:::b/" + "a" * 1000)
    assert allows_public(policy, "s3:GetObject", "arn:aws:s3:::b/" + "a" * 1000 + "b")
    assert not arn_like("arn:aws:s3:::" + "a" * 500, "arn:aws:s3:::" + STARS)
    assert arn_like("arn:aws:s3:::ab", "arn:*:s3:::a?")
    assert not compiled('{ $.a = "' + STARS + '" }')(json.dumps({"a": "a" * 500}))
    assert compiled('{ $.a = "*b*d" }')(json.dumps({"a": "abcd"}))
    assert time.perf_counter() - began < 1


def test_exclude_patterns_of_many_stars_are_quick_and_broken_ones_told() -> None:
    began = time.perf_counter()
    assert not excluded(["*a" * 20 + "[bc]"])("a" * 200)
    assert time.perf_counter() - began < 1
    with pytest.raises(BadExclusion, match="no regular expression"):
        excluded(["{a"])

"""Groups, streams and events as clients see them, and over a restart."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws.core.aws import LocalAws, start
from localaws.core.home import Home
from localaws.logs import api as logs

DAY_MS = 86_400_000
KEPT_BY_MOTO = Path(__file__).with_name("kept_by_moto.json")


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[LocalAws]:
    running = start(tmp_path / "home", [logs.service])
    yield running
    running.stop()


@pytest.fixture
def client(aws: LocalAws) -> Any:
    client = aws.client("logs")
    client.create_log_group(logGroupName="/g")
    client.create_log_stream(logGroupName="/g", logStreamName="s")
    return client


def now_ms(aws: LocalAws) -> int:
    return int(aws.clock.now().timestamp() * 1000)


def put(client: Any, events: list[tuple[int, str]], stream: str = "s") -> Any:
    return client.put_log_events(
        logGroupName="/g",
        logStreamName=stream,
        logEvents=[{"timestamp": time_ms, "message": message} for time_ms, message in events],
    )


def messages(answer: Any) -> list[str]:
    return [event["message"] for event in answer["events"]]


def refused(call: Any, **given: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as error:
        call(**given)
    told = error.value.response["Error"]
    return told["Code"], told["Message"]


def test_what_is_there_already_or_not_is_told_in_awss_words(client: Any) -> None:
    assert refused(client.create_log_group, logGroupName="/g") == (
        "ResourceAlreadyExistsException", "The specified log group already exists",
    )  # fmt: skip
    assert refused(client.create_log_stream, logGroupName="/g", logStreamName="s") == (
        "ResourceAlreadyExistsException", "The specified log stream already exists",
    )  # fmt: skip
    missing = "ResourceNotFoundException", "The specified log group does not exist."
    assert refused(client.delete_log_group, logGroupName="/x") == missing
    assert refused(client.filter_log_events, logGroupName="/x") == missing
    assert refused(client.create_log_stream, logGroupName="/x", logStreamName="s") == missing
    no_stream = "ResourceNotFoundException", "The specified log stream does not exist."
    assert refused(client.get_log_events, logGroupName="/g", logStreamName="x") == no_stream


def test_a_group_is_described_with_what_was_set(client: Any) -> None:
    client.put_retention_policy(logGroupName="/g", retentionInDays=7)
    client.tag_log_group(logGroupName="/g", tags={"a": "b", "c": "d"})
    arn = client.describe_log_groups(logGroupNamePrefix="/g")["logGroups"][0]["logGroupArn"]
    client.untag_resource(resourceArn=arn, tagKeys=["c"])
    assert client.list_tags_for_resource(resourceArn=arn)["tags"] == {"a": "b"}
    client.create_log_group(logGroupName="/other", logGroupClass="INFREQUENT_ACCESS")
    found = {one["logGroupName"]: one for one in client.describe_log_groups()["logGroups"]}
    assert found["/g"]["retentionInDays"] == 7
    assert found["/g"]["arn"] == f"{arn}:*" and found["/g"]["metricFilterCount"] == 0
    assert found["/other"]["logGroupClass"] == "INFREQUENT_ACCESS"
    [one] = client.describe_log_groups(logGroupNamePattern="OTH")["logGroups"]
    assert one["logGroupName"] == "/other"
    code, message = refused(client.put_retention_policy, logGroupName="/g", retentionInDays=8)
    assert code == "InvalidParameterException" and "8" in message and "3653" in message


def test_a_group_takes_its_streams_and_events_with_it(client: Any, aws: LocalAws) -> None:
    put(client, [(now_ms(aws), "gone")])
    client.delete_log_group(logGroupName="/g")
    client.create_log_group(logGroupName="/g")
    assert client.describe_log_streams(logGroupName="/g")["logStreams"] == []
    client.create_log_stream(logGroupName="/g", logStreamName="s")
    assert messages(client.get_log_events(logGroupName="/g", logStreamName="s")) == []


def test_streams_are_listed_by_name_or_by_their_last_event(client: Any, aws: LocalAws) -> None:
    now = now_ms(aws)
    for name, age in (("a", 1000), ("b", 3000), ("c", 2000)):
        client.create_log_stream(logGroupName="/g", logStreamName=name)
        put(client, [(now - age - 5, "first"), (now - age, "last")], name)

    def listed(**given: Any) -> list[str]:
        pages = client.get_paginator("describe_log_streams").paginate(
            logGroupName="/g", limit=2, **given
        )
        return [one["logStreamName"] for found in pages for one in found["logStreams"]]

    assert listed() == ["a", "b", "c", "s"]
    assert listed(logStreamNamePrefix="b") == ["b"]
    assert listed(orderBy="LastEventTime", descending=True) == ["a", "c", "b", "s"]
    [stream] = client.describe_log_streams(logGroupName="/g", logStreamNamePrefix="b")["logStreams"]
    assert (stream["firstEventTimestamp"], stream["lastEventTimestamp"]) == (now - 3005, now - 3000)
    code, _ = refused(
        client.describe_log_streams,
        logGroupName="/g", orderBy="LastEventTime", logStreamNamePrefix="b",
    )  # fmt: skip
    assert code == "InvalidParameterException"


@pytest.mark.parametrize(
    ("events", "says"),
    [
        ([(1, "b"), (0, "a")], "must be in chronological order"),
        ([(0, "a"), (DAY_MS + 1, "b")], "cannot span more than 24 hours"),
        ([(0, "x" * 1_048_551)], "Upload too large: 1048577 bytes exceeds limit of 1048576"),
        ([(0, "x")] * 10_001, "At most 10000"),
    ],
    ids=["order", "span", "bytes", "number"],
)
def test_a_batch_that_aws_refuses_is_refused_whole(
    client: Any, aws: LocalAws, events: list[tuple[int, str]], says: str
) -> None:
    now = now_ms(aws) - DAY_MS
    code, message = refused(put, client=client, events=[(now + ms, text) for ms, text in events])
    assert code == "InvalidParameterException" and says in message
    assert messages(client.filter_log_events(logGroupName="/g")) == []


def test_events_too_old_or_too_new_are_named_and_the_others_taken(
    client: Any, aws: LocalAws
) -> None:
    now = now_ms(aws)
    old, new = now - 14 * DAY_MS, now + 2 * 3_600_000
    answer = put(client, [(old - 9_000, "old"), (old + 9_000, "kept")])
    assert answer["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 1}
    answer = put(client, [(new - 9_000, "also kept"), (new + 90_000, "new")])
    assert answer["rejectedLogEventsInfo"] == {"tooNewLogEventStartIndex": 1}
    assert messages(client.filter_log_events(logGroupName="/g")) == ["kept", "also kept"]


def test_events_older_than_the_retention_are_gone(client: Any, aws: LocalAws) -> None:
    now = now_ms(aws)
    put(client, [(now - 4 * DAY_MS, "old")])
    put(client, [(now, "new")])
    before = client.describe_log_groups()["logGroups"][0]["storedBytes"]
    client.put_retention_policy(logGroupName="/g", retentionInDays=3)
    read = client.get_log_events(logGroupName="/g", logStreamName="s", startFromHead=True)
    assert messages(read) == ["new"]
    assert put(client, [(now - 4 * DAY_MS, "late")])["rejectedLogEventsInfo"] == {
        "expiredLogEventEndIndex": 1
    }
    put(client, [(now, "next")])  # a write takes what is expired off the disk
    after = client.describe_log_groups()["logGroups"][0]["storedBytes"]
    assert after == before - len("old") - 26 + len("next") + 26


def test_a_stream_is_read_from_both_ends_and_followed(client: Any, aws: LocalAws) -> None:
    now = now_ms(aws)
    put(client, [(now + n, str(n)) for n in range(5)])
    place = {"logGroupName": "/g", "logStreamName": "s", "limit": 2}
    newest = client.get_log_events(**place)
    assert messages(newest) == ["3", "4"]
    older = client.get_log_events(**place, nextToken=newest["nextBackwardToken"])
    assert messages(older) == ["1", "2"]
    again = client.get_log_events(**place, nextToken=older["nextForwardToken"])
    assert messages(again) == ["3", "4"]
    end = client.get_log_events(**place, nextToken=again["nextForwardToken"])
    assert messages(end) == [] and end["nextForwardToken"] == again["nextForwardToken"]
    assert messages(client.get_log_events(**place, nextToken=end["nextBackwardToken"])) == [
        "3", "4",
    ]  # fmt: skip
    put(client, [(now + 9, "later")])
    followed = client.get_log_events(**place, nextToken=end["nextForwardToken"])
    assert messages(followed) == ["later"]
    first = client.get_log_events(**place, startFromHead=True)
    assert messages(first) == ["0", "1"]
    before = client.get_log_events(**place, nextToken=first["nextBackwardToken"])
    assert messages(before) == [] and before["nextBackwardToken"] == first["nextBackwardToken"]
    between = client.get_log_events(**place, startTime=now + 1, endTime=now + 3)
    assert messages(between) == ["1", "2"]


def test_an_empty_stream_is_followed_from_its_first_token(client: Any, aws: LocalAws) -> None:
    place = {"logGroupName": "/g", "logStreamName": "s"}
    token = client.get_log_events(**place)["nextForwardToken"]
    put(client, [(now_ms(aws), "first")])
    assert messages(client.get_log_events(**place, nextToken=token)) == ["first"]


def test_a_group_is_searched_over_its_streams_by_time(client: Any, aws: LocalAws) -> None:
    now = now_ms(aws)
    client.create_log_stream(logGroupName="/g", logStreamName="t")
    put(client, [(now + n, f"ERROR {n}") for n in range(0, 2500, 2)])
    put(client, [(now + n, f"INFO {n}") for n in range(1, 2500, 2)], "t")
    paginator = client.get_paginator("filter_log_events")
    found = [
        event
        for answer in paginator.paginate(logGroupName="/g", limit=700)
        for event in answer["events"]
    ]
    assert [event["timestamp"] - now for event in found] == list(range(2500))
    assert len({event["eventId"] for event in found}) == 2500

    def searched(**given: Any) -> list[str]:
        return messages(client.filter_log_events(logGroupName="/g", **given))

    assert searched(filterPattern="ERROR -124", limit=3) == ["ERROR 0", "ERROR 2", "ERROR 4"]
    assert searched(logStreamNames=["t"], endTime=now + 4) == ["INFO 1", "INFO 3"]
    assert searched(logStreamNamePrefix="t", startTime=now + 2496) == ["INFO 2497", "INFO 2499"]
    code, _ = refused(client.filter_log_events, logGroupName="/g", logStreamNames=["x"])
    assert code == "ResourceNotFoundException"


def test_an_answer_has_at_most_a_megabyte(client: Any, aws: LocalAws) -> None:
    now = now_ms(aws)
    for n in range(5):
        put(client, [(now + n, str(n) * 300_000)])
    sizes = [
        len(answer["events"])
        for answer in client.get_paginator("filter_log_events").paginate(logGroupName="/g")
    ]
    assert sizes == [3, 2]


def test_resource_policies_are_kept_and_limited(client: Any) -> None:
    for n in range(10):
        client.put_resource_policy(policyName=f"p{n}", policyDocument='{"Statement": []}')
    client.put_resource_policy(policyName="p0", policyDocument="{}")
    code, _ = refused(client.put_resource_policy, policyName="p10", policyDocument="{}")
    assert code == "LimitExceededException"
    client.delete_resource_policy(policyName="p1")
    names = [
        one["policyName"]
        for answer in client.get_paginator("describe_resource_policies").paginate()
        for one in answer["resourcePolicies"]
    ]
    assert names == ["p0", *(f"p{n}" for n in range(2, 10))]
    assert refused(client.delete_resource_policy, policyName="p1") == (
        "ResourceNotFoundException", "Policy with name [p1] does not exist",
    )  # fmt: skip


def test_acknowledged_events_are_there_after_a_kill(
    client: Any, aws: LocalAws, tmp_path: Path
) -> None:
    put(client, [(now_ms(aws), "kept")])
    shutil.copytree(aws.home.root, tmp_path / "left")  # what a killed server leaves
    successor = start(tmp_path / "left", [logs.service])
    try:
        found = successor.client("logs").filter_log_events(logGroupName="/g")
        assert messages(found) == ["kept"]
    finally:
        successor.stop()


def test_logs_that_moto_kept_are_taken_over(tmp_path: Path) -> None:
    folder = Home(tmp_path / "home").directory("moto")
    shutil.copy(KEPT_BY_MOTO, folder / "logs.json")
    for _ in range(2):  # once, and what was taken over stays
        running = start(tmp_path / "home", [logs.service])
        client = running.client("logs")
        [group] = client.describe_log_groups()["logGroups"]
        assert (group["logGroupName"], group["retentionInDays"]) == ("/jobs", 7)
        assert client.list_tags_log_group(logGroupName="/jobs")["tags"] == {"a": "b"}
        client.delete_retention_policy(logGroupName="/jobs")
        found = client.filter_log_events(logGroupName="/jobs", logStreamNames=["two"])
        assert messages(found) == ["two 0", "two 1"]
        assert found["events"][0]["timestamp"] == 1795959389027
        [policy] = client.describe_resource_policies()["resourcePolicies"]
        assert (policy["policyName"], policy["policyDocument"]) == ("p", "{}")
        client.put_retention_policy(logGroupName="/jobs", retentionInDays=7)
        running.stop()
    assert [file.name for file in folder.iterdir()] == ["logs.adopted"]


def test_a_damaged_file_of_moto_is_told_and_kept(tmp_path: Path) -> None:
    file = Home(tmp_path / "home").directory("moto") / "logs.json"
    file.write_text('{"format": 1, "regions": [{"acc')
    running = start(tmp_path / "home", [logs.service])
    try:
        code, _ = refused(running.client("logs").describe_log_groups)
        assert code == "ServiceUnavailable"
        assert file.exists()
    finally:
        running.stop()

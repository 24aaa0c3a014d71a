"""Records found and verified, over a real local AWS."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from executions import audit
from executions.audit import Finding, Record, exit_code
from executions.clients import Clients, Target

Json = dict[str, Any]
BUCKET = "records"
ARN = "arn:aws:states:us-east-1:000000000000:execution:m:one"
STARTED = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


@pytest.fixture
def clients(server: Any) -> Iterator[Clients]:
    made = Clients(Target(server.url))
    made("s3").create_bucket(Bucket=BUCKET)
    yield made


def put(clients: Clients, key: str, body: bytes) -> Json:
    clients("s3").put_object(Bucket=BUCKET, Key=key, Body=body)
    return {"key": key, "bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}


def write(clients: Clients, key: str, arn: str, previous: Json | None, **members: Any) -> Record:
    content = {"execution": {"arn": arn}, "previous": previous, **members}
    entry = put(clients, key, json.dumps(content).encode())
    return Record(f"s3://{BUCKET}/{key}", entry["sha256"], entry["sha256"], content)


def link(record: Record) -> Json:
    return {"key": record.uri.removeprefix(f"s3://{BUCKET}/"), "sha256": record.sha256}


def test_every_hash_holds_and_then_one_does_not(clients: Clients) -> None:
    raw = put(clients, "raw/a.csv", b"a")
    record = write(clients, "audit/20261122T080000_a.json", ARN, None, inputs=[raw])

    findings = list(audit.verify(clients, record))
    assert [(f.kind, f.ok) for f in findings] == [("this record", True), ("raw file", True)]
    assert exit_code(findings) == 0

    put(clients, "raw/a.csv", b"b")
    (changed,) = [f for f in audit.verify(clients, record) if f.kind == "raw file"]
    assert changed.ok is False
    assert raw["sha256"] in changed.detail


def test_what_is_gone_is_not_reached(clients: Clients) -> None:
    record = write(
        clients, "audit/20261122T080000_a.json", ARN, {"key": "audit/none.json", "sha256": "0"},
        inputs=[{"key": "raw/none.csv", "sha256": "0"}],
    )  # fmt: skip

    findings = list(audit.verify(clients, record))

    assert [(f.kind, f.ok, f.detail) for f in findings[1:]] == [
        ("raw file", None, "NoSuchKey"),
        ("previous audit record", None, "NoSuchKey"),
    ]
    assert exit_code(findings) == 2


def test_the_chain_is_followed_to_its_first_record(clients: Clients) -> None:
    first = write(clients, "audit/20261120T080000_a.json", f"{ARN}-first", None)
    second = write(clients, "audit/20261121T080000_b.json", f"{ARN}-second", link(first))
    third = write(clients, "audit/20261122T080000_c.json", ARN, link(second))
    assert [f.ok for f in audit.chain(clients("s3"), third)] == [True, True]

    put(clients, link(first)["key"], b'{"execution": {"arn": "somebody else"}}')
    assert [f.ok for f in audit.chain(clients("s3"), third)] == [True, False]


def test_more_than_may_be_read_is_said_to_be_not_reached(clients: Clients) -> None:
    raw = put(clients, "raw/a.csv", b"abc")
    record = write(clients, "audit/20261122T080000_a.json", ARN, None, inputs=[raw])

    (finding,) = [f for f in audit.verify(clients, record, most_bytes=2) if f.kind == "raw file"]
    assert (finding.ok, finding.detail) == (None, "not computed again here: too large")


@pytest.mark.parametrize(
    ("results", "code"), [([], 0), ([True], 0), ([True, None], 2), ([None, False, True], 3)]
)
def test_exit_code_says_the_worst(results: list[bool | None], code: int) -> None:
    assert exit_code(Finding("raw file", "a", ok) for ok in results) == code


def test_a_record_that_no_task_wrote_is_found_by_the_machines_tag(
    clients: Clients, tmp_path: Path
) -> None:
    """Of an execution that failed: an event's function wrote it, the history does not tell."""
    steps = clients("stepfunctions")
    machine = steps.create_state_machine(
        name="m",
        definition='{"StartAt": "S", "States": {"S": {"Type": "Fail"}}}',
        roleArn="arn:aws:iam::000000000000:role/r",
    )["stateMachineArn"]
    described = {
        "executionArn": ARN, "stateMachineArn": f"{machine}:live", "startDate": STARTED,
        "status": "FAILED", "redriveCount": 1,
    }  # fmt: skip
    write(clients, "audit/20261122T080000_x.json", f"{ARN}-other", None)
    write(clients, "audit/20261122T080000_y.json", ARN, None, written_at="2026-11-22T09:00")
    write(clients, "audit/20261122T080000_y2.json", ARN, None, written_at="2026-11-22T10:00")
    assert audit.find(clients, described, []) is None

    tag = {"key": audit.TAG, "value": f"s3://{BUCKET}/audit/"}
    steps.tag_resource(resourceArn=machine, tags=[tag])

    record = audit.find(clients, described, [])
    assert record is not None
    assert record.content["written_at"] == "2026-11-22T10:00"  # of its redrive


def test_a_record_that_a_task_answered_is_compared_with_that_answer(clients: Clients) -> None:
    record = write(clients, "audit/20261122T080000_a.json", ARN, None)
    output = json.dumps({"audit": {"answer": {"uri": record.uri, "sha256": "0" * 64}}})
    event = {"type": "TaskSucceeded", "taskSucceededEventDetails": {"output": output}}
    described = {"executionArn": ARN, "stateMachineArn": "m", "status": "SUCCEEDED"}

    own = audit.find(clients, described, [event])

    assert own is not None
    (finding,) = audit.verify(clients, own)
    assert (finding.kind, finding.ok) == ("this record", False)

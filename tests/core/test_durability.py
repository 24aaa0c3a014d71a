"""What a power cut may take: the order in which writes are forced to the disk, and torn objects."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws.__main__ import port_of
from localaws.core import durability
from localaws.core.aws import LocalAws, start
from localaws.core.durability import Durability
from localaws.documents import Documents
from localaws.plain.api import FACTORIES
from localaws.s3.api import service as s3
from localaws.stepfunctions.api import service as stepfunctions
from localaws.stepfunctions.journal import Journal

ROLE = "arn:aws:iam::000000000000:role/states"
PUT = {
    "Type": "Task",
    "Resource": "arn:aws:states:::aws-sdk:s3:putObject",
    "Parameters": {"Bucket": "lake", "Key": "a/b.txt", "Body": "written"},
    "End": True,
}


@pytest.fixture(autouse=True)
def boot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that the system changes when it is started anew."""
    file = tmp_path / "boot_id"
    file.write_text("first")
    monkeypatch.setattr(durability, "BOOT_ID", file)
    return file


def opened(tmp_path: Path, *, power_safe: bool = True) -> LocalAws:
    services = [s3, stepfunctions]
    return start(tmp_path / "home", services, wait_scale=0, power_safe=power_safe)


def test_bytes_are_forced_before_folders_and_folders_before_what_tells_of_them(
    tmp_path: Path,
) -> None:
    forced: list[Path] = []
    kept = Durability(Documents(tmp_path / "d.sqlite"), on=True, force=forced.append)
    kept.keep(tmp_path / "index.sqlite")
    root = tmp_path / "objects"
    kept.wrote(root / "lake" / "a" / "1.csv", root)
    kept.wrote(root / "lake" / "2.csv", root)

    kept.settle()

    assert forced[:2] == [root / "lake/a/1.csv", root / "lake/2.csv"]
    assert forced[2:5] == [root / "lake/a", root / "lake", root]
    assert forced[5:] == [tmp_path / "index.sqlite-wal"]


def test_what_a_full_disk_did_not_take_is_tried_again(tmp_path: Path) -> None:
    full = [True]
    forced: list[Path] = []

    def sync(path: Path) -> None:
        if full:
            raise OSError(28, "No space left on device")
        forced.append(path)

    kept = Durability(Documents(tmp_path / "d.sqlite"), on=True, force=sync)
    kept.wrote(tmp_path / "a", tmp_path)
    with pytest.raises(OSError, match="No space"):
        kept.settle()
    full.clear()
    kept.settle()
    assert tmp_path / "a" in forced


def test_an_execution_is_told_to_have_ended_when_its_work_is_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    monkeypatch.setattr(durability, "SETTLE_SECONDS", 3600)  # only ends count
    sync, commit = durability.sync, Journal.commit

    def noted(path: Path) -> None:
        seen.append(path.name)
        sync(path)

    def told(self: Journal, changes: Any) -> None:
        changes = list(changes)
        seen.extend("ended" for change in changes if change.ended)
        commit(self, changes)

    monkeypatch.setattr(durability, "sync", noted)
    monkeypatch.setattr(Journal, "commit", told)
    aws = opened(tmp_path)
    aws.client("s3").create_bucket(Bucket="lake")
    client = aws.client("stepfunctions")
    definition = json.dumps({"StartAt": "Put", "States": {"Put": PUT}})
    machine = client.create_state_machine(name="m", definition=definition, roleArn=ROLE)
    seen.clear()
    arn = client.start_execution(stateMachineArn=machine["stateMachineArn"])["executionArn"]
    while client.describe_execution(executionArn=arn)["status"] == "RUNNING":
        pass
    aws.stop()

    before = seen[: seen.index("ended")]
    assert before[0] == "b.txt"
    assert before.index("b.txt") < before.index("s3.sqlite-wal")


def test_children_of_a_map_run_wait_for_the_disk_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(durability, "SETTLE_SECONDS", 3600)
    ends: list[int] = []
    settle, commit = Durability.settle, Journal.commit

    def settled(self: Durability) -> None:
        ends.append(0)
        settle(self)

    def told(self: Journal, changes: Any) -> None:
        changes = list(changes)
        if ends:
            ends[-1] += sum(change.ended is not None for change in changes)
        commit(self, changes)

    monkeypatch.setattr(Durability, "settle", settled)
    monkeypatch.setattr(Journal, "commit", told)
    aws = opened(tmp_path)
    child = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
    processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **child}
    states = {"Each": {"Type": "Map", "ItemProcessor": processor, "End": True}}
    client = aws.client("stepfunctions")
    definition = json.dumps({"StartAt": "Each", "States": states})
    machine = client.create_state_machine(name="m", definition=definition, roleArn=ROLE)
    ends.append(0)
    arn = client.start_execution(
        stateMachineArn=machine["stateMachineArn"], input=json.dumps(list(range(5)))
    )["executionArn"]
    while client.describe_execution(executionArn=arn)["status"] == "RUNNING":
        pass
    told_at = list(ends)
    aws.stop()

    assert told_at == [5, 1]


def test_the_records_of_a_service_are_on_the_disk_before_they_take_the_old_ones_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forced: list[tuple[str, bytes]] = []

    def noted(path: Path) -> None:
        if path.parent.name == "moto":
            forced.append((path.name, path.read_bytes()))

    monkeypatch.setattr(durability, "sync", noted)
    aws = start(tmp_path / "home", [FACTORIES["sqs"]], wait_scale=0, power_safe=True)
    aws.client("sqs").create_queue(QueueName="orders")
    aws.durability.settle()
    aws.stop()

    names = [name for name, _ in forced]
    assert names.index("sqs.new") < names.index("sqs.json")
    assert b"orders" in forced[0][1]


def put(aws: LocalAws, key: str, body: bytes) -> Path:
    aws.client("s3").put_object(Bucket="lake", Key=key, Body=body)
    return aws.object_store.path("lake", key)


def cut_the_power(aws: LocalAws, boot: Path) -> None:
    """The server never ends, and the machine is started anew."""
    documents = aws.documents
    about = documents.get(durability.KIND, durability.KEY)
    assert about is not None
    aws.stop()
    again = Documents(aws.home.file("documents.sqlite"))
    again.put(durability.KIND, durability.KEY, about)
    again.close()
    boot.write_text("second")


@pytest.mark.parametrize("left", [b"", b"\0" * 6, b"wor"])
def test_an_object_whose_bytes_were_lost_is_no_object(
    tmp_path: Path, boot: Path, left: bytes
) -> None:
    aws = opened(tmp_path)
    aws.client("s3").create_bucket(Bucket="lake")
    torn, whole = put(aws, "a/torn", b"worthy"), put(aws, "a/whole", b"worthy")
    cut_the_power(aws, boot)
    torn.write_bytes(left)

    again = opened(tmp_path)
    with pytest.raises(ClientError) as missing:
        again.client("s3").get_object(Bucket="lake", Key="a/torn")
    keys = [found.key for found in again.objects.list("lake")]
    kept = list((again.home.directory("objects") / ".torn").iterdir())
    again.stop()

    assert missing.value.response["Error"]["Code"] == "NoSuchKey"
    assert keys == ["a/whole"]
    assert whole.read_bytes() == b"worthy"
    assert [file.read_bytes() for file in kept] == [left], "what is left is nobody's to delete"


def test_without_a_power_cut_a_changed_file_is_a_new_object(tmp_path: Path) -> None:
    aws = opened(tmp_path)
    aws.client("s3").create_bucket(Bucket="lake")
    file = put(aws, "a.csv", b"before")
    aws.stop()
    file.write_bytes(b"edited by hand")

    again = opened(tmp_path)
    body = again.client("s3").get_object(Bucket="lake", Key="a.csv")["Body"].read()
    again.stop()
    assert body == b"edited by hand"


@pytest.mark.parametrize("text", ["", "\n", "46x", "-1", "0", "99999", "\x00\x00\x00\x00"])
def test_a_damaged_port_file_is_named_with_what_to_do(tmp_path: Path, text: str) -> None:
    (tmp_path / "port").write_text(text)
    with pytest.raises(ValueError, match=r"port is damaged: .* is no port\. Write the port into"):
        port_of(tmp_path, None)

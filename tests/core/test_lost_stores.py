"""A store of a home that was emptied or removed: told at the start; nothing begins without it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from localaws.core.aws import LocalAws, start
from localaws.core.home import STORES, LostStore
from localaws.services import SERVICES

MACHINE = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
ROLE = "arn:aws:iam::000000000000:role/r"
KEPT = [name for name in STORES if name != "documents.sqlite"] + ["moto/sqs.json"]


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with something in each of its stores, whose server ended in order."""
    home = tmp_path_factory.mktemp("lost") / "home"
    aws = start(home, SERVICES)
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="lake")
    s3.put_object(Bucket="lake", Key="a/b", Body=b"kept")
    aws.client("sqs").create_queue(QueueName="work")
    aws.client("logs").create_log_group(logGroupName="group")
    aws.client("stepfunctions").create_state_machine(
        name="machine", roleArn=ROLE, definition=json.dumps(MACHINE)
    )
    aws.stop()
    return home


@pytest.fixture
def home(before: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(before, tmp_path / "home"))


def lose(file: Path, how: str) -> None:
    if how == "removed":
        file.unlink()
    else:
        file.write_bytes(b"")


def failures(aws: LocalAws) -> dict[str, str]:
    return {name: s.failure for name, s in aws.gateway.services.items() if s.failure is not None}


@pytest.mark.parametrize("how", ["removed", "emptied"])
def test_only_its_service_stops_and_says_which_file_and_what_to_do(home: Path, how: str) -> None:
    for name in KEPT:
        lose(home / name, how)
    state = "is gone" if how == "removed" else "is empty"

    aws = start(home, SERVICES)
    told = failures(aws)
    aws.stop()

    assert sorted(told) == sorted(Path(name).stem for name in KEPT)
    for name in KEPT:
        reason = told[Path(name).stem]
        assert reason.startswith(f"{home / name} {state}, and this home had kept something in it.")
        assert f'take "{name}" out of {home / "home.json"}' in reason
        assert not (home / name).exists() or (home / name).stat().st_size == 0  # nothing was begun

    mark = json.loads((home / "home.json").read_text())
    mark["stores"] = ["documents.sqlite"]
    (home / "home.json").write_text(json.dumps(mark))
    for name in KEPT:
        (home / name).unlink(missing_ok=True)
    again = start(home, SERVICES)
    assert failures(again) == {}
    assert again.client("s3").list_buckets()["Buckets"] == []
    again.stop()
    assert set(STORES) <= set(json.loads((home / "home.json").read_text())["stores"])


@pytest.mark.parametrize("how", ["removed", "emptied"])
def test_without_what_the_control_planes_keep_nothing_starts(home: Path, how: str) -> None:
    lose(home / "documents.sqlite", how)
    with pytest.raises(LostStore, match=r"documents\.sqlite is .*Put a copy from a backup"):
        start(home, SERVICES)


def test_the_bytes_of_all_objects_are_no_deletion(home: Path) -> None:
    shutil.rmtree(home / "objects")
    aws = start(home, SERVICES)
    told = failures(aws)
    aws.stop()
    assert list(told) == ["s3"]
    assert told["s3"].startswith(f"{home / 'objects'} is empty, and this home had kept 1 objects")

    (home / "objects" / "lake").mkdir(parents=True)  # as the sentence says
    again = start(home, SERVICES)
    assert again.client("s3").list_objects_v2(Bucket="lake")["KeyCount"] == 0
    again.stop()


def test_a_home_of_an_earlier_version_or_with_a_damaged_mark_starts(home: Path) -> None:
    for text in ('{"format": 1}', "", "[1"):
        (home / "home.json").write_text(text)
        aws = start(home, SERVICES)
        assert failures(aws) == {}
        aws.stop()
        assert set(STORES) <= set(json.loads((home / "home.json").read_text())["stores"])

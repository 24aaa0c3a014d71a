"""A home in one file: what another machine finds in it, and what is refused."""

from __future__ import annotations

import contextlib
import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from configuration.errors import InputError
from localaws.core.aws import start
from localaws.core.home import locked
from localaws.core.snapshot import HEAD
from localaws.services import factories
from rebuy.cli import snapshots


@contextlib.contextmanager
def running(home: Path) -> Iterator[Any]:
    aws = start(home, factories(), url="http://127.0.0.1:9", wait_scale=0)
    yield aws
    aws.stop()


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """The file of a home with a bucket that has versions, and a database."""
    home = tmp_path / "here"
    with running(home) as aws:
        s3 = aws.client("s3")
        s3.create_bucket(Bucket="lake")
        versioning = {"Status": "Enabled"}
        s3.put_bucket_versioning(Bucket="lake", VersioningConfiguration=versioning)
        for body in (b"old", b"new"):
            s3.put_object(Bucket="lake", Key="a/b ü.txt", Body=body)
        aws.client("glue").create_database(DatabaseInput={"Name": "shop"})
    file = tmp_path / "saved.rebuy"
    assert "the key of the home is not in it" in snapshots.save(home, file)
    return file


def test_another_home_has_all_of_it_and_not_the_key(saved: Path, tmp_path: Path) -> None:
    with tarfile.open(saved) as tar:
        assert not [name for name in tar.getnames() if "credentials" in name]
    there = tmp_path / "there"
    assert "with a key of its own" in snapshots.load(saved, there)
    with running(there) as aws:
        s3 = aws.client("s3")
        versions = s3.list_object_versions(Bucket="lake")["Versions"]
        bodies = {
            s3.get_object(Bucket="lake", Key=one["Key"], VersionId=one["VersionId"])["Body"].read()
            for one in versions
        }
        assert bodies == {b"old", b"new"}
        assert s3.get_object(Bucket="lake", Key="a/b ü.txt")["Body"].read() == b"new"
        assert aws.client("glue").get_database(Name="shop")["Database"]["Name"] == "shop"


def test_what_would_not_be_whole_is_refused(saved: Path, tmp_path: Path) -> None:
    home = tmp_path / "here"
    with pytest.raises(InputError, match="there already"):
        snapshots.save(home, saved)
    with locked(home), pytest.raises(InputError, match=r"`rebuy local down.*first"):
        snapshots.save(home, tmp_path / "other")
    (home / "objects/lake/link").symlink_to(tmp_path)
    with pytest.raises(InputError, match="objects/lake/link is a link"):
        snapshots.save(home, tmp_path / "other")
    with pytest.raises(InputError, match="is not the home of a local AWS"):
        snapshots.save(tmp_path / "nothing", tmp_path / "other")
    with pytest.raises(InputError, match=r"is not empty; `rebuy local reset`"):
        snapshots.load(saved, home)
    assert not (tmp_path / "other").exists()


SAID = {"format": 1, "version": "0.1.0", "files": 1, "bytes": 3}


@pytest.mark.parametrize(
    ("said", "names", "message"),
    [
        ({}, ["../outside"], "'../outside', which is no file of a home"),
        ({}, ["/etc/x"], "'/etc/x', which is no file of a home"),
        ({}, ["objects/../../x"], "no file of a home"),
        ({}, ["credentials.json"], "'credentials.json', which is no file of a home"),
        ({}, ["objects/a", "objects/b"], "more than its 1 files of 3 bytes"),
        ({"files": 2, "bytes": 9}, ["objects/a"], "cut off: 1 of 2 files"),
        ({"bytes": 1 << 60}, ["objects/a"], "unpacks to 1,152,921,504,606,846,976 bytes"),
        ({"version": "9.0"}, ["objects/a"], "Load it with the version that saved it"),
        ({"format": None}, ["objects/a"], "is of format None"),
        ({}, ["objects/a"], "holds no home of a local AWS"),
    ],
)
def test_a_file_that_is_not_what_it_says_leaves_nothing(
    said: dict[str, Any], names: list[str], message: str, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    with tarfile.open(file, "w:gz") as tar:
        head = json.dumps(SAID | said).encode()
        for name, data in ((HEAD, head), *((name, b"123") for name in names)):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    with pytest.raises(InputError, match=message):
        snapshots.load(file, tmp_path / "home")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_what_is_no_such_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("a text")
    with pytest.raises(InputError, match="cannot be read"):
        snapshots.load(file, tmp_path / "home")

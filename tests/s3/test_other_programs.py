"""Homes that were copied, and files that other programs put into a bucket's folder."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from localaws.core.aws import LocalAws, start
from localaws.core.signals import EventSent
from localaws.errors import AwsError
from localaws.s3.api import service

PART = b"p" * (5 << 20)


def copy_home(source: Path, target: Path) -> None:
    shutil.copytree(source, target, copy_function=shutil.copyfile)


def zip_home(source: Path, target: Path) -> None:
    """As a zip file carries it: times in steps of two seconds, no empty folders."""
    archive = target.with_suffix(".zip")
    with zipfile.ZipFile(archive, "w", strict_timestamps=False) as packed:
        for path in sorted(source.rglob("*")):
            if path.is_file():
                packed.write(path, path.relative_to(source))
    with zipfile.ZipFile(archive) as packed:
        for member in packed.infolist():
            packed.extract(member, target)


def touch_home(source: Path, target: Path) -> None:
    source.rename(target)
    for path in target.rglob("*"):
        if path.is_file() and ".sqlite" not in path.name:
            os.utime(path)


@pytest.fixture(params=[copy_home, zip_home, touch_home], ids=lambda how: how.__name__)
def moved(request: Any, tmp_path: Path) -> Iterator[LocalAws]:
    """A home with metadata, tags, versions and events on, opened again at another place."""
    move: Callable[[Path, Path], None] = request.param
    first = start(tmp_path / "home", [service])
    s3 = first.client("s3")
    s3.create_bucket(Bucket="lake")
    s3.create_bucket(Bucket="kept")
    s3.put_object(
        **{"Bucket": "lake", "Key": "page.html", "Body": b"<p>", "ContentType": "text/html"},
        **{"Metadata": {"who": "me"}, "Tagging": "a=1"},
    )
    s3.put_object(Bucket="lake", Key="a//odd/", Body=b"odd", ContentType="text/plain")
    upload = s3.create_multipart_upload(Bucket="lake", Key="big", ContentType="image/png")
    where = {"Bucket": "lake", "Key": "big", "UploadId": upload["UploadId"]}
    parts = [
        {"PartNumber": n, "ETag": s3.upload_part(**where, PartNumber=n, Body=body)["ETag"]}
        for n, body in [(1, PART), (2, b"end")]
    ]
    s3.complete_multipart_upload(**where, MultipartUpload={"Parts": parts})
    s3.put_bucket_versioning(Bucket="kept", VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket="kept", Key="v", Body=b"old", Metadata={"n": "1"})
    s3.put_object(Bucket="kept", Key="v", Body=b"new", Metadata={"n": "2"})
    for bucket in ("lake", "kept"):
        s3.put_bucket_notification_configuration(
            Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}}
        )
    first.stop()
    move(tmp_path / "home", tmp_path / "moved")
    local = start(tmp_path / "moved", [service])
    yield local
    local.stop()


def test_a_home_that_was_moved_has_the_same_objects_and_starts_nothing(moved: LocalAws) -> None:
    events: list[Any] = []
    moved.signals.subscribe(EventSent, lambda signal: events.append(signal.event))
    s3 = moved.client("s3")

    page = s3.get_object(Bucket="lake", Key="page.html")
    assert (page["ContentType"], page["Metadata"]) == ("text/html", {"who": "me"})
    assert s3.get_object_tagging(Bucket="lake", Key="page.html")["TagSet"] == [
        {"Key": "a", "Value": "1"}
    ]
    assert s3.head_object(Bucket="lake", Key="a//odd/")["ContentType"] == "text/plain"
    big = s3.head_object(Bucket="lake", Key="big", PartNumber=2)
    assert (big["ContentType"], big["PartsCount"], big["ContentLength"]) == ("image/png", 2, 3)

    versions = s3.list_object_versions(Bucket="kept")["Versions"]
    assert [version["IsLatest"] for version in versions] == [True, False]
    old = s3.get_object(Bucket="kept", Key="v", VersionId=versions[1]["VersionId"])
    assert (old["Body"].read(), old["Metadata"]) == (b"old", {"n": "1"})
    new = s3.get_object(Bucket="kept", Key="v")
    assert (new["Body"].read(), new["Metadata"]) == (b"new", {"n": "2"})
    assert s3.list_object_versions(Bucket="kept")["Versions"] == versions

    moved.objects.discover("lake")
    moved.objects.discover("kept")
    assert [item["Key"] for item in s3.list_objects_v2(Bucket="lake")["Contents"]] == [
        *("a//odd/", "big", "page.html")
    ]
    assert events == []


def test_an_old_version_that_another_program_changed_is_not_served(aws: LocalAws, s3: Any) -> None:
    s3.put_bucket_versioning(Bucket="lake", VersioningConfiguration={"Status": "Enabled"})
    old = s3.put_object(Bucket="lake", Key="v", Body=b"old")["VersionId"]
    s3.put_object(Bucket="lake", Key="v", Body=b"new")
    aws.objects.path("lake", "v")
    aws.objects.head("lake", "v", old).path.write_bytes(b"forged")

    with pytest.raises(AwsError, match="changed by another program"):
        aws.objects.head("lake", "v", old)
    assert s3.get_object(Bucket="lake", Key="v")["Body"].read() == b"new"
    assert len(s3.list_object_versions(Bucket="lake")["Versions"]) == 2


def test_files_of_another_program_are_objects_when_they_are_asked_for(
    aws: LocalAws, s3: Any
) -> None:
    folder = aws.objects.folder("lake")
    (folder / "raw/2024/05").mkdir(parents=True)
    (folder / "raw/2024/05/a.csv").write_text("1")
    (folder / "raw/b.csv").write_text("22")
    assert s3.get_object(Bucket="lake", Key="raw/b.csv")["Body"].read() == b"22"
    listed = s3.list_objects_v2(Bucket="lake", Prefix="raw/")["Contents"]
    assert [(item["Key"], item["Size"]) for item in listed] == [
        ("raw/2024/05/a.csv", 1),
        ("raw/b.csv", 2),
    ]
    prefixes = s3.list_objects_v2(Bucket="lake", Delimiter="/")["CommonPrefixes"]
    assert prefixes == [{"Prefix": "raw/"}]
    assert [item.key for item in aws.objects.list("lake", "raw/2")] == ["raw/2024/05/a.csv"]


def test_a_listing_follows_what_another_program_does(aws: LocalAws, s3: Any) -> None:
    def listed() -> list[tuple[str, int]]:
        found = s3.list_objects(Bucket="lake").get("Contents", [])
        return [(item["Key"], item["Size"]) for item in found]

    s3.put_object(Bucket="lake", Key="t/a", Body=b"1")
    s3.put_object(Bucket="lake", Key="t/b", Body=b"1")
    folder = aws.objects.folder("lake")
    (folder / "t/a").write_bytes(b"four")  # rewritten in place
    (folder / "t/b").unlink()
    (folder / "t/c").write_bytes(b"22")
    assert listed() == [("t/a", 4), ("t/c", 2)]
    s3.delete_object(Bucket="lake", Key="t/c")
    (folder / "t").mkdir(exist_ok=True)
    (folder / "t/c").write_bytes(b"333")  # deleted by the API, there again by another program
    assert listed() == [("t/a", 4), ("t/c", 3)]
    shutil.rmtree(folder / "t")
    assert listed() == []
    assert "CommonPrefixes" not in s3.list_objects_v2(Bucket="lake", Delimiter="/")


def test_a_folder_that_was_quiet_is_looked_at_again_when_it_changes(aws: LocalAws, s3: Any) -> None:
    folder = aws.objects.folder("lake") / "quiet"
    folder.mkdir()
    (folder / "a").write_bytes(b"1")
    os.utime(folder, (1, 1))  # long settled when it is first listed
    assert s3.list_objects_v2(Bucket="lake", Prefix="quiet/")["KeyCount"] == 1
    (folder / "b").write_bytes(b"1")
    assert s3.list_objects_v2(Bucket="lake", Prefix="quiet/")["KeyCount"] == 2


def test_scratch_of_committers_and_strange_names_are_no_objects(aws: LocalAws, s3: Any) -> None:
    folder = aws.objects.folder("lake")
    (folder / "out/_temporary/0").mkdir(parents=True)
    (folder / "out/_temporary/0/part-0").write_text("half")
    (folder / "out/.part-0.crc").write_text("crc")
    (folder / "out/link").symlink_to("/etc/hostname")
    Path(os.fsdecode(bytes(folder) + b"/out/\xff")).write_text("no text")
    (folder / "out/part-0").write_text("1")
    assert [item["Key"] for item in s3.list_objects_v2(Bucket="lake")["Contents"]] == ["out/part-0"]
    assert [item.key for item in aws.objects.discover("lake")] == ["out/part-0"]


def test_a_file_of_another_program_becomes_a_version_before_it_is_replaced(
    aws: LocalAws, s3: Any
) -> None:
    s3.put_bucket_versioning(Bucket="lake", VersioningConfiguration={"Status": "Enabled"})
    (aws.objects.folder("lake") / "a").write_bytes(b"theirs")
    s3.put_object(Bucket="lake", Key="a", Body=b"ours")
    versions = s3.list_object_versions(Bucket="lake")["Versions"]
    bodies = [
        s3.get_object(Bucket="lake", Key="a", VersionId=version["VersionId"])["Body"].read()
        for version in versions
    ]
    assert bodies == [b"ours", b"theirs"]

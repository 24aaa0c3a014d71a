"""The store in process: objects are files, files can become objects."""

from __future__ import annotations

import hashlib
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from localaws.core.aws import LocalAws, start
from localaws.core.signals import EventSent
from localaws.errors import AwsError
from localaws.s3.api import service
from localaws.s3.objects import split_uri


def keys(aws: LocalAws, prefix: str = "") -> list[str]:
    return [found.key for found in aws.objects.list("lake", prefix)]


def test_an_object_is_a_plain_file(aws: LocalAws) -> None:
    stored = aws.objects.put("lake", "raw/orders/a.csv", b"1,2\n")
    assert stored.path == aws.objects.folder("lake") / "raw/orders/a.csv"
    assert stored.path.read_bytes() == b"1,2\n"
    assert aws.client("s3").get_object(Bucket="lake", Key="raw/orders/a.csv")["Body"].read() == (
        b"1,2\n"
    )


@pytest.mark.parametrize(
    "key", ["../out", "/lead", "a//b", "dir/", "a/./b", "..", "%2F", "x" * 300, "ü ~+&=?#", "a\\b"]
)
def test_any_key_keeps_its_bytes_within_the_home(aws: LocalAws, key: str) -> None:
    aws.client("s3").put_object(Bucket="lake", Key=key, Body=key.encode())
    path = aws.objects.path("lake", key)
    assert path.resolve().is_relative_to(aws.home.root.resolve())
    assert aws.client("s3").get_object(Bucket="lake", Key=key)["Body"].read() == key.encode()
    assert keys(aws) == [key]


@pytest.mark.parametrize("order", [["a", "a/b", "a/"], ["a/b", "a", "a/"], ["a/", "a/b", "a"]])
def test_a_key_may_be_another_keys_folder(aws: LocalAws, order: list[str]) -> None:
    for key in order:
        aws.objects.put("lake", key, key.encode())
    assert keys(aws) == ["a", "a/", "a/b"]
    for key in order:
        assert aws.objects.path("lake", key).read_bytes() == key.encode()
    aws.objects.delete("lake", "a/b")
    aws.objects.put("lake", "a", b"again")
    assert aws.objects.path("lake", "a").read_bytes() == b"again"


def test_a_file_is_adopted_without_a_copy(aws: LocalAws, tmp_path: Path) -> None:
    file = tmp_path / "part.parquet"
    file.write_bytes(b"PAR1")
    inode = file.stat().st_ino
    stored = aws.objects.adopt("lake", "features/part.parquet", file)
    assert stored.path.stat().st_ino == inode
    assert not file.exists()
    assert stored.etag == hashlib.md5(b"PAR1").hexdigest()


def test_files_written_in_place_become_objects_and_vanish_as_objects(aws: LocalAws) -> None:
    folder = aws.objects.folder("lake") / "out"
    folder.mkdir()
    (folder / "part-0.csv").write_text("1")
    (folder / ".part-0.csv.crc").write_text("crc")
    (folder / "_SUCCESS").touch()
    aws.objects.put("lake", "other", b"")
    assert [found.key for found in aws.objects.discover("lake", "out/")] == [
        "out/_SUCCESS",
        "out/part-0.csv",
    ]
    (folder / "part-0.csv").unlink()
    aws.objects.discover("lake")
    assert keys(aws) == ["other", "out/_SUCCESS"]


def test_a_file_rewritten_in_place_has_a_new_etag(aws: LocalAws) -> None:
    before = aws.objects.put("lake", "a", b"one")
    before.path.write_bytes(b"other")
    after = aws.client("s3").head_object(Bucket="lake", Key="a")
    assert after["ContentLength"] == 5
    assert after["ETag"] != f'"{before.etag}"'


def test_a_missing_object_and_a_missing_bucket_are_named(aws: LocalAws) -> None:
    with pytest.raises(AwsError, match=r"NoSuchKey: .*lake/none"):
        aws.objects.path("lake", "none")
    with pytest.raises(AwsError, match=r"NoSuchBucket: .*lost"):
        aws.objects.list("lost")


def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    policy = '{"Version":"2012-10-17","Statement":[]}'
    first = start(tmp_path, [service])
    s3 = first.client("s3")
    s3.create_bucket(Bucket="lake")
    s3.put_bucket_versioning(Bucket="lake", VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_policy(Bucket="lake", Policy=policy)
    s3.put_object(Bucket="lake", Key="v", Body=b"1")
    s3.put_object(
        Bucket="lake", Key="v", Body=b"22", ContentType="text/plain", Metadata={"Who": "me"}
    )
    upload = s3.create_multipart_upload(Bucket="lake", Key="big")["UploadId"]
    part = s3.upload_part(Bucket="lake", Key="big", UploadId=upload, PartNumber=1, Body=b"part")
    first.stop()

    second = start(tmp_path, [service])
    s3 = second.client("s3")
    assert s3.get_bucket_policy(Bucket="lake")["Policy"] == policy
    head = s3.head_object(Bucket="lake", Key="v")
    assert (head["ContentType"], head["Metadata"]) == ("text/plain", {"who": "me"})
    versions = s3.list_object_versions(Bucket="lake")["Versions"]
    assert [version["Size"] for version in versions] == [2, 1]
    old = s3.get_object(Bucket="lake", Key="v", VersionId=versions[1]["VersionId"])
    assert old["Body"].read() == b"1"
    s3.complete_multipart_upload(
        Bucket="lake",
        Key="big",
        UploadId=upload,
        MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]},
    )
    assert second.objects.path("lake", "big").read_bytes() == b"part"
    second.stop()


def test_events_of_api_and_engine_writes(aws: LocalAws) -> None:
    events: list[Any] = []
    aws.signals.subscribe(EventSent, lambda signal: events.append(signal.event))
    s3 = aws.client("s3")
    aws.objects.put("lake", "quiet", b"")
    s3.put_bucket_notification_configuration(
        Bucket="lake", NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    s3.put_object(Bucket="lake", Key="a b+ü", Body=b"12345")
    aws.objects.put("lake", "engine", b"")
    s3.copy_object(Bucket="lake", Key="copy", CopySource={"Bucket": "lake", "Key": "a b+ü"})
    s3.delete_object(Bucket="lake", Key="copy")
    told = [
        (event["detail-type"], event["detail"]["object"]["key"], event["detail"]["reason"])
        for event in events
    ]
    assert told == [
        ("Object Created", "a b+ü", "PutObject"),
        ("Object Created", "engine", "PutObject"),
        ("Object Created", "copy", "CopyObject"),
        ("Object Deleted", "copy", "DeleteObject"),
    ]
    assert "version-id" not in events[0]["detail"]["object"]
    sequence = [event["detail"]["object"]["sequencer"] for event in events]
    assert sequence == sorted(set(sequence))


def test_s3_addresses() -> None:
    assert split_uri("s3://lake/raw/a.csv") == ("lake", "raw/a.csv")
    assert split_uri("s3a://lake") == ("lake", "")
    with pytest.raises(ValueError, match="is not an S3 address"):
        split_uri("https://lake/raw")


def test_an_answer_in_process_is_read_in_pieces(aws: LocalAws, s3: Any) -> None:
    data = bytes(range(256)) * 20_000
    s3.put_object(Bucket="lake", Key="a", Body=data)
    tracemalloc.start()
    body = s3.get_object(Bucket="lake", Key="a")["Body"]
    start = body.read(100_000)
    rest = sum(len(piece) for piece in body.iter_chunks(64 << 10))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert start == data[:100_000]
    assert rest == len(data) - 100_000
    assert peak < len(data) / 2

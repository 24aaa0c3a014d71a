"""S3 as clients see it."""

from __future__ import annotations

import hashlib
import inspect
import io
import json
import sys
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.core import serialize

from localaws.core.aws import LocalAws
from localaws.s3 import answers, checksums
from localaws.s3.lifecycle import Lifecycle
from tests.threads import on_threads


def refused(call: Any, **params: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**params)
    return str(caught.value.response["Error"]["Code"])


def test_pages_of_keys_and_folders(s3: Any) -> None:
    for key in ("a/1", "a/2", "b", "c/1", "c/2/3", "d"):
        s3.put_object(Bucket="lake", Key=key, Body=b"")
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket="lake", Delimiter="/", PaginationConfig={"PageSize": 1}
    )
    seen = [
        found.get("Key") or found.get("Prefix")
        for page in pages
        for found in [*page.get("Contents", []), *page.get("CommonPrefixes", [])]
    ]
    assert seen == ["a/", "b", "c/", "d"]
    after = s3.list_objects_v2(Bucket="lake", StartAfter="b")["Contents"]
    assert [found["Key"] for found in after] == ["c/1", "c/2/3", "d"]
    old = s3.list_objects(Bucket="lake", Prefix="c/", Delimiter="/")
    assert [found["Key"] for found in old["Contents"]] == ["c/1"]
    assert [found["Prefix"] for found in old["CommonPrefixes"]] == ["c/2/"]


@pytest.mark.parametrize(
    ("asked", "status", "body"),
    [
        ("bytes=2-4", 206, b"234"),
        ("bytes=7-", 206, b"789"),
        ("bytes=-3", 206, b"789"),
        ("bytes=0-99", 206, b"0123456789"),
        ("bytes=4-2", 200, b"0123456789"),
    ],
)
def test_ranges(s3: Any, asked: str, status: int, body: bytes) -> None:
    s3.put_object(Bucket="lake", Key="n", Body=b"0123456789")
    found = s3.get_object(Bucket="lake", Key="n", Range=asked)
    assert found["ResponseMetadata"]["HTTPStatusCode"] == status
    assert found["Body"].read() == body


def test_a_range_past_the_end(s3: Any) -> None:
    s3.put_object(Bucket="lake", Key="n", Body=b"0123456789")
    assert refused(s3.get_object, Bucket="lake", Key="n", Range="bytes=10-") == "InvalidRange"


def test_conditional_reads_and_writes(s3: Any) -> None:
    etag = s3.put_object(Bucket="lake", Key="n", Body=b"1", IfNoneMatch="*")["ETag"]
    where = {"Bucket": "lake", "Key": "n"}
    assert refused(s3.put_object, **where, Body=b"2", IfNoneMatch="*") == "PreconditionFailed"
    assert refused(s3.put_object, **where, Body=b"2", IfMatch='"x"') == "PreconditionFailed"
    assert refused(s3.get_object, **where, IfNoneMatch=etag) == "304"
    assert refused(s3.get_object, **where, IfMatch='"x"') == "PreconditionFailed"
    s3.put_object(**where, Body=b"2", IfMatch=etag)


def test_versions_and_delete_markers(s3: Any, aws: LocalAws) -> None:
    s3.put_object(Bucket="lake", Key="v", Body=b"null")
    s3.put_bucket_versioning(Bucket="lake", VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket="lake", Key="v", Body=b"1")["VersionId"]
    marker = s3.delete_object(Bucket="lake", Key="v")
    assert marker["DeleteMarker"] is True
    assert refused(s3.get_object, Bucket="lake", Key="v") == "NoSuchKey"
    assert refused(s3.head_object, Bucket="lake", Key="v") == "404"
    s3.delete_object(Bucket="lake", Key="v", VersionId=marker["VersionId"])
    assert aws.objects.path("lake", "v") == aws.objects.folder("lake") / "v"
    s3.delete_object(Bucket="lake", Key="v", VersionId=first)
    assert aws.objects.path("lake", "v").read_bytes() == b"null"
    assert refused(s3.delete_bucket, Bucket="lake") == "BucketNotEmpty"
    s3.delete_object(Bucket="lake", Key="v", VersionId="null")
    s3.delete_bucket(Bucket="lake")


def test_multipart_with_a_sha256(remote: Any) -> None:
    data = bytes(range(256)) * 40_960  # 10 MiB: two parts
    remote.upload_fileobj(
        io.BytesIO(data), "lake", "big", ExtraArgs={"ChecksumAlgorithm": "SHA256"}
    )
    head = remote.head_object(Bucket="lake", Key="big", ChecksumMode="ENABLED")
    parts = [data[: 8 << 20], data[8 << 20 :]]
    digests = b"".join(hashlib.sha256(part).digest() for part in parts)
    expected = checksums.text(hashlib.sha256(digests).digest())
    assert head["ChecksumSHA256"] == f"{expected}-2"
    assert head["ETag"].endswith('-2"')
    found = remote.get_object(Bucket="lake", Key="big", PartNumber=2)
    assert found["Body"].read() == parts[1]
    assert remote.get_object(Bucket="lake", Key="big")["Body"].read() == data


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
def test_checksums_of_put_come_back_with_head(remote: Any, algorithm: str) -> None:
    put = remote.put_object(Bucket="lake", Key="a", Body=b"x", ChecksumAlgorithm=algorithm)
    head = remote.head_object(Bucket="lake", Key="a", ChecksumMode="ENABLED")
    assert head[f"Checksum{algorithm}"] == put[f"Checksum{algorithm}"]


def test_a_wrong_checksum_stores_nothing(s3: Any, aws: LocalAws) -> None:
    wrong = checksums.text(hashlib.sha256(b"other").digest())
    params = {"Bucket": "lake", "Key": "a", "Body": b"x", "ChecksumSHA256": wrong}
    assert refused(s3.put_object, **params) == "BadDigest"
    assert aws.objects.list("lake") == []
    assert list(aws.object_store.incoming.iterdir()) == []


@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [("CRC32", "cbf43926"), ("CRC32C", "e3069283"), ("CRC64NVME", "ae8b14860a799888")],
)
def test_crc_check_values(algorithm: str, expected: str) -> None:
    short, long = checksums.new(algorithm), checksums.new(algorithm)
    short.update(b"123456789")
    assert short.digest().hex() == expected
    pieces = checksums.new(algorithm)
    data = b"123456789" * 5_000
    long.update(data)
    for start in range(0, len(data), 777):
        pieces.update(data[start : start + 777])
    assert long.digest() == pieces.digest()


def test_checksums_that_begin_on_many_threads_at_once_are_right() -> None:
    """Parts of an upload come at the same time; the first ones made the tables of all."""
    data = bytes(range(256)) * 4096 + b"more"
    found: list[bytes] = []

    def sum_up(_: int) -> None:
        crc = checksums.LaneCrc(32, 0xEDB88320)  # CRC32's own polynomial, which zlib knows
        crc.update(data)
        found.append(crc.digest())

    switch_seconds = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        on_threads(16, sum_up)
    finally:
        sys.setswitchinterval(switch_seconds)

    assert set(found) == {zlib.crc32(data).to_bytes(4, "big")}


def test_parts_must_be_large_known_and_in_order(s3: Any) -> None:
    where = {"Bucket": "lake", "Key": "big"}
    upload = s3.create_multipart_upload(**where)["UploadId"]
    parts = [
        {
            "PartNumber": number,
            "ETag": s3.upload_part(**where, UploadId=upload, PartNumber=number, Body=b"x")["ETag"],
        }
        for number in (1, 2)
    ]

    def complete(listed: list[Any]) -> str:
        return refused(
            s3.complete_multipart_upload,
            **where,
            UploadId=upload,
            MultipartUpload={"Parts": listed},
        )

    assert complete(parts) == "EntityTooSmall"
    assert complete(parts[::-1]) == "InvalidPartOrder"
    assert complete([{"PartNumber": 7, "ETag": "x"}]) == "InvalidPart"
    s3.abort_multipart_upload(**where, UploadId=upload)
    assert complete(parts) == "NoSuchUpload"


def test_tags_metadata_and_copies(s3: Any) -> None:
    s3.put_object(Bucket="lake", Key="a", Body=b"x", Metadata={"k": "v"}, Tagging="team=shop&x=1+2")
    s3.copy_object(Bucket="lake", Key="b", CopySource="lake/a")
    tags = s3.get_object_tagging(Bucket="lake", Key="b")["TagSet"]
    assert tags == [{"Key": "team", "Value": "shop"}, {"Key": "x", "Value": "1 2"}]
    assert s3.head_object(Bucket="lake", Key="b")["Metadata"] == {"k": "v"}
    same = {"Bucket": "lake", "Key": "a", "CopySource": "lake/a"}
    assert refused(s3.copy_object, **same) == "InvalidRequest"
    s3.copy_object(**same, MetadataDirective="REPLACE", Metadata={"k": "w"})
    assert s3.head_object(Bucket="lake", Key="a")["Metadata"] == {"k": "w"}
    assert s3.get_object_tagging(Bucket="lake", Key="a")["TagSet"] == tags  # which no one replaced


def test_what_was_asked_of_encryption_is_kept(s3: Any) -> None:
    def said(key: str) -> str:
        return str(s3.head_object(Bucket="lake", Key=key)["ServerSideEncryption"])

    asked = s3.put_object(Bucket="lake", Key="asked", Body=b"x", ServerSideEncryption="aws:kms")
    s3.put_object(Bucket="lake", Key="plain", Body=b"x")
    by_default = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
    rules = {"Rules": [by_default]}
    s3.put_bucket_encryption(Bucket="lake", ServerSideEncryptionConfiguration=rules)
    s3.put_object(Bucket="lake", Key="default", Body=b"x")
    s3.copy_object(Bucket="lake", Key="copy", CopySource="lake/plain")
    assert [said(key) for key in ("asked", "plain", "default", "copy")] == [
        *("aws:kms", "AES256", "aws:kms", "aws:kms")
    ]
    assert asked["ServerSideEncryption"] == "aws:kms"
    by_default["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"] = "alias/mine"
    with pytest.raises(ClientError, match="PutBucketEncryption, parameter KMSMasterKeyID"):
        s3.put_bucket_encryption(Bucket="lake", ServerSideEncryptionConfiguration=rules)


@pytest.mark.parametrize(
    ("operation", "params", "message"),
    [
        ("put_bucket_acl", {"ACL": "public-read"}, "s3:PutBucketAcl"),
        ("put_bucket_logging", {"BucketLoggingStatus": {}}, "s3:PutBucketLogging"),
        ("put_object", {"Key": "a", "ServerSideEncryption": "aws:kms:dsse"}, "aws:kms"),
        (
            "put_object",
            {"Key": "a", "ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "k"},
            "SSEKMSKeyId",
        ),
        ("put_object", {"Key": "a", "StorageClass": "GLACIER"}, "StorageClass"),
        ("put_object", {"Key": "a", "ObjectLockMode": "GOVERNANCE"}, "ObjectLockMode"),
        (
            "put_bucket_notification_configuration",
            {
                "NotificationConfiguration": {
                    "QueueConfigurations": [
                        {"QueueArn": "arn:aws:sqs:::q", "Events": ["s3:ObjectCreated:*"]}
                    ]
                }
            },
            "QueueConfigurations",
        ),
    ],
)
def test_what_is_not_done_is_refused_by_name(
    s3: Any, operation: str, params: Any, message: str
) -> None:
    with pytest.raises(ClientError) as caught:
        getattr(s3, operation)(Bucket="lake", **params)
    assert caught.value.response["Error"]["Code"] == "NotEmulated"
    assert message in str(caught.value)


def test_buckets_begin_private_and_a_public_policy_is_blocked(s3: Any) -> None:
    block = s3.get_public_access_block(Bucket="lake")["PublicAccessBlockConfiguration"]
    assert all(block.values())
    statement = {
        **{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"},
        "Resource": "arn:aws:s3:::lake/*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    assert refused(s3.put_bucket_policy, Bucket="lake", Policy=policy) == "AccessDenied"
    assert refused(s3.put_bucket_policy, Bucket="lake", Policy="{") == "MalformedPolicy"
    s3.delete_public_access_block(Bucket="lake")
    s3.put_bucket_policy(Bucket="lake", Policy=policy)
    assert s3.get_bucket_policy_status(Bucket="lake")["PolicyStatus"]["IsPublic"] is True


@pytest.mark.parametrize(
    "action",
    [
        {"Transitions": [{"Days": 30, "StorageClass": "GLACIER"}]},
        {"NoncurrentVersionTransitions": [{"NoncurrentDays": 30, "StorageClass": "GLACIER"}]},
    ],
    ids=lambda action: next(iter(action)),
)
def test_a_lifecycle_that_moves_objects_is_refused_by_name(s3: Any, action: dict[str, Any]) -> None:
    rule = {"ID": "cold", "Status": "Enabled", "Filter": {"Prefix": ""}, **action}
    with pytest.raises(ClientError, match=next(iter(action))):
        s3.put_bucket_lifecycle_configuration(
            Bucket="lake", LifecycleConfiguration={"Rules": [rule]}
        )


def test_lifecycle_rules_expire_objects_versions_and_uploads(s3: Any, aws: LocalAws) -> None:
    s3.put_bucket_versioning(Bucket="lake", VersioningConfiguration={"Status": "Enabled"})
    for key in ("tmp/a", "keep/a", "keep/a"):
        s3.put_object(Bucket="lake", Key=key, Body=b"x")
    s3.create_multipart_upload(Bucket="lake", Key="tmp/b")
    rule = {
        **{"ID": "tmp", "Status": "Enabled", "Filter": {"Prefix": "tmp/"}},
        **{"Expiration": {"Days": 7}, "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}},
    }
    old = {
        **{"ID": "old", "Status": "Enabled", "Filter": {"Prefix": ""}},
        "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
    }
    s3.put_bucket_lifecycle_configuration(
        Bucket="lake", LifecycleConfiguration={"Rules": [rule, old]}
    )
    lifecycle = Lifecycle(aws.object_store, aws.clock)
    now = datetime.now(UTC)
    lifecycle.apply(now + timedelta(days=6))
    assert [found.key for found in aws.objects.list("lake")] == ["keep/a", "tmp/a"]
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="lake")
    lifecycle.apply(now + timedelta(days=9))
    assert [found.key for found in aws.objects.list("lake")] == ["keep/a"]
    lifecycle.apply(now + timedelta(days=60))
    left = s3.list_object_versions(Bucket="lake", Prefix="keep/")["Versions"]
    assert [version["IsLatest"] for version in left] == [True]


def test_moto_still_has_what_our_answers_build_on() -> None:
    """If this fails, moto has changed: see localaws/s3/answers.py."""
    assert serialize.SERVICE_SPECIFIC_SERIALIZERS["s3"]["rest-xml"] is answers.Serializer
    method = serialize.S3Serializer._serialized_result_to_response
    assert list(inspect.signature(method).parameters) == [
        *("self", "resp", "result", "shape", "serialized_result"),
    ]


def test_a_bucket_of_another_account_than_expected_is_refused(aws: LocalAws) -> None:
    """docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html"""
    s3 = aws.client("s3")
    s3.head_bucket(Bucket="lake", ExpectedBucketOwner=aws.account)
    another = {"Bucket": "lake", "ExpectedBucketOwner": "111111111111"}
    for refused in (
        lambda: s3.head_bucket(**another),
        lambda: s3.put_object(**another, Key="a", Body=b"a"),
        lambda: s3.list_objects_v2(**another),
    ):
        with pytest.raises(s3.exceptions.ClientError, match=r"403|AccessDenied"):
            refused()
    with pytest.raises(s3.exceptions.ClientError, match="404"):
        s3.head_bucket(Bucket="none", ExpectedBucketOwner="111111111111")
    assert s3.list_objects_v2(Bucket="lake")["KeyCount"] == 0

"""Who may use a key decides who reads and writes what lies under it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws.core.aws import LocalAws
from localaws.errors import AwsError
from tests.identity.test_enforcement import LAKE, R, allow, as_role, refused, role, statement
from tests.identity.test_enforcement import aws as aws

ROOT = "arn:aws:iam::000000000000:root"
TAGS = [{"TagKey": "team", "TagValue": "shop"}]
S3 = statement(["s3:GetObject", "s3:PutObject"], f"arn:aws:s3:::{LAKE}/*")


@pytest.fixture
def key(aws: LocalAws) -> str:
    """The default of the lake."""
    arn = str(aws.client("kms").create_key(Tags=TAGS)["KeyMetadata"]["Arn"])
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": arn}
    rule = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}
    aws.client("s3").put_bucket_encryption(
        Bucket=LAKE, ServerSideEncryptionConfiguration={"Rules": [rule]}
    )
    return arn


def test_an_object_under_a_key_takes_the_key(aws: LocalAws, key: str) -> None:
    role(aws, "poor", "lambda", S3)
    poor = as_role(aws, "poor")
    s3 = poor.client("s3")
    code, _, words = refused(s3.put_object, Bucket=LAKE, Key="a", Body=b"1")
    assert code == "AccessDenied" and f'kms:GenerateDataKey on resource: "{key}"' in words
    assert s3.get_object(Bucket=LAKE, Key="raw/t/a.csv")["ServerSideEncryption"] == "AES256"

    allow(aws, "poor", S3, statement("kms:GenerateDataKey", key))
    written = s3.put_object(Bucket=LAKE, Key="a", Body=b"1")
    assert (written["ServerSideEncryption"], written["SSEKMSKeyId"]) == ("aws:kms", key)
    assert written["BucketKeyEnabled"]
    assert "kms:Decrypt" in refused(s3.get_object, Bucket=LAKE, Key="a")[2]
    with pytest.raises(AwsError, match="kms:Decrypt"):
        poor.objects.path(LAKE, "a")  # as Spark, Athena and a training job read
    with pytest.raises(ClientError, match="kms:Decrypt"):
        s3.create_multipart_upload(Bucket=LAKE, Key="b")  # to put its parts together

    allow(aws, "poor", S3, statement(["kms:GenerateDataKey", "kms:Decrypt"], key))
    assert s3.get_object(Bucket=LAKE, Key="a")["Body"].read() == b"1"
    s3.copy_object(Bucket=LAKE, Key="c", CopySource={"Bucket": LAKE, "Key": "a"})
    (aws.object_store.folder(LAKE) / "d").write_bytes(b"2")  # as an engine writes
    aws.object_store.discover(LAKE)
    assert aws.client("s3").head_object(Bucket=LAKE, Key="d")["SSEKMSKeyId"] == key


def test_a_key_that_is_off_or_gone_lets_nobody_in(aws: LocalAws, key: str) -> None:
    kms, s3 = aws.client("kms"), aws.client("s3")
    s3.put_object(Bucket=LAKE, Key="a", Body=b"1")
    kms.disable_key(KeyId=key)
    assert refused(s3.get_object, Bucket=LAKE, Key="a")[0] == "KMS.DisabledException"
    kms.enable_key(KeyId=key)
    assert s3.get_object(Bucket=LAKE, Key="a")["SSEKMSKeyId"] == key
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    assert refused(s3.put_object, Bucket=LAKE, Key="a", Body=b"")[0].startswith("KMS.KMSInvalid")
    kms.cancel_key_deletion(KeyId=key)
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Disabled"
    assert kms.list_resource_tags(KeyId=key)["Tags"] == TAGS
    other = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": f"arn:aws:kms:{R}:key/none"}
    code, _, _ = refused(s3.put_object, Bucket=LAKE, Key="a", Body=b"", **other)
    assert code == "KMS.NotFoundException"


def test_messages_and_logs_under_a_key(aws: LocalAws, key: str) -> None:
    sns, sqs, logs = (aws.client(name) for name in ("sns", "sqs", "logs"))
    topic = sns.create_topic(Name="t", Attributes={"KmsMasterKeyId": key})["TopicArn"]
    queue = sqs.create_queue(QueueName="q", Attributes={"KmsMasterKeyId": key})["QueueUrl"]
    role(aws, "poor", "lambda", statement(["sns:Publish", "sqs:SendMessage"]))
    poor = as_role(aws, "poor")
    for client, method, params in (
        ("sns", "publish", {"TopicArn": topic, "Message": "m"}),
        ("sqs", "send_message", {"QueueUrl": queue, "MessageBody": "m"}),
    ):
        call = getattr(poor.client(client), method)
        assert "kms:GenerateDataKey" in refused(call, **params)[2]

    assert "not allowed to be used" in refused(
        logs.create_log_group, logGroupName="g", kmsKeyId=key
    )[2]  # fmt: skip
    own = json.loads(aws.client("kms").get_key_policy(KeyId=key)["Policy"])
    service = {"Service": "logs.us-east-1.amazonaws.com"}
    own["Statement"].append({**statement("kms:*"), "Principal": service})
    aws.client("kms").put_key_policy(KeyId=key, Policy=json.dumps(own))
    logs.create_log_group(logGroupName="g", kmsKeyId=key)
    (group,) = logs.describe_log_groups(logGroupNamePrefix="g")["logGroups"]
    assert group["kmsKeyId"] == key


@pytest.mark.parametrize(
    ("method", "params", "words"),
    [
        ("create_key", {"KeySpec": "RSA_2048"}, "CreateKey, parameter KeySpec"),
        ("create_key", {"KeyUsage": "SIGN_VERIFY"}, "CreateKey, parameter KeyUsage"),
        (
            "create_key",
            {"Policy": json.dumps({"Statement": [{**statement("kms:*"), "Principal": "*"}]})},
            "CreateKey, parameter Policy",
        ),
        ("encrypt", {"KeyId": "k", "Plaintext": b"x"}, "does not emulate kms:Encrypt"),
        ("decrypt", {"CiphertextBlob": b"x"}, "does not emulate kms:Decrypt"),
    ],
)
def test_what_it_does_not_do_is_refused_by_name(
    aws: LocalAws, method: str, params: dict[str, Any], words: str
) -> None:
    assert words in refused(getattr(aws.client("kms"), method), **params)[2]

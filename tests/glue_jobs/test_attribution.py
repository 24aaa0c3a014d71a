"""Whose doing a change in the buckets' folders is: a run answers for its own alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from localaws.core.aws import LocalAws, start
from localaws.errors import AwsError
from localaws.glue_jobs import store
from localaws.iam import api as iam
from localaws.identity.authorization import Mode
from localaws.s3 import api as s3
from tests.identity.test_enforcement import role, statement


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[LocalAws]:
    local = start(tmp_path / "home", [s3.service, iam.service], policies=Mode.ENFORCE)
    for bucket in ("ours", "theirs"):
        local.client("s3").create_bucket(Bucket=bucket)
        role(local, f"only-{bucket}", "glue", statement("s3:*", f"arn:aws:s3:::{bucket}/*"))
    local.client("s3").put_object(Bucket="theirs", Key="old/a", Body=b"1")
    yield local
    local.stop()


def acting(aws: LocalAws, bucket: str) -> LocalAws:
    return aws.acting_as_role(f"only-{bucket}", "GlueJobRunnerSession", "glue.amazonaws.com")


def test_run_does_not_fail_for_what_others_put_and_delete_meanwhile(aws: LocalAws) -> None:
    buckets, client = store.mounts(aws.object_store), aws.client("s3")
    with aws.object_store.watched() as called:
        before = store.snapshot(buckets)
        for body in (b"2", b"22"):
            client.put_object(Bucket="theirs", Key="new/b", Body=body)
        client.delete_object(Bucket="theirs", Key="old/a")
        (buckets["ours"] / "made.csv").write_text("x")  # as Spark writes
        refused = store.register(acting(aws, "ours"), buckets, before, called)

    assert refused is None
    assert [each.key for each in aws.object_store.list("ours")] == ["made.csv"]


def spark_writes(bucket: Path) -> None:
    (bucket / "made.csv").write_text("x")


def spark_deletes(bucket: Path) -> None:
    (bucket / "old" / "a").unlink()


def spark_writes_over(bucket: Path) -> None:
    (bucket / "put").write_text("xyz")


@pytest.mark.parametrize("does", [spark_writes, spark_deletes, spark_writes_over])
def test_run_fails_for_what_it_did_itself(aws: LocalAws, does: Callable[[Path], None]) -> None:
    buckets = store.mounts(aws.object_store)
    with aws.object_store.watched() as called:
        before = store.snapshot(buckets)
        aws.client("s3").put_object(Bucket="theirs", Key="put", Body=b"2")
        does(buckets["theirs"])
        refused = store.register(acting(aws, "ours"), buckets, before, called)
        assert isinstance(refused, AwsError) and refused.code == "AccessDenied"
        # Of two that are at work at once, either may have done it.
        both = store.register(acting(aws, "ours"), buckets, before, called, [acting(aws, "theirs")])
        assert both is None

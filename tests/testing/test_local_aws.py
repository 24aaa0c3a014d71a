"""`localaws.testing`, as another project's tests use it: in a folder and a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs/clients.md"
# A project that was tested with moto: nothing but the first line differs from what it had.
MOVED = """\
from localaws.testing import local_aws as mock_aws
import os, unittest
import boto3

@mock_aws
def test_a_function():
    boto3.client("s3").create_bucket(Bucket="lake")
    assert [b["Name"] for b in boto3.client("s3").list_buckets()["Buckets"]] == ["lake"]

@mock_aws()
def test_the_next_one_begins_with_nothing():
    assert boto3.client("s3").list_buckets()["Buckets"] == []

def test_a_block_within_a_block_shares_it_and_the_environment_comes_back():
    before = dict(os.environ)
    with mock_aws():
        boto3.resource("dynamodb").create_table(
            TableName="t", BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        )
        with mock_aws():
            boto3.resource("dynamodb").Table("t").put_item(Item={"k": "1"})
        assert boto3.resource("dynamodb").Table("t").scan()["Count"] == 1
    assert dict(os.environ) == before and before["AWS_PROFILE"] == "mine"

def test_started_by_hand():
    mock = mock_aws(region="eu-central-1")
    mock.start()
    assert boto3.client("sqs").create_queue(QueueName="q")["QueueUrl"]
    assert boto3.client("sqs").meta.region_name == "eu-central-1"
    mock.stop()

@mock_aws
class TestMethods:
    def test_one(self):
        boto3.client("ssm").put_parameter(Name="a", Value="1", Type="String")

    def test_two(self):
        assert boto3.client("ssm").describe_parameters()["Parameters"] == []

@mock_aws
class TestOfUnittest(unittest.TestCase):
    def setUp(self):
        boto3.client("s3").create_bucket(Bucket="mine")

    def test_one(self):
        boto3.client("s3").head_bucket(Bucket="mine")

    def test_two(self):
        boto3.client("s3").head_bucket(Bucket="mine")

@mock_aws
async def waited():
    return boto3.client("sts").get_caller_identity()["Account"]

def test_a_coroutine():
    import asyncio
    assert asyncio.run(waited()) == "000000000000"
"""
FIXTURES = """\
import subprocess, sys

def test_made(local_aws):
    local_aws.client("s3").create_bucket(Bucket="lake")
    code = 'import boto3; print(boto3.client("s3").list_buckets()["Buckets"][0]["Name"])'
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert child.stdout.strip() == "lake", child.stderr

def test_gone_at_the_same_address(local_aws, session_aws):
    assert local_aws is session_aws
    assert local_aws.client("s3").list_buckets()["Buckets"] == []

def test_the_home_is_a_folder_that_goes(local_aws):
    local_aws.client("s3").create_bucket(Bucket="lake")
    local_aws.client("s3").put_object(Bucket="lake", Key="a", Body=b"x")
    home = local_aws.home
    assert (home / "objects/lake/a").read_bytes() == b"x"
    local_aws.reset()
    assert not home.exists()
"""


def run(folder: Path) -> str:
    """pytest over a project's folder, with nothing of this one's configuration."""
    (folder / "pytest.ini").write_text("[pytest]\n")
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "TMPDIR": str(folder)}
    environment |= {"AWS_PROFILE": "mine", "AWS_REGION": "eu-west-3"}  # of the person; they stay
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_project_moves_from_moto_by_its_import(tmp_path: Path) -> None:
    (tmp_path / "test_moved.py").write_text(MOVED)
    assert "9 passed" in run(tmp_path)
    assert list(tmp_path.glob("localaws-*")) == []


def test_fixtures(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["localaws.testing.plugin"]\n')
    (tmp_path / "test_fixtures.py").write_text(FIXTURES)
    assert "3 passed" in run(tmp_path)


def test_the_example_of_the_page(tmp_path: Path) -> None:
    (example,) = re.findall(
        r"^```python\n(# test_orders.py\n.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL
    )
    (tmp_path / "test_orders.py").write_text(example)
    assert "1 passed" in run(tmp_path)


def test_an_option_that_it_does_not_have_is_an_error() -> None:
    from localaws.testing import local_aws

    with pytest.raises(TypeError, match="config"):
        local_aws(config={})  # type: ignore[call-overload]

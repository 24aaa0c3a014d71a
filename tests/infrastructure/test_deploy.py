"""Deploying where something stands in the way, on the local CloudFormation and S3."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infrastructure import deploy, names
from infrastructure.stack import find_stack
from rebuy.connection import Connection
from rebuy.errors import DeploymentError
from rebuy.settings import Settings


def connection(server: Any, region: str = "us-east-1") -> Connection:
    return Connection(Settings(endpoint_url=server.url, region=region))


def template(name: str) -> bytes:
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name}}
    return json.dumps({"Resources": {"Bucket": bucket}}).encode()


def test_a_stack_that_could_not_be_created_is_removed_and_made(server: Any) -> None:
    connected = connection(server)
    s3, cloudformation = connected.client("s3"), connected.client("cloudformation")
    s3.create_bucket(Bucket="taken")
    said: list[str] = []

    def apply(body: bytes) -> bool:
        s3.put_object(Bucket="taken", Key="template.json", Body=body)
        url = f"{server.url}/taken/template.json"
        return deploy.apply(cloudformation, "rebuy", url, {}, said.append)

    with pytest.raises(DeploymentError, match=r"Stack rebuy is ROLLBACK_COMPLETE\.\n  Bucket"):
        apply(template("Not A Name"))

    assert apply(template("free"))
    assert "remove the stack that could not be created" in said
    stack = find_stack(cloudformation, "rebuy")
    assert stack is not None and stack["StackStatus"] == "CREATE_COMPLETE"
    assert not apply(template("free"))  # nothing to change


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1"])
def test_packages_lie_in_the_region_that_is_deployed_to(server: Any, region: str) -> None:
    """S3 wants to be told every region but one."""
    connected = connection(server, region)

    bucket = deploy.code_bucket(connected)

    assert bucket == f"rebuy-code-000000000000-{region}"
    found = connected.client("s3").get_bucket_location(Bucket=bucket)["LocationConstraint"]
    assert found == (None if region == "us-east-1" else region)
    assert deploy.code_bucket(connected) == bucket  # it is there already


def test_names_are_filled_in_as_cloudformation_does() -> None:
    text = f"{names.LAKE_ARN}/x"
    assert names.filled(text, "rebuy", "1", "cn-north-1") == (
        "arn:aws-cn:s3:::rebuy-lake-1-cn-north-1/x"
    )

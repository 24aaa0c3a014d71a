"""Takes a deployment away: what costs money first, the data only when asked."""

from __future__ import annotations

from typing import Any

from infrastructure.stack import Say, find_stack, newest_event, stack_outputs, wait
from rebuy.connection import Connection

MAX_KEYS_A_CALL = 1000


def destroy(connection: Connection, say: Say, *, with_data: bool) -> list[str]:
    """Deletes the endpoint, the stack and the packages; with `with_data` also the lake, with
    every raw file, model and audit record in it. Returns what was left, in words."""
    outputs = stack_outputs(connection)
    name = connection.settings.stack_name
    _delete_endpoint(connection.client("sagemaker"), outputs["EndpointName"], say)
    s3 = connection.client("s3")
    _empty(s3, outputs["SiteBucket"], say)  # a stack cannot delete a bucket that holds something
    cloudformation = connection.client("cloudformation")
    seen = newest_event(cloudformation, name)
    say(f"delete stack {name}")
    stack = find_stack(cloudformation, name)
    code = next(
        parameter["ParameterValue"]
        for parameter in (stack or {})["Parameters"]
        if parameter["ParameterKey"] == "CodeBucket"
    )
    cloudformation.delete_stack(StackName=name)
    wait(cloudformation, name, seen, say)
    _remove(s3, code, say)
    left = ["models and endpoint configurations of earlier runs (they cost nothing)"]
    if with_data:
        _remove(s3, outputs["LakeBucket"], say)
    else:
        left.insert(0, f"s3://{outputs['LakeBucket']} with raw files, models and audit records")
    return left


def _delete_endpoint(sagemaker: Any, name: str, say: Say) -> None:
    try:
        sagemaker.delete_endpoint(EndpointName=name)
        say(f"delete endpoint {name}")
    except sagemaker.exceptions.ClientError as error:
        if "Could not find" not in error.response["Error"]["Message"]:
            raise


def _remove(s3: Any, bucket: str, say: Say) -> None:
    _empty(s3, bucket, say)
    s3.delete_bucket(Bucket=bucket)


def _empty(s3: Any, bucket: str, say: Say) -> None:
    """Deletes every version of every object."""
    say(f"empty s3://{bucket}")
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        found = [
            {"Key": entry["Key"], "VersionId": entry["VersionId"]}
            for entry in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        ]
        for start in range(0, len(found), MAX_KEYS_A_CALL):
            s3.delete_objects(
                Bucket=bucket,
                Delete={"Objects": found[start : start + MAX_KEYS_A_CALL], "Quiet": True},
            )

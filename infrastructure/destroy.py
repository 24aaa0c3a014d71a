"""Takes a deployment away: what costs money first, the data only when asked.

By the names of its parts, not by the stack's outputs: a stack that could not be created has none,
and what outlives a stack can still be taken away after it.
"""

from __future__ import annotations

from typing import Any

from infrastructure import names
from infrastructure.stack import Say, find_stack, missing, newest_event, wait
from infrastructure.words import arn
from rebuy.connection import Connection
from tasks.functions import databrew_leftovers

MAX_KEYS_A_CALL = 1000


def destroy(connection: Connection, say: Say, *, with_data: bool) -> list[str]:
    """Stops what runs, deletes the endpoint, the stack and the packages; with `with_data` also the
    raw files and the lake, with every model and audit record in it. Returns what was left.

    Raises DeploymentError when nothing of the deployment is there.
    """
    name = connection.settings.stack_name
    account = connection.client("sts").get_caller_identity()["Account"]
    s3, cloudformation = connection.client("s3"), connection.client("cloudformation")

    def named(text: str) -> str:
        return names.filled(text, name, account, connection.region)

    raw, lake = named(names.RAW), named(names.LAKE)
    site, code = named(names.SITE), named(names.CODE)
    stack = find_stack(cloudformation, name)
    buckets = [bucket for bucket in (site, code, raw, lake) if _exists(s3, bucket)]
    if stack is None and not buckets:
        raise missing(connection)
    machine = arn("states", f"stateMachine:{names.STATE_MACHINE}")
    _stop_executions(connection.client("stepfunctions"), named(machine), say)
    _delete_endpoint(connection.client("sagemaker"), named(names.ENDPOINT), say)
    for made in databrew_leftovers.clear(
        connection.client("databrew"), named(names.RUNS_DATABREW), kept_runs=0
    ):
        say(f"delete {made}")
    if site in buckets:
        _empty(s3, site, say)  # a stack cannot delete a bucket that holds something
    if stack is not None:
        seen = newest_event(cloudformation, name)
        say(f"delete stack {name}")
        cloudformation.delete_stack(StackName=name)
        # By its id: the name of a deleted stack names nothing any more.
        wait(cloudformation, stack["StackId"], seen, say)
    if code in buckets:
        _remove(s3, code, say)
    left = ["models and endpoint configurations of earlier runs (they cost nothing)"]
    holds = {raw: "raw files", lake: "models and audit records"}
    for bucket in (lake, raw):
        if bucket in buckets and with_data:
            _remove(s3, bucket, say)
        elif bucket in buckets:
            left.insert(0, f"s3://{bucket} with {holds[bucket]}")
    return left


def _exists(s3: Any, bucket: str) -> bool:
    try:
        s3.head_bucket(Bucket=bucket)
    except s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] not in ("404", "NoSuchBucket"):
            raise
        return False
    return True


def _stop_executions(step_functions: Any, machine: str, say: Say) -> None:
    """A run that goes on while its parts are taken away would fail, or make new ones."""
    try:
        running = step_functions.list_executions(stateMachineArn=machine, statusFilter="RUNNING")
    except step_functions.exceptions.StateMachineDoesNotExist:
        return
    for execution in running["executions"]:
        say(f"stop {execution['name']}")
        step_functions.stop_execution(
            executionArn=execution["executionArn"], error="Destroyed", cause="rebuy destroy"
        )


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

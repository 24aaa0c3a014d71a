"""`rebuy destroy`: what it takes away, what it leaves, and that it can be said twice."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from configuration.connection import Connection
from configuration.errors import DeploymentError, InputError
from configuration.settings import Settings
from infrastructure import destroy as removal
from infrastructure import inventory, versions
from infrastructure.deploy import deploy
from rebuy.cli import local
from tests.cli.test_commands import assert_refused, rebuy
from tests.infrastructure.left import leave_what_runs_leave

BUCKET = "rebuy-raw-000000000000-us-east-1"
LAKE = "rebuy-lake-000000000000-us-east-1"
RAW = "raw/orders/orders.csv"
UNFINISHED = ("STARTING", "RUNNING", "STOPPING", "WAITING")


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    home = tmp_path_factory.mktemp("destroy") / "home"
    server = local.up(home, 0, 0.02)
    try:
        yield Connection(Settings(endpoint_url=server.url, upload_trigger="DISABLED"))
    finally:
        local.down(home)


def destroy(connection: Connection, *more: str) -> Any:
    return rebuy("destroy", "--yes", *more, url=str(connection.settings.endpoint_url))


def of(connection: Connection, stack_name: str) -> Connection:
    return Connection(connection.settings.model_copy(update={"stack_name": stack_name}))


def objects(connection: Connection, bucket: str) -> list[bytes]:
    """Every version of the raw file, oldest first."""
    s3 = connection.client("s3")
    versions = s3.list_object_versions(Bucket=bucket)["Versions"]
    return [
        s3.get_object(Bucket=bucket, Key=RAW, VersionId=version["VersionId"])["Body"].read()
        for version in reversed(versions)
    ]


def leave_a_glue_run(connection: Connection) -> str:
    """A run of the Glue job that was stopped, with a line in the group of all Glue jobs."""
    glue, logs = connection.client("glue"), connection.client("logs")
    job, group = "rebuy-join-features", "/aws-glue/jobs/output"
    run = glue.start_job_run(JobName=job)["JobRunId"]
    glue.batch_stop_job_run(JobName=job, JobRunIds=[run])
    while glue.get_job_run(JobName=job, RunId=run)["JobRun"]["JobRunState"] in UNFINISHED:
        time.sleep(0.1)
    with suppress(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_group(logGroupName=group)
    with suppress(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_stream(logGroupName=group, logStreamName=run)
    return f"{group}:{run}"


def everything(connection: Connection) -> dict[str, list[str]]:
    """What there is of a deployment, by kind."""
    return {kind.name: found for kind in inventory.ALL if (found := kind.find(connection))}


def test_the_data_stays_and_what_another_stage_has_is_not_touched(connection: Connection) -> None:
    """dev and prod stand side by side in one account."""
    other = of(connection, "rebuy-dev")
    for one in (connection, other):
        deploy(one, lambda line: None)
        leave_what_runs_leave(one, one.settings.stack_name)
    s3 = connection.client("s3")
    for body in (b"order_id\n1\n", b"order_id\n2\n"):  # two versions
        s3.put_object(Bucket=BUCKET, Key=RAW, Body=body)
    before = everything(other)
    assert {"models", "functions", "raw files", "log groups"} <= set(before)
    assert len(before["logs of jobs and crawls in the account's groups"]) == 3
    assert len(before["DataBrew jobs, rulesets and datasets of runs"]) == 3
    stream = leave_a_glue_run(connection)
    assert everything(connection)["logs of the Glue job's runs"] == [stream]

    refused = rebuy("destroy", url=str(connection.settings.endpoint_url))
    assert refused.returncode == 1
    assert "Nobody is there to ask: say --yes." in refused.stderr
    assert "goes:  models: rebuy--demo\n" in refused.stdout
    assert f"stays: raw files: {BUCKET}\n" in refused.stdout
    done = removal.destroy(connection, lambda line: None, with_data=False)

    assert done.left[:2] == (
        f"s3://{BUCKET} with raw files",
        f"s3://{LAKE} with runs, models and audit records",
    )
    assert everything(connection) == {
        "raw files": [BUCKET],
        "runs, models and audit records": [LAKE],
    }
    assert objects(connection, BUCKET) == [b"order_id\n1\n", b"order_id\n2\n"]
    assert everything(other) == before
    # Nothing is known of the job's runs any more: what they wrote went before the job.
    logs = connection.client("logs")
    streams = logs.describe_log_streams(logGroupName="/aws-glue/jobs/output")["logStreams"]
    assert [one["logStreamName"] for one in streams if one["logStreamName"] in stream] == []

    # A new stack takes over what the old one kept, with all it holds and how it was set up.
    said: list[str] = []
    deploy(connection, said.append)
    assert any(f"s3://{BUCKET} is there already" in line for line in said)
    assert objects(connection, BUCKET) == [b"order_id\n1\n", b"order_id\n2\n"]
    assert s3.get_bucket_versioning(Bucket=BUCKET)["Status"] == "Enabled"
    assert s3.get_bucket_lifecycle_configuration(Bucket=LAKE)["Rules"]
    removal.destroy(connection, lambda line: None, with_data=False)

    # What was left can still be taken away, without a stack.
    gone = destroy(connection, "--with-data")
    assert gone.returncode == 0, gone.stderr
    assert "nothing is left of: " in gone.stdout
    assert "s3://" not in gone.stdout
    assert everything(connection) == {}
    assert everything(other) == before
    assert_refused(destroy(connection), "There is no stack rebuy at http://127.0.0.1")


def test_a_version_is_a_rollback(connection: Connection) -> None:
    """Versions of one stack, whose second deployment changes the workflow and every function."""
    dev = of(connection, "rebuy-dev")
    more = dev.settings.model_copy(update={"training_instance_type": "ml.m5.2xlarge"})
    outputs = deploy(dev, lambda line: None).outputs
    client = connection.client("stepfunctions")
    first = outputs["StateMachineVersionArn"]
    second = deploy(Connection(more), lambda line: None).outputs["StateMachineVersionArn"]
    assert second != first
    named = client.describe_state_machine(stateMachineArn=first)["definition"]
    assert '"ml.m5.xlarge"' in named and ":function:rebuy-dev-check-raw-data:release-" in named

    def aliases() -> list[str]:
        function = "rebuy-dev-check-raw-data"
        found = connection.client("lambda").list_aliases(FunctionName=function)["Aliases"]
        return [one["Name"] for one in found]

    def packages() -> list[str]:
        bucket = "rebuy-dev-code-000000000000-us-east-1"
        listed = connection.client("s3").list_objects_v2(Bucket=bucket)
        return [one["Key"] for one in listed["Contents"]]

    def started() -> str:
        arn = client.start_execution(stateMachineArn=outputs["LiveAliasArn"])["executionArn"]
        return str(client.describe_execution(executionArn=arn)["stateMachineVersionArn"])

    assert started() == second
    assert [one.number for one in versions.versions(dev)] == [2, 1]
    assert versions.rollback(dev).arn == first
    assert started() == first
    with pytest.raises(InputError, match="no version before the live one"):
        versions.rollback(dev)
    with pytest.raises(InputError, match="There is no version 7; there are 2, 1"):
        versions.rollback(dev, 7)

    # What is deployed is live, also when nothing else is to be changed.
    said: list[str] = []
    assert not deploy(Connection(more), said.append).changed
    assert "version 2 is live again; version 1 had been rolled back to" in said
    assert started() == second
    assert len(aliases()) == 2
    assert len(packages()) == 6 + 2 * 2  # as many as a deployment has, and two of each release

    # What no version names any more goes.
    client.delete_state_machine_version(stateMachineVersionArn=first)
    deploy(Connection(more), said.append)
    assert len(aliases()) == 1
    assert len(packages()) == 6 + 2


def test_with_its_data_everything_goes_and_what_runs_is_stopped(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    dev = of(connection, "rebuy-dev")
    protected = Connection(dev.settings.model_copy(update={"termination_protection": True}))
    outputs = deploy(protected, lambda line: None).outputs
    s3, step_functions = connection.client("s3"), connection.client("stepfunctions")
    s3.put_object(Bucket=outputs["RawBucket"], Key=RAW, Body=b"order_id\n1\n")
    machine = outputs["StateMachineArn"]  # whose runs take their time
    states = {"Wait": {"Type": "Wait", "Seconds": 99_999_999, "End": True}}
    step_functions.update_state_machine(
        stateMachineArn=machine, definition=json.dumps({"StartAt": "Wait", "States": states})
    )
    arn = step_functions.start_execution(stateMachineArn=machine)["executionArn"]
    with pytest.raises(DeploymentError, match="rebuy-dev is protected against deletion"):
        removal.destroy(dev, lambda line: None, with_data=True)
    assert objects(dev, outputs["RawBucket"]) == [b"order_id\n1\n"]
    dev.client("cloudformation").update_termination_protection(
        StackName="rebuy-dev", EnableTerminationProtection=False
    )

    looks, listed = [0], removal._listed

    def late(where: Connection, kinds: Any) -> Any:
        """A state machine on AWS is there, DELETING, for some looks more."""
        looks[0] += 1
        (kind,) = [one for one in inventory.ALL if one.name == "the state machine"]
        return listed(where, kinds) | ({kind: [machine]} if looks[0] < 6 else {})

    monkeypatch.setattr(removal, "_listed", late)
    said: list[str] = []
    done = removal.destroy(dev, said.append, with_data=True)

    assert f"stop executions in progress: {arn.rsplit(':', 1)[1]}" in said
    assert not [line for line in done.left if line.startswith("s3://")]
    assert everything(dev) == {}
    assert s3.list_buckets()["Buckets"] == []
    assert connection.client("glue").get_databases()["DatabaseList"] == []


def test_what_cannot_be_taken_away_is_told(connection: Connection) -> None:
    """A state machine with the name of the stack's that no stack has made: nobody's to delete."""
    odd = of(connection, "rebuy-odd")
    iam, client = connection.client("iam"), connection.client("stepfunctions")
    trust = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}}
    document = {"Version": "2012-10-17", "Statement": [{**trust, "Action": "sts:AssumeRole"}]}
    role = iam.create_role(RoleName="odd", AssumeRolePolicyDocument=json.dumps(document))["Role"]
    states = {"Pass": {"Type": "Pass", "End": True}}
    arn = client.create_state_machine(
        name="rebuy-odd-purchase-prediction",
        definition=json.dumps({"StartAt": "Pass", "States": states}),
        roleArn=role["Arn"],
    )["stateMachineArn"]
    try:
        told = r"Not everything of rebuy-odd could be taken away:\n  the state machine: "
        with pytest.raises(DeploymentError, match=told):
            removal.destroy(odd, lambda line: None, with_data=True)
    finally:
        client.delete_state_machine(stateMachineArn=arn)

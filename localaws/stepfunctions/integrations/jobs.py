"""Jobs behind `.sync`: how to identify, follow, stop and find again what a start call began."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore import xform_name

from localaws.shapes import Json
from localaws.stepfunctions.integrations import models
from localaws.stepfunctions.integrations.shapes import parse_json, to_output


@dataclass(frozen=True)
class JobKind:
    """One kind of job.

    `handle(params, response)`: what must be remembered, JSON; its "id" is the id in the
    JobEnded signal of `service`. `describe`: the response. `output`: what the task returns,
    and where it failed its Cause. `find`: handles of jobs that the same call may have begun;
    `nameless`: equal calls begin jobs of their own, which nothing in the call tells apart.
    """

    service: str
    handle: Callable[[Json, Json], Json]
    describe: Callable[[Any, Json], Json]
    status: Callable[[Json], str]
    running: frozenset[str]
    succeeded: frozenset[str]
    output: Callable[[Json], Json]
    stop: Callable[[Any, Json], Any]
    find: Callable[[Any, Json, datetime], list[Json]]
    nameless: bool = False


def _shape(service: str, operation: str, member: str | None = None) -> Any:
    shape = models.operation_model(service, operation).output_shape
    return shape if member is None else shape.members[member]


def _find_nothing(_client: Any, _params: Json, _since: datetime) -> list[Json]:
    return []


def _find_glue_runs(client: Any, params: Json, since: datetime) -> list[Json]:
    given = params.get("Arguments")
    return [
        {"id": run["Id"], "name": params["JobName"]}
        for run in client.get_job_runs(JobName=params["JobName"])["JobRuns"]
        if run["StartedOn"] >= since and given in (None, run.get("Arguments", {}))
    ]


def _find_brew_runs(client: Any, params: Json, since: datetime) -> list[Json]:
    return [
        {"id": run["RunId"], "name": params["Name"]}
        for run in client.list_job_runs(Name=params["Name"])["JobRuns"]
        if run["StartedOn"] >= since
    ]


def _find_named(operation: str, member: str) -> Callable[[Any, Json, datetime], list[Json]]:
    """A job whose name the call gives: `operation` describes it by `member`."""

    def find(client: Any, params: Json, since: datetime) -> list[Json]:
        name = params[member]
        try:
            job = getattr(client, operation)(**{member: name})
        except client.exceptions.ClientError:
            return []
        return [{"id": name}] if job["CreationTime"] >= since else []

    return find


def _find_execution(client: Any, params: Json, _since: datetime) -> list[Json]:
    arn = params["stateMachineArn"].replace(":stateMachine:", ":execution:")
    arn = ":".join(arn.split(":")[:7]) + f":{params['name']}"
    try:
        client.describe_execution(executionArn=arn)
    except client.exceptions.ClientError:
        return []
    return [{"id": arn}]


def _execution_output(response: Json) -> Json:
    shape = _shape("stepfunctions", "DescribeExecution")
    output: Json = to_output(shape, response, milliseconds=True)
    return output


def _of_sagemaker(noun: str) -> JobKind:
    """`noun` as SageMaker's operations and members have it: Describe<noun>, <noun>Name."""
    member = f"{noun}Name"
    describe, stop = (xform_name(f"{verb}{noun}") for verb in ("Describe", "Stop"))
    return JobKind(
        service="sagemaker",
        handle=lambda params, _: {"id": params[member]},
        describe=lambda client, job: getattr(client, describe)(**{member: job["id"]}),
        status=lambda response: response[f"{noun}Status"],
        running=frozenset({"InProgress", "Stopping"}),
        succeeded=frozenset({"Completed"}),
        output=lambda response: to_output(
            _shape("sagemaker", f"Describe{noun}"), response, milliseconds=True
        ),
        stop=lambda client, job: getattr(client, stop)(**{member: job["id"]}),
        find=_find_named(describe, member),
    )


def json_execution_output(output: Json) -> Json:
    """`.sync:2`: Input and Output as JSON values instead of texts."""
    return {
        key: parse_json(value) if key in ("Input", "Output") else value
        for key, value in output.items()
    }


KINDS: dict[tuple[str, str], JobKind] = {
    # GUESSED: CANCELLED (Athena), STOPPED (Glue, DataBrew) and Stopped (SageMaker) end a .sync task
    #     as failures, States.TaskFailed with the description as Cause.
    ("athena", "startQueryExecution"): JobKind(
        service="athena",
        handle=lambda _, response: {"id": response["QueryExecutionId"]},
        describe=lambda client, job: client.get_query_execution(QueryExecutionId=job["id"]),
        status=lambda response: response["QueryExecution"]["Status"]["State"],
        running=frozenset({"QUEUED", "RUNNING"}),
        succeeded=frozenset({"SUCCEEDED"}),
        output=lambda response: to_output(
            _shape("athena", "GetQueryExecution"), response, milliseconds=True
        ),
        stop=lambda client, job: client.stop_query_execution(QueryExecutionId=job["id"]),
        find=_find_nothing,  # its ClientRequestToken makes the call itself idempotent
    ),
    ("glue", "startJobRun"): JobKind(
        service="glue",
        handle=lambda params, response: {"id": response["JobRunId"], "name": params["JobName"]},
        describe=lambda client, job: client.get_job_run(JobName=job["name"], RunId=job["id"]),
        status=lambda response: response["JobRun"]["JobRunState"],
        running=frozenset({"STARTING", "RUNNING", "STOPPING", "WAITING"}),
        succeeded=frozenset({"SUCCEEDED"}),
        output=lambda response: to_output(
            _shape("glue", "GetJobRun", "JobRun"), response["JobRun"], milliseconds=True
        ),
        stop=lambda client, job: client.batch_stop_job_run(
            JobName=job["name"], JobRunIds=[job["id"]]
        ),
        find=_find_glue_runs,
        nameless=True,
    ),
    ("databrew", "startJobRun"): JobKind(
        service="databrew",
        handle=lambda params, response: {"id": response["RunId"], "name": params["Name"]},
        describe=lambda client, job: client.describe_job_run(Name=job["name"], RunId=job["id"]),
        status=lambda response: response["State"],
        running=frozenset({"STARTING", "RUNNING", "STOPPING"}),
        succeeded=frozenset({"SUCCEEDED"}),
        output=lambda response: to_output(
            # GUESSED: the output of DataBrew's .sync is DescribeJobRun's answer without a wrapper.
            _shape("databrew", "DescribeJobRun"),
            response,
            milliseconds=True,
        ),
        stop=lambda client, job: client.stop_job_run(Name=job["name"], RunId=job["id"]),
        find=_find_brew_runs,
        nameless=True,
    ),
    ("sagemaker", "createTrainingJob"): _of_sagemaker("TrainingJob"),
    ("sagemaker", "createHyperParameterTuningJob"): _of_sagemaker("HyperParameterTuningJob"),
    ("sagemaker", "createTransformJob"): _of_sagemaker("TransformJob"),
    ("states", "startExecution"): JobKind(
        service="states",
        handle=lambda _, response: {"id": response["executionArn"]},
        describe=lambda client, job: client.describe_execution(executionArn=job["id"]),
        status=lambda response: response["status"],
        running=frozenset({"RUNNING", "PENDING_REDRIVE"}),
        succeeded=frozenset({"SUCCEEDED"}),
        output=_execution_output,
        stop=lambda client, job: client.stop_execution(
            executionArn=job["id"],
            error="Aborted",
            cause="The parent execution that started this one has ended.",
        ),
        find=_find_execution,
    ),
}

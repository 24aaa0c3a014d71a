"""What Describe, Get and List tell of all that a run made; a refusal is an answer, too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import Any

from botocore.exceptions import ClientError

from executions.history import History, Visit, job_of, mapping

Json = dict[str, Any]
Call = tuple[str, str, Json]  # service, operation as boto3 has it, request
MOST_KEYS = 1000

# By the service of a `.sync` task: what looks its job up, from the job's id and the task's request.
JOBS: dict[str, Callable[[str, Json], Call]] = {
    "athena": lambda id, _: ("athena", "get_query_execution", {"QueryExecutionId": id}),
    "glue": lambda id, sent: ("glue", "get_job_run", {"JobName": sent["JobName"], "RunId": id}),
    "databrew": lambda id, sent: (
        "databrew", "describe_job_run", {"Name": sent["Name"], "RunId": id},
    ),
    "sagemaker": lambda id, _: ("sagemaker", "describe_training_job", {"TrainingJobName": id}),
}  # fmt: skip
# By a member that a task sent when it made something.
MADE: dict[tuple[str, str], tuple[str, str]] = {
    ("createModel", "ModelName"): ("sagemaker", "describe_model"),
    ("createEndpointConfig", "EndpointConfigName"): ("sagemaker", "describe_endpoint_config"),
    ("createRecipeJob", "Name"): ("databrew", "describe_job"),
    ("createDataset", "Name"): ("databrew", "describe_dataset"),
}


def described(
    clients: Any, execution: Json, history: History, outputs: dict[str, str]
) -> Iterator[tuple[str, Json]]:
    """(call, answer), `execution` being DescribeExecution's."""
    yield "stepfunctions.describe_execution", _without_payload(execution)
    for service, operation, request in [*_of_tasks(history), *_of_stack(outputs)]:
        yield _asked(clients, service, operation, request)
    machine = {"stateMachineArn": execution["stateMachineArn"]}
    call, answer = _asked(clients, "stepfunctions", "describe_state_machine", machine)
    yield call, {k: v for k, v in answer.items() if k != "definition"}
    run = next((run for visit in history.visits if (run := run_of(visit))), None)
    if run:
        yield from _written(clients, outputs["LakeBucket"], f"runs/run={run['id']}/")
        tables = {"DatabaseName": outputs["Database"], "Expression": f".*_{run['id']}"}
        yield _asked(clients, "glue", "get_tables", tables)


def _of_tasks(history: History) -> Iterator[Call]:
    for visit in history.visits:
        job, request = job_of(visit), visit.request or {}
        if job is not None:
            yield JOBS[job["service"]](job["id"], request)
        for (verb, member), (service, operation) in MADE.items():
            if visit.attempts and visit.attempts[-1].verb == verb:
                yield service, operation, {member: request[member]}


def _of_stack(outputs: dict[str, str]) -> Iterator[Call]:
    yield "sagemaker", "describe_endpoint", {"EndpointName": outputs["EndpointName"]}
    yield "glue", "get_tables", {"DatabaseName": outputs["RawDatabase"]}
    yield "athena", "get_work_group", {"WorkGroup": outputs["WorkGroup"]}


def _written(clients: Any, bucket: str, prefix: str) -> Iterator[tuple[str, Json]]:
    """How the run's objects are named, and the headers of one of each kind."""
    place = {"Bucket": bucket, "Prefix": prefix, "MaxKeys": MOST_KEYS}
    listed = clients("s3").list_objects_v2(**place).get("Contents", [])
    of_kind = {PurePosixPath(entry["Key"]).suffix: entry["Key"] for entry in listed}
    for suffix, key in of_kind.items():
        call, answer = _asked(clients, "s3", "head_object", {"Bucket": bucket, "Key": key})
        yield f"{call} *{suffix or ' without a suffix'}", answer
    folders = {str(PurePosixPath(entry["Key"]).parent) for entry in listed}
    yield "s3.list_objects_v2", {"folders": sorted(folders)}


def _asked(clients: Any, service: str, operation: str, request: Json) -> tuple[str, Json]:
    call = f"{service}.{operation}"
    try:
        return call, getattr(clients(service), operation)(**request)
    except ClientError as error:
        status = error.response["ResponseMetadata"].get("HTTPStatusCode")
        return call, {"refused": error.response["Error"], "HTTPStatusCode": status}


def _without_payload(execution: Json) -> Json:
    return {k: v for k, v in execution.items() if k not in ("input", "output")}


def run_of(visit: Visit) -> Json:
    """{id, name, ...} as Receive trigger answered; {} of a visit that knows no run."""
    run = mapping(visit.output).get("run")
    return run if isinstance(run, dict) and {"id", "name"} <= run.keys() else {}

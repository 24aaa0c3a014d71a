"""Everything that a deployment consists of and its runs have made, found by its name.

By names, not by the stack's outputs: a stack that could not be created has none, and what outlives
a stack can still be found after it. `rebuy destroy` goes by this table, and proves by it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from configuration.connection import Connection
from infrastructure import names, service_logs
from infrastructure.code_bucket import exists
from infrastructure.deployables import FUNCTIONS, RECIPES, recipe_name
from infrastructure.words import arn
from tasks.functions import databrew_leftovers, scaling

MAX_KEYS_A_CALL = 1000
Find = Callable[[Connection], list[str]]
Remove = Callable[[Connection, str], None]


@dataclass(frozen=True)
class Kind:
    """`remove` None: it goes with the stack, and is listed to prove that."""

    name: str
    find: Find
    remove: Remove | None = None
    data: bool = False  # kept unless the data is to go too


def _there(look: Callable[[Connection, str], object], *texts: str) -> Find:
    """Of things with these names, those that can be looked up."""
    from botocore.exceptions import ClientError

    def find(connection: Connection) -> list[str]:
        found = []
        for name in (names.named(text, connection) for text in texts):
            try:
                if look(connection, name):
                    found.append(name)
            except ClientError as error:
                if not _missing(error):
                    raise
        return found

    return find


def _missing(error: Any) -> bool:
    code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
    return (
        any(word in code for word in ("NotFound", "NoSuch", "DoesNotExist", "NonExistent"))
        or "Could not find" in message  # SageMaker's ValidationException
        or "does not exist" in message  # of SageMaker's Model Registry
        or "is not found" in message  # Athena's InvalidRequestException
    )


def _pages(connection: Connection, service: str, operation: str, **given: Any) -> Iterator[Any]:
    yield from connection.client(service).get_paginator(operation).paginate(**given)


def _executions(connection: Connection) -> list[str]:
    machine = names.named(arn("states", f"stateMachine:{names.STATE_MACHINE}"), connection)
    client = connection.client("stepfunctions")
    pages = _pages(
        connection, "stepfunctions", "list_executions", stateMachineArn=machine,
        statusFilter="RUNNING",
    )  # fmt: skip
    try:
        return [one["executionArn"] for page in pages for one in page["executions"]]
    except client.exceptions.StateMachineDoesNotExist:
        return []


def _made(operation: str, member: str, name: str) -> Find:
    """What runs have made in SageMaker, by the prefix that no other stack's names have."""

    def find(connection: Connection) -> list[str]:
        prefix = names.named(names.MADE, connection)
        pages = _pages(connection, "sagemaker", operation, NameContains=prefix)
        found = [one[name] for page in pages for one in page[member]]
        return [one for one in found if one.startswith(prefix)]

    return find


def _model_versions(connection: Connection) -> list[str]:
    """The registry's versions, by their ARNs."""
    from botocore.exceptions import ClientError

    group = names.named(names.MODEL_PACKAGE_GROUP, connection)
    pages = _pages(connection, "sagemaker", "list_model_packages", ModelPackageGroupName=group)
    try:
        return [one["ModelPackageArn"] for page in pages for one in page["ModelPackageSummaryList"]]
    except ClientError as error:
        if not _missing(error):
            raise
        return []


def _scaling(connection: Connection) -> list[str]:
    name = names.named(names.ENDPOINT, connection)
    return [name] if scaling.is_on(connection.client("application-autoscaling"), name) else []


def _unscale(connection: Connection, name: str) -> None:
    scaling.off(connection.client("application-autoscaling"), name)


def _alarms(connection: Connection) -> list[str]:
    """Those that runs set to watch a new model."""
    prefix = names.named(names.MADE, connection)
    pages = _pages(connection, "cloudwatch", "describe_alarms", AlarmNamePrefix=prefix)
    return [one["AlarmName"] for page in pages for one in page["MetricAlarms"]]


def _delete_alarm(connection: Connection, name: str) -> None:
    connection.client("cloudwatch").delete_alarms(AlarmNames=[name])


def _databrew(connection: Connection) -> list[str]:
    prefix = names.named(names.MADE, connection)
    found = []
    for operation, member in (
        *(("list_jobs", "Jobs"), ("list_rulesets", "Rulesets")),
        ("list_datasets", "Datasets"),
    ):
        pages = _pages(connection, "databrew", operation)
        found += [one["Name"] for page in pages for one in page[member]]
    return [name for name in found if name.startswith(prefix)]


def _clear_databrew(connection: Connection, _: str) -> None:
    prefix = names.named(names.MADE, connection)
    for _made in databrew_leftovers.clear(connection.client("databrew"), prefix, kept_runs=0):
        pass


def _bucket(text: str) -> Find:
    def find(connection: Connection) -> list[str]:
        name = names.named(text, connection)
        return [name] if exists(connection.client("s3"), name, connection.account) else []

    return find


site_bucket = _bucket(names.SITE)


def empty(connection: Connection, bucket: str) -> None:
    """Deletes every version of every object, and every upload in parts."""
    s3, owner = connection.client("s3"), {"ExpectedBucketOwner": connection.account}
    for page in _pages(connection, "s3", "list_object_versions", Bucket=bucket, **owner):
        found = [
            {"Key": entry["Key"], "VersionId": entry["VersionId"]}
            for entry in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        ]
        for start in range(0, len(found), MAX_KEYS_A_CALL):
            answer = s3.delete_objects(
                Bucket=bucket,
                Delete={"Objects": found[start : start + MAX_KEYS_A_CALL], "Quiet": True},
                **owner,
            )
            for error in answer.get("Errors", []):
                raise RuntimeError(f"s3://{bucket}/{error['Key']}: {error['Message']}")
    for page in _pages(connection, "s3", "list_multipart_uploads", Bucket=bucket, **owner):
        for entry in page.get("Uploads", []):
            s3.abort_multipart_upload(
                Bucket=bucket, Key=entry["Key"], UploadId=entry["UploadId"], **owner
            )


def _remove_bucket(connection: Connection, bucket: str) -> None:
    empty(connection, bucket)
    connection.client("s3").delete_bucket(Bucket=bucket, ExpectedBucketOwner=connection.account)


def _call(service: str, operation: str, member: str, **more: str) -> Remove:
    def remove(connection: Connection, name: str) -> None:
        getattr(connection.client(service), operation)(**{member: name}, **more)

    return remove


def _look(service: str, operation: str, member: str) -> Callable[[Connection, str], object]:
    return lambda connection, name: getattr(connection.client(service), operation)(**{member: name})


# What runs: first, since it makes the rest.
EXECUTIONS = Kind(
    "executions in progress",
    _executions,
    _call("stepfunctions", "stop_execution", "executionArn", error="Destroyed"),
)
# What runs have made, what costs most first.
MADE_BY_RUNS = (
    Kind("the scaling of the endpoint", _scaling, _unscale),
    Kind("alarms of new models", _alarms, _delete_alarm),
    Kind(
        "the endpoint",
        _there(_look("sagemaker", "describe_endpoint", "EndpointName"), names.ENDPOINT),
        _call("sagemaker", "delete_endpoint", "EndpointName"),
    ),
    Kind(
        "endpoint configurations",
        _made("list_endpoint_configs", "EndpointConfigs", "EndpointConfigName"),
        _call("sagemaker", "delete_endpoint_config", "EndpointConfigName"),
    ),
    Kind(
        "models",
        _made("list_models", "Models", "ModelName"),
        _call("sagemaker", "delete_model", "ModelName"),
    ),
    Kind(
        "versions in the Model Registry",
        _model_versions,
        _call("sagemaker", "delete_model_package", "ModelPackageName"),
    ),
    Kind(
        "the group of these versions",
        _there(
            _look("sagemaker", "describe_model_package_group", "ModelPackageGroupName"),
            names.MODEL_PACKAGE_GROUP,
        ),
        _call("sagemaker", "delete_model_package_group", "ModelPackageGroupName"),
    ),
    Kind("DataBrew jobs, rulesets and datasets of runs", _databrew, _clear_databrew),
    Kind("logs of the Glue job's runs", service_logs.of_glue, service_logs.delete),
)
_SCHEDULES = (names.DAILY, names.SETTLE, names.WATCH, names.EXPIRE)
# What the stack has made, and goes with it.
OF_THE_STACK = (
    Kind(
        "the state machine",
        _there(
            _look("stepfunctions", "describe_state_machine", "stateMachineArn"),
            arn("states", f"stateMachine:{names.STATE_MACHINE}"),
        ),
    ),
    Kind(
        "functions",
        _there(
            _look("lambda", "get_function", "FunctionName"),
            *(f"${{AWS::StackName}}-{one.short_name}" for one in FUNCTIONS),
        ),
    ),
    Kind(
        "catalog databases",
        _there(
            _look("glue", "get_database", "Name"),
            *(names.DATABASE, names.RAW_DATABASE, names.MAPPED_DATABASE),
        ),
    ),
    Kind("the crawler", _there(_look("glue", "get_crawler", "Name"), names.CRAWLER)),
    Kind(
        "the Glue job",
        _there(_look("glue", "get_job", "JobName"), names.JOIN_FEATURES, names.READ_DATABASE),
    ),
    Kind(
        "DataBrew recipes",
        _there(
            _look("databrew", "describe_recipe", "Name"),
            *map(recipe_name, RECIPES.values()),
        ),
    ),
    Kind(
        "the Athena work group",
        _there(_look("athena", "get_work_group", "WorkGroup"), names.WORK_GROUP),
    ),
    Kind(
        "schedules",
        _there(_look("scheduler", "get_schedule", "Name"), *_SCHEDULES),
    ),
    Kind(
        "the table of the upload trigger",
        _there(_look("dynamodb", "describe_table", "TableName"), names.TRIGGER_TABLE),
    ),
    Kind("the queue", _there(_look("sqs", "get_queue_url", "QueueName"), names.UNDELIVERED)),
    Kind("the bucket of the page", site_bucket),
)
# What is nobody's part, and what is left after the stack.
BESIDE = (
    Kind("log groups", service_logs.groups, _call("logs", "delete_log_group", "logGroupName")),
    Kind(
        "logs of jobs and crawls in the account's groups", service_logs.of_jobs, service_logs.delete
    ),
    Kind("packages", _bucket(names.CODE), _remove_bucket),
    Kind("raw files", _bucket(names.RAW), _remove_bucket, data=True),
    Kind("runs, models and audit records", _bucket(names.LAKE), _remove_bucket, data=True),
)
ALL = (EXECUTIONS, *MADE_BY_RUNS, *OF_THE_STACK, *BESIDE)

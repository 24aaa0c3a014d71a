"""The Step Functions SDK's states, with the fields that it lacks, and the rules all tasks share.

SDK 2.3.0 serialises every attribute that `allowed_fields` names, so a field of the States
Language that it does not know takes one line here.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterable
from enum import Enum
from typing import Any, TypeAlias

# The SDK asks boto3 for a region to find its ARN partition, even when it only writes JSON.
os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
os.environ.setdefault("SAGEMAKER_SUPPRESS_V2_WARNING", "1")
# The SageMaker SDK would report on standard output that it has found no configuration.
_quiet = logging.getLogger("sagemaker.config")
_quiet.addHandler(logging.NullHandler())
_quiet.setLevel(logging.WARNING)
_quiet.propagate = False
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the SDK compares strings with `is`
    from stepfunctions import steps

Json = dict[str, Any]
sdk: Any = steps  # untyped, so its states are too
State: TypeAlias = Any


class ExtraField(Enum):
    ResultSelector = "result_selector"
    MaxDelaySeconds = "max_delay_seconds"
    JitterStrategy = "jitter_strategy"
    ErrorPath = "error_path"
    CausePath = "cause_path"


class _Selecting:
    def allowed_fields(self) -> list[Enum]:
        return [*super().allowed_fields(), ExtraField.ResultSelector]  # type: ignore[misc]


class Task(_Selecting, sdk.Task):
    """A Task state of any integration."""


class LambdaTask(_Selecting, sdk.LambdaStep):
    """Invokes one of the pipeline's functions."""


class GlueJobTask(_Selecting, sdk.GlueStartJobRunStep):
    """Runs a Glue job to its end."""


class DataBrewTask(_Selecting, sdk.GlueDataBrewStartJobRunStep):
    """Runs a DataBrew job to its end."""


class TrainingTask(_Selecting, sdk.TrainingStep):
    """Runs a SageMaker training job to its end."""


class Parallel(_Selecting, sdk.Parallel):
    """Branches that run at the same time."""


class Retry(sdk.Retry):
    def allowed_fields(self) -> list[Enum]:
        return [
            *super().allowed_fields(),
            ExtraField.MaxDelaySeconds,
            ExtraField.JitterStrategy,
        ]


class Fail(sdk.Fail):
    def allowed_fields(self) -> list[Enum]:
        return [*super().allowed_fields(), ExtraField.ErrorPath, ExtraField.CausePath]


# What a second try can mend: throttling and faults of the service. Optimised integrations use the
# exception names of the Java SDK v1, `aws-sdk` ones those of v2
# (https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html).
TRANSIENT: dict[str, list[str]] = {
    "lambda": [
        "Lambda.ServiceException",
        "Lambda.AWSLambdaException",
        "Lambda.SdkClientException",
        "Lambda.TooManyRequestsException",
    ],
    "athena": [
        "Athena.TooManyRequestsException",
        "Athena.InternalServerException",
        "Athena.AmazonAthenaException",
    ],
    "glue": [
        "Glue.AWSGlueException",
        "Glue.InternalServiceException",
        "Glue.OperationTimeoutException",
        "Glue.ConcurrentRunsExceededException",
    ],
    "databrew": [
        "DataBrew.AWSGlueDataBrewException",
        "DataBrew.ConflictException",
        "DataBrew.ServiceQuotaExceededException",
    ],
    "sagemaker": [
        "SageMaker.AmazonSageMakerException",
        "SageMaker.ResourceLimitExceededException",
    ],
    "aws-sdk:glue": ["Glue.GlueException", "Glue.OperationTimeoutException"],
    "aws-sdk:databrew": ["DataBrew.DataBrewException", "DataBrew.ConflictException"],
    "aws-sdk:sagemaker": ["SageMaker.SageMakerException"],
}


def backoff(errors: Iterable[str]) -> Retry:
    """Five more tries, 2 s to 60 s apart with full jitter, so that parallel runs spread out."""
    return Retry(
        error_equals=list(errors),
        interval_seconds=2,
        max_attempts=5,
        backoff_rate=2.0,
        max_delay_seconds=60,
        jitter_strategy="FULL",
    )


def resource(integration: str) -> str:
    """`athena:startQueryExecution.sync` as a resource ARN."""
    return f"arn:aws:states:::{integration}"


def task(
    name: str,
    integration: str,
    *,
    parameters: Json,
    result_selector: Json,
    result_path: str,
    timeout_seconds: int,
    retry_on: list[str] | None = None,
) -> Task:
    """A Task of the integration `<service>:<action>`, retried on that service's transient errors
    (or on `retry_on`).

    Nothing downstream sees the service's whole answer: `result_selector` picks what is needed,
    which keeps the state under 256 KiB and independent of fields AWS may add.
    """
    state = Task(
        name,
        resource=resource(integration),
        parameters=parameters,
        result_selector=result_selector,
        result_path=result_path,
        timeout_seconds=timeout_seconds,
    )
    service = integration.rsplit(":", 1)[0]
    state.add_retry(backoff(TRANSIENT[service] if retry_on is None else retry_on))
    return state


def function(
    name: str, function_arn: str, payload: Json, *, result_path: str, timeout_seconds: int
) -> LambdaTask:
    """Invokes a Lambda function; its answer stands at `result_path`."""
    state = LambdaTask(
        name,
        parameters={"FunctionName": function_arn, "Payload": payload},
        result_selector={"answer.$": "$.Payload"},
        result_path=result_path,
        timeout_seconds=timeout_seconds,
    )
    state.add_retry(backoff(TRANSIENT["lambda"]))
    return state


def failure(name: str, error: str, cause: str) -> sdk.Pass:
    """Notes why the run fails, as a Catch would have; `cause` is an intrinsic or a path."""
    return sdk.Pass(name, parameters={"Error": error, "Cause.$": cause}, result_path="$.failure")


def catch_all(state: State, handler: State) -> None:
    """Any error that `state` does not catch itself goes to `handler`, with `{Error, Cause}` at
    `$.failure`."""
    if any(catch.error_equals == ["States.ALL"] for catch in state.catches):
        return
    state.add_catch(
        sdk.Catch(error_equals=["States.ALL"], next_step=handler, result_path="$.failure")
    )


def states_of(first: State) -> list[State]:
    """Every state that can be reached from `first` at its level, in breadth-first order."""
    found: dict[str, State] = {}
    waiting = [first]
    while waiting:
        state = waiting.pop(0)
        if state.state_id in found:
            continue
        found[state.state_id] = state
        followers = [getattr(state, "next_step", None), getattr(state, "default", None)]
        followers += [target for _, target in getattr(state, "choices", None) or []]
        followers += [catch.next_step for catch in getattr(state, "catches", None) or []]
        waiting += [follower for follower in followers if follower is not None]
    return list(found.values())

"""The Step Functions SDK's states, with the fields that it lacks, and the rules all tasks share.

SDK 2.3.0 serialises every attribute that `allowed_fields` names, so a field of the States
Language that it does not know takes one line here.
"""

from __future__ import annotations

import importlib.metadata
import logging
import os
import warnings
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Any, TypeAlias
from unittest import mock

from tasks.without_clients import without_clients

# Importing the SDK makes a boto3 session, which asks for a region even when it only writes JSON,
# with clients that nothing here calls, and looks up the versions of everything that it needs: half
# of its time.
os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
os.environ.setdefault("SAGEMAKER_SUPPRESS_V2_WARNING", "1")
# The SageMaker SDK would report on standard output that it has found no configuration.
_quiet = logging.getLogger("sagemaker.config")
_quiet.addHandler(logging.NullHandler())
_quiet.setLevel(logging.WARNING)
_quiet.propagate = False
with (
    warnings.catch_warnings(),
    without_clients(),
    mock.patch("pkg_resources.require", lambda name: [importlib.metadata.distribution(name)]),
):
    warnings.simplefilter("ignore")  # the SDK compares strings with `is`
    from stepfunctions import steps
    from stepfunctions.steps import integration_resources

# The definition is of the partition `aws`, wherever it is written. The SDK would look for the
# partition of the caller's region, for every state anew, in seconds.
integration_resources.get_aws_partition = lambda: "aws"
Json = dict[str, Any]
sdk: Any = steps  # untyped, so its states are too
State: TypeAlias = Any


class ExtraField(Enum):
    ResultSelector = "result_selector"
    MaxDelaySeconds = "max_delay_seconds"
    JitterStrategy = "jitter_strategy"
    QueryLanguage = "query_language"
    Output = "output"


class _Selecting:
    """A Task that selects from its result: by JSONPath (`result_selector`), or, with
    `query_language="JSONata"`, by an `output` expression; `parameters` are then Arguments."""

    def allowed_fields(self) -> list[Enum]:
        extra = [ExtraField.ResultSelector, ExtraField.QueryLanguage, ExtraField.Output]
        return [*super().allowed_fields(), *extra]  # type: ignore[misc]

    def to_dict(self) -> Json:
        written: Json = super().to_dict()  # type: ignore[misc]
        if written.get("QueryLanguage") == "JSONata":
            written["Arguments"] = written.pop("Parameters")
        return written


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


class Map(sdk.states.State):
    """The same states for each of some items, which may be none, in JSONata.

    An item is an object, which the states within have as input; its `name` is what console,
    command line and audit record call it by. `items`: a list, or JSONata. (The SDK's own writes
    `Iterator`, the older name of the processor.)
    """

    def __init__(
        self, name: str, comment: str, *, items: str | list[Json], output: str, most_at_once: int
    ) -> None:
        super().__init__(name, "Map", comment=comment)
        self._fields = {
            "QueryLanguage": "JSONata",
            "Items": items,
            "MaxConcurrency": most_at_once,
            "Output": output,
        }

    def allowed_fields(self) -> list[Enum]:
        return [sdk.states.Field.Comment, sdk.states.Field.Catch]

    def attach(self, first: State) -> None:
        """The states of an item, by the first of them."""
        self._first = first

    def to_dict(self) -> Json:
        processor = sdk.Graph(sdk.Chain([self._first])).to_dict()
        inline = {"ProcessorConfig": {"Mode": "INLINE"}, **processor}
        return {**super().to_dict(), **self._fields, "ItemProcessor": inline}


class Catch(sdk.Catch):
    def allowed_fields(self) -> list[Enum]:
        return [*super().allowed_fields(), ExtraField.Output]


class Retry(sdk.Retry):
    def allowed_fields(self) -> list[Enum]:
        return [
            *super().allowed_fields(),
            ExtraField.MaxDelaySeconds,
            ExtraField.JitterStrategy,
        ]


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
        "DataBrew.InternalServerException",
        "DataBrew.ServiceQuotaExceededException",
    ],
    "sagemaker": [
        "SageMaker.AmazonSageMakerException",
        "SageMaker.ResourceLimitExceededException",
    ],
    "aws-sdk:databrew": ["DataBrew.DataBrewException", "DataBrew.InternalServerException"],
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


def every_state(states: Json) -> Iterator[tuple[str, Json]]:
    """(name, state) of a definition's States, those in branches and of a Map's items too."""
    for name, state in states.items():
        yield name, state
        inner = [state["ItemProcessor"]] if "ItemProcessor" in state else []
        for group in [*state.get("Branches", ()), *inner]:
            yield from every_state(group["States"])


def resource(integration: str) -> str:
    """`athena:startQueryExecution.sync` as a resource ARN."""
    return f"arn:aws:states:::{integration}"


def jsonata_task(
    name: str,
    integration: str,
    *,
    comment: str,
    arguments: Json,
    output: str,
    timeout_seconds: int,
) -> Task:
    """A Task of the integration `<service>:<action>`, retried on that service's transient errors.

    Nothing downstream sees the service's whole answer: `output` picks what is needed, which keeps
    the state under 256 KiB and independent of fields AWS may add. In JSONata, for requests are put
    together from the run's names, and members of an answer may be missing (which a JSONPath could
    only end the execution at).
    """
    state = Task(
        name,
        comment=comment,
        query_language="JSONata",
        resource=resource(integration),
        parameters=arguments,
        output=output,
        timeout_seconds=timeout_seconds,
    )
    state.add_retry(backoff(TRANSIENT[_service(integration)]))
    return state


def jsonata(expression: str) -> str:
    """`expression` as a field's value."""
    return "{% " + expression + " %}"


def keeping(name: str, members: str) -> str:
    """An Output: the state's input, with `members` (an object's inside) of the result below
    `name`."""
    return jsonata("$merge([$states.input, {'" + name + "': {" + members + "}}])")


# A redriven state must not collide with what an earlier try of the same execution left: names
# that a service keeps for good end in the try's number, from the second one on (`_2`, `-2`).
REDRIVEN = "$states.context.Execution.RedriveCount"


def of_this_try(separator: str) -> str:
    """JSONata: empty in the first try; `separator` and the try's number after a redrive."""
    return f"({REDRIVEN} > 0 ? '{separator}' & ({REDRIVEN} + 1) : '')"


def _service(integration: str) -> str:
    return integration.rsplit(":", 1)[0]


def function(
    name: str,
    function_arn: str,
    payload: Json,
    *,
    comment: str,
    result_path: str,
    timeout_seconds: int,
    result_selector: Json | None = None,
) -> LambdaTask:
    """Invokes a Lambda function; its answer stands at `<result_path>.answer`."""
    state = LambdaTask(
        name,
        comment=comment,
        parameters={"FunctionName": function_arn, "Payload": payload},
        result_selector=result_selector or {"answer.$": "$.Payload"},
        result_path=result_path,
        timeout_seconds=timeout_seconds,
    )
    state.add_retry(backoff(TRANSIENT["lambda"]))
    return state


def choice(name: str, comment: str, rules: list[tuple[object, State]], otherwise: State) -> State:
    """The first rule that holds says where to go on."""
    state = sdk.Choice(name, comment=comment)
    for rule, then in rules:
        state.add_choice(rule, then)
    state.default_choice(otherwise)
    return state

"""What TestState demands of a mock: the state's type, the result's form, the API's own shape.

https://docs.aws.amazon.com/step-functions/latest/dg/test-state-isolation.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from localaws.errors import AwsError, NotEmulated
from localaws.shapes import Json
from localaws.stepfunctions.definition import State, inner_bodies
from localaws.stepfunctions.integrations import models
from localaws.stepfunctions.integrations.resources import RR, TOKEN, Resource
from localaws.stepfunctions.integrations.shapes import pascal

TESTED_ALONE = ("Task", "Wait", "Pass", "Succeed", "Fail", "Choice")
MOCKED = ("Task", "Parallel", "Map")
# The API whose answer is the result of a `.sync` task.
POLLED = {
    ("athena", "startQueryExecution"): "GetQueryExecution",
    ("glue", "startJobRun"): "GetJobRun",
    ("databrew", "startJobRun"): "DescribeJobRun",
    ("states", "startExecution"): "DescribeExecution",
}
NUMBERS = ("integer", "long", "float", "double")
OBJECTS = ("structure", "map")


def check(params: Json, state: State) -> None:
    """Whether the state may be tested so. Raises ValidationException, InvalidDefinition."""
    mock = params.get("mock")
    if mock is None:
        if "mapIterationFailureCount" in params.get("stateConfiguration", {}):
            raise _invalid(
                "TestState does not support MapIterationFailureCount when a mock is not specified."
            )
        if state.type not in TESTED_ALONE:
            raise AwsError(
                "InvalidDefinition",
                "TestState API does not support Map or Parallel states. Supported state types"
                f" include: [{', '.join(TESTED_ALONE)}]",
            )
        if state.type == "Task" and "roleArn" not in params:
            raise _invalid("RoleArn must be specified when testing a Task state")
        return
    if ("result" in mock) == ("errorOutput" in mock):
        raise _invalid(
            "A test mock should have only one of the following fields: [result, errorOutput]."
        )
    if params.get("revealSecrets"):
        raise _invalid("TestState does not support RevealSecrets when a mock is specified.")
    if state.type not in MOCKED:
        raise _invalid(f"State type '{state.type}' is not supported when a mock is specified")


def result(mock: Json, state: State) -> Any:
    """The mocked result. Raises ValidationException where the state could not have it."""
    try:
        value = json.loads(mock["result"])
    except ValueError as error:
        raise _invalid("Mocked result must be valid JSON") from error
    if state.type == "Task":
        _check_answer(state, value, mock.get("fieldValidationMode", "STRICT"))
    elif "ResultWriter" in state.body:
        if not isinstance(value, dict):
            raise _invalid("Mocked result must be a JSON object.")
    elif not isinstance(value, list):
        raise _invalid("Mocked result must be an array.")
    elif state.type == "Parallel" and len(value) != len(inner_bodies(state.body)):
        raise _invalid(
            "Mocked result must contain the same number of items as number of Parallel branches."
        )
    return value


def _check_answer(state: State, value: Any, mode: str) -> None:
    resource = Resource.parse(state.body["Resource"])
    if mode == "NONE" or resource.is_function or resource.pattern == TOKEN:
        return
    service = models.botocore_name(resource.service)
    action = resource.operation if resource.pattern == RR else _polled(resource)
    operation = models.operation_model(service, action) if service else None
    if operation is None or operation.output_shape is None:
        return  # its answers have no model: every JSON may be one
    problem = next(_problems(operation.output_shape, value, "", strict=mode == "STRICT"), None)
    if problem is not None:
        raise _invalid(f"Mock result schema validation error: {problem}")


def _polled(resource: Resource) -> str:
    if resource.service == "sagemaker":
        return "Describe" + resource.operation.removeprefix("Create")
    known = POLLED.get((resource.service, resource.action))
    if known is None:
        raise NotEmulated(
            "stepfunctions", "TestState", "mock.fieldValidationMode",
            f"The answer of {resource.arn} is not checked here; the mode NONE is taken.",
        )  # fmt: skip
    return known


def _problems(shape: Any, value: Any, name: str, *, strict: bool) -> Iterator[str]:
    """What the API could not answer; `strict`: also what it always answers and is missing.
    Fields that the API does not have are nobody's business."""
    if value is None:
        return
    if shape.type_name in OBJECTS or shape.type_name == "list":
        wanted, words = (list, "array") if shape.type_name == "list" else (dict, "object")
        if isinstance(value, wanted):
            yield from _inner_problems(shape, value, name, strict=strict)
        else:
            yield f"Field '{name}' must be an {words}"
    elif (problem := _scalar_problem(shape, value)) is not None:
        yield f"Field '{name}' {problem}"


def _inner_problems(shape: Any, value: Any, name: str, *, strict: bool) -> Iterator[str]:
    if shape.type_name == "list":
        inner = [(shape.member, item, name) for item in value]
    elif shape.type_name == "map":
        inner = [(shape.value, item, key) for key, item in value.items()]
    else:
        members = {pascal(member): inner for member, inner in shape.members.items()}
        for required in map(pascal, shape.required_members if strict else ()):
            if required not in value:
                yield f"Required field '{required}' is missing"
        inner = [(members[key], item, key) for key, item in value.items() if key in members]
    for of, item, called in inner:
        yield from _problems(of, item, called, strict=strict)


def _scalar_problem(shape: Any, value: Any) -> str | None:
    kind, limits = shape.type_name, shape.metadata
    if kind == "boolean":
        return None if isinstance(value, bool) else "must be a boolean"
    if kind in NUMBERS:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return "must be a number"
        size, below, above = value, "is less than the minimum value", "exceeds the maximum value"
    else:
        if not isinstance(value, str):
            return "must be a string"
        if value not in limits.get("enum", [value]):
            return "is not an expected value"
        size = len(value)
        below, above = "is smaller than the minimum length", "exceeds the maximum length"
    if size < limits.get("min", size):
        return below
    return above if size > limits.get("max", size) else None


def _invalid(problem: str) -> AwsError:
    return AwsError("ValidationException", problem)

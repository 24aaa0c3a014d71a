"""The support matrix says what the gateway does: what it lists as refused is refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws import support
from localaws.core.service import Service
from tests.docs.requests import smallest

PAGE = Path(__file__).parents[2] / "docs" / "support-matrix.md"
OPERATIONS_A_SERVICE = 5
PARAMETERS_A_SERVICE = 8
# Signed for another service, or not at all: refused too, but not as operations of this one.
SIGNED_ELSEWHERE = {
    "s3": {"ListDirectoryBuckets", "WriteGetObjectResponse", "CreateSession"},
    "sts": {"AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"},
    "sagemaker-runtime": {"InvokeEndpointAsync", "InvokeEndpointWithResponseStream"},
}
# botocore wants more than the model says before it sends these.
NOT_SENT = {("events", "CreateEndpoint"), ("events", "PutEvents", "EndpointId")}


def every_nth(items: list[Any], most: int) -> list[Any]:
    """At most so many of the items, spread over all of them."""
    step = max(1, -(-len(items) // most))
    return items[::step]


def refusal(local: Any, service: str, operation: str, params: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(ClientError) as caught:
        local.client(service)._make_api_call(operation, params)
    error: dict[str, str] = caught.value.response.get("Error", {})
    return error


def test_page_that_is_checked_in_is_current(local: Any) -> None:
    page = support.document(local.gateway.services.values())

    assert page == PAGE.read_text(), "rebuy support --write"


def test_every_service_of_the_server_is_on_the_page(local: Any) -> None:
    assert set(local.gateway.services) == set(support.ENGINES)


def test_operations_that_are_not_there_are_refused_by_name(local: Any) -> None:
    asked = 0
    for name, service in local.gateway.services.items():
        model = local.client(name).meta.service_model
        names = [
            operation
            for operation in support.refused_operations(service)
            if operation not in SIGNED_ELSEWHERE.get(name, ()) and (name, operation) not in NOT_SENT
        ]
        for operation in every_nth(names, OPERATIONS_A_SERVICE):
            params = smallest(model.operation_model(operation).input_shape)
            error = refusal(local, name, operation, params)

            assert error["Code"] == "NotEmulated", f"{name}:{operation}: {error}"
            assert f"{name}:{operation}" in error["Message"]
            asked += 1
    assert asked > 50


def test_calls_that_are_signed_for_another_service_are_refused_too(local: Any) -> None:
    for name, operations in SIGNED_ELSEWHERE.items():
        model = local.client(name).meta.service_model
        for operation in operations:
            refusal(local, name, operation, smallest(model.operation_model(operation).input_shape))


def test_parameters_that_are_not_taken_are_refused_by_name(local: Any) -> None:
    rows = support.matrix(local.gateway.services.values())
    for name in local.gateway.services:
        refused = [
            (row.operation, parameter)
            for row in rows
            if row.service == name
            for parameter in row.refuses
            if (name, row.operation, parameter) not in NOT_SENT
        ]
        model = local.client(name).meta.service_model
        for operation, parameter in every_nth(refused, PARAMETERS_A_SERVICE):
            shape = model.operation_model(operation).input_shape
            error = refusal(local, name, operation, smallest(shape, parameter))

            assert error["Code"] == "NotEmulated", f"{name}:{operation} {parameter}: {error}"
            assert f"{name}:{operation}, parameter {parameter}" in error["Message"]


def test_service_that_is_not_there_is_refused_by_name(local: Any) -> None:
    error = refusal(local, "ec2", "DescribeInstances", {})

    assert error["Code"] == "NotEmulated"
    assert "ec2:DescribeInstances" in error["Message"]


def test_nested_members_are_listed_at_the_topmost_refused_one() -> None:
    sagemaker = Service("sagemaker")
    sagemaker.operation("CreateModel", "ModelName", "PrimaryContainer.Image")(lambda call: {})

    (row,) = support.matrix([sagemaker])

    assert row.takes == ("ModelName", "PrimaryContainer.Image")
    assert "PrimaryContainer.ModelDataUrl" in row.refuses
    assert "VpcConfig" in row.refuses
    assert not any(name.startswith("VpcConfig.") for name in row.refuses)
    assert "PrimaryContainer" not in row.refuses

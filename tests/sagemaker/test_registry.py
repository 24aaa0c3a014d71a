"""The Model Registry: versions of a group, in order, each approved or not."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5"
SPECIFICATION = {
    "Containers": [{"Image": IMAGE, "ModelDataUrl": "s3://lake/models/a/model.tar.gz"}],
    "SupportedContentTypes": ["text/csv"],
    "SupportedResponseMIMETypes": ["text/csv"],
}


@pytest.fixture
def client(aws: Any) -> Any:
    made = aws.client("sagemaker")
    made.create_model_package_group(ModelPackageGroupName="shop")
    return made


def register(client: Any, **more: Any) -> str:
    given = {"ModelPackageGroupName": "shop", "InferenceSpecification": SPECIFICATION, **more}
    return str(client.create_model_package(**given)["ModelPackageArn"])


def test_versions_count_from_1_and_wait_for_approval(client: Any) -> None:
    first, second = register(client), register(client, ModelApprovalStatus="Approved")

    assert (first[-7:], second[-7:]) == ("/shop/1", "/shop/2")
    described = client.describe_model_package(ModelPackageName=first)
    assert described["ModelApprovalStatus"] == "PendingManualApproval"
    assert described["InferenceSpecification"] == SPECIFICATION
    listed = client.list_model_packages(ModelPackageGroupName="shop")["ModelPackageSummaryList"]
    assert [entry["ModelPackageVersion"] for entry in listed] == [2, 1]
    approved = client.list_model_packages(
        ModelPackageGroupName="shop", ModelApprovalStatus="Approved", MaxResults=1
    )
    assert [entry["ModelPackageArn"] for entry in approved["ModelPackageSummaryList"]] == [second]
    # Its default is models without a group.
    assert client.list_model_packages()["ModelPackageSummaryList"] == []


def test_what_has_capital_letters_is_found_by_its_arn_which_has_none(aws: Any) -> None:
    client = aws.client("sagemaker")
    group = client.create_model_package_group(ModelPackageGroupName="MyShop")[
        "ModelPackageGroupArn"
    ]
    version = register(client, ModelPackageGroupName="MyShop")

    assert (group.rpartition(":")[2], version[-9:]) == ("model-package-group/myshop", "/myshop/1")
    for told in (
        client.describe_model_package_group(ModelPackageGroupName=group),
        client.describe_model_package(ModelPackageName=version),
        *client.list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"],
    ):
        assert told["ModelPackageGroupName"] == "MyShop"


def test_a_request_that_is_sent_twice_is_one_version(client: Any) -> None:
    assert register(client, ClientToken="once") == register(client, ClientToken="once")


def test_a_version_is_approved_by_hand_with_a_reason(client: Any) -> None:
    version = register(client, CustomerMetadataProperties={"run": "r1", "auc": "0.82"})

    client.update_model_package(
        ModelPackageArn=version,
        ModelApprovalStatus="Approved",
        ApprovalDescription="looked at",
        CustomerMetadataProperties={"auc": "0.83"},
        CustomerMetadataPropertiesToRemove=["run"],
    )

    described = client.describe_model_package(ModelPackageName=version)
    assert described["ModelApprovalStatus"] == "Approved"
    assert described["ApprovalDescription"] == "looked at"
    assert described["CustomerMetadataProperties"] == {"auc": "0.83"}


def test_a_group_with_versions_stays(client: Any) -> None:
    version = register(client)
    with pytest.raises(ClientError, match="ConflictException"):
        client.delete_model_package_group(ModelPackageGroupName="shop")
    client.delete_model_package(ModelPackageName=version)
    client.delete_model_package_group(ModelPackageGroupName="shop")
    assert client.list_model_package_groups()["ModelPackageGroupSummaryList"] == []


@pytest.mark.parametrize(
    ("operation", "given", "message"),
    [
        ("create_model_package_group", {"ModelPackageGroupName": "shop"}, "Model Package Group al"),
        ("describe_model_package_group", {"ModelPackageGroupName": "none"}, "does not exist"),
        ("describe_model_package", {"ModelPackageName": "none"}, "does not exist"),
        ("create_model_package", {"ModelPackageName": "alone"}, "parameter ModelPackageName"),
        (
            "create_model_package",
            {"ModelPackageGroupName": "shop", "ModelApprovalStatus": "Perhaps"},
            "ModelApprovalStatus is 'Perhaps'; accepted are Approved, Rejected, Pend",
        ),
        (
            "create_model_package",
            {"ModelPackageGroupName": "shop", "Tags": [{"Key": "a", "Value": "b"}]},
            "Tags cannot be given beside a group",
        ),
    ],
)
def test_what_is_refused(client: Any, operation: str, given: dict[str, Any], message: str) -> None:
    with pytest.raises(ClientError, match=message):
        getattr(client, operation)(**given)

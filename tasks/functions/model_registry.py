"""The account's Model Registry: every judged model is a version there, approved or not, so that
AWS's own tools see it; and where approval by hand is asked for, that is where it is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

# What ModelApprovalStatus says of a model that nothing objects to, by the option `approval`.
STATUSES = {"automatic": "Approved", "by_hand": "PendingManualApproval"}
MOST_CARD_CHARACTERS = 100_000  # DescribeModelCard's ModelCardContent


@dataclass(frozen=True)
class Version:
    """A version as it stands: its ARN, ModelApprovalStatus, who approves' words, and the job that
    trained it."""

    arn: str
    status: str
    said: str
    training_job: str


def register(
    sagemaker: Any, group: str, run: Json, training: Json, container: Json, told: Json
) -> str:
    """Registers the run's model; the version's ARN. `container` is {Image, Environment}, `told`
    {status, scores, evaluation_uri, card}."""
    try:
        sagemaker.create_model_package_group(
            ModelPackageGroupName=group,
            ModelPackageGroupDescription="Will this customer buy this product again?",
        )
    except sagemaker.exceptions.ClientError as error:
        # CreateModelPackageGroup models no error of its own for this.
        if "already exists" not in error.response["Error"]["Message"]:
            raise
    answer = sagemaker.create_model_package(
        ModelPackageGroupName=group,
        ModelPackageDescription=f"Run {run['name']}",
        InferenceSpecification={
            "Containers": [{**container, "ModelDataUrl": training["model_uri"]}],
            "SupportedContentTypes": ["text/csv", "application/json"],
            "SupportedResponseMIMETypes": ["text/csv", "application/json"],
        },
        ModelApprovalStatus=told["status"],
        ModelMetrics={
            "ModelQuality": {
                "Statistics": {"ContentType": "application/json", "S3Uri": told["evaluation_uri"]}
            }
        },
        ModelCard={
            "ModelCardContent": told["card"][:MOST_CARD_CHARACTERS],
            "ModelCardStatus": "Approved" if told["status"] == "Approved" else "PendingReview",
        },
        CustomerMetadataProperties={
            "run": run["name"],
            "training_job": training["training_job"],
            **{name: f"{value:.6f}" for name, value in told["scores"].items()},
        },
        # A call that is sent twice is one version; a redrive trains, and registers, anew.
        ClientToken=training["training_job"][-64:],
    )
    return str(answer["ModelPackageArn"])


def look(sagemaker: Any, arn: str) -> Version:
    found = sagemaker.describe_model_package(ModelPackageName=arn)
    job = found.get("CustomerMetadataProperties", {}).get("training_job", "")
    return Version(arn, found["ModelApprovalStatus"], found.get("ApprovalDescription", ""), job)

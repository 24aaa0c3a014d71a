"""In whose name SageMaker reads, writes and runs."""

from __future__ import annotations

from localaws.core.aws import LocalAws

SAGEMAKER = "sagemaker.amazonaws.com"
SESSION = "SageMaker"  # the name of the session in which it assumes a role


def acting(aws: LocalAws, role: str | None) -> LocalAws:
    """The AWS as the execution role sees it; as SageMaker itself for a model without one."""
    if role is None:
        return aws.acting_as_service(SAGEMAKER)
    return aws.acting_as_role(role, SESSION, SAGEMAKER)

"""In whose name SageMaker reads, writes and runs."""

from __future__ import annotations

from localaws.core.aws import LocalAws

SAGEMAKER = "sagemaker.amazonaws.com"
SESSION = "SageMaker"  # the name of the session in which it assumes a role


def acting(aws: LocalAws, role: str | None, training_job: str | None = None) -> LocalAws:
    """The AWS as the execution role sees it; as SageMaker itself for a model without one.

    Models and endpoints are no source of their own to the role's trust policy: `:*` is literal.
    https://docs.aws.amazon.com/sagemaker/latest/dg/security-confused-deputy-prevention.html
    """
    if role is None:
        return aws.acting_as_service(SAGEMAKER)
    source = "*" if training_job is None else f"training-job/{training_job}"
    arn = f"arn:aws:sagemaker:{aws.region}:{aws.account}:{source}"
    return aws.acting_as_role(role, SESSION, SAGEMAKER, arn)

"""In whose name SageMaker reads, writes and runs."""

from __future__ import annotations

from localaws.core.aws import LocalAws
from localaws.identity.actions.asked import Asked

SAGEMAKER = "sagemaker.amazonaws.com"
SESSION = "SageMaker"  # the name of the session in which it assumes a role


def pull(role: LocalAws, image: str) -> None:
    """What SageMaker asks to pull the image with the role; there is none to pull here. Raises
    AwsError.

    https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html
    """
    registry, _, rest = image.partition("/")
    account, *_, region = registry.removesuffix(".amazonaws.com").split(".")
    repository = f"arn:aws:ecr:{region}:{account}:repository/{rest.partition(':')[0]}"
    role.authorize.ask(role.caller, "sagemaker", Asked("ecr:GetAuthorizationToken"))
    for action in ("BatchCheckLayerAvailability", "GetDownloadUrlForLayer", "BatchGetImage"):
        role.authorize.ask(role.caller, "sagemaker", Asked(f"ecr:{action}", repository))


def join_network(role: LocalAws, config: object) -> None:
    """What it asks to stand in subnets with the role; there are none here. Raises AwsError.
    https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html"""
    if config:
        interface = f"arn:aws:ec2:{role.region}:{role.account}:network-interface/*"
        for action in ("CreateNetworkInterface", "CreateNetworkInterfacePermission"):
            role.authorize.ask(role.caller, "sagemaker", Asked(f"ec2:{action}", interface))


def publish_metrics(role: LocalAws, namespace: str) -> None:
    """What it asks to publish a job's metrics. Raises AwsError."""
    asked = Asked("cloudwatch:PutMetricData", keys={"cloudwatch:namespace": namespace})
    role.authorize.ask(role.caller, "cloudwatch", asked)


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

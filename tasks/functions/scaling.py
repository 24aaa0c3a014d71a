"""How many machines answer: the endpoint's variant under Application Auto Scaling.

The endpoint is made by a run, so no template can name its variant. Whoever has it serve another
configuration takes the scaling off before (SageMaker refuses another type of machine under it) and
keeps the number of machines that there is (`RetainAllVariantProperties`, else it would fall back
to the configuration's); whoever finds it in service puts the scaling on again. With fewer machines
than the least AWS then starts more at once, with more than the most it stops some.
https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling-prerequisites.html
https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling-update.html
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

VARIANT = "live"
POLICY = "requests"
TAG = "endpoint"  # by which a role is held to this deployment's target: targets have no names


@dataclass(frozen=True)
class Bounds:
    """Machines at least and at most, and requests a minute that each is to answer."""

    least: int
    most: int
    requests: int


def wanted() -> Bounds | None:
    """What the deployment's settings say; None: as many machines as there are stay."""
    least, most = (int(os.environ.get(f"ENDPOINT_INSTANCES_{end}", 1)) for end in ("MIN", "MAX"))
    if most <= least or os.environ.get("ENDPOINT_KIND") == "serverless":
        return None
    return Bounds(least, most, int(os.environ["ENDPOINT_REQUESTS_PER_MINUTE"]))


def target(endpoint: str) -> Json:
    return {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{endpoint}/variant/{VARIANT}",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }


def is_on(client: Any, endpoint: str) -> bool:
    place = target(endpoint)
    answer = client.describe_scalable_targets(
        ServiceNamespace=place["ServiceNamespace"], ResourceIds=[place["ResourceId"]]
    )
    return bool(answer["ScalableTargets"])


def off(client: Any, endpoint: str) -> None:
    """Takes it off with its policies, if it is on."""
    if is_on(client, endpoint):
        client.deregister_scalable_target(**target(endpoint))


def on(client: Any, endpoint: str, bounds: Bounds) -> None:
    """Puts it on, or has it scale as the bounds say."""
    place = target(endpoint)
    tags = {} if is_on(client, endpoint) else {"Tags": {TAG: endpoint}}
    client.register_scalable_target(
        **place, MinCapacity=bounds.least, MaxCapacity=bounds.most, **tags
    )
    client.put_scaling_policy(
        **place,
        PolicyName=POLICY,
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": float(bounds.requests),
            "PredefinedMetricSpecification": {
                "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
            },
        },
    )

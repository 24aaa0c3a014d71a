"""A new model answers a part of the requests first, while alarms watch its machines; one of them
raised, SageMaker goes back to what was.
https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-blue-green-canary.html

The alarms are about the new machines alone: their metrics have the new configuration's name
(https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-configuration.html), so each
update has alarms of its own. They stay until the next update, whose run takes them away.
"""

from __future__ import annotations

import os
from typing import Any

Json = dict[str, Any]

VARIANT = "live"
SLOW_MICROSECONDS = 2_000_000  # on average, as of the alarm about all machines
# What is watched, minute by minute: a metric with its threshold, reached in as many of the last
# minutes as the third says.
WATCHED: dict[str, tuple[Json, float, int, int]] = {
    "errors": ({"MetricName": "Invocation5XXErrors", "Statistic": "Sum"}, 1, 1, 1),
    "slow": ({"MetricName": "ModelLatency", "Statistic": "Average"}, SLOW_MICROSECONDS, 2, 3),
}


def wanted(config: str) -> Json | None:
    """The DeploymentConfig that the deployment's settings say, of an update to the configuration;
    None: all at once."""
    percent = int(os.environ.get("ENDPOINT_CANARY_PERCENT", "0"))
    if not percent:
        return None
    seconds = 60 * int(os.environ["ENDPOINT_CANARY_MINUTES"])
    return {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {
                "Type": "CANARY",
                "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": percent},
                "WaitIntervalInSeconds": seconds,
            },
            "TerminationWaitInSeconds": seconds,  # with all requests
        },
        "AutoRollbackConfiguration": {
            "Alarms": [{"AlarmName": f"{config}-{name}"} for name in WATCHED]
        },
    }


def watch(cloudwatch: Any, endpoint: str, config: str) -> None:
    """Sets the alarms of an update to the configuration; those of earlier ones go."""
    prefix = config.partition("--")[0] + "--"  # what this deployment's runs make begins so
    pages = cloudwatch.get_paginator("describe_alarms").paginate(AlarmNamePrefix=prefix)
    found = [alarm["AlarmName"] for page in pages for alarm in page["MetricAlarms"]]
    mine = [f"{config}-{name}" for name in WATCHED]
    if earlier := [name for name in found if name not in mine]:
        cloudwatch.delete_alarms(AlarmNames=earlier)
    where = {"EndpointName": endpoint, "VariantName": VARIANT, "EndpointConfigName": config}
    for alarm, (metric, threshold, minutes, of) in zip(mine, WATCHED.values(), strict=True):
        cloudwatch.put_metric_alarm(
            AlarmName=alarm,
            AlarmDescription="A new model's own machines, while it goes live",
            Namespace="AWS/SageMaker",
            **metric,
            Dimensions=[{"Name": name, "Value": value} for name, value in where.items()],
            Period=60,
            EvaluationPeriods=of,
            DatapointsToAlarm=minutes,
            Threshold=threshold,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
            TreatMissingData="notBreaching",
        )


def seconds(config: Json | None) -> int:
    """That it watches, longer than an update all at once takes."""
    if config is None:
        return 0
    policy = config["BlueGreenUpdatePolicy"]
    wait: int = policy["TrafficRoutingConfiguration"]["WaitIntervalInSeconds"]
    return wait + int(policy["TerminationWaitInSeconds"])


def watched(config: Json | None) -> str:
    """What a person is told of an update that did not come about: SageMaker may give no reason."""
    if config is None:
        return ""
    names = [alarm["AlarmName"] for alarm in config["AutoRollbackConfiguration"]["Alarms"]]
    return f" It was watched by the alarms {' and '.join(names)}."

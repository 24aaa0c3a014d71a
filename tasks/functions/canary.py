"""A new model answers a part of the requests first, while alarms watch the endpoint; one of them
raised, SageMaker goes back to what was.
https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-blue-green-canary.html
"""

from __future__ import annotations

import os
from typing import Any

Json = dict[str, Any]


def wanted() -> Json | None:
    """The DeploymentConfig that the deployment's settings say; None: all at once."""
    percent = int(os.environ.get("ENDPOINT_CANARY_PERCENT", "0"))
    if not percent:
        return None
    seconds = 60 * int(os.environ["ENDPOINT_CANARY_MINUTES"])
    names = os.environ["ENDPOINT_ALARMS"].split(",")
    return {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {
                "Type": "CANARY",
                "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": percent},
                "WaitIntervalInSeconds": seconds,
            },
            "TerminationWaitInSeconds": seconds,  # with all requests
        },
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": name} for name in names]},
    }


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

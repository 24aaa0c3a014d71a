"""The Resource of a Task: which API action, in which integration pattern.

https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

RR = ""
SYNC = "sync"
SYNC_JSON = "sync:2"
TOKEN = "waitForTaskToken"

SERVICE = re.compile(
    r"arn:aws[\w-]*:states:[\w-]*:\d*:(?P<sdk>aws-sdk:)?(?P<service>[\w-]+):(?P<action>\w+)"
    r"(?:\.(?P<pattern>sync:2|sync|waitForTaskToken))?"
)
FUNCTION = re.compile(r"arn:aws[\w-]*:lambda:[\w-]+:[\w-]+:function:[\w$-]+(?::[\w$-]+)?")
ACTIVITY = re.compile(r"arn:aws[\w-]*:states:[\w-]+:\d{12}:activity:.+")

# Every optimised integration of AWS that names an action localaws could be asked for, with its
# patterns. AWS has more services (Batch, ECS, EKS, EMR, ...): they are refused by name.
OPTIMISED: dict[str, dict[str, tuple[str, ...]]] = {
    "athena": {
        "startQueryExecution": (RR, SYNC),
        "stopQueryExecution": (RR,),
        "getQueryExecution": (RR,),
        "getQueryResults": (RR,),
    },
    "glue": {"startJobRun": (RR, SYNC)},
    "databrew": {"startJobRun": (RR, SYNC)},
    "sagemaker": {
        "createTrainingJob": (RR, SYNC),
        "createTransformJob": (RR, SYNC),
        "createProcessingJob": (RR, SYNC),
        "createHyperParameterTuningJob": (RR, SYNC),
        "createLabelingJob": (RR, SYNC),
        "createModel": (RR,),
        "createEndpointConfig": (RR,),
        "createEndpoint": (RR,),
        "updateEndpoint": (RR,),
    },
    "lambda": {"invoke": (RR, TOKEN)},
    "dynamodb": dict.fromkeys(("getItem", "putItem", "updateItem", "deleteItem"), (RR,)),
    "events": {"putEvents": (RR, TOKEN)},
    "sns": {"publish": (RR, TOKEN)},
    "sqs": {"sendMessage": (RR, TOKEN)},
    "states": {"startExecution": (RR, SYNC, SYNC_JSON, TOKEN)},
    "http": {"invoke": (RR,)},
    "apigateway": {"invoke": (RR, TOKEN)},
}
# Optimised services of AWS that localaws has no engine for.
REFUSED = frozenset(
    {
        "batch",
        "bedrock",
        "codebuild",
        "ecs",
        "eks",
        "elasticmapreduce",
        "emr-containers",
        "emr-serverless",
        "mediaconvert",
    }
)


class ResourceError(ValueError):
    """AWS does not have this resource either."""

    def __init__(self, arn: str) -> None:
        super().__init__(
            f"The resource provided {arn} is not recognized. The value is not a valid resource"
            " ARN, or the resource is not available in this region."
        )


@dataclass(frozen=True)
class Resource:
    """A parsed Resource. `service` is as in the ARN; `action` is camelCase."""

    arn: str
    service: str
    action: str
    pattern: str
    sdk: bool
    is_function: bool = False
    is_activity: bool = False

    @staticmethod
    @lru_cache(maxsize=1024)
    def parse(arn: str) -> Resource:
        """Raises ResourceError for what AWS would not recognise."""
        if FUNCTION.fullmatch(arn):
            return Resource(arn, "lambda", "invoke", RR, sdk=False, is_function=True)
        if ACTIVITY.fullmatch(arn):
            return Resource(arn, "states", "activity", RR, sdk=False, is_activity=True)
        match = SERVICE.fullmatch(arn)
        if match is None:
            raise ResourceError(arn)
        service, action, pattern = match["service"], match["action"], match["pattern"] or RR
        sdk = match["sdk"] is not None
        if sdk:
            known = pattern in (RR, TOKEN)
        elif service in REFUSED:
            known = True
        else:
            known = pattern in OPTIMISED.get(service, {}).get(action, ())
        if not known:
            raise ResourceError(arn)
        return Resource(arn, service, action, pattern, sdk)

    @property
    def is_http(self) -> bool:
        """Whether the call is an HTTP request of the Task's own, of no service's API."""
        return not self.sdk and self.service in ("http", "apigateway")

    @property
    def operation(self) -> str:
        """The API operation, PascalCase."""
        return self.action[:1].upper() + self.action[1:]

    @property
    def type(self) -> str:
        return f"aws-sdk:{self.service}" if self.sdk else self.service

    @property
    def label(self) -> str:
        """How AWS names the task when its result is too large."""
        return self.arn if self.is_function else self.type

    def details(self) -> dict[str, str]:
        """The two members that every task event has."""
        resource = self.action + (f".{self.pattern}" if self.pattern else "")
        return {"resourceType": self.type, "resource": resource}

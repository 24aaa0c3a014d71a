"""The one way from an operation and its parameters to what policies are asked.

Most operations have an action of their own name, on the resources that the Service Authorization
Reference gives it (service_authorization.json, made by tools/service_authorization.py); services
that do otherwise have a function in EXCEPTIONS.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from localaws.identity.actions import exceptions, glue, s3
from localaws.identity.actions.asked import Asked, Place
from localaws.identity.actions.passing import passed
from localaws.identity.policy.request import Value
from localaws.shapes import Json

DATA = Path(__file__).with_name("service_authorization.json")
# Botocore's name to the prefix of actions, where they differ.
PREFIXES = {
    "stepfunctions": "states",
    "sagemaker-runtime": "sagemaker",
    "apigatewayv2": "apigateway",
    "service-quotas": "servicequotas",
}
# Type of resource to (end of its ARN, the parameters that name it, the best first). A parameter
# that is an ARN already is taken as it is.
RESOURCES: dict[str, dict[str, tuple[str, tuple[str, ...]]]] = {
    # A target has an id of AWS's own.
    "application-autoscaling": {"ScalableTarget": ("scalable-target/{}", ())},
    "athena": {
        "workgroup": ("workgroup/{}", ("WorkGroup", "WorkGroupName")),
        "datacatalog": ("datacatalog/{}", ("CatalogName", "Name")),
    },
    "cloudformation": {"stack": ("stack/{}/*", ("StackName",))},
    "cloudwatch": {
        "alarm": ("alarm:{}", ("AlarmName",)),
        "dashboard": ("dashboard/{}", ("DashboardName",)),
    },
    "databrew": {
        "Dataset": ("dataset/{}", ("Name",)),
        "Job": ("job/{}", ("Name",)),
        "Project": ("project/{}", ("Name",)),
        "Recipe": ("recipe/{}", ("Name",)),
        "Ruleset": ("ruleset/{}", ("Name",)),
        "Schedule": ("schedule/{}", ("Name",)),
    },
    "dynamodb": {"table": ("table/{}", ("TableName", "ResourceArn"))},
    "ecr": {"repository": ("repository/{}", ("repositoryName",))},
    "events": {"event-bus": ("event-bus/{}", ("EventBusName", "Name"))},
    "glue": {
        "crawler": ("crawler/{}", ("Name", "CrawlerName")),
        "job": ("job/{}", ("JobName", "Name")),
    },
    "iam": {
        "role": ("role/{}", ("RoleName",)),
        "user": ("user/{}", ("UserName",)),
        "policy": ("policy/{}", ("PolicyArn", "PolicyName")),
    },
    "kms": {"key": ("key/{}", ("KeyId",))},
    "lambda": {"function": ("function:{}", ("FunctionName", "Resource"))},
    "logs": {
        "log-group": ("log-group:{}", ("logGroupName", "logGroupIdentifier", "resourceArn")),
    },
    "sagemaker": {
        "endpoint": ("endpoint/{}", ("EndpointName",)),
        "endpoint-config": ("endpoint-config/{}", ("EndpointConfigName",)),
        "hyper-parameter-tuning-job": (
            "hyper-parameter-tuning-job/{}",
            ("HyperParameterTuningJobName",),
        ),
        "model": ("model/{}", ("ModelName",)),
        "training-job": ("training-job/{}", ("TrainingJobName",)),
        "transform-job": ("transform-job/{}", ("TransformJobName",)),
    },
    "s3": {},
    "scheduler": {"schedule-group": ("schedule-group/{}", ("Name", "GroupName"))},
    # The ARN of a secret ends in six letters that only Secrets Manager knows.
    "secretsmanager": {"Secret": ("secret:{}-??????", ("SecretId", "Name"))},
    "servicequotas": {},
    "sns": {"topic": ("{}", ("TopicArn", "TargetArn", "ResourceArn", "Name"))},
    "sqs": {"queue": ("{}", ("QueueName", "QueueUrl"))},
    "ssm": {"parameter": ("parameter/{}", ("Name", "ResourceId"))},
    "states": {
        "activity": ("activity:{}", ("activityArn", "name")),
        "execution": ("execution:{}", ("executionArn",)),
        "maprun": ("mapRun:{}", ("mapRunArn",)),
    },
    "sts": {},
}
# The default where a parameter is left out.
DEFAULTS = {
    ("athena", "workgroup"): "primary",
    ("athena", "datacatalog"): "AwsDataCatalog",
    ("events", "event-bus"): "default",
    ("scheduler", "schedule-group"): "default",
}
TAGGED = ("ResourceArn", "resourceArn", "ResourceARN", "Resource")  # whose tags are meant
TAGGING = ("Tag", "Untag", "ListTags", "AddTags", "DeleteTags", "GetTags")
EXCEPTIONS: dict[str, Callable[[str, Json, Place], list[Asked] | None]] = {
    "apigatewayv2": exceptions.http_apis,
    "application-autoscaling": exceptions.scaling,
    "cloudformation": exceptions.stacks,
    "cloudwatch": exceptions.alarms,
    "dynamodb": exceptions.tables,
    "events": exceptions.events,
    "glue": glue.asked,
    "lambda": exceptions.functions,
    "logs": exceptions.logs,
    "s3": s3.asked,
    "sagemaker": exceptions.sagemaker,
    "scheduler": exceptions.schedules,
    "secretsmanager": exceptions.secrets,
    "sqs": exceptions.queues,
    "ssm": exceptions.parameters,
    "stepfunctions": exceptions.state_machines,
    "sts": exceptions.tokens,
}


def asked(service: str, operation: str, params: Json, place: Place) -> list[Asked]:
    """Everything that must be allowed for the operation (botocore's names); [] for one that
    everybody may do. PassRole of the roles that it hands over comes last."""
    special = EXCEPTIONS.get(service)
    found = special(operation, params, place) if special else None
    if found is None:
        found = usual(service, operation, params, place)
    keys = tag_keys(params)
    if keys:
        found = [Asked(one.action, one.resource, {**keys, **one.keys}) for one in found]
    return [*found, *passed(service, operation, params, place)]


def usual(service: str, operation: str, params: Json, place: Place) -> list[Asked]:
    """The action of the operation's own name, on the resources of its types."""
    prefix = PREFIXES.get(service, service)
    action = f"{prefix}:{operation}"
    if operation.startswith(TAGGING):
        arn = next((str(params[name]) for name in TAGGED if name in params), None)
        if arn is not None and arn.startswith("arn:"):
            return [Asked(action, arn)]
    types = authorization().get(prefix, {}).get(operation) or []
    resources = [resource(prefix, kind, params, place) for kind in types]
    return [Asked(action, arn) for arn in resources] or [Asked(action)]


def resource(prefix: str, kind: str, params: Json, place: Place) -> str:
    """The ARN of the type's resource that the parameters name."""
    tail, members = RESOURCES[prefix][kind]
    name = next((str(params[member]) for member in members if params.get(member)), None)
    if name is None:
        name = DEFAULTS.get((prefix, kind), "*")
    if name.startswith("arn:"):
        return name
    if name.startswith(("http://", "https://")):  # a queue's URL
        name = name.rpartition("/")[2]
    if prefix == "iam" or kind == "dashboard":
        return f"arn:aws:{prefix}::{place.account}:{tail.format(name)}"
    return place.arn(prefix, tail.format(name))


def tag_keys(params: Json) -> dict[str, Value]:
    """aws:RequestTag/KEY and aws:TagKeys, of tags in any of the services' forms."""
    tags = params.get("Tags") or params.get("tags")
    pairs: Mapping[str, str] = {}
    if isinstance(tags, dict):
        pairs = {str(key): str(value) for key, value in tags.items()}
    elif isinstance(tags, list) and all(isinstance(tag, dict) for tag in tags):
        pairs = {
            str(tag.get("Key", tag.get("key"))): str(tag.get("Value", tag.get("value", "")))
            for tag in tags
        }
    if not pairs:
        return {}
    found: dict[str, Value] = {f"aws:requesttag/{k}".lower(): v for k, v in pairs.items()}
    return found | {"aws:tagkeys": tuple(pairs)}


@cache
def authorization() -> dict[str, dict[str, list[str] | None]]:
    """Prefix to action to the types of its resources, of those in RESOURCES; None for an action
    that takes no resource."""
    data: dict[str, dict[str, list[str] | None]] = json.loads(DATA.read_text())
    return data

"""botocore's service models by the names Step Functions uses."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import botocore.session
from botocore.exceptions import UnknownServiceError

# AWS SDK integrations name services as the Java SDK's packages; where botocore differs:
BOTOCORE_NAMES = {
    "sfn": "stepfunctions",
    "states": "stepfunctions",
    "eventbridge": "events",
    "cloudwatchlogs": "logs",
    "cloudwatchevents": "events",
    "sagemakerruntime": "sagemaker-runtime",
    "elasticloadbalancingv2": "elbv2",
    "costexplorer": "ce",
    "databasemigration": "dms",
    "servicecatalogappregistry": "servicecatalog-appregistry",
    "resourcegroupstaggingapi": "resourcegroupstaggingapi",
}


@lru_cache(maxsize=1)
def _session() -> Any:
    return botocore.session.get_session()


@lru_cache(maxsize=256)
def botocore_name(service: str) -> str | None:
    """botocore's name of a service as written in a Resource; None when there is none."""
    name = BOTOCORE_NAMES.get(service, service)
    available = _session().get_available_services()
    if name in available:
        return name
    plain = name.replace("-", "")
    return next((other for other in available if other.replace("-", "") == plain), None)


@lru_cache(maxsize=64)
def service_model(name: str) -> Any:
    try:
        return _session().get_service_model(name)
    except UnknownServiceError:
        return None


@lru_cache(maxsize=512)
def operation_model(name: str, operation: str) -> Any:
    """The operation's model or None; spelled as in the Resource, first letter upper-case."""
    model = service_model(name)
    if model is None:
        return None
    wanted = operation.lower()
    for known in model.operation_names:
        if known.lower() == wanted:
            return model.operation_model(known)
    return None


@lru_cache(maxsize=64)
def error_names(name: str) -> dict[str, str]:
    """Error code to exception shape, of everything the service models."""
    codes = {}
    for shape in service_model(name).error_shapes:
        codes[shape.metadata.get("error", {}).get("code", shape.name)] = shape.name
        codes[shape.name] = shape.name
    return codes


@lru_cache(maxsize=64)
def sdk_prefix(name: str) -> str:
    """The service's name in errors of AWS SDK integrations: `DynamoDb`, `Sfn`, `SageMaker`.

    The Java SDK v2 writes runs of capitals as one word.
    """
    words = str(service_model(name).metadata["serviceId"]).split()
    return "".join(
        re.sub(r"[A-Z]+(?![a-z])", lambda run: run[0].capitalize(), word[:1].upper() + word[1:])
        for word in words
    )

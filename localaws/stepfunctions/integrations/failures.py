"""Service errors under the names Step Functions gives them.

Optimised integrations use the exception names of the Java SDK v1, AWS SDK integrations those of
v2, where a code that the service does not model becomes the service's base exception.
"""

from __future__ import annotations

import uuid
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from localaws.stepfunctions.errors import NOT_EMULATED, StateError
from localaws.stepfunctions.integrations import models
from localaws.stepfunctions.integrations.resources import Resource

# Prefix, base exception and service name of the Java SDK v1.
V1_NAMES = {
    "athena": ("Athena", "AmazonAthenaException", "AmazonAthena"),
    "glue": ("Glue", "AWSGlueException", "AWSGlue"),
    "databrew": ("DataBrew", "AWSGlueDataBrewException", "AWSGlueDataBrew"),
    "sagemaker": ("SageMaker", "AmazonSageMakerException", "AmazonSageMaker"),
    "lambda": ("Lambda", "AWSLambdaException", "AWSLambda"),
    "dynamodb": ("DynamoDB", "AmazonDynamoDBException", "AmazonDynamoDBv2"),
    "sns": ("SNS", "AmazonSNSException", "AmazonSNS"),
    "sqs": ("SQS", "AmazonSQSException", "AmazonSQS"),
    "events": ("EventBridge", "AmazonEventBridgeException", "AmazonEventBridge"),
    "states": ("StepFunctions", "AWSStepFunctionsException", "AWSStepFunctions"),
}
# AWS's own words; localaws's S3 says in its message which bucket or key it was.
S3_WORDS = {
    "NoSuchBucket": "The specified bucket does not exist",
    "NoSuchKey": "The specified key does not exist.",
}
# Throttling comes as the service's base exception, even where some operation models its code.
THROTTLING = frozenset({"ThrottlingException", "Throttling", "ThrottledException"})


def exception_name(shape: str) -> str:
    """A modelled error's class name: always with the suffix Exception."""
    if shape.endswith("Exception"):
        return shape
    return shape.removesuffix("Fault") + "Exception"


def from_error(resource: Resource, service: str, error: Exception) -> StateError:
    """The StateError for what a client raised. `service` is botocore's name."""
    if not isinstance(error, ClientError):
        prefix = models.sdk_prefix(service) if resource.sdk else V1_NAMES[resource.service][0]
        if isinstance(error, BotoCoreError):
            return StateError(f"{prefix}.SdkClientException", str(error), from_task=True)
        raise error
    # GUESSED: a denied call of Glue or DataBrew ends a task as their base exception, not as
    #     AccessDeniedException.
    code = error.response["Error"].get("Code", "")
    message = error.response["Error"].get("Message", "")
    if code == NOT_EMULATED:
        return StateError(NOT_EMULATED, message, from_task=True)
    metadata = error.response.get("ResponseMetadata", {})
    shape = None if code in THROTTLING else models.error_names(service).get(code)
    status, request = metadata.get("HTTPStatusCode", 400), metadata.get("RequestId", "")
    if resource.sdk:
        if service == "s3":
            message = S3_WORDS.get(code, message)
            request = f"{request}, Extended Request ID: {metadata.get('HostId') or request}"
        return _v2(service, shape, message, status, request)
    return _v1(resource.service, code, shape, message, status, request)


def unreachable(resource: Resource, service: str, host: str) -> StateError:
    """What the SDK itself answers where the host of a URL is none."""
    prefix = models.sdk_prefix(service) if resource.sdk else V1_NAMES[resource.service][0]
    cause = f"Unable to execute HTTP request: {host}: Name or service not known"
    return StateError(f"{prefix}.SdkClientException", cause, from_task=True)


def s3_cause(error: Exception) -> str | None:
    """The Cause where a Map reads its items or writes its results itself. It names the object:
    nothing else in the history does."""
    if not isinstance(error, ClientError):
        return str(error)
    given = error.response["Error"]
    resource = Resource.parse("arn:aws:states:::aws-sdk:s3:getObject")
    cause = from_error(resource, "s3", error).cause or ""
    return cause.replace(S3_WORDS.get(given["Code"], given["Message"]), given["Message"], 1)


def null_member(resource: Resource, service: str, name: str) -> StateError:
    """What the service answers when a required member is null."""
    request = str(uuid.uuid4())
    code, message = "MissingParameter", f"The request must contain the parameter {name}."
    if service != "sqs":
        code = "ValidationException"
        message = (
            f"1 validation error detected: Value null at '{name[:1].lower()}{name[1:]}' failed to"
            " satisfy constraint: Member must not be null"
        )
    if resource.sdk:
        return _v2(service, None, message, 400, request)
    return _v1(resource.service, code, None, message, 400, request)


def _v2(service: str, shape: str | None, message: str, status: Any, request: str) -> StateError:
    prefix = models.sdk_prefix(service)
    name = exception_name(shape) if shape else f"{prefix}Exception"
    cause = f"{message} (Service: {prefix}, Status Code: {status}, Request ID: {request})"
    return StateError(f"{prefix}.{name}", cause, from_task=True)


def _v1(
    service: str, code: str, shape: str | None, message: str, status: Any, request: str
) -> StateError:
    prefix, base, full = V1_NAMES[service]
    name = exception_name(shape) if shape else base
    cause = (
        f"{message} (Service: {full}; Status Code: {status}; Error Code: {code};"
        f" Request ID: {request}; Proxy: null)"
    )
    return StateError(f"{prefix}.{name}", cause, from_task=True)

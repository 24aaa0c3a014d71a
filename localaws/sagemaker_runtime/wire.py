"""ModelError, and how InvokeEndpoint's answers are written."""

from __future__ import annotations

import json
from typing import Any

from moto.core import serialize

from localaws.errors import AwsError


class ModelError(AwsError):
    """424: the container answered with an error of its own."""

    def __init__(self, message: str, status: int, original: str, log_stream_arn: str) -> None:
        super().__init__("ModelError", message, 424)
        self.members = {
            "OriginalStatusCode": status,
            "OriginalMessage": original,
            "LogStreamArn": log_stream_arn,
        }


class RuntimeSerializer(serialize.RestJSONSerializer):
    """Keeps the model's Content-Type, and adds the members that only ModelError has.

    moto 5.2.5 writes a content type of its own, and of an error only code and message.
    """

    def serialize(self, result: Any) -> serialize.ResponseDict:
        answer = super().serialize(result)
        if isinstance(result, ModelError):
            body = json.loads(answer["body"]) | result.members | {"Message": result.message}
            answer["body"] = json.dumps(body)
        elif isinstance(result, dict) and "ContentType" in result:
            # A member of the answer that moto's serialiser replaces by its own.
            answer["headers"]["Content-Type"] = result["ContentType"]
        return answer


def install() -> None:
    """Registers the serialiser; installing it again changes nothing."""
    serialize.SERVICE_SPECIFIC_SERIALIZERS["sagemaker-runtime"] = {"rest-json": RuntimeSerializer}

"""The HTTP status of Invoke is a member of its output (`location: statusCode`): 200, 202 or 204.

moto's serialiser answers every operation with the model's fixed code, so this one goes into the
table that moto keeps for such exceptions (moto 5.2.5, `moto.core.serialize`).
"""

from __future__ import annotations

from typing import Any

from moto.core import serialize


class LambdaSerializer(serialize.RestJSONSerializer):
    """Takes the status from the answer's `StatusCode`."""

    def serialize(self, result: Any) -> serialize.ResponseDict:
        answer = super().serialize(result)
        if isinstance(result, dict) and "StatusCode" in result:
            answer["status_code"] = result["StatusCode"]
        return answer


def install() -> None:
    """Registers the serialiser; installing it again changes nothing."""
    serialize.SERVICE_SPECIFIC_SERIALIZERS["lambda"] = {"rest-json": LambdaSerializer}

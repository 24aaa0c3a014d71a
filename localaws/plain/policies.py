"""Resource policies of what moto keeps: queues."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from moto import backends

from localaws.core.aws import LocalAws
from localaws.identity.actions.asked import Asked
from localaws.kms import api as kms
from localaws.shapes import Json


def queue_policy(aws: LocalAws, arn: str) -> str | None:
    queue = _backend(aws, "sqs").queues.get(arn.rpartition(":")[2])
    return _text(queue.policy) if queue is not None else None


def queue_keys(aws: LocalAws, operation: str, params: Json) -> list[Asked]:
    """Who sends to an encrypted queue, or receives, uses its key.
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html"""
    actions = {
        "SendMessage": ("GenerateDataKey", "Decrypt"),
        "SendMessageBatch": ("GenerateDataKey", "Decrypt"),
        "ReceiveMessage": ("Decrypt",),
    }.get(operation, ())
    queue = _backend(aws, "sqs").queues.get(str(params.get("QueueUrl")).rpartition("/")[2])
    key = getattr(queue, "kms_master_key_id", None) if actions else None
    # alias/aws/sqs is SQS's own key, which everybody in the account may use.
    return kms.uses(aws, key, *actions) if key and key.startswith("arn:") else []


def _backend(aws: LocalAws, service: str) -> Any:
    found: Any = backends.get_backend(service)
    return found[aws.account][aws.region]


def _text(policy: object) -> str | None:
    if not policy:
        return None
    return policy if isinstance(policy, str) else json.dumps(policy)


MORE: dict[str, Callable[[LocalAws, str, Json], list[Asked]]] = {"sqs": queue_keys}
POLICIES: dict[str, Callable[[LocalAws, str], str | None]] = {
    "sqs": queue_policy,
}

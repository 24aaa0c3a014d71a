"""Resource policies of what moto keeps: queues."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from moto import backends

from localaws.core.aws import LocalAws


def queue_policy(aws: LocalAws, arn: str) -> str | None:
    queue = _backend(aws, "sqs").queues.get(arn.rpartition(":")[2])
    return _text(queue.policy) if queue is not None else None


def _backend(aws: LocalAws, service: str) -> Any:
    found: Any = backends.get_backend(service)
    return found[aws.account][aws.region]


def _text(policy: object) -> str | None:
    if not policy:
        return None
    return policy if isinstance(policy, str) else json.dumps(policy)


POLICIES: dict[str, Callable[[LocalAws, str], str | None]] = {
    "sqs": queue_policy,
}

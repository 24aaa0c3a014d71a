"""Resource policies of what moto keeps: queues, log groups."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from moto import backends

from localaws.core.aws import LocalAws

# What EventBridge's and Step Functions' log delivery may do once a role has set it up: AWS writes
# this statement into the account's policy itself.
# docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-and-resource-policy.html
DELIVERY = {
    "Sid": "AWSLogDeliveryWrite20150319",
    "Effect": "Allow",
    "Principal": {"Service": "delivery.logs.amazonaws.com"},
    "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
    "Resource": "*",
}


def queue_policy(aws: LocalAws, arn: str) -> str | None:
    queue = _backend(aws, "sqs").queues.get(arn.rpartition(":")[2])
    return _text(queue.policy) if queue is not None else None


def log_policy(aws: LocalAws, arn: str) -> str | None:
    """Of the account: all its policies as one."""
    statements: list[Any] = [DELIVERY]
    for policy in _backend(aws, "logs").resource_policies.values():
        given = json.loads(policy.policy_document)["Statement"]
        statements += given if isinstance(given, list) else [given]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def _backend(aws: LocalAws, service: str) -> Any:
    found: Any = backends.get_backend(service)
    return found[aws.account][aws.region]


def _text(policy: object) -> str | None:
    if not policy:
        return None
    return policy if isinstance(policy, str) else json.dumps(policy)


POLICIES: dict[str, Callable[[LocalAws, str], str | None]] = {
    "sqs": queue_policy,
    "logs": log_policy,
}

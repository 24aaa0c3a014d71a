"""DynamoDB and SQS: the operations that moto's CRUD answers fully."""

from __future__ import annotations

from collections.abc import Callable

from localaws.core.aws import LocalAws
from localaws.core.service import Call, Records, Service
from localaws.plain import nesting
from localaws.plain.policies import MORE, POLICIES
from localaws.plain.records import dynamodb, sqs

OPERATIONS: dict[str, tuple[str, ...]] = {
    "dynamodb": (
        *("CreateTable", "DescribeTable", "UpdateTable", "DeleteTable", "ListTables"),
        *("PutItem", "GetItem", "UpdateItem", "DeleteItem", "Query", "Scan", "BatchGetItem"),
        *("BatchWriteItem", "TransactGetItems", "TransactWriteItems", "UpdateTimeToLive"),
        *("DescribeTimeToLive", "TagResource", "UntagResource", "ListTagsOfResource"),
    ),
    "sqs": (
        *("CreateQueue", "GetQueueUrl", "GetQueueAttributes", "SetQueueAttributes", "ListQueues"),
        *("DeleteQueue", "PurgeQueue", "SendMessage", "SendMessageBatch", "ReceiveMessage"),
        *("DeleteMessage", "DeleteMessageBatch", "ChangeMessageVisibility", "TagQueue"),
        *("ChangeMessageVisibilityBatch", "UntagQueue", "ListQueueTags"),
    ),
}


RECORDS = {
    "dynamodb": Records(dynamodb.keep, dynamodb.restore),
    "sqs": Records(sqs.keep, sqs.restore),
}


CHECKS: dict[str, Callable[[Call], None]] = {"dynamodb": nesting.check}


def _factory(name: str) -> Callable[[LocalAws], Service]:
    def service(aws: LocalAws) -> Service:
        plain = Service(name)
        plain.moto(RECORDS[name], *OPERATIONS[name])
        plain.check = CHECKS.get(name, plain.check)
        if name in POLICIES:
            find = POLICIES[name]
            aws.authorize.resource_policies[name] = lambda arn: find(aws, arn)
        if name in MORE:
            more = MORE[name]
            aws.authorize.more[name] = lambda operation, params: more(aws, operation, params)
        return plain

    return service


FACTORIES = {name: _factory(name) for name in OPERATIONS}

"""IAM, STS, CloudWatch Logs, DynamoDB, SNS and SQS: the operations that moto's CRUD answers fully.

IAM policies are kept, not enforced. SNS has no Subscribe: moto would deliver to its own copies of
other services, not to ours.
"""

from __future__ import annotations

import copyreg
import threading
from collections.abc import Callable

from localaws.core.aws import LocalAws
from localaws.core.service import Service

OPERATIONS: dict[str, tuple[str, ...]] = {
    "iam": (
        *("CreateRole", "GetRole", "ListRoles", "UpdateRole", "UpdateRoleDescription"),
        *("DeleteRole", "UpdateAssumeRolePolicy", "TagRole", "UntagRole", "ListRoleTags"),
        *("PutRolePolicy", "GetRolePolicy", "ListRolePolicies", "DeleteRolePolicy"),
        *("AttachRolePolicy", "DetachRolePolicy", "ListAttachedRolePolicies"),
        *("CreatePolicy", "GetPolicy", "ListPolicies", "DeletePolicy", "ListEntitiesForPolicy"),
        *("CreatePolicyVersion", "GetPolicyVersion", "ListPolicyVersions"),
        *("DeletePolicyVersion", "SetDefaultPolicyVersion", "TagPolicy", "UntagPolicy"),
        *("ListPolicyTags", "ListInstanceProfilesForRole"),
    ),
    "sts": ("GetCallerIdentity", "AssumeRole", "GetSessionToken"),
    "logs": (
        *("CreateLogGroup", "DescribeLogGroups", "DeleteLogGroup", "PutRetentionPolicy"),
        *("DeleteRetentionPolicy", "CreateLogStream", "DescribeLogStreams", "DeleteLogStream"),
        *("PutLogEvents", "GetLogEvents", "FilterLogEvents", "PutResourcePolicy"),
        *("DescribeResourcePolicies", "DeleteResourcePolicy", "TagResource", "UntagResource"),
        *("ListTagsForResource", "TagLogGroup", "UntagLogGroup", "ListTagsLogGroup"),
    ),
    "dynamodb": (
        *("CreateTable", "DescribeTable", "UpdateTable", "DeleteTable", "ListTables"),
        *("PutItem", "GetItem", "UpdateItem", "DeleteItem", "Query", "Scan", "BatchGetItem"),
        *("BatchWriteItem", "TransactGetItems", "TransactWriteItems", "UpdateTimeToLive"),
        *("DescribeTimeToLive", "TagResource", "UntagResource", "ListTagsOfResource"),
    ),
    "sns": (
        *("CreateTopic", "DeleteTopic", "ListTopics", "GetTopicAttributes", "Publish"),
        *("SetTopicAttributes", "TagResource", "UntagResource", "ListTagsForResource"),
    ),
    "sqs": (
        *("CreateQueue", "GetQueueUrl", "GetQueueAttributes", "SetQueueAttributes", "ListQueues"),
        *("DeleteQueue", "PurgeQueue", "SendMessage", "SendMessageBatch", "ReceiveMessage"),
        *("DeleteMessage", "DeleteMessageBatch", "ChangeMessageVisibility", "TagQueue"),
        *("ChangeMessageVisibilityBatch", "UntagQueue", "ListQueueTags"),
    ),
}


# moto's queues hold locks. A state on disk is held by nobody, so a lock comes back as a new one.
copyreg.pickle(type(threading.RLock()), lambda _: (threading.RLock, ()))
copyreg.pickle(type(threading.Lock()), lambda _: (threading.Lock, ()))


def _factory(name: str) -> Callable[[LocalAws], Service]:
    def service(_: LocalAws) -> Service:
        plain = Service(name, snapshot="later" if name == "logs" else "now")
        plain.moto(*OPERATIONS[name])
        return plain

    return service


FACTORIES = {name: _factory(name) for name in OPERATIONS}

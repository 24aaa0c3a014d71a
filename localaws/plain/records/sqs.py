"""Queues and their messages, with who has received them and until when."""

from __future__ import annotations

import base64
from typing import Any

from moto.sqs.models import Message, Queue

from localaws.shapes import Json

# Those of CreateQueue; RedrivePolicy apart, which names another queue.
ATTRIBUTES = {
    "ContentBasedDeduplication": "content_based_deduplication",
    "DeduplicationScope": "deduplication_scope",
    "DelaySeconds": "delay_seconds",
    "FifoQueue": "fifo_queue",
    "FifoThroughputLimit": "fifo_throughput_limit",
    "KmsDataKeyReusePeriodSeconds": "kms_data_key_reuse_period_seconds",
    "KmsMasterKeyId": "kms_master_key_id",
    "MaximumMessageSize": "maximum_message_size",
    "MessageRetentionPeriod": "message_retention_period",
    "Policy": "policy",
    "ReceiveMessageWaitTimeSeconds": "receive_message_wait_time_seconds",
    "VisibilityTimeout": "visibility_timeout",
    "SqsManagedSseEnabled": "sqs_managed_sse_enabled",
}
# Of a message, ours and moto's name; times are milliseconds since 1970.
MEMBERS = {
    "receipt_handle": "receipt_handle",
    "earlier_receipt_handles": "_old_receipt_handles",
    "sender_id": "sender_id",
    "sent_ms": "sent_timestamp",
    "first_received_ms": "approximate_first_receive_timestamp",
    "receive_count": "approximate_receive_count",
    "deduplication_id": "deduplication_id",
    "group_id": "group_id",
    "sequence_number": "sequence_number",
    "visible_ms": "visible_at",
    "delayed_ms": "delayed_until",
}


def keep(backend: Any) -> Json:
    return {"queues": [_queue(queue) for queue in list(backend.queues.values())]}


def restore(backend: Any, kept: Json) -> None:
    for each in kept["queues"]:
        queue = Queue(each["name"], backend.region_name, backend.account_id, **each["attributes"])
        queue.tags, queue.permissions = each["tags"], each["permissions"]
        queue.deleted_messages = set(each["deleted_receipt_handles"])
        for given in each["messages"]:
            message = _message_of(given)
            queue._messages.append(message)
            if given["received"]:
                queue._pending_messages.add(message)
        backend.queues[queue.name] = queue
    for each in kept["queues"]:
        queue = backend.queues[each["name"]]
        if each["redrive_policy"]:
            queue.redrive_policy = each["redrive_policy"]
            wanted = queue.redrive_policy["deadLetterTargetArn"]
            found = (one for one in backend.queues.values() if one.queue_arn == wanted)
            queue.dead_letter_queue = next(found, None)
        queue.created_timestamp = each["created"]
        queue.last_modified_timestamp = each["modified"]
        queue.last_purged_at = each["purged"]


def _queue(queue: Any) -> Json:
    return {
        "name": queue.name,
        "attributes": {name: getattr(queue, member) for name, member in ATTRIBUTES.items()},
        "redrive_policy": queue.redrive_policy,
        "tags": queue.tags,
        "permissions": queue.permissions,
        "created": queue.created_timestamp,
        "modified": queue.last_modified_timestamp,
        "purged": queue.last_purged_at,
        "deleted_receipt_handles": sorted(each for each in list(queue.deleted_messages) if each),
        "messages": [
            _message(message) | {"received": message in queue.pending_messages}
            for message in list(queue._messages)
        ],
    }


def _message(message: Any) -> Json:
    return {
        "id": message.id,
        "body": message.body,
        "attributes": _values(message.message_attributes),
        "system_attributes": _values(message.system_attributes),
        **{name: getattr(message, member) for name, member in MEMBERS.items()},
    }


def _message_of(given: Json) -> Message:
    message = Message(given["id"], given["body"], _values_of(given["system_attributes"]))
    message.message_attributes = _values_of(given["attributes"])
    for name, member in MEMBERS.items():
        setattr(message, member, given[name])
    return message


def _values(attributes: Json) -> Json:
    """Message attributes; what is bytes in them is written as `{"base64": text}`."""
    return {
        name: {
            member: {"base64": base64.b64encode(value).decode()}
            if isinstance(value, bytes)
            else value
            for member, value in attribute.items()
        }
        for name, attribute in attributes.items()
    }


def _values_of(written: Json) -> Json:
    return {
        name: {
            member: base64.b64decode(value["base64"]) if isinstance(value, dict) else value
            for member, value in attribute.items()
        }
        for name, attribute in written.items()
    }

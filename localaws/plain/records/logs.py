"""Log groups, their streams and events, and resource policies."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from moto.logs.models import LogEvent, LogGroup, LogResourcePolicy, LogStream

from localaws.shapes import Json


def keep(backend: Any) -> Json:
    return {
        "groups": [
            {
                "name": group.name,
                "created": group.creation_time.isoformat(),
                "retention_days": group.retention_in_days,
                "kms_key": group.kms_key_id,
                "tags": backend.tagger.get_tag_dict_for_resource(group.arn),
                "streams": [_stream(stream) for stream in list(group.streams.values())],
            }
            for group in list(backend.groups.values())
        ],
        "resource_policies": [
            {
                "name": policy.policy_name,
                "document": policy.policy_document,
                "updated": policy.last_updated_time.isoformat(),
            }
            for policy in list(backend.resource_policies.values())
        ],
    }


def restore(backend: Any, kept: Json) -> None:
    for each in kept["groups"]:
        group = LogGroup(backend.account_id, backend.region_name, each["name"])
        group.creation_time = datetime.fromisoformat(each["created"])
        group.retention_in_days, group.kms_key_id = each["retention_days"], each["kms_key"]
        backend.tag_resource(group.arn, each["tags"])
        group.streams = {one["name"]: _stream_of(one, group) for one in each["streams"]}
        backend.groups[group.name] = group
    for each in kept["resource_policies"]:
        policy = LogResourcePolicy(each["name"], each["document"])
        policy.last_updated_time = datetime.fromisoformat(each["updated"])
        backend.resource_policies[policy.policy_name] = policy


def _stream(stream: Any) -> Json:
    """An event is [its time in ms, when it came in ms, its number, its message]."""
    last = stream.last_ingestion_time
    return {
        "name": stream.log_stream_name,
        "created": stream.creation_time.isoformat(),
        "last_ingestion": last and last.isoformat(),
        "stored_bytes": stream.stored_bytes,
        "sequence": stream.upload_sequence_token,
        "events": [
            [event.timestamp, event.ingestion_time, event.event_id, event.message]
            for event in list(stream.events)
        ],
    }


def _stream_of(kept: Json, group: LogGroup) -> LogStream:
    stream = LogStream(group, kept["name"])
    stream.creation_time = datetime.fromisoformat(kept["created"])
    last = kept["last_ingestion"]
    stream.last_ingestion_time = datetime.fromisoformat(last) if last else None
    stream.stored_bytes = kept["stored_bytes"]
    stream.upload_sequence_token = kept["sequence"]
    for time_ms, came_ms, number, message in kept["events"]:
        event = LogEvent(came_ms, {"timestamp": time_ms, "message": message})
        event.event_id = number
        # moto counts through all events of the process: the next one has a number of its own.
        LogEvent._event_id = max(LogEvent._event_id, number + 1)
        stream.events.append(event)
    return stream

"""Logs of a home that was made when moto kept them, as JSON or, before that, as a pickle."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from localaws.core import moto_state
from localaws.core.aws import LocalAws
from localaws.logs.policies import KIND
from localaws.logs.store import LogStore
from localaws.shapes import Json

FORMAT = 1  # of the JSON file


def adopt(folder: Path, aws: LocalAws, store: LogStore) -> None:
    """Takes them over, once: the file is put aside under another name, not deleted.

    Raises UnreadableState, ValueError or KeyError for a damaged one; nothing is changed then.
    """
    for name, read in (("logs.json", _of_json), ("logs.pickle", _of_pickle)):
        file = folder / name
        if file.exists():
            groups, policies = read(file.read_bytes(), aws)
            with store.writing(), aws.documents.transaction():
                for group in groups:
                    _add(group, store)
                for policy, kept in policies.items():
                    aws.documents.insert(KIND, policy, kept)
            file.rename(file.with_suffix(".adopted"))
            return


def _add(group: Json, store: LogStore) -> None:
    store.run(
        "INSERT INTO groups (name, created_ms, retention_days, kms_key, class, tags)"
        " VALUES (?, ?, ?, ?, 'STANDARD', ?) ON CONFLICT DO NOTHING",
        group["name"], group["created_ms"], group["retention_days"], group["kms_key"],
        json.dumps(group["tags"]),
    )  # fmt: skip
    for stream in group["streams"]:
        store.run(
            "INSERT INTO streams (in_group, name, created_ms) VALUES (?, ?, ?)"
            " ON CONFLICT DO NOTHING",
            group["name"], stream["name"], stream["created_ms"],
        )  # fmt: skip
        kept = store.stream(group["name"], stream["name"])
        assert kept is not None
        for came_ms, events in _by_arrival(stream["events"]).items():
            store.add(kept["id"], events, came_ms)


def _by_arrival(events: list[list[Any]]) -> dict[int, list[tuple[int, str]]]:
    """[time in ms, when it came in ms, number, message] -> when it came -> (time, message)."""
    found: dict[int, list[tuple[int, str]]] = {}
    for time_ms, came_ms, _, message in events:
        found.setdefault(came_ms, []).append((time_ms, message))
    return found


def _of_json(data: bytes, aws: LocalAws) -> tuple[list[Json], dict[str, Json]]:
    saved = json.loads(data)
    if saved["format"] != FORMAT:
        raise ValueError(f"its format is {saved['format']}; this version reads {FORMAT}")
    groups: list[Json] = []
    policies: dict[str, Json] = {}
    for region in saved["regions"]:
        if (region["account"], region["region"]) != (aws.account, aws.region):
            continue
        for group in region["groups"]:
            streams = [
                {"name": one["name"], "created_ms": _ms(one["created"]), "events": one["events"]}
                for one in group["streams"]
            ]
            groups.append({**group, "created_ms": _ms(group["created"]), "streams": streams})
        for policy in region["resource_policies"]:
            kept = {"document": policy["document"], "updated_ms": _ms(policy["updated"])}
            policies[policy["name"]] = kept
    return groups, policies


def _of_pickle(data: bytes, aws: LocalAws) -> tuple[list[Json], dict[str, Json]]:
    state = moto_state.load("logs", data).get((aws.account, aws.region), {})
    tags = state["tagger"].get_tag_dict_for_resource if "tagger" in state else lambda arn: {}
    groups = [
        {
            "name": group.name,
            "created_ms": _ms(group.creation_time.isoformat()),
            "retention_days": group.retention_in_days,
            "kms_key": group.kms_key_id,
            "tags": tags(group.arn),
            "streams": [
                {
                    "name": stream.log_stream_name,
                    "created_ms": _ms(stream.creation_time.isoformat()),
                    "events": [
                        [event.timestamp, event.ingestion_time, event.event_id, event.message]
                        for event in stream.events
                    ],
                }
                for stream in group.streams.values()
            ],
        }
        for group in state.get("groups", {}).values()
    ]
    policies = {
        policy.policy_name: {
            "document": policy.policy_document,
            "updated_ms": _ms(policy.last_updated_time.isoformat()),
        }
        for policy in state.get("resource_policies", {}).values()
    }
    return groups, policies


def _ms(moment: str) -> int:
    """moto kept UTC without saying so."""
    return int(datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp() * 1000)

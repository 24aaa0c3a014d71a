"""History events as GetExecutionHistory returns them."""

from __future__ import annotations

import json

from localaws.shapes import Json
from localaws.stepfunctions import timestamps
from localaws.stepfunctions.records import Event, Execution

DATA = frozenset({"input", "output", "parameters", "assignedVariables"})
DATA_DETAILS = frozenset({"inputDetails", "outputDetails", "assignedVariablesDetails"})


def shown(event: Event, *, data: bool = True) -> Json:
    """The API's HistoryEvent; without payloads when `data` is false."""
    item: Json = {
        "timestamp": timestamps.from_epoch(event.time),
        "type": event.type,
        "id": event.id,
        "previousEventId": event.previous,
    }
    if event.details is not None:
        members = json.loads(event.details)
        if not data:
            members = {name: _without_data(details) for name, details in members.items()}
        item.update(members)
    return item


def _without_data(details: Json) -> Json:
    return {key: value for key, value in details.items() if key not in DATA | DATA_DETAILS}


def started_event(row: Execution) -> Event:
    """ExecutionStarted, event 1."""
    details = {
        "input": row.input,
        "inputDetails": {"truncated": False},
        "roleArn": row.about["role_arn"],
    }
    for member, key in (
        ("stateMachineVersionArn", "version_arn"),
        ("stateMachineAliasArn", "alias_arn"),
    ):
        if row.about.get(key):
            details[member] = row.about[key]
    text = json.dumps({"executionStartedEventDetails": details}, ensure_ascii=False)
    return Event(1, 0, "ExecutionStarted", row.started, text)

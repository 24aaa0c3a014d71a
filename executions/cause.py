"""The message in a cause: services put a failed job's whole description there, as JSON."""

from __future__ import annotations

import json
from typing import Any

MOST_CHARACTERS = 600
# Where services have it, in the order in which they are asked; console/static/cause.js is held to
# the same cases (tests/cases/causes.json).
MEMBERS = (
    "errorMessage",  # Lambda
    "ErrorMessage",  # Glue, DataBrew
    "FailureReason",  # SageMaker
    "StateChangeReason",
    "StatusReason",  # Batch
    "StoppedReason",  # ECS
    "message",
    "Message",
    "Cause",  # another execution
)


def message(cause: str | None, most: int = MOST_CHARACTERS) -> str:
    """What a person should read of a cause, up to `most` characters; "" when there is none."""
    text = cause or ""
    try:
        described = json.loads(text)
    except ValueError:
        described = None
    if isinstance(described, dict):
        text = _told(described) or text
    return text if len(text) <= most else f"{text[:most]} ..."


def _told(described: dict[str, Any]) -> str:
    query = described.get("QueryExecution")
    status = query.get("Status") if isinstance(query, dict) else None
    for holder in (described, status):
        if isinstance(holder, dict):
            for member in MEMBERS:
                if isinstance(holder.get(member), str) and holder[member]:
                    return str(holder[member])
    return ""

"""One task's attempt, as whoever asks its service about it needs it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from executions.history import Attempt, mapping

Json = dict[str, Any]


@dataclass(frozen=True)
class Task:
    """`answer` holds what the service answered at once and at the end, the latter first."""

    service: str
    verb: str
    request: Json
    answer: Json
    started: datetime
    ended: datetime | None

    @classmethod
    def of(cls, attempt: Attempt) -> Task:
        request = mapping(attempt.request)
        if attempt.resource.startswith("arn:"):  # a function or activity itself
            request = {"FunctionName": attempt.resource}
        return cls(
            attempt.service,
            attempt.verb,
            request,
            mapping(attempt.submitted) | mapping(attempt.output),
            attempt.started_at,
            attempt.ended_at,
        )

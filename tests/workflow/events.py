"""Histories as GetExecutionHistory gives them, written as a story."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any


class Events:
    """Events of one branch, each a second after the one before it."""

    def __init__(self) -> None:
        self.all: list[dict[str, Any]] = []
        self._entered = 0

    def _add(self, kind: str, previous: int | None = None, **details: Any) -> None:
        number = len(self.all) + 1
        self.all.append(
            {
                "id": number,
                "previousEventId": number - 1 if previous is None else previous,
                "type": kind,
                "timestamp": datetime(2026, 11, 22, 8, tzinfo=UTC) + timedelta(seconds=number),
                **details,
            }
        )

    def start(self) -> None:
        self._add("ExecutionStarted", executionStartedEventDetails={"input": "{}"})

    def enter(self, name: str, data: Any) -> None:
        details = {"name": name, "input": json.dumps(data)}
        self._add("TaskStateEntered", stateEnteredEventDetails=details)
        self._entered = len(self.all)

    def begin(self, previous: int | None = None) -> None:
        task = {"resourceType": "lambda", "resource": "invoke"}
        scheduled = {**task, "parameters": "{}"}
        self._add("TaskScheduled", previous, taskScheduledEventDetails=scheduled)
        self._add("TaskStarted", taskStartedEventDetails=task)

    def fail(self, error: str, cause: str) -> None:
        self.begin()
        self._add("TaskFailed", taskFailedEventDetails={"error": error, "cause": cause})

    def succeed(self) -> None:
        """After a redrive: the entered state is scheduled again."""
        self.begin(self._entered)
        self._add("TaskSucceeded", taskSucceededEventDetails={"output": "{}"})

    def leave(self, name: str, data: Any) -> None:
        details = {"name": name, "output": json.dumps(data)}
        self._add("TaskStateExited", stateExitedEventDetails=details)

    def end(self, kind: str, **details: Any) -> None:
        self._add(kind, **{f"{kind[0].lower()}{kind[1:]}EventDetails": details})

    def redrive(self) -> None:
        self._add("ExecutionRedriven", executionRedrivenEventDetails={"redriveCount": 1})

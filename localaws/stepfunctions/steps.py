"""The steps of one running execution: what they write, and when they run.

Every method only changes memory and `changes`; who drives the run commits the changes and then
starts their effects.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Self

from localaws.stepfunctions.errors import StateError
from localaws.stepfunctions.execution_logs import destination
from localaws.stepfunctions.frames import Frame
from localaws.stepfunctions.host import Host, Step
from localaws.stepfunctions.records import Changes, Event, Execution

MAX_EVENTS = 25_000


class HistoryFullError(Exception):
    """The execution has no room for another event."""


class Steps(ABC):
    """What a run writes and asks of its host. A step of a frame that fails is the frame's
    failure; one whose frame waits for something else by then is dropped."""

    def __init__(self, host: Host, execution: Execution) -> None:
        self.host = host
        self.execution = execution
        self.id = execution.id
        self.frames: dict[int, Frame] = {}
        self.log_to = destination(execution)
        self.durable = not execution.express
        self._silent = execution.express and self.log_to is None  # nobody keeps its events
        self.next_event = 2
        self.active = True
        self.changes = Changes(execution.id)
        self.dirty: dict[int, Frame] = {}

    @abstractmethod
    def fail(self, frame: Frame, failure: StateError) -> None:
        """The frame's step has failed."""

    # --- writing ---------------------------------------------------------------------------

    def event(self, type_: str, previous: int, member: str | None = None, **details: Any) -> int:
        """Adds a history event and returns its id; None details are left out."""
        number = self.next_event
        final = type_.startswith("Execution")
        if number >= MAX_EVENTS and not final and self.durable:
            raise HistoryFullError
        self.next_event += 1
        if self._silent:
            return number
        self.host.touch(self.id)
        text = None
        if member is not None:
            kept = {key: value for key, value in details.items() if value is not None}
            text = json.dumps({member: kept}, ensure_ascii=False, separators=(",", ":"))
        self.changes.events.append(Event(number, previous, type_, self.host.now(), text))
        return number

    def save(self, frame: Frame) -> None:
        """Journals the frame's position as it is at the end of this step."""
        if not self.durable:
            return
        self.host.touch(self.id)
        self.dirty[frame.id] = frame

    def take_changes(self) -> Changes:
        changes = self.changes
        changes.records = [(frame.id, frame.record()) for frame in self.dirty.values()]
        self.changes = Changes(self.execution.id)
        self.dirty = {}
        return changes

    def kept(self, changes: Changes) -> Changes:
        """What of the changes the journal keeps."""
        if self.durable:
            return changes
        return changes.end_only() if "parent" in self.execution.about else Changes(self.id)

    # --- scheduling ------------------------------------------------------------------------

    def soon(self, frame: Frame, function: Callable[[Self, Frame], None]) -> None:
        """Runs the function in the engine's next round, if the frame still waits for it then."""
        self.host.soon(self.id, self._guarded(frame, function), slow=frame.state.slow)

    def at(self, due: float, frame: Frame, function: Callable[[Self, Frame], None]) -> None:
        self.host.at(due, self.id, self._guarded(frame, function), slow=frame.state.slow)

    def after_commit(self, effect: Step) -> None:
        """Runs the effect once everything that this step changes is written."""
        self.host.touch(self.id)
        self.changes.effects.append(effect)

    def work(
        self,
        frame: Frame,
        call: Callable[[], Any],
        then: Callable[[Self, Frame, Any], None],
        late: Callable[[Any], None] | None = None,
    ) -> None:
        """After the commit, makes the blocking call on a worker; `then` gets its value or the
        StateError. `late` gets the value when the frame no longer waits for it."""
        epoch = frame.epoch

        def answered(value: Any) -> None:
            if self.active and frame.epoch == epoch and frame.id in self.frames:
                self._guarded(frame, lambda run, f: then(run, f, value))()
            elif late is not None and not isinstance(value, StateError):
                late(value)

        slow = frame.state.slow
        self.after_commit(lambda: self.host.work(self.id, call, answered, slow=slow))

    def work_apart(self, call: Callable[[], Any]) -> None:
        """After the commit, makes the blocking call on a worker, whatever becomes of the frame."""
        self.after_commit(lambda: self.host.work(self.id, call, lambda _: None, slow=False))

    def _guarded(self, frame: Frame, function: Callable[[Self, Frame], None]) -> Callable[[], None]:
        epoch = frame.epoch

        def step() -> None:
            if not self.active or frame.epoch != epoch or frame.id not in self.frames:
                return
            try:
                function(self, frame)
            except StateError as failure:
                self.fail(frame, failure)

        return step

"""One running execution: how its frames enter, leave and fail states.

Every method runs on the engine's thread and only changes memory and `changes`; the engine commits
the changes and then starts the effects.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from localaws.stepfunctions import children, map_run, payload, retry, states, tasks
from localaws.stepfunctions.context import execution_context, state_context
from localaws.stepfunctions.definition import Machine, State
from localaws.stepfunctions.errors import (
    DATA_LIMIT,
    INTRINSIC_FAILURE,
    NO_CHOICE_MATCHED,
    QUERY_EVALUATION,
    RESULT_PATH_MATCH_FAILURE,
    RUNTIME,
    StateError,
)
from localaws.stepfunctions.execution_logs import destination
from localaws.stepfunctions.frames import ABORTED, DONE, ENTERED, FAILED, RETRYING, Frame
from localaws.stepfunctions.language import Language, Scope
from localaws.stepfunctions.store import Changes, Event, Execution

if TYPE_CHECKING:
    from localaws.stepfunctions.engine import Engine

Json = dict[str, Any]

MAX_EVENTS = 25_000
HISTORY_FULL = "The execution reached the maximum number of history events (25000)."
RETRYABLE = frozenset({"Task", "Parallel", "Map"})
ABORTABLE = frozenset({"Task", "Wait", "Parallel", "Map"})  # types with a ...StateAborted event
# Errors of the definition rather than of the work: AWS tells the state and the event.
EXPLAINED = frozenset(
    {RUNTIME, NO_CHOICE_MATCHED, INTRINSIC_FAILURE, RESULT_PATH_MATCH_FAILURE, QUERY_EVALUATION}
)

logger = logging.getLogger(__name__)


class HistoryFullError(Exception):
    """The execution has no room for another event."""


class Run:
    """An execution that is RUNNING, as the engine holds it in memory."""

    def __init__(self, engine: Engine, execution: Execution, machine: Machine) -> None:
        self.engine = engine
        self.execution = execution
        self.machine = machine
        self.input = json.loads(execution.input)
        self.shared_context = execution_context(execution, self.input)
        self.frames: dict[int, Frame] = {}
        self.log_to = destination(execution)
        self.next_event = 2
        self.next_frame = 0
        self.active = True
        self.changes = Changes(execution.id)
        self.dirty: dict[int, Frame] = {}
        self.children_of: Run | None = None

    # --- writing ---------------------------------------------------------------------------

    def event(self, type_: str, previous: int, member: str | None = None, **details: Any) -> int:
        """Adds a history event and returns its id; None details are left out."""
        number = self.next_event
        final = type_.startswith("Execution")
        if number >= MAX_EVENTS and not final:
            raise HistoryFullError
        self.next_event += 1
        self.engine.touched[self.execution.id] = self
        text = None
        if member is not None:
            kept = {key: value for key, value in details.items() if value is not None}
            text = json.dumps({member: kept}, ensure_ascii=False, separators=(",", ":"))
        self.changes.events.append(Event(number, previous, type_, self.engine.now(), text))
        return number

    def save(self, frame: Frame) -> None:
        """Journals the frame's position as it is at the end of this step."""
        self.engine.touched[self.execution.id] = self
        self.dirty[frame.id] = frame

    def take_changes(self) -> Changes:
        changes = self.changes
        changes.records = [(frame.id, frame.record()) for frame in self.dirty.values()]
        self.changes = Changes(self.execution.id)
        self.dirty = {}
        return changes

    # --- scheduling ------------------------------------------------------------------------

    def soon(self, frame: Frame, function: Callable[[Run, Frame], None]) -> None:
        """Runs the function in the engine's next round, if the frame still waits for it then."""
        self.engine.soon(self, self._guarded(frame, function))

    def at(self, due: float, frame: Frame, function: Callable[[Run, Frame], None]) -> None:
        self.engine.at(due, self, self._guarded(frame, function))

    def work(
        self,
        frame: Frame,
        call: Callable[[], Any],
        then: Callable[[Run, Frame, Any], None],
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

        self.engine.work(self, call, answered)

    def _guarded(self, frame: Frame, function: Callable[[Run, Frame], None]) -> Callable[[], None]:
        epoch = frame.epoch

        def step() -> None:
            if not self.active or frame.epoch != epoch or frame.id not in self.frames:
                return
            try:
                function(self, frame)
            except StateError as failure:
                self.fail(frame, failure)

        return step

    # --- life ------------------------------------------------------------------------------

    def begin(self) -> None:
        root = self.machine.root
        frame = self.add_frame(None, 0, root.states[root.start_at], 0)
        frame.input, frame.input_text = self.input, self.execution.input
        self.engine.start_deadline(self)
        self.announce()
        self.soon(frame, lambda run, f: run.enter(f, f.state))

    def add_frame(self, parent: Frame | None, index: int, state: State, last: int) -> Frame:
        pointer = "" if parent is None else children.group_pointer(parent, index)
        variables = {} if parent is None else dict(parent.variables)
        frame = Frame(
            self.next_frame, parent, index, self.machine.groups[pointer], state, last=last
        )
        frame.variables = variables
        self.next_frame += 1
        self.frames[frame.id] = frame
        self.save(frame)
        return frame

    def enter(self, frame: Frame, state: State) -> None:
        """Enters the state with the frame's input. A Task is scheduled in the same step."""
        frame.state = state
        frame.entered_time = self.engine.now()
        frame.retries = [0] * len(state.body.get("Retry", ()))
        frame.retry_count = frame.attempt = 0
        frame.due = frame.deadline = frame.beat = frame.heartbeat_seconds = None
        frame.token = frame.job = None
        frame.visits[state.name] = frame.visits.get(state.name, 0) + 1
        frame.before = frame.last
        frame.entered = frame.last = self.event(
            f"{state.type}StateEntered",
            frame.last,
            "stateEnteredEventDetails",
            name=state.name,
            input=frame.input_text,
            inputDetails={"truncated": False},
        )
        frame.moved(ENTERED)
        self.save(frame)
        runner = states.RUNNERS[state.type]
        if state.type == "Task":
            try:
                runner(self, frame)
            except StateError as failure:
                self.fail(frame, failure)
        else:
            self.soon(frame, runner)

    def scope(self, frame: Frame) -> Scope:
        retryable = frame.state.type in RETRYABLE
        context = state_context(
            self.shared_context,
            frame.state.name,
            frame.entered_time,
            retry_count=frame.retry_count if retryable else None,
            token=frame.token,
            item=children.item_of(frame),
        )
        return Scope(frame.state, frame.input, context, frame.variables)

    def language(self, frame: Frame) -> Language:
        return self.engine.languages[frame.state.language]

    def leave(self, frame: Frame, output: Any, assigned: Json, target: str | None) -> None:
        """Leaves the state with its output; goes on to `target` or ends the frame."""
        name = frame.state.name
        if output is frame.input:
            text = frame.input_text
        else:
            text = payload.check_size(payload.dumps(output), name)
        frame.last = frame.output = self.event(
            f"{frame.state.type}StateExited",
            frame.last,
            "stateExitedEventDetails",
            name=name,
            output=text,
            outputDetails={"truncated": False},
            assignedVariables={k: payload.dumps(v) for k, v in assigned.items()} or None,
            assignedVariablesDetails={"truncated": False} if assigned else None,
        )
        if assigned:
            frame.variables = {**frame.variables, **assigned}
        frame.children = None
        frame.input, frame.input_text = output, text
        if target is not None:
            frame.moved(DONE)
            self.enter_next(frame, target)
        elif frame.parent is None:
            self.succeed(frame)
        else:
            frame.moved(DONE)
            self.save(frame)
            children.done(self, frame)

    def enter_next(self, frame: Frame, target: str) -> None:
        self.enter(frame, frame.group.states[target])

    def finish(self, frame: Frame, result: Any) -> None:
        """The state's work is done: its output, and on to Next."""
        output, assigned = self.language(frame).output(self.scope(frame), result)
        body = frame.state.body
        self.leave(frame, output, assigned, body.get("Next"))

    def succeed(self, frame: Frame) -> None:
        self.event(
            "ExecutionSucceeded",
            frame.last,
            "executionSucceededEventDetails",
            output=frame.input_text,
            outputDetails={"truncated": False},
        )
        frame.moved(DONE)
        self.save(frame)
        self.end("SUCCEEDED", output=frame.input_text)

    # --- failure ---------------------------------------------------------------------------

    def fail(self, frame: Frame, failure: StateError) -> None:
        """Retry, else Catch, else the frame fails."""
        failure = self._explained(frame, failure)
        unstarted_map = frame.state.type == "Map" and frame.last == frame.entered
        recorded = failure.recorded or failure.from_task
        if failure.error == QUERY_EVALUATION and not recorded:
            failure.recorded = True
            frame.last = self.event(
                "EvaluationFailed",
                frame.before if unstarted_map else frame.last,  # as AWS has it
                "evaluationFailedEventDetails",
                error=failure.error,
                cause=failure.cause,
                location=failure.location,
                state=frame.state.name,
            )
        body = frame.state.body
        if frame.state.type in RETRYABLE:
            retriers = body.get("Retry", ())
            index = retry.retrier_for(retriers, frame.retries, failure)
            if index is not None:
                self._retry(frame, retriers[index], index)
                return
            unstarted_map = unstarted_map and failure.error == QUERY_EVALUATION
            children.close(self, frame, begun=unstarted_map or map_run.begun(frame))
        catcher = retry.catcher_for(body.get("Catch", ()), failure)
        if catcher is not None:
            try:
                language = self.language(frame)
                output, assigned = language.caught(self.scope(frame), catcher, failure.output())
                self.leave(frame, output, assigned, catcher["Next"])
                return
            except StateError as another:
                failure = self._explained(frame, another)
        frame.error = (failure.error, failure.cause)
        frame.moved(FAILED)
        self.save(frame)
        if frame.parent is None:
            self.end_failed(failure.error, failure.cause, frame.last)
        else:
            children.failed(self, frame, failure)

    def _explained(self, frame: Frame, failure: StateError) -> StateError:
        of_definition = failure.error in EXPLAINED or (
            failure.error == DATA_LIMIT and not failure.from_task
        )
        prefix = "An error occurred while executing the state '"
        if not of_definition or failure.cause is None or failure.cause.startswith(prefix):
            return failure
        where = f"{prefix}{frame.state.name}' (entered at the event id #{frame.entered}). "
        explained = StateError(failure.error, where + failure.cause, location=failure.location)
        explained.recorded = failure.recorded
        return explained

    def _retry(self, frame: Frame, retrier: Json, index: int) -> None:
        delay = retry.delay_seconds(retrier, frame.retries[index])
        frame.retries[index] += 1
        frame.retry_count += 1
        frame.due = self.engine.now() + delay * self.engine.wait_scale
        frame.token = frame.job = frame.deadline = frame.beat = None
        frame.children = None
        frame.moved(RETRYING)
        self.save(frame)
        self.at(frame.due, frame, states.RUNNERS[frame.state.type])

    # --- ends ------------------------------------------------------------------------------

    def end_failed(self, error: str | None, cause: str | None, previous: int) -> None:
        self.event(
            "ExecutionFailed", previous, "executionFailedEventDetails", error=error, cause=cause
        )
        self.end("FAILED", error=error, cause=cause)

    def end_aborted(self, error: str | None, cause: str | None) -> None:
        self.event("ExecutionAborted", 0, "executionAbortedEventDetails", error=error, cause=cause)
        self.end("ABORTED", error=error, cause=cause)

    def end_timed_out(self) -> None:
        self.event("ExecutionTimedOut", 0, "executionTimedOutEventDetails", error="States.Timeout")
        self.end("TIMED_OUT")

    def end(
        self,
        status: str,
        *,
        output: str | None = None,
        error: str | None = None,
        cause: str | None = None,
    ) -> None:
        """Ends the execution; work still under way is cancelled."""
        for frame in list(self.frames.values()):
            self.cancel(frame)
        stopped = self.engine.now()
        self.changes.ended = (status, output, error, cause, stopped)
        execution = self.execution
        execution.status, execution.output, execution.stopped = status, output, stopped
        execution.error, execution.cause = error, cause
        self.active = False
        self.engine.ended(self)
        self.announce()

    def crashed(self, error: BaseException) -> None:
        """A fault of the engine itself must end the execution, truthfully, not hang it."""
        if not self.active:
            return
        if isinstance(error, HistoryFullError):
            cause = HISTORY_FULL
        else:
            logger.error("Execution %s", self.execution.arn, exc_info=error)
            cause = f"localaws failed while running this execution: {error!r}"
        frame = self.frames.get(0)
        self.end_failed(RUNTIME, cause, frame.last if frame else 0)

    def abort(self, frame: Frame, previous: int) -> None:
        """Aborts a frame and all below it because a sibling failed."""
        if frame.children is not None:
            for child in list(frame.children.active.values()):
                children.iteration_event(self, child, "Aborted", previous)
                self.abort(child, previous)
        self.aborted_event(frame, previous)
        self.cancel(frame)
        frame.moved(ABORTED)
        self.frames.pop(frame.id, None)
        self.save(frame)

    def aborted_event(self, frame: Frame, previous: int) -> None:
        if frame.state.type in ABORTABLE and frame.entered:
            self.event(f"{frame.state.type}StateAborted", previous)

    def cancel(self, frame: Frame) -> None:
        """Stops the frame's job, if it has one, once this step is committed."""
        tasks.cancel(self, frame)
        children.cancel_map_run(self, frame)

    def announce(self) -> None:
        self.engine.announce(self.execution)

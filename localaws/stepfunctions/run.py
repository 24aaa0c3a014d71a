"""One running execution: how its frames enter, leave and fail states.

Every method only changes memory and `changes`; who drives the run commits the changes and then
starts their effects. What the types of states do is above this file: it comes in as `Kind`s.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from localaws.shapes import Json
from localaws.stepfunctions import payload, retry
from localaws.stepfunctions.context import execution_context, state_context
from localaws.stepfunctions.definition import Machine, State
from localaws.stepfunctions.errors import (
    INTRINSIC_FAILURE,
    NO_CHOICE_MATCHED,
    QUERY_EVALUATION,
    RESULT_PATH_MATCH_FAILURE,
    RUNTIME,
    StateError,
)
from localaws.stepfunctions.frames import ABORTED, DONE, ENTERED, FAILED, RETRYING, Frame
from localaws.stepfunctions.host import Host
from localaws.stepfunctions.language import Language, Scope
from localaws.stepfunctions.records import Execution
from localaws.stepfunctions.steps import HistoryFullError, Steps

EXPRESS_SECONDS = 300.0  # https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
HISTORY_FULL = "The execution reached the maximum number of history events (25000)."
RETRYABLE = frozenset({"Task", "Parallel", "Map"})
ABORTABLE = frozenset({"Task", "Wait", "Parallel", "Map"})  # types with a ...StateAborted event
# Errors of the definition rather than of the work: AWS tells the state and the event.
EXPLAINED = frozenset(
    {RUNTIME, NO_CHOICE_MATCHED, INTRINSIC_FAILURE, RESULT_PATH_MATCH_FAILURE, QUERY_EVALUATION}
)

logger = logging.getLogger(__name__)


FrameStep = Callable[["Run", Frame], None]


def _nothing(_run: Run, _frame: Frame) -> None:
    """For kinds of states that have nothing to do there."""


def _no_children(_run: Run, _frame: Frame, _about: Any) -> None:
    """For kinds of states that have none."""


@dataclass(frozen=True)
class Kind:
    """What one kind of state does. Every function may raise StateError unless it says else."""

    start: FrameStep  # does the state's work, once it is entered and at every retry
    cancel: FrameStep = _nothing  # stops what runs for the frame; does not raise
    resume: FrameStep = _nothing  # after a restart, where children are under way
    close: FrameStep = _nothing  # writes that the state has failed for good
    child_done: FrameStep = _nothing  # the frame, a child of such a state, has ended well
    child_failed: Callable[[Run, Frame, StateError], None] = _no_children
    abort_children: Callable[[Run, Frame, int], None] = _no_children  # with previousEventId


class Run(Steps):
    """An execution that is RUNNING, in memory. `kinds`: what each kind of state does."""

    def __init__(
        self, host: Host, execution: Execution, machine: Machine, kinds: Mapping[str, Kind]
    ) -> None:
        super().__init__(host, execution)
        self.integrations = host.integrations.acting(execution.about.get("role_arn"), execution.arn)
        self.machine = machine
        self.kinds = kinds
        self.input = json.loads(execution.input)
        self.shared_context = execution_context(execution, self.input)
        self.next_frame = 0

    # --- life ------------------------------------------------------------------------------

    def begin(self) -> None:
        root = self.machine.root
        frame = self.add_frame(None, 0, root.states[root.start_at], 0)
        frame.input, frame.input_text = self.input, payload.dumps(self.input)
        self.start_deadline()
        self.announce()
        self.soon(frame, lambda run, f: run.enter(f, f.state))

    def start_deadline(self) -> None:
        """The machine's TimeoutSeconds, counted from the execution's start or redrive."""
        seconds = self.machine.timeout_seconds
        if self.execution.express:
            seconds = min(seconds or EXPRESS_SECONDS, EXPRESS_SECONDS)
        if seconds is None:
            return

        def overdue() -> None:
            if self.active:
                self.end_timed_out()

        began = self.execution.redriven or self.execution.started
        self.host.at(began + seconds, self.id, overdue, slow=False)

    def add_frame(self, parent: Frame | None, index: int, state: State, last: int) -> Frame:
        pointer = "" if parent is None else parent.child_pointer(index)
        group = self.machine.groups[pointer]
        frame = Frame(self.next_frame, parent, index, group, state, last=last)
        if parent is not None:
            frame.variables = dict(parent.variables)
            frame.parent_attempt = parent.attempt
        self.next_frame += 1
        self.frames[frame.id] = frame
        self.save(frame)
        return frame

    def enter(self, frame: Frame, state: State) -> None:
        """Enters the state with the frame's input. A Task is scheduled in the same step."""
        frame.state = state
        frame.entered_time = self.host.now()
        frame.retries = frame.fresh_retries()
        frame.retry_count = frame.attempt = 0
        frame.due = frame.deadline = frame.beat = frame.heartbeat_seconds = None
        frame.token = frame.job = frame.role = frame.map_run = None
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
        runner = self.kind(frame).start
        if state.type == "Task" and not state.slow:
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
            item=frame.iteration(),
        )
        return Scope(frame.state, frame.input, context, frame.variables)

    def kind(self, frame: Frame) -> Kind:
        return self.kinds[frame.state.kind]

    def language(self, frame: Frame) -> Language:
        return self.host.languages[frame.state.language]

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
            self.kind(frame.parent).child_done(self, frame)

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
        unstarted = frame.last == frame.entered
        recorded = failure.recorded or failure.from_task
        if failure.error == QUERY_EVALUATION and not recorded:
            failure.recorded = True
            frame.last = self.event(
                "EvaluationFailed",
                frame.before if unstarted and frame.state.type != "Wait" else frame.last,
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
            if unstarted and frame.state.type == "Map" and failure.error == QUERY_EVALUATION:
                frame.last = self.event("MapStateFailed", frame.last)
            else:
                self.kind(frame).close(self, frame)
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
            self.kind(frame.parent).child_failed(self, frame, failure)

    def _explained(self, frame: Frame, failure: StateError) -> StateError:
        of_definition = failure.error in EXPLAINED
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
        frame.due = self.host.now() + delay * self.host.wait_scale
        frame.token = frame.job = frame.deadline = frame.beat = None
        frame.children = None
        frame.moved(RETRYING)
        self.save(frame)
        self.at(frame.due, frame, self.kind(frame).start)

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
        stopped = self.host.now()
        self.changes.ended = (status, output, error, cause, stopped)
        execution = self.execution
        execution.status, execution.output, execution.stopped = status, output, stopped
        execution.error, execution.cause = error, cause
        self.active = False
        self.after_commit(lambda: self.host.ended(execution))
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
        self.kind(frame).abort_children(self, frame, previous)
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
        self.kind(frame).cancel(self, frame)

    def announce(self) -> None:
        """Publishes the status as it is now."""
        execution = replace(self.execution)
        self.after_commit(lambda: self.host.announce(execution))

"""What each type of state does once it is entered."""

from __future__ import annotations

from localaws.stepfunctions import children, map_run, tasks, timestamps
from localaws.stepfunctions.definition import DISTRIBUTED_MAP
from localaws.stepfunctions.errors import (
    NO_CHOICE_MATCHED,
    QUERY_EVALUATION,
    StateError,
    runtime_error,
)
from localaws.stepfunctions.frames import WAITING, Frame
from localaws.stepfunctions.run import Kind, Run

NO_CHOICE = "Failed to transition out of the state. The state does not point to a next state."
# A loop around a Wait that takes no time would fill the history in seconds while the thing it
# waits for needs real time: from its second visit on, a scaled Wait takes at least this long.
REVISIT_SECONDS = 0.2
MAX_WAIT_SECONDS = 2**31 - 1


def run_pass(run: Run, frame: Frame) -> None:
    scope = run.scope(frame)
    body = frame.state.body
    result = body["Result"] if "Result" in body else run.language(frame).arguments(scope)
    run.finish(frame, result)


def run_choice(run: Run, frame: Frame) -> None:
    target, output, assigned = run.language(frame).choose(run.scope(frame))
    if target is None:
        raise StateError(NO_CHOICE_MATCHED, NO_CHOICE)
    run.leave(frame, output, assigned, target)


def run_succeed(run: Run, frame: Frame) -> None:
    language, scope = run.language(frame), run.scope(frame)
    output, assigned = language.output(scope, language.input(scope))
    run.leave(frame, output, assigned, None)


def run_fail(run: Run, frame: Frame) -> None:
    language, scope = run.language(frame), run.scope(frame)
    raise StateError(language.text(scope, "Error"), language.text(scope, "Cause"))


def run_wait(run: Run, frame: Frame) -> None:
    language, scope = run.language(frame), run.scope(frame)
    seconds = language.number(scope, "Seconds")
    if seconds is None:
        text = language.text(scope, "Timestamp")
        until = timestamps.parse(text)
        if until is None:
            raise _no_timestamp(frame, text)
        seconds = max(0.0, until.timestamp() - frame.entered_time)
    elif seconds < 0:
        path = frame.state.body.get("SecondsPath", "Seconds")
        raise runtime_error(
            f"The SecondsPath parameter references a negative value: {path} == {seconds:g}"
        )
    if seconds > MAX_WAIT_SECONDS:
        raise runtime_error("Wait state delay is too long.")
    waited = seconds * run.host.wait_scale
    if frame.visits[frame.state.name] > 1:
        waited = max(waited, min(seconds, REVISIT_SECONDS))
    frame.due = frame.entered_time + waited
    frame.moved(WAITING)
    run.save(frame)
    run.at(frame.due, frame, waited_enough)


def _no_timestamp(frame: Frame, text: str | None) -> StateError:
    form = "ISO-8601 extended offset date-time format string"
    path = frame.state.body.get("TimestampPath")
    if path is not None:
        return runtime_error(
            f"The TimestampPath parameter does not reference a valid {form}: {path} == {text}"
        )
    cause = f"The Timestamp field cannot be parsed as an {form}: {text}"
    return StateError(QUERY_EVALUATION, cause, location="Timestamp")


def waited_enough(run: Run, frame: Frame) -> None:
    language, scope = run.language(frame), run.scope(frame)
    frame.due = None
    run.finish(frame, language.input(scope))


KINDS: dict[str, Kind] = {
    "Pass": Kind(run_pass),
    "Choice": Kind(run_choice),
    "Succeed": Kind(run_succeed),
    "Fail": Kind(run_fail),
    "Wait": Kind(run_wait),
    "Task": tasks.KIND,
    "Parallel": children.KIND,
    "Map": children.KIND,
    DISTRIBUTED_MAP: map_run.KIND,
}

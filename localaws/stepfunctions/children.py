"""Parallel branches and inline Map iterations: starting, joining and failing them together."""

from __future__ import annotations

from typing import Any

from localaws.stepfunctions import map_items, payload
from localaws.stepfunctions.errors import TOLERANCE_EXCEEDED, StateError
from localaws.stepfunctions.frames import CHILDREN, Children, Frame
from localaws.stepfunctions.run import Kind, Run

MAX_INLINE_CONCURRENCY = (
    40  # https://docs.aws.amazon.com/step-functions/latest/dg/state-map-inline.html
)


def start(run: Run, frame: Frame) -> None:
    """Starts the branches or iterations, as many as may run at once."""
    frame.due = None
    frame.attempt += 1
    kind = frame.state.type
    made = make_children(run, frame)
    frame.last = run.event(
        f"{kind}StateStarted",
        frame.last,
        "mapStateStartedEventDetails" if kind == "Map" else None,
        length=made.total,
    )
    frame.children = made
    frame.moved(CHILDREN)
    run.save(frame)
    fill_up(run, frame, frame.last)
    if made.total == 0:
        _complete(run, frame)


def make_children(run: Run, frame: Frame) -> Children:
    """What the state starts, nothing of it started yet. May raise StateError."""
    scope = run.scope(frame)
    language = run.language(frame)
    if frame.state.type == "Parallel":
        total = len(frame.state.groups)
        return Children(total, (language.arguments(scope),) * total, total)
    limit = map_items.concurrency(language, scope) or MAX_INLINE_CONCURRENCY
    limit = min(limit, MAX_INLINE_CONCURRENCY)
    items = map_items.batches(language, scope, language.items(scope))
    return Children(len(items), tuple(items), limit)


def fill_up(run: Run, frame: Frame, previous: int) -> None:
    """Starts children until the limit is reached. `previous` is their first previousEventId."""
    made = frame.children
    while made is not None and made.next < made.total and len(made.active) < made.limit:
        index = made.next
        made.next += 1
        _start_child(run, frame, made, index, previous)


def _start_child(run: Run, frame: Frame, made: Children, index: int, previous: int) -> None:
    item = made.inputs[index]
    is_map = frame.state.type == "Map"
    value = iteration_input(run, frame, index, item) if is_map else item
    group = run.machine.groups[frame.child_pointer(index)]
    child = run.add_frame(frame, index, group.states[group.start_at], previous)
    if is_map:
        child.item = (index, item)
        child.last = run.event(
            "MapIterationStarted",
            previous,
            "mapIterationStartedEventDetails",
            name=frame.state.name,
            index=index,
        )
    set_input(frame, child, value)
    made.active[index] = child
    run.soon(child, lambda run_, f: run_.enter(f, f.state))


def set_input(frame: Frame, child: Frame, value: Any) -> None:
    """Gives a child its input; the parent's own text is kept where the value is the parent's."""
    child.input = value
    child.input_text = frame.input_text if value is frame.input else payload.dumps(value)


def iteration_input(run: Run, frame: Frame, index: int, item: Any) -> Any:
    return map_items.iteration_input(run.language(frame), run.scope(frame), index, item)


def done(run: Run, child: Frame) -> None:
    """A child has ended well; the next may start, or the state is complete."""
    frame = child.parent
    if frame is None or frame.children is None:
        return
    made = frame.children
    made.active.pop(child.index, None)
    run.frames.pop(child.id, None)
    made.results[child.index] = child.input
    frame.last = iteration_event(run, child, "Succeeded", child.last) or child.last
    _continue(run, frame, made, child.last)


def _continue(run: Run, frame: Frame, made: Children, previous: int) -> None:
    try:
        fill_up(run, frame, previous)
    except StateError as failure:
        _fail_together(run, frame, None, failure, previous)
        return
    if not made.active:
        run.save(frame)
        _complete(run, frame)


def _complete(run: Run, frame: Frame) -> None:
    made = frame.children
    if made is None:
        return
    results = [made.results[index] for index in sorted(made.results)]
    frame.children = None
    run.event(f"{frame.state.type}StateSucceeded", frame.last)
    try:
        run.finish(frame, results)
    except StateError as failure:
        run.fail(frame, failure)


def failed(run: Run, child: Frame, failure: StateError) -> None:
    """A child has failed: tolerated, or the whole state fails with it."""
    frame = child.parent
    if frame is None or frame.children is None:
        return
    made = frame.children
    tolerated = map_items.tolerance(run.language(frame), run.scope(frame), made.total)
    if tolerated is not None:
        made.failed += 1
        if made.failed <= tolerated:
            made.active.pop(child.index, None)
            run.frames.pop(child.id, None)
            frame.last = iteration_event(run, child, "Failed", child.last) or child.last
            _continue(run, frame, made, child.last)
            return
        failure = StateError(TOLERANCE_EXCEEDED, map_items.TOLERANCE_CAUSE)
    _fail_together(run, frame, child, failure, child.last)


def _fail_together(
    run: Run, frame: Frame, child: Frame | None, failure: StateError, previous: int
) -> None:
    """Ends every branch or iteration that is under way, in order, then fails the state."""
    made = frame.children
    if made is None:
        return
    for index in sorted(made.active):
        sibling = made.active[index]
        if sibling is child:
            iteration_event(run, sibling, "Failed", previous)
            run.aborted_event(sibling, previous)
            run.frames.pop(sibling.id, None)
        else:
            iteration_event(run, sibling, "Aborted", previous)
            run.abort(sibling, previous)
    made.active.clear()
    frame.last = previous
    joint = StateError(failure.error, failure.cause, branch=frame.state.type == "Parallel")
    joint.recorded = child is not None
    run.fail(frame, joint)


def iteration_event(run: Run, child: Frame, what: str, previous: int) -> int | None:
    """The MapIteration event of a Map's child; None for a branch, which has none."""
    frame = child.parent
    if frame is None or frame.state.type != "Map":
        return None
    return run.event(
        f"MapIteration{what}",
        previous,
        f"mapIteration{what}EventDetails",
        name=frame.state.name,
        index=child.index,
    )


def abort_children(run: Run, frame: Frame, previous: int) -> None:
    """Aborts what is under way below the state, because a sibling of it failed."""
    if frame.children is None:
        return
    for child in list(frame.children.active.values()):
        iteration_event(run, child, "Aborted", previous)
        run.abort(child, previous)


def close(run: Run, frame: Frame) -> None:
    """Writes that a Parallel or Map has failed, if it had begun."""
    if frame.children is not None:
        frame.last = run.event(f"{frame.state.type}StateFailed", frame.last)
        frame.children = None


def resume(run: Run, frame: Frame) -> None:
    """After a restart: starts what may start, and joins if nothing is left to wait for."""
    made = frame.children
    if made is not None:
        _continue(run, frame, made, frame.last)


KIND = Kind(
    start,
    resume=resume,
    close=close,
    child_done=done,
    child_failed=failed,
    abort_children=abort_children,
)

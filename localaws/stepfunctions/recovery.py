"""Taking up executions after the process has died or was stopped, from the journal alone.

Every frame is put back where its last committed record has it. What had ended stays ended. What
waited goes on waiting for the same moment. A job that runs is followed again; a call of which
nobody knows whether it was made is made again with the same client token, or its job is found.
"""

from __future__ import annotations

import json
from typing import Any

from localaws.shapes import Json
from localaws.stepfunctions import children, map_run, payload, states, tasks
from localaws.stepfunctions.frames import (
    CHILDREN,
    DONE,
    ENTERED,
    FAILED,
    NEW,
    OVER,
    RETRYING,
    SCHEDULED,
    STARTED,
    SUBMITTED,
    WAITING,
    Frame,
    from_record,
)
from localaws.stepfunctions.records import Event
from localaws.stepfunctions.run import Run

Frames = dict[int, Frame]


def resume(run: Run) -> None:
    """Puts the execution's frames back and lets each go on."""
    frames = _read(run)
    if not frames:
        run.begin()
        return
    _put_back(run, frames)


def redrive(run: Run) -> None:
    """Runs an ended execution again from where it failed: each state that did not succeed runs
    anew with the same input and fresh retriers; branches and iterations that succeeded stay. An
    EXPRESS child runs from its first state.

    https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html
    """
    if run.execution.express:
        run.begin()
        return
    frames = _read(run)
    redriven = run.event(
        "ExecutionRedriven",
        run.next_event - 1,
        "executionRedrivenEventDetails",
        redriveCount=run.execution.redrive_count,
    )
    run.announce()
    if not frames:
        run.begin()
        return
    for frame in frames.values():
        if frame.phase != DONE:
            frame.phase = _phase_to_redrive(frame, frames)
            # AWS goes on behind the state's own StateEntered event, not behind ExecutionRedriven.
            frame.last = frame.entered if frame.phase == ENTERED else redriven
            if frame.phase == CHILDREN and frame.job is not None:
                frame.job[map_run.REDRIVE] = True
            frame.retries, frame.retry_count = frame.fresh_retries(), 0
    _put_back(run, frames)
    for frame in run.frames.values():
        run.save(frame)


def _phase_to_redrive(frame: Frame, frames: Frames) -> str:
    joined = frame.state.type in ("Parallel", "Map") and any(
        other.parent is frame and other.parent_attempt == frame.attempt for other in frames.values()
    )
    if joined or (frame.state.distributed and frame.job is not None):
        return CHILDREN
    return ENTERED if frame.entered else NEW


def _read(run: Run) -> Frames:
    """Every frame of the journal, as its last record has it; `run` counts on from there."""
    journal = run.host.journal
    records = journal.positions(run.id)
    last = journal.events(run.id, reverse=True, limit=1)
    run.next_event = last[0].id + 1 if last else 2
    run.next_frame = max(records, default=-1) + 1
    frames: Frames = {}
    for number, record in sorted(records.items()):
        frame = from_record(number, record, run.machine, frames)
        if frame is not None:
            frames[number] = frame
    return frames


def _put_back(run: Run, frames: Frames) -> None:
    run.start_deadline()
    over: dict[int, list[Frame]] = {}
    for number, frame in frames.items():
        parent = frame.parent
        if parent is not None and (
            parent.id not in run.frames
            or parent.phase != CHILDREN
            or frame.parent_attempt != parent.attempt
        ):
            continue  # of an attempt that is over
        if frame.phase in OVER:
            if parent is not None:
                over.setdefault(parent.id, []).append(frame)
            continue
        run.frames[number] = frame
        _give_input(run, frame)
    for frame in list(run.frames.values()):
        if frame.phase == CHILDREN:
            _restore_children(run, frame, over.get(frame.id, []))
    for frame in list(run.frames.values()):
        if run.active and frame.id in run.frames:
            _go_on(run, frame)


def _details(event: Event) -> Json:
    members: Json = json.loads(event.details or "{}")
    return next(iter(members.values()), {})


def event_details(run: Run, number: int) -> Json:
    """The details member of one history event."""
    found = run.host.journal.events(run.id, first=number, last=number)
    return _details(found[0]) if found else {}


def _give_input(run: Run, frame: Frame) -> None:
    """The payload of the state the frame is in, from the event that entered it."""
    if frame.entered:
        frame.input_text = event_details(run, frame.entered)["input"]
        frame.input = json.loads(frame.input_text)
        frame.visits = {frame.state.name: 1}
    elif frame.parent is None:
        frame.input, frame.input_text = run.input, payload.dumps(run.input)


def _restore_children(run: Run, frame: Frame, over: list[Frame]) -> None:
    """The join of a Parallel or Map as its children's records have it."""
    if frame.state.distributed:
        return
    made = children.make_children(run, frame)
    frame.children = made
    is_map = frame.state.type == "Map"
    for child in [f for f in run.frames.values() if f.parent is frame]:
        item = made.inputs[child.index]
        made.active[child.index] = child
        made.next = max(made.next, child.index + 1)
        if is_map:
            child.item = (child.index, item)
        if not child.entered:
            value = children.iteration_input(run, frame, child.index, item) if is_map else item
            children.set_input(frame, child, value)
    for child in over:
        made.next = max(made.next, child.index + 1)
        if child.phase == DONE:
            made.results[child.index] = json.loads(event_details(run, child.output)["output"])
        elif child.phase == FAILED:
            made.failed += 1


def _go_on(run: Run, frame: Frame) -> None:
    phase = frame.phase
    if phase == NEW:
        run.soon(frame, lambda run_, f: run_.enter(f, f.state))
    elif phase == ENTERED:
        run.soon(frame, run.kind(frame).start)
    elif phase == WAITING:
        run.at(frame.due or 0.0, frame, states.waited_enough)
    elif phase == RETRYING:
        run.at(frame.due or 0.0, frame, run.kind(frame).start)
    elif phase == SCHEDULED:
        arguments = _arguments(run, frame)
        run.soon(frame, lambda run_, f: tasks.begin(run_, f, arguments))
    elif phase == STARTED:
        arguments = _arguments(run, frame)
        run.soon(frame, lambda run_, f: tasks.call(run_, f, arguments, again=True))
    elif phase == SUBMITTED:
        run.soon(frame, _follow)
    elif phase == CHILDREN:
        run.soon(frame, run.kind(frame).resume)


def _follow(run: Run, frame: Frame) -> None:
    tasks.attend(run, frame)
    tasks.poll(run, frame)


def _arguments(run: Run, frame: Frame) -> Any:
    """What was sent, from TaskScheduled or LambdaFunctionScheduled: the last one before `last`."""
    events = run.host.journal.events(run.id, first=frame.entered, last=frame.last, reverse=True)
    by_id = {event.id: event for event in events}
    event = by_id[frame.last]
    while not event.type.endswith("Scheduled"):
        event = by_id[event.previous]
    details = _details(event)
    text: str = details["parameters"] if "parameters" in details else details["input"]
    return json.loads(text)

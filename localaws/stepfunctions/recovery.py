"""Taking up executions after the process has died or was stopped, from the journal alone.

Every frame is put back where its last committed record has it. What had ended stays ended. What
waited goes on waiting for the same moment. A job that runs is followed again; a call of which
nobody knows whether it was made is made again with the same client token, or its job is found.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from localaws.stepfunctions import children, map_run, states, tasks
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
from localaws.stepfunctions.store import Event, Execution

if TYPE_CHECKING:
    from localaws.stepfunctions.engine import Engine
    from localaws.stepfunctions.run import Run

Json = dict[str, Any]


def resume(engine: Engine, execution: Execution) -> None:
    """Puts the execution's frames back and lets each go on."""
    run, records = _adopt(engine, execution)
    if not records:
        run.begin()
        return
    _put_back(run, records)


def redrive(engine: Engine, execution: Execution) -> None:
    """Runs an ended execution again from where it failed: each state that did not succeed runs
    anew with the same input and fresh retriers; branches and iterations that succeeded stay.

    https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html
    """
    run, records = _adopt(engine, execution)
    previous = run.next_event - 1
    redriven = run.event(
        "ExecutionRedriven",
        previous,
        "executionRedrivenEventDetails",
        redriveCount=execution.redrive_count,
    )
    run.announce()
    if not records:
        run.begin()
        return
    for number, record in records.items():
        if record["ph"] != DONE:
            record["ph"] = _phase_to_redrive(run, number, record, records)
            record["l"] = redriven
            if record["ph"] == CHILDREN and "job" in record:
                record["job"][map_run.REDRIVE] = True
            record.pop("r", None)
            record.pop("rc", None)
    _put_back(run, records)
    for frame in run.frames.values():
        run.save(frame)


def _phase_to_redrive(run: Run, number: int, record: Json, records: dict[int, Json]) -> str:
    state = run.machine.state(record["g"], record["s"])
    attempt = record.get("a", 0)
    joined = state.type in ("Parallel", "Map") and any(
        other.get("p") == number and other.get("pa", 0) == attempt for other in records.values()
    )
    if joined or (state.distributed and "job" in record):
        return CHILDREN
    return ENTERED if record["e"] else NEW


def _adopt(engine: Engine, execution: Execution) -> tuple[Run, dict[int, Json]]:
    run = engine.adopt(execution)
    records = engine.store.journal(execution.id)
    last = engine.store.events(execution.id, reverse=True, limit=1)
    run.next_event = last[0].id + 1 if last else 2
    run.next_frame = max(records, default=-1) + 1
    return run, records


def _put_back(run: Run, records: dict[int, Json]) -> None:
    run.engine.start_deadline(run)
    over: dict[int, list[tuple[int, Json]]] = {}
    for number, record in sorted(records.items()):
        parent = run.frames.get(record["p"]) if "p" in record else None
        current = parent is None or (
            record.get("pa", 0) == parent.attempt and parent.phase == CHILDREN
        )
        if "p" in record and (parent is None or not current):
            continue  # of an attempt that is over
        if record["ph"] in OVER:
            if parent is not None:
                over.setdefault(parent.id, []).append((number, record))
            continue
        frame = from_record(number, record, run.machine, parent)
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
    found = run.engine.store.events(run.execution.id, first=number, last=number)
    return _details(found[0]) if found else {}


def _give_input(run: Run, frame: Frame) -> None:
    """The payload of the state the frame is in, from the event that entered it."""
    if frame.entered:
        frame.input_text = event_details(run, frame.entered)["input"]
        frame.input = json.loads(frame.input_text)
        frame.visits = {frame.state.name: 1}
    elif frame.parent is None:
        frame.input, frame.input_text = run.input, run.execution.input


def _restore_children(run: Run, frame: Frame, over: list[tuple[int, Json]]) -> None:
    """The join of a Parallel or Map as its children's records have it."""
    if frame.state.distributed:
        return
    made = children.make_children(run, frame)
    frame.children = made
    for child in [f for f in run.frames.values() if f.parent is frame]:
        made.active[child.index] = child
        made.next = max(made.next, child.index + 1)
        if frame.state.type == "Map":
            child.item = (child.index, made.inputs[child.index])
        if not child.entered:
            item = made.inputs[child.index]
            is_map = frame.state.type == "Map"
            value = children.child_input(run, frame, child.index, item) if is_map else item
            children.set_input(frame, child, value)
    for _, record in over:
        index = record["x"]
        made.next = max(made.next, index + 1)
        if record["ph"] == DONE:
            output = event_details(run, record["o"])["output"]
            made.results[index] = json.loads(output)
        elif record["ph"] == FAILED:
            made.failed += 1


def _go_on(run: Run, frame: Frame) -> None:
    phase = frame.phase
    if phase == NEW:
        run.soon(frame, lambda run_, f: run_.enter(f, f.state))
    elif phase == ENTERED:
        run.soon(frame, states.RUNNERS[frame.state.type])
    elif phase == WAITING:
        run.at(frame.due or 0.0, frame, states.waited_enough)
    elif phase == RETRYING:
        run.at(frame.due or 0.0, frame, states.RUNNERS[frame.state.type])
    elif phase == SCHEDULED:
        arguments = _arguments(run, frame)
        run.soon(frame, lambda run_, f: tasks.begin(run_, f, arguments))
    elif phase == STARTED:
        arguments = _arguments(run, frame)
        run.soon(frame, lambda run_, f: tasks.call(run_, f, arguments, again=True))
    elif phase == SUBMITTED:
        run.soon(frame, _follow)
    elif phase == CHILDREN:
        run.soon(frame, children.resume)


def _follow(run: Run, frame: Frame) -> None:
    tasks.attend(run, frame)
    tasks.poll(run, frame)


def _arguments(run: Run, frame: Frame) -> Any:
    """What was sent, from TaskScheduled or LambdaFunctionScheduled: the last one before `last`."""
    events = run.engine.store.events(
        run.execution.id, first=frame.entered, last=frame.last, reverse=True
    )
    by_id = {event.id: event for event in events}
    event = by_id[frame.last]
    while not event.type.endswith("Scheduled"):
        event = by_id[event.previous]
    details = _details(event)
    text: str = details["parameters"] if "parameters" in details else details["input"]
    return json.loads(text)

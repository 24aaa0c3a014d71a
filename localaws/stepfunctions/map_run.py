"""Distributed Map: a map run whose iterations are child executions of their own.

Child executions are executions in the store with `about["parent"]` = [execution id, frame id,
index], so the map run's progress is always what the store says: a restart counts the children that
ended, leaves those that run to their own continuation and starts the rest. Of EXPRESS children the
store has the start and the end, nothing between: one that ran begins anew.
https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from localaws.shapes import Json
from localaws.stepfunctions import item_reader, map_items, payload, result_writer
from localaws.stepfunctions.errors import DATA_LIMIT, TOLERANCE_EXCEEDED, StateError
from localaws.stepfunctions.frames import CHILDREN, Children, Frame
from localaws.stepfunctions.item_reader import Items
from localaws.stepfunctions.records import (
    EXPRESS,
    Document,
    Event,
    Execution,
    NewExecution,
    express_arn,
)
from localaws.stepfunctions.resources import MAP_RUN
from localaws.stepfunctions.run import Kind, Run

MAX_CONCURRENCY = 1000  # here; AWS goes up to 10,000
REDRIVE = "redrive"
CHANGED = "changed"  # what UpdateMapRun has set


def start(run: Run, frame: Frame) -> None:
    """Begins the map run, as far as its own fields are right; its items are read on a worker."""
    frame.due = None
    frame.attempt += 1
    frame.job = frame.map_run = None
    scope, language = run.scope(frame), run.language(frame)
    limit = map_items.concurrency(language, scope)
    items = None if "ItemReader" in frame.state.body else language.items(scope)
    frame.last = run.event(
        "MapStateStarted", frame.last, "mapStateStartedEventDetails", length=len(items or ())
    )
    count, percentage = map_items.limits(language, scope)
    read = _reader(run, frame, items)
    label = frame.state.body.get("Label") or str(uuid.uuid4())
    machine = run.execution.machine_arn.replace(":stateMachine:", ":mapRun:")
    arn = f"{machine}/{label}:{uuid.uuid4()}"
    frame.last = run.event("MapRunStarted", frame.last, "mapRunStartedEventDetails", mapRunArn=arn)
    frame.job = {"id": arn, "label": label}
    frame.map_run = {
        "mapRunArn": arn,
        "executionArn": run.execution.arn,
        "stateMachineArn": f"{run.execution.machine_arn}/{label}",
        "status": "RUNNING",
        "startDate": run.host.now(),
        "stopDate": None,
        "maxConcurrency": limit,
        "toleratedFailurePercentage": percentage or 0.0,
        "toleratedFailureCount": count or 0,
        "total": 0,
        "batches": 0,
        "redriveCount": 0,
    }
    _note(run, frame)
    frame.moved(CHILDREN)
    run.save(frame)
    run.work(frame, read, _items_read)


def resume(run: Run, frame: Frame) -> None:
    """After a restart, or for a redrive: the items are read again."""
    if frame.job is None:
        return
    frame.map_run = run.host.resources.get(MAP_RUN, frame.job["id"])
    items = None
    if "ItemReader" not in frame.state.body:
        items = run.language(frame).items(run.scope(frame))
    run.work(frame, _reader(run, frame, items), _items_read)


def _reader(run: Run, frame: Frame, values: list[Any] | None) -> Callable[[], Items]:
    """What gives the items on a worker. Raises StateError."""
    if values is not None:
        return lambda: Items(values)
    reader = frame.state.body["ItemReader"]
    plan = item_reader.plan(run.language(frame), run.scope(frame), reader)
    return lambda: item_reader.read(run.integrations, plan)


def _items_read(run: Run, frame: Frame, items: Items | StateError) -> None:
    try:
        if isinstance(items, StateError):
            raise items
        language, scope = run.language(frame), run.scope(frame)
        inputs = map_items.batches(language, scope, items.values, items.sources)
        job = frame.job or {}
        limit = job.get(CHANGED, {}).get("maxConcurrency", map_items.concurrency(language, scope))
        made = Children(len(inputs), tuple(inputs), min(limit or MAX_CONCURRENCY, MAX_CONCURRENCY))
        made.sources = items.sources
        _note(run, frame, total=len(items.values), batches=made.total)
        frame.children = made
        _take_up(run, frame, made)
        frame.moved(CHILDREN)
        run.save(frame)
        _fill_up(run, frame)
    except StateError as failure:
        _fail(run, frame, failure)


def _take_up(run: Run, frame: Frame, made: Children) -> None:
    """Counts the children that the journal has; a redrive starts those that failed again."""
    job = frame.job or {}
    redrive = job.pop(REDRIVE, False)
    if redrive:
        count = (frame.map_run or {}).get("redriveCount", 0) + 1
        _note(
            run,
            frame,
            status="RUNNING",
            stopDate=None,
            redriveCount=count,
            redriveDate=run.host.now(),
        )
        frame.last = run.event(
            "MapRunRedriven",
            frame.last,
            "mapRunRedrivenEventDetails",
            mapRunArn=job["id"],
            redriveCount=count,
        )
    again: list[Execution] = []
    for row in run.host.journal.executions(map_run_arn=job["id"]):
        index = row.about["parent"][2]
        made.next = max(made.next, index + 1)
        if row.status == "RUNNING":
            made.runs[index] = row
        elif row.status == "SUCCEEDED":
            made.results[index] = row.id
        elif redrive:
            made.runs[index] = _redriven(row, run.host.now())
            again.append(made.runs[index])
        else:
            made.failed += 1
    if again:
        run.changes.redriven += [(row.id, row.redriven or 0.0) for row in again]
        run.after_commit(lambda: run.host.redrive(again))


def _redriven(row: Execution, now: float) -> Execution:
    """The row as `Journal.redrive` makes it."""
    return replace(
        row,
        status="RUNNING",
        output=None,
        error=None,
        cause=None,
        stopped=None,
        redrive_count=row.redrive_count + 1,
        redriven=now,
    )


def _fill_up(run: Run, frame: Frame) -> None:
    made = frame.children
    if made is None:
        return
    started: list[Execution] = []
    while made.next < made.total and len(made.runs) < made.limit:
        index = made.next
        new = _child(run, frame, index, made)
        made.next += 1
        made.runs[index] = new.row
        run.changes.started.append(new)
        started.append(new.row)
    if started:
        run.after_commit(lambda: run.host.begin(started))
    if not made.runs:
        _complete(run, frame, made)


def _child(run: Run, frame: Frame, index: int, made: Children) -> NewExecution:
    job = frame.job or {}
    scope = run.scope(frame)
    item, sources = made.inputs[index], made.sources
    value = map_items.iteration_input(run.language(frame), scope, index, item, sources)
    text = payload.dumps(value)
    body = frame.state.processor
    language = body.get("QueryLanguage", frame.state.language)
    definition = json.dumps({**body, "QueryLanguage": language, "ProcessorConfig": None})
    parent = run.execution
    machine_arn = f"{parent.machine_arn}/{job['label']}"
    name = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{job['id']}#{index}"))
    arn = machine_arn.replace(":stateMachine:", ":execution:") + f":{name}"
    if body.get("ProcessorConfig", {}).get("ExecutionType") == EXPRESS:
        arn = express_arn(machine_arn, name, str(uuid.uuid4()))
    row = Execution(
        id=0,
        arn=arn,
        machine_arn=machine_arn,
        name=name,
        status="RUNNING",
        input=text,
        output=None,
        error=None,
        cause=None,
        started=run.host.now(),
        stopped=None,
        definition="",
        map_run_arn=job["id"],
        redrive_count=0,
        redriven=None,
        about={**parent.about, "parent": [parent.id, frame.id, index]},
    )
    details = {"input": text, "inputDetails": {"truncated": False},
               "roleArn": parent.about["role_arn"]}  # fmt: skip
    event = Event(1, 0, "ExecutionStarted", row.started,
                  json.dumps({"executionStartedEventDetails": details}))  # fmt: skip
    return NewExecution(row, event, definition)


def child_ended(run: Run, child: Execution) -> None:
    """A child execution of this run has ended (called once its end is committed)."""
    _, number, index = child.about["parent"]
    frame = run.frames.get(number)
    if not run.active or frame is None or frame.children is None:
        return
    try:
        _count(run, frame, frame.children, child, index)
    except StateError as failure:
        _fail(run, frame, failure)


def _count(run: Run, frame: Frame, made: Children, child: Execution, index: int) -> None:
    if index not in made.runs:
        return
    made.runs.pop(index)
    if child.status == "SUCCEEDED":
        made.results[index] = child.id
    else:
        made.failed += 1
        if made.failed > _tolerance(run, frame, made):
            raise StateError(TOLERANCE_EXCEEDED, map_items.TOLERANCE_CAUSE)
    _fill_up(run, frame)


def _tolerance(run: Run, frame: Frame, made: Children) -> int:
    """How many children may fail: as the definition has it, or UpdateMapRun since."""
    language, scope = run.language(frame), run.scope(frame)
    changed = (frame.job or {}).get(CHANGED, {})
    return map_items.tolerance(language, scope, made.total, changed) or 0


def update(run: Run, arn: str, changes: Json) -> None:
    """UpdateMapRun: new limits of a map run that is under way, at once and over restarts.

    A lower tolerance counts from the next failure on; children that run are not stopped.
    """
    for frame in run.frames.values():
        job = frame.job or {}
        if job.get("id") != arn:
            continue
        _note(run, frame, **changes)
        frame.job = {**job, CHANGED: {**job.get(CHANGED, {}), **changes}}
        run.save(frame)
        if frame.children is not None and "maxConcurrency" in changes:
            limit = changes["maxConcurrency"] or MAX_CONCURRENCY
            frame.children.limit = min(limit, MAX_CONCURRENCY)
            run.soon(frame, _fill_up)


def _fail(run: Run, frame: Frame, failure: StateError) -> None:
    _ended(run, frame, "FAILED")
    cancel(run, frame)
    frame.last = run.event(
        "MapRunFailed",
        frame.last,
        "mapRunFailedEventDetails",
        error=failure.error,
        cause=failure.cause,
    )
    run.fail(frame, failure)


def _complete(run: Run, frame: Frame, made: Children) -> None:
    """Every child has ended: the results are collected, or written to S3."""
    job = frame.job or {}
    host, arn = run.host, job["id"]
    writer = frame.state.body.get("ResultWriter")
    if writer is not None:
        plan = result_writer.plan(run.language(frame), run.scope(frame), writer)
        call = lambda: result_writer.write(run.integrations, host.journal, plan, arn)  # noqa: E731
        run.work(frame, call, _collected)
        return
    run.work(frame, lambda: _results(run, arn, frame.state.name), _collected)


def _results(run: Run, arn: str, name: str) -> list[Any]:
    """The outputs of the children that succeeded, in the order of the items."""
    rows = run.host.journal.outputs(arn)
    if sum(len(text) for _, text in rows) > payload.MAX_BYTES:
        raise StateError(DATA_LIMIT, payload.TOO_LARGE.format(name=name))
    return [json.loads(text) for _, text in sorted(rows)]


def _collected(run: Run, frame: Frame, results: Any) -> None:
    if isinstance(results, StateError):
        _fail(run, frame, results)
        return
    _ended(run, frame, "SUCCEEDED")
    frame.last = run.event("MapRunSucceeded", frame.last)
    run.event("MapStateSucceeded", frame.last)
    frame.children = None
    frame.job = frame.map_run = None
    run.finish(frame, results)


def _note(run: Run, frame: Frame, **changes: Any) -> None:
    """Keeps what has changed about the map run."""
    document = {**(frame.map_run or {}), **changes}
    frame.map_run = document
    run.changes.documents.append(
        Document(MAP_RUN, document["mapRunArn"], run.execution.arn, document)
    )
    run.save(frame)


def _ended(run: Run, frame: Frame, status: str) -> None:
    _note(run, frame, status=status, stopDate=run.host.now())


def close(run: Run, frame: Frame) -> None:
    """Writes that the Map has failed, if its map run had begun."""
    if frame.job is not None or frame.children is not None:
        frame.last = run.event("MapStateFailed", frame.last)
        frame.children = None


def cancel(run: Run, frame: Frame) -> None:
    """Aborts the map run, if it is under way, and its child executions."""
    if frame.job is None:
        return
    if frame.map_run is None:  # taken up after a restart, and not resumed yet
        frame.map_run = run.host.resources.get(MAP_RUN, frame.job["id"])
    if frame.map_run is not None and frame.map_run["status"] == "RUNNING":
        _ended(run, frame, "ABORTED")
    made = frame.children
    if made is None:
        return
    rows, made.runs = list(made.runs.values()), {}
    run.after_commit(lambda: run.host.abort(rows))


KIND = Kind(start, cancel=cancel, resume=resume, close=close)

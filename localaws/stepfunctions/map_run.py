"""Distributed Map: a map run whose iterations are child executions of their own.

Child executions are ordinary executions in the store with `about["parent"]` = [execution id,
frame id, index], so the map run's progress is always what the store says: a restart counts the
children that ended, leaves those that run to their own continuation and starts the rest.
https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from localaws.stepfunctions import item_reader, map_items, payload, result_writer
from localaws.stepfunctions.errors import DATA_LIMIT, TOLERANCE_EXCEEDED, StateError
from localaws.stepfunctions.frames import CHILDREN, Children, Frame
from localaws.stepfunctions.store import Event, Execution

if TYPE_CHECKING:
    from localaws.stepfunctions.engine import Engine
    from localaws.stepfunctions.run import Run

Json = dict[str, Any]

MAP_RUN = "map-run"
MAX_CONCURRENCY = 1000  # here; AWS goes up to 10,000
REDRIVE = "redrive"
CHANGED = "changed"  # what UpdateMapRun has set


def start(run: Run, frame: Frame) -> None:
    """Begins the map run, as far as its own fields are right; its items are read on a worker."""
    frame.attempt += 1
    frame.job = None
    scope, language = run.scope(frame), run.language(frame)
    limit = map_items.concurrency(language, scope)
    items = None if "ItemReader" in frame.state.body else language.items(scope)
    frame.last = run.event(
        "MapStateStarted", frame.last, "mapStateStartedEventDetails", length=len(items or ())
    )
    count, percentage = map_items.limits(language, scope)
    read = _reader(run, frame, items)
    label = frame.state.body.get("Label") or uuid.uuid4().hex[:12]
    machine = run.execution.machine_arn.replace(":stateMachine:", ":mapRun:")
    arn = f"{machine}/{label}:{uuid.uuid4()}"
    frame.last = run.event("MapRunStarted", frame.last, "mapRunStartedEventDetails", mapRunArn=arn)
    frame.job = {"id": arn, "label": label}
    document = {
        "mapRunArn": arn,
        "executionArn": run.execution.arn,
        "stateMachineArn": f"{run.execution.machine_arn}/{label}",
        "status": "RUNNING",
        "startDate": run.engine.now(),
        "stopDate": None,
        "maxConcurrency": limit,
        "toleratedFailurePercentage": percentage or 0.0,
        "toleratedFailureCount": count or 0,
        "total": 0,
        "batches": 0,
        "redriveCount": 0,
    }
    run.engine.store.put(MAP_RUN, arn, run.execution.arn, document)
    frame.moved(CHILDREN)
    run.save(frame)
    run.work(frame, read, _items_read)


def begun(frame: Frame) -> bool:
    """Whether the frame's map run has begun and not succeeded."""
    return frame.state.distributed and frame.job is not None


def resume(run: Run, frame: Frame) -> None:
    """After a restart, or for a redrive: the items are read again."""
    items = None
    if "ItemReader" not in frame.state.body:
        items = run.language(frame).items(run.scope(frame))
    run.work(frame, _reader(run, frame, items), _items_read)


def _reader(run: Run, frame: Frame, items: list[Any] | None) -> Callable[[], list[Any]]:
    """What gives the items on a worker. Raises StateError."""
    if items is not None:
        return lambda: items
    reader = frame.state.body["ItemReader"]
    plan = item_reader.plan(run.language(frame), run.scope(frame), reader)
    return lambda: item_reader.read(run.engine.integrations, plan)


def _items_read(run: Run, frame: Frame, items: list[Any] | StateError) -> None:
    try:
        if isinstance(items, StateError):
            raise items
        language, scope = run.language(frame), run.scope(frame)
        inputs = map_items.batches(language, scope, items)
        job = frame.job or {}
        limit = job.get(CHANGED, {}).get("maxConcurrency", map_items.concurrency(language, scope))
        made = Children(len(inputs), tuple(inputs), min(limit or MAX_CONCURRENCY, MAX_CONCURRENCY))
        _note(run, job["id"], total=len(items), batches=made.total)
        frame.children = made
        _take_up(run, frame, made)
        frame.moved(CHILDREN)
        run.save(frame)
        _fill_up(run, frame)
    except StateError as failure:
        _fail(run, frame, failure)


def _take_up(run: Run, frame: Frame, made: Children) -> None:
    """Counts the children that the store has; a redrive starts those that failed again."""
    job = frame.job or {}
    redrive = job.pop(REDRIVE, False)
    if redrive:
        frame.last = run.event(
            "MapRunRedriven",
            frame.last,
            "mapRunRedrivenEventDetails",
            mapRunArn=job["id"],
            redriveCount=_redriven(run, job["id"]),
        )
    for row in run.engine.store.executions(map_run_arn=job["id"]):
        index = row.about["parent"][2]
        made.next = max(made.next, index + 1)
        if row.status == "RUNNING":
            made.runs[index] = row.id
        elif row.status == "SUCCEEDED":
            made.results[index] = row.id
        elif redrive:
            run.engine.store.redrive(row.id, run.engine.now())
            again = run.engine.store.execution(row.arn)
            if again is not None:
                made.runs[index] = row.id
                run.engine.redrive(again)
        else:
            made.failed += 1


def _fill_up(run: Run, frame: Frame) -> None:
    made = frame.children
    if made is None:
        return
    while made.next < made.total and len(made.runs) < made.limit:
        index = made.next
        made.next += 1
        made.runs[index] = _start_child(run, frame, index, made.inputs[index])
    if not made.runs:
        _complete(run, frame, made)


def _start_child(run: Run, frame: Frame, index: int, item: Any) -> int:
    from localaws.stepfunctions import children

    job = frame.job or {}
    text = payload.dumps(children.child_input(run, frame, index, item))
    body = frame.state.body["ItemProcessor"]
    language = body.get("QueryLanguage", frame.state.language)
    definition = json.dumps({**body, "QueryLanguage": language, "ProcessorConfig": None})
    sha256 = hashlib.sha256(definition.encode()).hexdigest()
    run.engine.store.keep_definition(sha256, definition)
    parent = run.execution
    machine_arn = f"{parent.machine_arn}/{job['label']}"
    name = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{job['id']}#{index}"))
    row = Execution(
        id=0,
        arn=machine_arn.replace(":stateMachine:", ":execution:") + f":{name}",
        machine_arn=machine_arn,
        name=name,
        status="RUNNING",
        input=text,
        output=None,
        error=None,
        cause=None,
        started=run.engine.now(),
        stopped=None,
        definition=sha256,
        map_run_arn=job["id"],
        redrive_count=0,
        redriven=None,
        about={**parent.about, "parent": [parent.id, frame.id, index]},
    )
    details = {"input": text, "inputDetails": {"truncated": False},
               "roleArn": parent.about["role_arn"]}  # fmt: skip
    event = Event(1, 0, "ExecutionStarted", row.started,
                  json.dumps({"executionStartedEventDetails": details}))  # fmt: skip
    run.engine.store.add_execution(row, event)
    run.engine.begin(row)
    return row.id


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


def update(engine: Engine, document: Json, changes: Json) -> None:
    """UpdateMapRun: new limits of a map run that is under way, at once and over restarts.

    A lower tolerance counts from the next failure on; children that run are not stopped.
    """
    engine.store.put(MAP_RUN, document["mapRunArn"], document["executionArn"], document | changes)
    for run in engine.runs.values():
        for frame in run.frames.values():
            if (frame.job or {}).get("id") != document["mapRunArn"]:
                continue
            job = frame.job or {}
            frame.job = {**job, CHANGED: {**job.get(CHANGED, {}), **changes}}
            run.save(frame)
            if frame.children is not None and "maxConcurrency" in changes:
                limit = changes["maxConcurrency"] or MAX_CONCURRENCY
                frame.children.limit = min(limit, MAX_CONCURRENCY)
                run.soon(frame, _fill_up)


def _fail(run: Run, frame: Frame, failure: StateError) -> None:
    _ended(run, (frame.job or {})["id"], "FAILED")
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
    store, arn = run.engine.store, job["id"]
    writer = frame.state.body.get("ResultWriter")
    if writer is not None:
        plan = result_writer.plan(run.language(frame), run.scope(frame), writer)
        call = lambda: result_writer.write(run.engine.integrations, store, plan, arn)  # noqa: E731
        run.work(frame, call, _collected)
        return
    run.work(frame, lambda: _results(run, arn, frame.state.name), _collected)


def _results(run: Run, arn: str, name: str) -> list[Any]:
    """The outputs of the children that succeeded, in the order of the items."""
    rows = run.engine.store.outputs(arn)
    if sum(len(text) for _, text in rows) > payload.MAX_BYTES:
        raise StateError(DATA_LIMIT, payload.TOO_LARGE.format(name=name))
    return [json.loads(text) for _, text in sorted(rows)]


def _collected(run: Run, frame: Frame, results: Any) -> None:
    if isinstance(results, StateError):
        _fail(run, frame, results)
        return
    _ended(run, (frame.job or {})["id"], "SUCCEEDED")
    frame.last = run.event("MapRunSucceeded", frame.last)
    run.event("MapStateSucceeded", frame.last)
    frame.children = None
    frame.job = None
    run.finish(frame, results)


def _note(run: Run, arn: str, **changes: Any) -> Json:
    """Keeps what has changed about the map run."""
    store = run.engine.store
    document = (store.get(MAP_RUN, arn) or {}) | changes
    store.put(MAP_RUN, arn, run.execution.arn, document)
    return document


def _ended(run: Run, arn: str, status: str) -> None:
    _note(run, arn, status=status, stopDate=run.engine.now())


def _redriven(run: Run, arn: str) -> int:
    """Notes that the map run runs again; how often that has happened."""
    count: int = _note(run, arn)["redriveCount"] + 1
    _note(
        run,
        arn,
        status="RUNNING",
        stopDate=None,
        redriveCount=count,
        redriveDate=run.engine.now(),
    )
    return count


def cancel(run: Run, frame: Frame) -> None:
    """Aborts the map run, if it is under way, and its child executions."""
    if not begun(frame):
        return
    engine, arn = run.engine, (frame.job or {})["id"]
    if (engine.store.get(MAP_RUN, arn) or {}).get("status") == "RUNNING":
        _ended(run, arn, "ABORTED")
    made = frame.children
    if made is None:
        return
    ids, made.runs = list(made.runs.values()), {}

    def abort() -> None:
        for number in ids:
            child = engine.runs.get(number)
            if child is not None and child.active:
                child.end_aborted(None, None)

    engine.post(None, abort)

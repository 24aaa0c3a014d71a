"""An execution as it goes on: each state that ends, in a line for whoever watches."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from configuration.connection import Connection
from executions.cause import message
from executions.events import Events
from executions.history import ENDS, History, Visit, details_of, failure_of, label
from executions.s3 import ObjectFile
from rebuy.cli.console import err, seconds

POLL_SECONDS_LOCAL = 0.2
POLL_SECONDS_AWS = 3.0

# The dataset that a state leaves behind, below the run's prefix: its rows can be counted.
DATASETS = {
    "Clean table (orders)": "cleaned/orders",
    "Clean table (order_products)": "cleaned/order_products",
    "Join prior order lines": "features/order_products_prior",
    "Compute user features": "features/user_features",
    "Compute user-product features": "features/user_product_features",
    "Compute product features": "features/product_features",
    "Join features": "sets",
}
SCALED_WAIT = "ScaledWait"  # a step that is shown, where other waits are not
SILENT = ("Choice", "Wait", "Pass")


@dataclass
class Step:
    """A state that was left: what a person following a run sees in a line."""

    state: str
    kind: str  # the state's type
    seconds: float
    failed: bool = False
    detail: str = ""
    item: str | None = None  # of a state in a Map

    @property
    def label(self) -> str:
        return label(self.state, self.item)


@dataclass
class Follower:
    """Turns an execution's history into steps, as they happen.

    `after` is the id of an event: steps up to it were shown before and are left out.
    """

    connection: Connection
    arn: str
    lake: str
    after: int = 0
    on_running: Callable[[str | None], None] | None = None  # told the state that goes on
    run_id: str | None = None
    _redriven_at: datetime | None = None
    _waits_input: dict[str, str] = field(default_factory=dict)  # of each Wait, its last one
    _told: set[tuple[str, float]] = field(default_factory=set)  # Waits, with what they take on AWS
    _waits: dict[str, dict[str, Any]] | None = None

    def steps(self) -> Iterator[Step]:
        """Every state that ends, until the execution does."""
        client = self.connection.client("stepfunctions")
        pause = POLL_SECONDS_LOCAL if self.connection.is_local else POLL_SECONDS_AWS
        history = History()
        for event in Events(client, self.arn).follow(pause):
            step = self._step(event, history.add(event), history)
            if self.on_running is not None:
                self.on_running(_at_work(history))
            if step is not None and event["id"] > self.after:
                yield step

    def _step(self, event: dict[str, Any], visit: Visit | None, history: History) -> Step | None:
        kind, details = event["type"], details_of(event)
        if kind == "ExecutionRedriven":  # the time it lay ended is no time of a state
            self._redriven_at = event["timestamp"]
        elif kind in ENDS:
            culprit = failure_of(history.visits)
            where = f"at {culprit.label}: " if culprit is not None else ""
            text = f"{where}{details.get('error') or kind}: {message(details.get('cause'))}"
            return Step(kind, kind, 0.0, failed=True, detail=text)
        elif visit is None:
            return None
        elif kind == "WaitStateEntered":
            self._waits_input[visit.state] = details["input"]
        elif kind.endswith("StateExited"):
            return self._left(event, visit)
        return None

    def _left(self, event: dict[str, Any], visit: Visit) -> Step:
        began = max(visit.entered_at, self._redriven_at or visit.entered_at)
        took = (event["timestamp"] - began).total_seconds()
        step = Step(visit.state, visit.type, took, item=visit.item)
        if visit.status == "caught":  # an error that the workflow goes on from
            step.detail = f"caught {visit.error}: {message(visit.cause)}"
        elif visit.type == "Wait":
            self._tell_scaled(step)
        elif event["id"] > self.after:
            self._describe(step, json.loads(visit.output or "null"))
        return step

    def _tell_scaled(self, step: Step) -> None:
        """What a Wait takes on AWS, once a state and time, where the local AWS waited less."""
        if not self.connection.is_local:
            return
        if self._waits is None:
            client = self.connection.client("stepfunctions")
            described = client.describe_state_machine_for_execution(executionArn=self.arn)
            self._waits = dict(wait_states(json.loads(described["definition"])))
        state_input = json.loads(self._waits_input[step.state])
        on_aws = wait_seconds(self._waits.get(step.state, {}), state_input)
        if on_aws is not None and step.seconds < on_aws and (step.state, on_aws) not in self._told:
            self._told.add((step.state, on_aws))
            step.kind = SCALED_WAIT
            step.detail = f"{on_aws:g} s on AWS: waits are scaled here"

    def _describe(self, step: Step, output: Any) -> None:
        if isinstance(output, dict) and isinstance(output.get("run"), dict):
            self.run_id = output["run"]["id"]  # every state's output has it from the first on
        if step.label in DATASETS and self.run_id is not None:
            prefix = f"runs/run={self.run_id}/{DATASETS[step.label]}/"
            rows = count_rows(self.connection.client("s3"), self.lake, prefix)
            step.detail = f"{rows:,} rows"
        elif step.state == "Check raw data":
            step.detail = f"{len(output['checks']['answer']['checks'])} checks hold"
        elif step.state == "Judge model":
            step.detail = output["judgement"]["answer"]["reason"]
        elif step.state == "Receive trigger":
            manifest = output["run"].get("manifest")  # none while another run is ahead
            if manifest is not None:
                step.detail = f"{manifest['objects']} raw files, {manifest['bytes']:,} bytes"


def follow(connection: Connection, arn: str, lake: str, after: int = 0) -> None:
    """Shows each state as it ends, until the execution does; those after the event `after`.

    One that looks again and again how far something is has one line, its first.
    """
    shown = None
    with _clock() as running:
        for step in Follower(connection, arn, lake, after, running).steps():
            if step.failed:
                err.print(f"  failed  {step.detail}", style="red", markup=False, soft_wrap=True)
            elif step.kind not in SILENT and (step.label != shown or step.detail):
                shown = step.label
                line = f"  {step.label:<42}{seconds(step.seconds):>9}   {step.detail}"
                err.print(line, markup=False, soft_wrap=True)


def _at_work(history: History) -> str | None:
    """The Task or Wait that was entered last and goes on."""
    for visit in reversed(history.visits):
        if visit.ended_at is None and visit.type in ("Task", "Wait"):
            return visit.label
    return None


@contextmanager
def _clock() -> Iterator[Callable[[str | None], None] | None]:
    """On a terminal a last line that says what goes on, and for how long; nothing elsewhere."""
    if not err.is_terminal:
        yield None
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    progress = Progress(*columns, console=err, transient=True)
    task = progress.add_task("", visible=False)
    last: str | None = None

    def running(state: str | None) -> None:
        nonlocal last
        if state != last:
            last = state
            progress.reset(task, description=state or "", visible=state is not None)

    with progress:
        yield running


def wait_states(body: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and body of every Wait in a definition, in branches and item processors too."""
    for name, state in body.get("States", {}).items():
        if state["Type"] == "Wait":
            yield name, state
        processor = state.get("ItemProcessor", state.get("Iterator"))
        for inner in [*state.get("Branches", ()), *([processor] if processor else ())]:
            yield from wait_states(inner)


def wait_seconds(state: dict[str, Any], state_input: Any) -> float | None:
    """How long a Wait takes on AWS; None where that is not a number or a plain `$.a.b` path."""
    duration = state.get("Seconds")
    if "SecondsPath" in state:
        duration = state_input
        for part in state["SecondsPath"].removeprefix("$").split(".")[1:]:
            duration = duration.get(part) if isinstance(duration, dict) else None
    return float(duration) if isinstance(duration, int | float) else None


def count_rows(s3: Any, bucket: str, prefix: str) -> int:
    """Rows of the Parquet files below a prefix, read from their footers alone."""
    from pyarrow import PythonFile, parquet

    total = 0
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for entry in page.get("Contents", []):
            key = entry["Key"]
            hidden = key.rsplit("/", 1)[1].startswith((".", "_"))
            if entry["Size"] == 0 or hidden or "/summary/" in key:
                continue
            file = PythonFile(ObjectFile(s3, bucket, key, entry["Size"]), mode="r")
            total += parquet.ParquetFile(file).metadata.num_rows
    return total

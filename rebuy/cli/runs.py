"""Executions: start, find, follow, stop; over the AWS API, wherever it is."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from rebuy.connection import Connection
from rebuy.errors import InputError, RunError
from tasks.functions import receive_trigger

ENDED = {"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"}
POLL_SECONDS_LOCAL = 0.2
POLL_SECONDS_AWS = 3.0

# The dataset that a state leaves behind, below the run's prefix: its rows can be counted.
DATASETS = {
    "Clean orders": "clean/orders",
    "Clean order lines": "clean/order_products",
    "Join prior order lines": "features/order_products_prior",
    "Compute user features": "features/user_features",
    "Compute user-product features": "features/user_product_features",
    "Compute product features": "features/product_features",
    "Join features": "sets",
}
SCALED_WAIT = "ScaledWait"  # a step that is shown, where other waits are not
FOOTER_BYTES = 256 * 1024


@dataclass
class Step:
    """A state that was left: what a person following a run sees in a line."""

    state: str
    kind: str
    seconds: float
    failed: bool = False
    detail: str = ""


@dataclass
class Follower:
    """Turns an execution's history into steps, as they happen.

    `after` is the id of an event: steps up to it were shown before and are left out.
    """

    connection: Connection
    arn: str
    lake: str
    after: int = 0
    run_id: str | None = None
    _seen: int = 0
    _open: dict[str, list[datetime]] = field(default_factory=dict)
    _inputs: dict[str, str] = field(default_factory=dict)  # of the Wait states
    _waits: dict[str, dict[str, Any]] | None = None
    _owner: dict[int, str] = field(default_factory=dict)  # event to the state it belongs to
    _failures: dict[str, str] = field(default_factory=dict)  # by state, until it is tried again

    def steps(self) -> Iterator[Step]:
        """Every state that ends, until the execution does."""
        client = self.connection.client("stepfunctions")
        pause = POLL_SECONDS_LOCAL if self.connection.is_local else POLL_SECONDS_AWS
        while True:
            status = client.describe_execution(executionArn=self.arn)["status"]
            yield from self._news(client)
            if status in ENDED:
                return
            time.sleep(pause)

    def _news(self, client: Any) -> Iterator[Step]:
        pages = client.get_paginator("get_execution_history").paginate(executionArn=self.arn)
        for page in pages:
            for event in page["events"]:
                if event["id"] <= self._seen:
                    continue
                self._seen = event["id"]
                step = self._step(event)
                if step is not None and event["id"] > self.after:
                    yield step

    def _step(self, event: dict[str, Any]) -> Step | None:
        kind, time_ = event["type"], event["timestamp"]
        details: dict[str, Any] = next((v for k, v in event.items() if k.endswith("Details")), {})
        state = details["name"] if "State" in kind and "name" in details else None
        state = state or self._owner.get(event.get("previousEventId", 0), "")
        self._owner[event["id"]] = state
        if kind.endswith("StateEntered"):
            self._open.setdefault(state, []).append(time_)
            if kind == "WaitStateEntered":
                self._inputs.setdefault(state, details["input"])
        elif kind.endswith("StateExited"):
            entered = self._open.get(state) or [time_]
            step = Step(state, kind, (time_ - entered.pop()).total_seconds())
            if state in self._failures:  # an error that the workflow goes on from
                step.detail = f"caught {self._failures.pop(state)}"
            elif kind == "WaitStateExited":
                self._tell_scaled(step)
            elif event["id"] > self.after:
                self._describe(step, json.loads(details["output"]))
            return step
        elif kind == "ExecutionRedriven":  # the time it lay ended is no time of a state
            self._open = {name: [time_] * len(entered) for name, entered in self._open.items()}
        elif kind in ("TaskFailed", "TaskTimedOut"):
            self._failures[state] = f"{details.get('error')}: {reason(details.get('cause'))}"
        elif kind == "TaskSucceeded":
            self._failures.pop(state, None)
        elif kind in ("ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted"):
            text = f"{details.get('error') or kind}: {reason(details.get('cause'))}"
            return Step(kind, kind, 0.0, failed=True, detail=text)
        return None

    def _tell_scaled(self, step: Step) -> None:
        """What a Wait takes on AWS, once a state, where the local AWS waited less."""
        if not self.connection.is_local or not self._inputs.get(step.state):
            return
        if self._waits is None:
            client = self.connection.client("stepfunctions")
            described = client.describe_state_machine_for_execution(executionArn=self.arn)
            self._waits = dict(wait_states(json.loads(described["definition"])))
        given = json.loads(self._inputs[step.state])
        seconds = wait_seconds(self._waits.get(step.state, {}), given)
        if seconds is not None and step.seconds < seconds:
            self._inputs[step.state] = ""
            step.kind = SCALED_WAIT
            step.detail = f"{seconds:g} s on AWS: waits are scaled here"

    def _describe(self, step: Step, output: Any) -> None:
        if isinstance(output, dict) and isinstance(output.get("run"), dict):
            self.run_id = output["run"]["id"]  # every state's output has it from the first on
        if step.state in DATASETS and self.run_id is not None:
            rows = count_rows(
                self.connection.client("s3"),
                self.lake,
                f"runs/run={self.run_id}/{DATASETS[step.state]}/",
            )
            step.detail = f"{rows:,} rows"
        elif step.state == "Check raw data":
            step.detail = f"{len(output['checks']['answer']['checks'])} checks hold"
        elif step.state == "Judge model":
            step.detail = output["judgement"]["answer"]["reason"]
        elif step.state == "Receive trigger":
            manifest = output["received"]["answer"]["manifest"]
            step.detail = f"{manifest['objects']} raw files, {manifest['bytes']:,} bytes"


def wait_states(body: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and body of every Wait in a definition, in branches and item processors too."""
    for name, state in body.get("States", {}).items():
        if state["Type"] == "Wait":
            yield name, state
        processor = state.get("ItemProcessor", state.get("Iterator"))
        for inner in [*state.get("Branches", ()), *([processor] if processor else ())]:
            yield from wait_states(inner)


def wait_seconds(state: dict[str, Any], given: Any) -> float | None:
    """How long a Wait takes on AWS; None where that is not a number or a plain `$.a.b` path."""
    seconds = state.get("Seconds")
    if "SecondsPath" in state:
        seconds = given
        for part in state["SecondsPath"].removeprefix("$").split(".")[1:]:
            seconds = seconds.get(part) if isinstance(seconds, dict) else None
    return float(seconds) if isinstance(seconds, int | float) else None


def count_rows(s3: Any, bucket: str, prefix: str) -> int:
    """Rows of the Parquet files below a prefix, read from their footers alone."""
    import io

    from pyarrow import parquet

    total = 0
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for entry in page.get("Contents", []):
            name = entry["Key"].rsplit("/", 1)[1]
            if entry["Size"] < 12 or name.startswith((".", "_")) or "/summary/" in entry["Key"]:
                continue
            start = max(0, entry["Size"] - FOOTER_BYTES)
            body = s3.get_object(
                Bucket=bucket, Key=entry["Key"], Range=f"bytes={start}-{entry['Size'] - 1}"
            )["Body"].read()
            total += parquet.ParquetFile(io.BytesIO(body)).metadata.num_rows
    return total


def start(connection: Connection, state_machine: str, given: str, name: str | None) -> str:
    """Starts an execution; its ARN. `given` is the input as JSON text.

    An input that the workflow's first state would refuse is refused here, with its words.
    """
    try:
        _, chosen = receive_trigger.recognise(json.loads(given))
        receive_trigger.options(chosen)
    except receive_trigger.InvalidInput as error:
        raise InputError(f"--input: {error}") from error
    except ValueError as error:
        raise InputError(f"--input is no JSON: {error}") from error
    request = {"stateMachineArn": state_machine, "input": given}
    request["name"] = name or f"manual-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"
    answer = connection.client("stepfunctions").start_execution(**request)
    return str(answer["executionArn"])


def resolve(connection: Connection, state_machine: str, execution: str) -> str:
    """An execution's ARN from its ARN, its name, or `latest`."""
    if execution.startswith("arn:"):
        return execution
    if execution != "latest":
        return f"{state_machine.replace(':stateMachine:', ':execution:')}:{execution}"
    found = connection.client("stepfunctions").list_executions(
        stateMachineArn=state_machine, maxResults=1
    )["executions"]
    if not found:
        raise InputError(f"{state_machine} has no execution yet; `rebuy start` begins one.")
    return str(found[0]["executionArn"])


def redrive(connection: Connection, arn: str) -> int:
    """Runs a failed, stopped or timed out execution again from the state that did not succeed;
    the id of the last event before that.

    Raises InputError, with the reason AWS gives, for one that cannot be redriven: it runs, it
    succeeded, or it is older than 14 days.
    """
    found = describe(connection, arn)
    client = connection.client("stepfunctions")
    last = client.get_execution_history(executionArn=arn, reverseOrder=True, maxResults=1)
    try:
        client.redrive_execution(executionArn=arn)
    except client.exceptions.ExecutionNotRedrivable as error:
        reason = found.get("redriveStatusReason", error)
        raise InputError(f"{arn} is {found['status']}: {reason}.") from error
    return int(last["events"][0]["id"])


def describe(connection: Connection, arn: str) -> dict[str, Any]:
    """DescribeExecution's answer; RunError when there is no such execution."""
    client = connection.client("stepfunctions")
    try:
        found: dict[str, Any] = client.describe_execution(executionArn=arn)
        return found
    except client.exceptions.ExecutionDoesNotExist as error:
        raise RunError(f"There is no execution {arn}; `rebuy status` lists them.") from error


def reason(cause: str | None) -> str:
    """The message in a cause: services put a failed job's whole description there, as JSON."""
    try:
        described = json.loads(cause or "")
    except ValueError:
        described = {}
    if isinstance(described, dict):
        for member in ("ErrorMessage", "FailureReason", "errorMessage", "StateChangeReason"):
            if described.get(member):
                return shorten(str(described[member]))
        query = described.get("QueryExecution", {})
        if query.get("Status", {}).get("StateChangeReason"):
            return shorten(str(query["Status"]["StateChangeReason"]))
    return shorten(cause or "")


def shorten(text: str, characters: int = 600) -> str:
    return text if len(text) <= characters else text[:characters] + " ..."

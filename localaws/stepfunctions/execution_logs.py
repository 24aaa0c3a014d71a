"""History events to CloudWatch Logs, as a machine's LoggingConfiguration asks for.

A thread of its own gathers what the engine has committed and writes it in batches, so that no
transition waits for it. Like AWS's, the delivery is best effort: what was not written yet when
the process died is in the history and not in the log group.
https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
"""

from __future__ import annotations

import json
import logging
import queue
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from localaws.core.clock import Clock
from localaws.core.errors import AwsError
from localaws.stepfunctions import timestamps
from localaws.stepfunctions.history import DATA, DATA_DETAILS
from localaws.stepfunctions.records import Event, Execution

Json = dict[str, Any]

OFF = "OFF"
GATHER_SECONDS = 0.2
MAX_EVENTS = 5_000  # PutLogEvents takes 10,000 events
MAX_BATCH_BYTES = 1_000_000  # and 1 MiB, with 26 bytes for each event
MAX_EVENT_BYTES = 250_000  # an event may have 256 KiB
CUT_BYTES = 30_000  # what is left of each payload of an event that is larger
FATAL = frozenset({"ExecutionAborted", "ExecutionFailed", "ExecutionTimedOut"})

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Destination:
    """Where an execution's events go, and which of them."""

    group: str
    level: str
    data: bool


def logged(level: str, type_: str) -> bool:
    """Whether an event of this type is written at this level."""
    if level == "ERROR":
        return type_.endswith(("Failed", "Aborted", "TimedOut")) or type_ == "FailStateEntered"
    return level == "ALL" or (level == "FATAL" and type_ in FATAL)


def check(configuration: Json, exists: Callable[[str], bool]) -> None:
    """Raises InvalidLoggingConfiguration where events could not be delivered."""
    if configuration.get("level", OFF) == OFF:
        return
    destinations = configuration.get("destinations") or []
    problem = "Invalid Logging Configuration: "
    if len(destinations) != 1:
        raise AwsError(
            "InvalidLoggingConfiguration", f"{problem}Must specify exactly one Log Destination."
        )
    group = group_of(configuration)
    if group is None or not exists(group):
        raise AwsError("InvalidLoggingConfiguration", f"{problem}Log Destination not found.")


def group_of(configuration: Json) -> str | None:
    """The log group's name, from an ARN `arn:aws:logs:<region>:<account>:log-group:<name>:*`."""
    for destination in configuration.get("destinations") or []:
        arn = (destination.get("cloudWatchLogsLogGroup") or {}).get("logGroupArn", "")
        parts = arn.split(":")
        if len(parts) >= 7 and parts[5] == "log-group":
            return str(parts[6])
    return None


def destination(execution: Execution) -> Destination | None:
    """None when the execution's machine does not log."""
    configuration = execution.about.get("logging") or {}
    level, group = configuration.get("level", OFF), group_of(configuration)
    if level == OFF or group is None:
        return None
    return Destination(group, level, bool(configuration.get("includeExecutionData")))


def message(execution: Execution, event: Event, *, data: bool) -> str:
    """One event as Step Functions logs it: every scalar beside `details` is text."""
    details: Json = next(iter(json.loads(event.details).values())) if event.details else {}
    if not data:
        details = {k: v for k, v in details.items() if k not in DATA | DATA_DETAILS}
    shown = {
        "id": str(event.id),
        "type": event.type,
        "details": details,
        "redrive_count": str(execution.redrive_count),
        "previous_event_id": str(event.previous),
        "event_timestamp": str(timestamps.epoch_milliseconds(timestamps.from_epoch(event.time))),
        "execution_arn": execution.arn,
    }
    text = json.dumps(shown, ensure_ascii=False, separators=(",", ":"))
    if len(text.encode()) <= MAX_EVENT_BYTES:
        return text
    shown["details"] = _cut(details)
    return json.dumps(shown, ensure_ascii=False, separators=(",", ":"))


def _cut(details: Json) -> Json:
    cut: Json = {}
    for name, value in details.items():
        if isinstance(value, str) and len(value.encode()) > CUT_BYTES:
            cut[name] = value.encode()[:CUT_BYTES].decode(errors="ignore")
        else:
            cut[name] = value
    for name in DATA & cut.keys():
        if cut[name] != details[name]:
            cut[f"{name}Details"] = {"truncated": True}
    return cut


class ExecutionLogs:
    """Takes events from the engine's thread; writes them from its own."""

    def __init__(self, client: Callable[[str], Any], clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._queue: queue.SimpleQueue[
            tuple[Destination, Execution, Sequence[Event]] | threading.Event | None
        ] = queue.SimpleQueue()
        self._streams: dict[tuple[str, str], str] = {}
        self._complained: set[str] = set()
        self._thread: threading.Thread | None = None

    def send(self, to: Destination, execution: Execution, events: Sequence[Event]) -> None:
        self._queue.put((to, execution, events))
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="sfn-logs", daemon=True)
            self._thread.start()

    def flush(self, timeout_seconds: float = 5.0) -> None:
        """Waits until everything sent so far is written."""
        if self._thread is not None:
            written = threading.Event()
            self._queue.put(written)
            written.wait(timeout_seconds)

    def stop(self) -> None:
        """Writes what there is and ends the thread."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join(5)

    def _run(self) -> None:
        stopping = False
        while not stopping:
            taken = [self._queue.get()]
            if isinstance(taken[0], tuple):
                time.sleep(GATHER_SECONDS)
            while not self._queue.empty():
                taken.append(self._queue.get())
            streams: dict[tuple[str, str], list[Json]] = {}
            for item in taken:
                if isinstance(item, tuple):
                    to, execution, events = item
                    machine = execution.machine_arn.split(":")[6].split("/")[0]
                    streams.setdefault((to.group, machine), []).extend(
                        {
                            "timestamp": round(event.time * 1000),
                            "message": message(execution, event, data=to.data),
                        }
                        for event in events
                        if logged(to.level, event.type)
                    )
            for (group, machine), entries in streams.items():
                self._write(group, machine, entries)
            for item in taken:
                if isinstance(item, threading.Event):
                    item.set()
            stopping = None in taken

    def _write(self, group: str, machine: str, entries: list[Json]) -> None:
        """A fault is told once per group: a log group that is gone must not stop the work."""
        try:
            client = self._client("logs")
            stream = self._stream(client, group, machine)
            entries.sort(key=lambda entry: int(entry["timestamp"]))  # PutLogEvents wants them so
            for batch in batches(entries):
                client.put_log_events(logGroupName=group, logStreamName=stream, logEvents=batch)
        except Exception as error:
            self._streams.pop((group, machine), None)
            if group not in self._complained:
                self._complained.add(group)
                logger.warning("Executions are not logged to %s: %s", group, error)

    def _stream(self, client: Any, group: str, machine: str) -> str:
        key = (group, machine)
        if key not in self._streams:
            now = self._clock.now()
            stream = f"states/{machine}/{now:%Y-%m-%d-%H-%M}/{uuid.uuid4().hex[:8]}"
            client.create_log_stream(logGroupName=group, logStreamName=stream)
            self._streams[key] = stream
        return self._streams[key]


def batches(entries: list[Json]) -> list[list[Json]]:
    """The entries in calls that PutLogEvents takes."""
    made: list[list[Json]] = []
    size = 0
    for entry in entries:
        more = len(entry["message"].encode()) + 26
        if not made or size + more > MAX_BATCH_BYTES or len(made[-1]) >= MAX_EVENTS:
            made.append([])
            size = 0
        made[-1].append(entry)
        size += more
    return made

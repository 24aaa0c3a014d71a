"""History events to CloudWatch Logs, as a machine's LoggingConfiguration asks for.

The log shipper's thread gathers what the engine has committed, so that no transition waits for it.
https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from localaws.core.clock import Clock
from localaws.core.log_shipping import LogShipper
from localaws.errors import AwsError
from localaws.identity.caller import Caller
from localaws.shapes import Json
from localaws.stepfunctions import timestamps
from localaws.stepfunctions.history import DATA, DATA_DETAILS
from localaws.stepfunctions.records import Event, Execution

OFF = "OFF"
MAX_EVENT_BYTES = 250_000  # an event may have 256 KiB
CUT_BYTES = 30_000  # what is left of each payload of an event that is larger
FATAL = frozenset({"ExecutionAborted", "ExecutionFailed", "ExecutionTimedOut"})


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
    """Takes events from the engine's thread; the shipper's thread words and writes them."""

    def __init__(self, shipper: LogShipper, caller: Caller, clock: Clock) -> None:
        self._shipper = shipper
        self._caller = caller
        self._clock = clock
        self._streams: dict[tuple[str, str], str] = {}

    def send(self, to: Destination, execution: Execution, events: Sequence[Event]) -> None:
        machine = execution.machine_arn.split(":")[6].split("/")[0]
        entries = (
            (round(event.time * 1000), message(execution, event, data=to.data))
            for event in events
            if logged(to.level, event.type)
        )
        self._shipper.send_events(self._caller, to.group, self._stream(to.group, machine), entries)

    def _stream(self, group: str, machine: str) -> str:
        key = (group, machine)
        if key not in self._streams:
            now = self._clock.now()
            name = f"states/{machine}/{now:%Y-%m-%d-%H-%M}/{uuid.uuid4().hex[:8]}"
            self._streams[key] = name
        return self._streams[key]

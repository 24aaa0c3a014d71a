"""One execution as one HTML file: no scripts, nothing fetched, to attach to a ticket.

Payloads are shown as Step Functions recorded them, secrets and all. How much of them: each up to
`MOST_PAYLOAD_CHARACTERS`, all together up to `MOST_CHARACTERS`; beyond that, their beginnings.
"""

from __future__ import annotations

import json
import time
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from console import audit, drawing, evaluation, executions
from console.aws import Clients
from console.history import History
from console.page import STATIC

Json = dict[str, Any]

MOST_PAYLOAD_CHARACTERS = 50_000
MOST_CHARACTERS = 8_000_000
MOST_RECORD_CHARACTERS = 1_000_000  # of the audit record, before it is cut as other payloads
BEGINNING_CHARACTERS = 300
PAYLOADS = ("input", "output", "parameters", "cause")
EVERY_LOOK = 0.0  # seconds: no look at a history is spared


def report(clients: Clients, arn: str) -> str:
    """The document of an execution that runs or has ended. Raises ClientError when it cannot be
    described, DrawingError when its definition cannot be drawn."""
    step_functions = clients("stepfunctions")
    described, events = events_of(step_functions, arn)
    budget = _Budget()
    given = {
        "execution": budget.cut(described),
        "origin": executions.origin(described),
        "definition": executions.definition(step_functions, arn, described["stateMachineArn"])[
            "definition"
        ],
        "events": budget.cut_events(events),
        "audit": _audit(clients, events, budget),
        "made": round(time.time() * 1000),
        "colours": drawing.colours(),
        "styles": _styles(),
    }
    return str(drawing.engine().call("report", given))


def events_of(step_functions: Any, arn: str) -> tuple[Json, list[Json]]:
    """(description, every event so far, oldest first)."""
    history = History(step_functions, arn)
    history.look(EVERY_LOOK)
    while not history.caught_up:
        history.look(EVERY_LOOK)
    return history.description, history.events


class _Budget:
    """Cuts payloads to {text, characters} once there have been too many of them."""

    def __init__(self) -> None:
        self.left = MOST_CHARACTERS

    def cut(self, details: Json) -> Json:
        return {name: self._cut(name, value) for name, value in details.items()}

    def cut_events(self, events: list[Json]) -> list[Json]:
        """What failed is asked about first: its payloads are whole before any other's."""
        failed = [event for event in events if _is_failure(event)]
        cut = {event["id"]: self._event(event) for event in failed}
        return [cut.get(event["id"]) or self._event(event) for event in events]

    def _event(self, event: Json) -> Json:
        return {
            name: self.cut(value) if isinstance(value, dict) else value
            for name, value in event.items()
        }

    def _cut(self, name: str, value: Any) -> Any:
        if name not in PAYLOADS or not isinstance(value, str):
            return value
        most = MOST_PAYLOAD_CHARACTERS if self.left >= len(value) else BEGINNING_CHARACTERS
        shown = value[:most]
        self.left -= len(shown) if most == MOST_PAYLOAD_CHARACTERS else 0
        return value if shown == value else {"text": shown, "characters": len(value)}


def _is_failure(event: Json) -> bool:
    return str(event["type"]).endswith(("Failed", "TimedOut", "Aborted"))


def _audit(clients: Clients, events: list[Json], budget: _Budget) -> Json | None:
    """{uri, record, findings, model, text}, or {uri, problem}; None when none was written."""
    written = audit.find(events)
    if written is None:
        return None
    try:
        found = audit.read(clients("s3"), written)
        findings = audit.verify(clients("s3"), found)
    except (ClientError, BotoCoreError, ValueError, KeyError, TypeError) as error:
        return {"uri": written["uri"], "problem": str(error)}
    record = found["record"]
    model = None
    if record.get("metrics"):
        section = evaluation.of(json.dumps(record["metrics"]).encode(), found["uri"])
        model = section if section["kind"] == "model" else None
    shown = {name: record.get(name) for name in SHOWN_OF_RECORD}
    text = json.dumps(record, ensure_ascii=False)
    if len(text) > MOST_RECORD_CHARACTERS:
        text = budget.cut({"output": text})["output"]
    return {**found, "record": shown, "findings": findings, "model": model, "text": text}


SHOWN_OF_RECORD = (
    "status", "outcome", "trigger", "gate", "smoke_test", "cost_inputs", "outputs",
)  # fmt: skip


def _styles() -> str:
    """The page's colours, the charts' style, the report's own."""
    light, dark = (
        ";".join(f"--{name}:{colour}" for name, colour in drawing.colours()[theme].items())
        for theme in ("light", "dark")
    )
    own = [(STATIC / name).read_text() for name in ("work.css", "report.css")]
    dark_screen = f"@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}"
    return "\n".join([f":root{{color-scheme:light dark;{light}}}", dark_screen, *own])

"""One execution as one HTML file: no scripts, nothing fetched, to attach to a ticket.

Payloads are shown as Step Functions recorded them, secrets and all. How much of them: each up to
`MOST_PAYLOAD_CHARACTERS`, all together up to `MOST_CHARACTERS`; beyond that, their beginnings.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from console import drawing, evaluation, executions
from console.page import STATIC
from executions import audit, costs
from executions.audit import Finding, Record
from executions.clients import Clients
from executions.events import Events

Json = dict[str, Any]

MOST_PAYLOAD_CHARACTERS = 50_000
MOST_CHARACTERS = 8_000_000
MOST_RECORD_CHARACTERS = 1_000_000  # of the audit record, before it is cut as other payloads
BEGINNING_CHARACTERS = 300
MOST_VERIFIED_BYTES = 2 * 1024**3
PAYLOADS = ("input", "output", "parameters", "cause")


@dataclass(frozen=True)
class Report:
    """The document, and the hashes that were computed again for it."""

    text: str
    findings: list[Finding]


def report(clients: Clients, arn: str) -> Report:
    """The document of an execution that runs or has ended. Raises ClientError when it cannot be
    described, DrawingError when its definition cannot be drawn."""
    step_functions = clients("stepfunctions")
    described, events = events_of(step_functions, arn)
    budget = _Budget()
    findings: list[Finding] = []
    given = {
        "execution": budget.cut(described),
        "origin": executions.origin(described),
        "definition": executions.definition(step_functions, arn, described["stateMachineArn"])[
            "definition"
        ],
        "events": budget.cut_events(events),
        "audit": _audit(clients, described, events, budget, findings),
        "costs": costs.estimate(events),
        "made": round(time.time() * 1000),
        "colours": drawing.colours(),
        "styles": _styles(),
    }
    return Report(str(drawing.engine().call("report", given)), findings)


def events_of(step_functions: Any, arn: str) -> tuple[Json, list[Json]]:
    """(description, every event so far, oldest first)."""
    history = Events(step_functions, arn)
    events = history.read_all()
    return history.description, events


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


def _audit(
    clients: Clients, described: Json, events: list[Json], budget: _Budget, findings: list[Finding]
) -> Json | None:
    """{uri, record, findings, model, text}, or {uri, problem}; None when none was written.
    Adds to `findings`."""
    try:
        record = audit.find(clients, described, events)
        if record is not None:
            findings += audit.verify(clients, record, most_bytes=MOST_VERIFIED_BYTES)
    except (ClientError, BotoCoreError, ValueError) as error:
        uri, _ = audit.written(events) or ("The audit record", None)
        findings.append(Finding("audit record", uri, None, str(error)))
        return {"uri": uri, "problem": str(error)}
    if record is None:
        findings.append(Finding("audit record", described["executionArn"], None, "there is none"))
        return None
    return _shown(record, findings, budget)


def _shown(record: Record, findings: list[Finding], budget: _Budget) -> Json:
    content = record.content
    model = None
    if content.get("metrics"):
        section = evaluation.of(json.dumps(content["metrics"]).encode(), record.uri)
        model = section if section["kind"] == "model" else None
    text = json.dumps(content, ensure_ascii=False)
    return {
        "uri": record.uri,
        "sha256": record.sha256,
        "record": {name: content.get(name) for name in SHOWN_OF_RECORD},
        "findings": [asdict(finding) for finding in findings],
        "model": model,
        "text": text
        if len(text) <= MOST_RECORD_CHARACTERS
        else budget.cut({"output": text})["output"],
    }


# Of a record, what the document says in words; the whole text is in it as far as the budget goes.
SHOWN_OF_RECORD = (
    "status", "outcome", "error", "cause", "failed_state", "failed_item", "written_at",
    "execution", "run", "trigger", "inputs", "checks", "outputs", "hyperparameters", "metrics",
    "gate", "model", "endpoint", "smoke_test", "tries", "gaps", "cost_inputs", "code", "previous",
    "states",
)  # fmt: skip


def _styles() -> str:
    """The page's colours, the charts' style, the report's own."""
    light, dark = (
        ";".join(f"--{name}:{colour}" for name, colour in drawing.colours()[theme].items())
        for theme in ("light", "dark")
    )
    own = [(STATIC / name).read_text() for name in ("work.css", "stages.css", "report.css")]
    dark_screen = f"@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}"
    return "\n".join([f":root{{color-scheme:light dark;{light}}}", dark_screen, *own])

"""Failures on purpose, for people who test what their workflow does about them.

A StartExecution that brings the header `X-Localaws-Inject` (a JSON list of texts, as below) has
them happen to its Tasks; AWS knows no such header. What was injected says so: in the Cause, in the
execution's `traceHeader` and so in every record that is made of these.

    Join features: Glue.ConcurrentRunsExceededException x2    the first two attempts fail so
    Join features: timeout                                     the first attempt times out
    Join features: delay 30                                    the call is made 30 seconds later
    Join features: malformed                                   the answer is not the service's
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from localaws.errors import AwsError
from localaws.shapes import Json
from localaws.stepfunctions.definition import Machine
from localaws.stepfunctions.errors import StateError

HEADER = "X-Localaws-Inject"
KEY = "injections"  # in an execution's `about`
FORM = re.compile(
    r"(?P<state>.+?):\s*(?:(?P<what>timeout|malformed)|delay\s+(?P<delay>\d+(?:\.\d+)?)"
    r"|(?P<error>[A-Za-z][\w.]*))(?:\s+x(?P<times>[1-9]\d{0,3}))?"
)
ACCEPTED = "'STATE: Error.Name', 'STATE: timeout', 'STATE: delay SECONDS' or 'STATE: malformed'"
MALFORMED = "localaws: an answer that is malformed on purpose"


@dataclass(frozen=True)
class Injection:
    """What happens to the first `times` attempts of a Task, in each of its visits: its `error`
    (or `timeout`), an answer that is `malformed`, or a delay. `text` is as it was written."""

    text: str
    state: str
    times: int = 1
    error: str | None = None
    timeout: bool = False
    malformed: bool = False
    delay_seconds: float = 0.0

    def failure(self) -> StateError:
        return StateError(self.error, f"Injected: {self.text}", from_task=True)


def parse(text: str) -> Injection:
    """Raises ValueError saying what is accepted."""
    match = FORM.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no injection; it is written {ACCEPTED}, with xN for N times")
    return Injection(
        text=text.strip(),
        state=match["state"].strip(),
        times=int(match["times"] or 1),
        error=match["error"],
        timeout=match["what"] == "timeout",
        malformed=match["what"] == "malformed",
        delay_seconds=float(match["delay"] or 0),
    )


def asked(headers: Mapping[str, str], machine: Machine) -> list[Json]:
    """What a StartExecution's headers ask for, as it is kept. Raises ValidationException."""
    text = next((value for name, value in headers.items() if name.lower() == HEADER.lower()), None)
    if text is None:
        return []
    tasks = [
        name
        for group in machine.groups.values()
        for name, state in group.states.items()
        if state.type == "Task"
    ]
    try:
        injections = [parse(one) for one in json.loads(text)]
    except (ValueError, TypeError, AttributeError) as error:
        raise AwsError("ValidationException", f"{HEADER}: {error}") from error
    for injection in injections:
        if injection.state not in tasks:
            raise AwsError(
                "ValidationException",
                f"{HEADER}: {injection.state!r} is no Task of the state machine; it has"
                f" {', '.join(sorted(tasks)) or 'none'}.",
            )
    return [asdict(injection) for injection in injections]


def mark(injections: Iterable[Json], trace_header: str | None) -> str | None:
    """The execution's traceHeader, which tells of the injections."""
    texts = "; ".join(injection["text"] for injection in injections)
    return f"Injected={texts}" if texts else trace_header


def of_attempt(about: Json, state: str, attempt: int) -> Injection | None:
    """What happens to this attempt (from 1) of the state."""
    for kept in about.get(KEY, ()):
        if kept["state"] == state and attempt <= kept["times"]:
            return Injection(**kept)
    return None

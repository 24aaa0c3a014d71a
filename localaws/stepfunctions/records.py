"""What Step Functions keeps of an execution, and what one transition of it changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from localaws.shapes import Json

EXPRESS = "EXPRESS"


def express_arn(machine_arn: str, name: str, unique: str) -> str:
    return machine_arn.replace(":stateMachine:", ":express:") + f":{name}:{unique}"


@dataclass(frozen=True)
class Event:
    """One history event; `details` is its API-shaped details member, as JSON text."""

    id: int
    previous: int
    type: str
    time: float
    details: str | None


@dataclass
class Execution:
    """One row of executions; times are epoch seconds. `about` holds what does not change:
    role, version and alias ARN, revision, trace header, the parent of a child workflow."""

    id: int
    arn: str
    machine_arn: str
    name: str
    status: str
    input: str
    output: str | None
    error: str | None
    cause: str | None
    started: float
    stopped: float | None
    definition: str
    map_run_arn: str | None
    redrive_count: int
    redriven: float | None
    about: Json

    @property
    def express(self) -> bool:
        """Whether it is of type EXPRESS: the journal has no transition of it, its history is in
        logs only. Where it is the child of a Map Run, the journal has its start and its end."""
        return self.arn.split(":")[5] == "express"


@dataclass(frozen=True)
class Document:
    """A resource as it is from now on: what `Resources.put` takes."""

    kind: str
    arn: str
    parent: str
    body: Json


@dataclass(frozen=True)
class NewExecution:
    """An execution that another one starts. Its row gets its id when it is written."""

    row: Execution
    started: Event
    definition: str


@dataclass
class Changes:
    """What one transition of one execution writes, all of it or nothing, and the `effects` that
    begin once it is written."""

    execution: int
    events: list[Event] = field(default_factory=list)
    records: list[tuple[int, str]] = field(default_factory=list)
    tokens: list[tuple[str, int]] = field(default_factory=list)
    ended: tuple[str, str | None, str | None, str | None, float] | None = None
    documents: list[Document] = field(default_factory=list)
    started: list[NewExecution] = field(default_factory=list)
    redriven: list[tuple[int, float]] = field(default_factory=list)
    effects: list[Callable[[], None]] = field(default_factory=list)

    def end_only(self) -> Changes:
        """What is kept of an EXPRESS child."""
        return Changes(self.execution, ended=self.ended)

    def writes(self) -> bool:
        """Whether there is anything but effects."""
        return bool(
            self.events or self.records or self.tokens or self.ended
            or self.documents or self.started or self.redriven
        )  # fmt: skip

"""One thread of an execution, and its record in the journal.

A frame walks one group of states. The first frame (id 0) walks the machine; a Parallel makes one
per branch, a Map one per iteration. Payloads are not repeated in the journal: a record points at
the history event that holds them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any

from localaws.shapes import Json
from localaws.stepfunctions.definition import Group, Machine, State
from localaws.stepfunctions.records import Execution

NEW = "new"  # made, its first state not entered yet
ENTERED = "entered"
WAITING = "waiting"
SCHEDULED = "scheduled"  # TaskScheduled is written, the call is not made
STARTED = "started"  # TaskStarted is written, the call may have been made
SUBMITTED = "submitted"  # the job runs or the token is out
RETRYING = "retrying"
CHILDREN = "children"  # branches, iterations or a map run are under way
DONE = "done"
FAILED = "failed"
ABORTED = "aborted"
OVER = frozenset({DONE, FAILED, ABORTED})


@dataclass(eq=False)
class Children:
    """The branches or iterations of one attempt of a Parallel or Map."""

    total: int
    inputs: tuple[Any, ...]  # an iteration's is made when it starts; a Parallel's are all equal
    limit: int
    results: dict[int, Any] = field(default_factory=dict)
    active: dict[int, Frame] = field(default_factory=dict)
    runs: dict[int, Execution] = field(default_factory=dict)  # of a map run: those that run
    next: int = 0
    failed: int = 0
    sources: Sequence[str] = ()  # of a map run: where its items are from


@dataclass(eq=False)
class Frame:
    """`last` is the previousEventId of its next event; `epoch` grows whenever what it waits for
    changes, so that answers to an older question are dropped."""

    id: int
    parent: Frame | None
    index: int
    group: Group
    state: State
    input: Any = None
    input_text: str = ""
    variables: Json = field(default_factory=dict)
    parent_attempt: int = 0  # the attempt of the parent's state that made this frame
    phase: str = NEW
    entered: int = 0  # id of the event that holds the input
    entered_time: float = 0.0
    last: int = 0
    before: int = 0  # `last` as it was when the state was entered
    retries: list[int] = field(default_factory=list)
    retry_count: int = 0
    attempt: int = 0  # how often this visit has started its task or children
    scheduled_time: float = 0.0  # of the present attempt of a Task
    due: float | None = None
    deadline: float | None = None
    beat: float | None = None  # when the next heartbeat is overdue
    heartbeat_seconds: float | None = None
    token: str | None = None
    role: str | None = None  # that of a Task's Credentials, as which its calls are made
    job: Json | None = None
    output: int = 0  # id of the event that holds the output, once done
    error: tuple[str | None, str | None] | None = None
    epoch: int = 0
    children: Children | None = None
    item: tuple[int, Any] | None = None
    map_run: Json | None = None  # the document of the map run that is under way
    visits: dict[str, int] = field(default_factory=dict)

    def fresh_retries(self) -> list[int]:
        """How often each retrier of the state has tried again: never yet."""
        return [0] * len(self.state.body.get("Retry", ()))

    def moved(self, phase: str) -> None:
        self.phase = phase
        self.epoch += 1

    def child_pointer(self, index: int) -> str:
        """Where in the definition child `index` of the state runs."""
        branch = index if self.state.type == "Parallel" else 0
        return f"{self.group.pointer}/{self.state.name}/{branch}"

    def iteration(self) -> tuple[int, Any] | None:
        """(index, value) of the innermost Map iteration the frame is in."""
        inside: Frame | None = self
        while inside is not None and inside.item is None:
            inside = inside.parent
        return None if inside is None else inside.item

    def record(self) -> str:
        """Everything that a restart needs, without what is empty."""
        record: Json = {"format": FORMAT, "g": self.group.pointer, "s": self.state.name}
        if self.parent is not None:
            record["p"] = self.parent.id
        for attribute, key, default in RECORDED:
            value = getattr(self, attribute)
            if value != default:
                record[key] = value
        return json.dumps(record)


# A record's format: its number, and (attribute, key, what a record without the key means). Beside
# these a record names its group (g), its state (s) and its parent (p).
FORMAT = 1
RECORDED: tuple[tuple[str, str, Any], ...] = (
    ("index", "x", 0),
    ("parent_attempt", "pa", 0),
    ("variables", "v", {}),
    ("phase", "ph", NEW),
    ("entered", "e", 0),
    ("entered_time", "t", 0.0),
    ("last", "l", 0),
    ("before", "be", 0),
    ("retries", "r", []),
    ("retry_count", "rc", 0),
    ("attempt", "a", 0),
    ("scheduled_time", "st", 0.0),
    ("due", "d", None),
    ("deadline", "dl", None),
    ("beat", "b", None),
    ("heartbeat_seconds", "hb", None),
    ("token", "tok", None),
    ("role", "ro", None),
    ("job", "job", None),
    ("output", "o", 0),
    ("error", "err", None),
)


def from_record(
    number: int, record: Json, machine: Machine, frames: Mapping[int, Frame]
) -> Frame | None:
    """The frame a record describes, without its payloads and children. `frames` has the earlier
    ones; None where the frame's parent is not among them.

    Raises ValueError for a record of a format that this version does not know.
    """
    if record.get("format", FORMAT) != FORMAT:
        raise ValueError(
            f"The journal has a record of format {record['format']}; this version reads {FORMAT}."
        )
    parent = frames.get(record["p"]) if "p" in record else None
    if "p" in record and parent is None:
        return None
    group = machine.groups[record["g"]]
    frame = Frame(number, parent, 0, group, group.states[record["s"]])
    for attribute, key, default in RECORDED:
        setattr(frame, attribute, record[key] if key in record else copy(default))
    frame.retries = frame.retries or frame.fresh_retries()
    return frame

"""One thread of an execution, and its record in the journal.

A frame walks one group of states. The first frame (id 0) walks the machine; a Parallel makes one
per branch, a Map one per iteration. Payloads are not repeated in the journal: a record points at
the history event that holds them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from localaws.stepfunctions.definition import Group, Machine, State

Json = dict[str, Any]

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
    runs: dict[int, int] = field(default_factory=dict)  # of a map run: execution id by index
    next: int = 0
    failed: int = 0


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
    job: Json | None = None
    output: int = 0  # id of the event that holds the output, once done
    error: tuple[str | None, str | None] | None = None
    epoch: int = 0
    children: Children | None = None
    item: tuple[int, Any] | None = None
    visits: dict[str, int] = field(default_factory=dict)

    def moved(self, phase: str) -> None:
        self.phase = phase
        self.epoch += 1

    def record(self) -> str:
        """Everything that a restart needs, without what is empty."""
        parent = self.parent
        record = {
            "p": None if parent is None else parent.id,
            "pa": None if parent is None else parent.attempt,
            "x": self.index,
            "g": self.group.pointer,
            "s": self.state.name,
            "ph": self.phase,
            "e": self.entered,
            "t": self.entered_time,
            "l": self.last,
            "be": self.before or None,
            "r": self.retries if any(self.retries) else None,
            "rc": self.retry_count or None,
            "a": self.attempt or None,
            "st": self.scheduled_time or None,
            "d": self.due,
            "dl": self.deadline,
            "b": self.beat,
            "hb": self.heartbeat_seconds,
            "tok": self.token,
            "job": self.job,
            "o": self.output or None,
            "err": self.error,
            "v": self.variables or None,
        }
        return json.dumps({key: value for key, value in record.items() if value is not None})


def from_record(number: int, record: Json, machine: Machine, parent: Frame | None) -> Frame:
    """The frame a record describes, without its payloads and children."""
    group = machine.groups[record["g"]]
    state = group.states[record["s"]]
    error = record.get("err")
    return Frame(
        id=number,
        parent=parent,
        index=record["x"],
        group=group,
        state=state,
        variables=record.get("v", {}),
        phase=record["ph"],
        entered=record["e"],
        entered_time=record["t"],
        last=record["l"],
        before=record.get("be", 0),
        retries=record.get("r") or [0] * len(state.body.get("Retry", [])),
        retry_count=record.get("rc", 0),
        attempt=record.get("a", 0),
        scheduled_time=float(record.get("st") or record["t"]),
        due=record.get("d"),
        deadline=record.get("dl"),
        beat=record.get("b"),
        heartbeat_seconds=record.get("hb"),
        token=record.get("tok"),
        job=record.get("job"),
        output=record.get("o", 0),
        error=None if error is None else (error[0], error[1]),
    )

"""What one firing of a starting trigger has set going, to its end: a workflow's run, or that of
triggers outside of any.

A chain is a document: the triggers that have fired in it, each at most once, and the jobs and
crawlers that they started. It only ever moves by what is stored: `settle` looks at the states of
its actions, fires what is due, and is called again by whoever notices an end, or by the next
server. What a trigger starts has its id before it is started, so it is started once.
"""

from __future__ import annotations

import secrets
import threading
from typing import Any, Protocol

from localaws.core.aws import LocalAws
from localaws.core.signals import JobEnded
from localaws.errors import AwsError
from localaws.glue_workflows.conditions import holds, satisfying
from localaws.glue_workflows.triggers import STARTING, Triggers
from localaws.shapes import Json

KIND = "glue-chain"  # workflow runs, and while they last those of other triggers
OPEN = ("RUNNING", "STOPPING")
ACTIVE = ("PENDING", "WAITING", "STARTING", "RUNNING", "STOPPING", "CANCELLING")


class Startable(Protocol):
    """Jobs, or crawlers. `started` is the id that `start` was given."""

    def start_by_trigger(self, name: str, started: str, action: Json, origin: Json) -> None:
        """Starts it, unless it has been; what keeps it from starting becomes its end."""

    def state_of(self, name: str, started: str) -> Json | None:
        """{State, and what the API shows of it}: of its last attempt; None if never started."""

    def stop_started(self, name: str, started: str) -> None: ...


class Chains:
    """Those of all triggers. `startables` by the type of a node: JOB, CRAWLER."""

    def __init__(self, aws: LocalAws, triggers: Triggers, startables: dict[str, Startable]) -> None:
        self._aws = aws
        self._triggers = triggers
        self._startables = startables
        self._lock = threading.RLock()
        self._open = False  # not before jobs and crawlers are taken up

    # Beginning, and what shows them

    def begin(self, trigger: Json, **members: Any) -> str:
        """Fires a starting trigger; the chain's id."""
        chain = self._new(**members)
        with self._lock:
            self._fire(chain, trigger, [])
            self._aws.documents.put(KIND, chain["Id"], chain)
            self.settle(chain["Id"])
        return str(chain["Id"])

    def refuse(self, **members: Any) -> None:
        """Keeps a run that was not begun, with its Status and ErrorMessage."""
        chain = self._new(CompletedOn=self._aws.clock.now(), **members)
        self._aws.documents.put(KIND, chain["Id"], chain)

    def _new(self, **members: Any) -> Json:
        return {
            "Id": "wr_" + secrets.token_hex(32),
            "Status": "RUNNING",
            "StartedOn": self._aws.clock.now(),
            "Fired": [],
            "Actions": [],
            **members,
        }

    def set_properties(self, chain_id: str, given: Json) -> None:
        with self._lock, self._aws.documents.changing(KIND, chain_id) as chain:
            chain["Properties"] |= given

    def runs_of(self, workflow: str) -> list[Json]:
        return [
            chain
            for _, chain in self._aws.documents.items(KIND)
            if chain.get("Workflow") == workflow
        ]

    def shown_state(self, action: Json) -> Json:
        """The action's state, and what the API shows of its run."""
        found = self._startables[action["Type"]].state_of(action["Name"], action["Id"])
        return found or {"State": action.get("State", "PENDING")}

    def stop(self, chain_id: str) -> None:
        """No trigger fires any more, and what is under way is stopped."""
        with self._lock:
            with self._aws.documents.changing(KIND, chain_id) as chain:
                chain["Status"] = "STOPPING"
            for action in chain["Actions"]:
                if self.shown_state(action)["State"] in ACTIVE:
                    self._startables[action["Type"]].stop_started(action["Name"], action["Id"])
            self.settle(chain_id)

    # Going on

    def recover(self) -> None:
        """Takes up what an earlier server left, and from now on listens."""
        self._open = True
        self._settle_all()

    def noticed(self, signal: JobEnded) -> None:
        if self._open and signal.service in ("glue", "glue-crawler"):
            self._settle_all()

    def _settle_all(self) -> None:
        for chain_id, chain in self._aws.documents.items(KIND):
            if chain["Status"] in OPEN:
                self.settle(chain_id)

    def settle(self, chain_id: str) -> None:
        """Fires what is due, starts what was fired, ends the chain when nothing is under way."""
        with self._lock:
            while (chain := self._aws.documents.get(KIND, chain_id)) is not None:
                if chain["Status"] not in OPEN:
                    return
                self._start(chain)
                states = [self.shown_state(action) for action in chain["Actions"]]
                for action, state in zip(chain["Actions"], states, strict=True):
                    action["State"] = state["State"]
                if not self._fire_due(chain):
                    break
                self._aws.documents.put(KIND, chain_id, chain)
            if chain is not None:
                self._end_or_keep(chain)

    def _start(self, chain: Json) -> None:
        for action in chain["Actions"]:
            if action["State"] != "PENDING":
                continue
            if chain["Status"] == "STOPPING":
                action["State"] = "STOPPED"
            else:
                self._startables[action["Type"]].start_by_trigger(
                    action["Name"], action["Id"], action["Given"],
                    {"Trigger": action["Trigger"], "Predecessors": action["Predecessors"],
                     "Workflow": chain.get("Workflow"), "WorkflowRun": chain["Id"]},
                )  # fmt: skip

    def _fire_due(self, chain: Json) -> bool:
        """Whether a conditional trigger fires by what has ended in the chain."""
        if chain["Status"] != "RUNNING":
            return False
        due = [
            trigger
            for trigger in self._triggers.of(chain.get("Workflow"))
            if trigger["Type"] not in STARTING
            and trigger["State"] == "ACTIVATED"
            and trigger["Name"] not in chain["Fired"]
            and holds(trigger["Predicate"], chain["Actions"])
        ]
        for trigger in due:
            self._fire(chain, trigger, satisfying(trigger["Predicate"], chain["Actions"]))
        return bool(due)

    def _fire(self, chain: Json, trigger: Json, predecessors: list[Json]) -> None:
        chain["Fired"].append(trigger["Name"])
        for given in trigger["Actions"]:
            kind = "JOB" if "JobName" in given else "CRAWLER"
            chain["Actions"].append(
                {
                    "Type": kind,
                    "Name": given["JobName" if kind == "JOB" else "CrawlerName"],
                    "Id": "jr_" + secrets.token_hex(32),
                    "Trigger": trigger["Name"],
                    "Given": given,
                    "Predecessors": [
                        {"JobName": each["Name"], "RunId": each["Id"]}
                        for each in predecessors
                        if each["Type"] == "JOB"
                    ],
                    "State": "PENDING",
                }
            )

    def _end_or_keep(self, chain: Json) -> None:
        under_way = any(action["State"] in ACTIVE for action in chain["Actions"])
        if not under_way:
            stopped = chain["Status"] == "STOPPING"
            chain |= {
                "Status": "STOPPED" if stopped else "COMPLETED",
                "CompletedOn": self._aws.clock.now(),
            }
        if under_way or chain.get("Workflow") is not None:
            self._aws.documents.put(KIND, chain["Id"], chain)
        else:  # nobody can ask for it
            self._aws.documents.delete(KIND, chain["Id"])


def exceeded(name: str) -> AwsError:
    return AwsError("ConcurrentRunsExceededException", exceeded_message(name))


def exceeded_message(name: str) -> str:
    """AWS's own words: WorkflowRun.ErrorMessage in the API's reference."""
    return f"Concurrent runs exceeded for workflow: {name}."

"""Triggers as documents: checked when they are given, shown as Glue does.

https://docs.aws.amazon.com/glue/latest/dg/about-triggers.html
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime

from localaws.catalog import tags
from localaws.catalog.cron import cron
from localaws.catalog.lists import page
from localaws.core.aws import LocalAws
from localaws.core.service import Call, Service
from localaws.errors import AwsError, NotEmulated
from localaws.events.expressions import Expression
from localaws.shapes import Json

KIND = "glue-trigger"
STARTING = ("SCHEDULED", "ON_DEMAND")  # the others wait for what those have started
JOB_STATES = ("SUCCEEDED", "STOPPED", "FAILED", "TIMEOUT")
CRAWL_STATES = ("SUCCEEDED", "FAILED", "CANCELLED")
MOST_CRAWLERS = 2
_ACTIONS = tuple(
    f"Actions.{name}"
    for name in ("JobName", "CrawlerName", "Arguments", "Timeout", "NotificationProperty")
)
_CHANGES = ("Description", "Schedule", "Predicate", *_ACTIONS)


class Triggers:
    """`on_change` is called when a schedule may be new; `fire` when one on demand is started."""

    def __init__(self, aws: LocalAws, workflow_exists: Callable[[str], bool]) -> None:
        self._aws = aws
        self._workflow_exists = workflow_exists
        self.on_change: Callable[[], None] = lambda: None
        self.fire: Callable[[Json], object] = lambda trigger: None

    def register(self, service: Service) -> None:
        take, pages = service.operation, ("NextToken", "MaxResults", "DependentJobName")
        take(
            *("CreateTrigger", "Name", "Type", "WorkflowName", "StartOnCreation", "Tags"),
            *_CHANGES,
        )(self.create)
        take("UpdateTrigger", "Name", "TriggerUpdate.Name",
             *(f"TriggerUpdate.{name}" for name in _CHANGES))(self.update)  # fmt: skip
        take("GetTrigger", "Name")(self.describe)
        take("GetTriggers", *pages)(self.describe_all)
        take("ListTriggers", *pages)(self.names)
        take("BatchGetTriggers", "TriggerNames")(self.describe_some)
        take("StartTrigger", "Name")(self.start)
        take("StopTrigger", "Name")(self.stop)
        take("DeleteTrigger", "Name")(self.delete)

    # What fires them

    def all(self) -> list[Json]:
        return [trigger for _, trigger in self._aws.documents.items(KIND)]

    def of(self, workflow: str | None) -> list[Json]:
        """Those of a workflow; of none: those that belong to none."""
        return [each for each in self.all() if each.get("WorkflowName") == workflow]

    def scheduled(self) -> list[tuple[Json, Expression, datetime]]:
        """(trigger, when, since when) of those that wait for their time."""
        return [
            (
                each | {"Arn": tags.arn(self._aws, "trigger", each["Name"])},
                cron(each["Schedule"]),
                each["Since"],
            )
            for each in self.all()
            if each["Type"] == "SCHEDULED" and each["State"] == "ACTIVATED"
        ]

    # Operations

    def create(self, call: Call) -> Json:
        given, name = call.params, call.params["Name"]
        active = bool(given.get("StartOnCreation"))
        if active and given["Type"] == "ON_DEMAND":
            raise invalid("StartOnCreation is not supported for ON_DEMAND triggers.")
        members = {k: v for k, v in given.items() if k not in ("StartOnCreation", "Tags")}
        trigger = members | {
            "State": "ACTIVATED" if active else "CREATED",
            "Since": self._aws.clock.now(),
        }
        check(call.operation, trigger)
        with self._aws.documents.transaction():
            self._check_workflow(trigger)
            if not self._aws.documents.insert(KIND, name, trigger):
                raise AwsError("AlreadyExistsException", f"Trigger {name} already exists.")
            tags.write(self._aws, tags.arn(self._aws, "trigger", name), given.get("Tags") or {})
        self.on_change()
        return {"Name": name}

    def _check_workflow(self, trigger: Json) -> None:
        """It exists, and has one trigger that starts it."""
        workflow = trigger.get("WorkflowName")
        if workflow is None:
            return
        if not self._workflow_exists(workflow):
            raise AwsError("EntityNotFoundException", f"Workflow {workflow} not found.")
        others = [each["Name"] for each in self.of(workflow) if each["Type"] in STARTING]
        if trigger["Type"] in STARTING and others:
            raise invalid(f"Workflow {workflow} has a starting trigger already: {others[0]}.")

    def update(self, call: Call) -> Json:
        """What is not given stays."""
        given = {k: v for k, v in call.params["TriggerUpdate"].items() if k != "Name"}
        with self._changing(call.params["Name"]) as trigger:
            if given.get("Schedule", trigger.get("Schedule")) != trigger.get("Schedule"):
                trigger["Since"] = self._aws.clock.now()
            trigger |= given
            check(call.operation, trigger)
        self.on_change()
        return {"Trigger": shown(trigger)}

    def describe(self, call: Call) -> Json:
        return {"Trigger": shown(self.get(call.params["Name"]))}

    def describe_all(self, call: Call) -> Json:
        found, more = page(((each["Name"], shown(each)) for each in self._asked(call)), call.params)
        return {"Triggers": found, **more}

    def names(self, call: Call) -> Json:
        names, more = page(((each["Name"], each["Name"]) for each in self._asked(call)),
                           call.params)  # fmt: skip
        return {"TriggerNames": names, **more}

    def describe_some(self, call: Call) -> Json:
        known, names = {each["Name"]: each for each in self.all()}, call.params["TriggerNames"]
        return {
            "Triggers": [shown(known[name]) for name in names if name in known],
            "TriggersNotFound": [name for name in names if name not in known],
        }

    def start(self, call: Call) -> Json:
        """One on demand fires; the others wait for their time, or their conditions, from now on."""
        trigger = self.get(call.params["Name"])
        if trigger["Type"] == "ON_DEMAND":
            self.fire(trigger)
        else:
            self._activate(trigger["Name"], "ACTIVATED")
        return {"Name": trigger["Name"]}

    def stop(self, call: Call) -> Json:
        trigger = self.get(call.params["Name"])
        if trigger["Type"] == "ON_DEMAND":
            raise invalid(f"Trigger {trigger['Name']} is ON_DEMAND: it is never active.")
        self._activate(trigger["Name"], "DEACTIVATED")
        return {"Name": trigger["Name"]}

    def _activate(self, name: str, state: str) -> None:
        with self._changing(name) as trigger:
            trigger |= {"State": state, "Since": self._aws.clock.now()}
        self.on_change()

    def delete(self, call: Call) -> Json:
        """One that is not there is deleted already, as on AWS."""
        self._aws.documents.delete(KIND, call.params["Name"])
        return {"Name": call.params["Name"]}

    def get(self, name: str) -> Json:
        found = self._aws.documents.get(KIND, name)
        if found is None:
            raise _missing(name)
        return found

    def _changing(self, name: str) -> AbstractContextManager[Json]:
        return self._aws.documents.changing(KIND, name, _missing(name))

    def _asked(self, call: Call) -> list[Json]:
        """Those that can start the job; where there is none, all, as the API's reference says."""
        job, there = call.params.get("DependentJobName"), self.all()
        starting = [each for each in there if any(job == a.get("JobName") for a in each["Actions"])]
        return starting if job is not None and starting else there


def shown(trigger: Json) -> Json:
    """As GetTrigger returns it."""
    return {name: value for name, value in trigger.items() if name != "Since"}


def invalid(message: str) -> AwsError:
    return AwsError("InvalidInputException", message)


def _missing(name: str) -> AwsError:
    return AwsError("EntityNotFoundException", f"Trigger {name} not found.")


def check(operation: str, trigger: Json) -> None:
    """Raises InvalidInputException for a trigger that says too little or too much, NotEmulated for
    one that waits for events."""
    kind = trigger["Type"]
    if kind == "EVENT":
        raise NotEmulated(
            *("glue", operation, "Type=EVENT"), f"It has {', '.join(STARTING)}, CONDITIONAL."
        )
    for member, needed_by in (("Schedule", "SCHEDULED"), ("Predicate", "CONDITIONAL")):
        if bool(trigger.get(member)) != (kind == needed_by):
            raise invalid(f"{member} goes with Type {needed_by}, and only with it.")
    if kind == "SCHEDULED":
        cron(trigger["Schedule"])
    if kind == "CONDITIONAL":
        _check_predicate(trigger["Predicate"])
    actions = trigger.get("Actions") or []
    if not actions:
        raise invalid("Actions is empty: name a job or a crawler.")
    for action in actions:
        if ("JobName" in action) == ("CrawlerName" in action):
            raise invalid("An action names either a JobName or a CrawlerName.")
    if sum("CrawlerName" in action for action in actions) > MOST_CRAWLERS:
        raise invalid(f"A trigger starts at most {MOST_CRAWLERS} crawlers.")


def _check_predicate(predicate: Json) -> None:
    conditions = predicate.get("Conditions") or []
    if not conditions:
        raise invalid("Predicate.Conditions is empty.")
    if len(conditions) > 1 and "Logical" not in predicate:
        raise invalid("Predicate.Logical is missing: AND or ANY of several conditions.")
    for one in conditions:
        kind, states = ("Crawl", CRAWL_STATES) if "CrawlerName" in one else ("", JOB_STATES)
        state = one.get("CrawlState" if kind else "State")
        if ("CrawlerName" in one) == ("JobName" in one):
            raise invalid("A condition names either a JobName or a CrawlerName.")
        if state not in states:
            raise invalid(f"{kind}State is {state!r}; it is one of {', '.join(states)}.")

"""Schedules as documents, and what happens when one is due."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from localaws.core.aws import LocalAws
from localaws.core.service import Call, Service
from localaws.events.delivery import Deliveries, check_target
from localaws.events.expressions import At, parse_expression
from localaws.events.runner import Item
from localaws.scheduler.groups import (
    DEFAULT,
    SCHEDULES,
    Groups,
    conflict,
    invalid,
    listed,
    missing,
)
from localaws.shapes import Json

_GIVEN = (
    *("Name", "GroupName", "ScheduleExpression", "ScheduleExpressionTimezone", "StartDate"),
    *("EndDate", "Description", "State", "FlexibleTimeWindow", "ActionAfterCompletion", "Target"),
)
_ACCEPTED = (
    *(name for name in _GIVEN if name != "Target"),
    *(
        f"Target.{name}"
        for name in ("Arn", "RoleArn", "Input", "RetryPolicy", "DeadLetterConfig", "SqsParameters")
    ),
    "ClientToken",
)
RANGES = {"MaximumEventAgeInSeconds": (60, 86_400), "MaximumRetryAttempts": (0, 185)}

LISTED = ("Arn", "Name", "GroupName", "State", "CreationDate", "LastModificationDate")
TIMING = ("ScheduleExpression", "ScheduleExpressionTimezone", "State", "StartDate")


class Schedules:
    """`on_change` is called when another schedule may be the next."""

    def __init__(self, aws: LocalAws, groups: Groups, deliveries: Deliveries) -> None:
        self._aws = aws
        self._documents = aws.documents
        self._groups = groups
        self._deliveries = deliveries
        self.on_change: Callable[[], None] = lambda: None

    def register(self, service: Service) -> None:
        service.operation("CreateSchedule", *_ACCEPTED)(self.create)
        service.operation("UpdateSchedule", *_ACCEPTED)(self.update)
        service.operation("GetSchedule", "Name", "GroupName")(self.show)
        service.operation("DeleteSchedule", "Name", "GroupName", "ClientToken")(self.delete)
        service.operation(
            "ListSchedules", "GroupName", "NamePrefix", "State", "NextToken", "MaxResults"
        )(self.list)

    # What the clock uses

    def due_items(self) -> list[Item]:
        return [
            (schedule, parse_expression(schedule["ScheduleExpression"]), schedule["Anchor"])
            for _, schedule in self._documents.items(SCHEDULES)
            if schedule["State"] == "ENABLED"
        ]

    def fire(self, schedule: Json, due: datetime) -> None:
        """Delivers now, or at a random time of the flexible window."""
        window = schedule["FlexibleTimeWindow"]
        minutes = window.get("MaximumWindowInMinutes", 0) if window["Mode"] == "FLEXIBLE" else 0
        text = filled(self._aws, schedule, due)
        source = {"SCHEDULE_ARN": schedule["Arn"]}
        wait = random.uniform(0, minutes * 60) * self._aws.clock.wait_scale
        self._deliveries.add(schedule["Target"], text, source, wait_seconds=wait)
        over = isinstance(parse_expression(schedule["ScheduleExpression"]), At)
        if over and schedule.get("ActionAfterCompletion") == "DELETE":
            self._documents.delete(SCHEDULES, key_of(schedule))

    # Operations

    def create(self, call: Call) -> Json:
        schedule = checked(call.params)
        now = self._aws.clock.now()
        place = f"{self._aws.region}:{self._aws.account}"
        schedule |= {
            "Arn": f"arn:aws:scheduler:{place}:schedule/{key_of(schedule)}",
            **{"CreationDate": now, "LastModificationDate": now, "Anchor": now},
        }
        with self._documents.transaction():
            self._groups.get(schedule["GroupName"])
            if not self._documents.insert(SCHEDULES, key_of(schedule), schedule):
                raise conflict(f"Schedule {schedule['Name']} already exists.")
        self.on_change()
        return {"ScheduleArn": schedule["Arn"]}

    def update(self, call: Call) -> Json:
        """Replaces the whole schedule, as AWS does."""
        schedule = checked(call.params)
        now = self._aws.clock.now()
        with self._documents.transaction():
            old = self._get(call.params)
            same = all(old.get(name) == schedule.get(name) for name in TIMING)
            schedule |= {
                **{"Arn": old["Arn"], "CreationDate": old["CreationDate"]},
                **{"LastModificationDate": now, "Anchor": old["Anchor"] if same else now},
            }
            self._documents.put(SCHEDULES, key_of(schedule), schedule)
        self.on_change()
        return {"ScheduleArn": schedule["Arn"]}

    def show(self, call: Call) -> Json:
        schedule = self._get(call.params)
        return {name: value for name, value in schedule.items() if name != "Anchor"}

    def delete(self, call: Call) -> Json:
        if not self._documents.delete(SCHEDULES, key_of(call.params)):
            raise missing(f"Schedule {call.params['Name']} does not exist.")
        return {}

    def list(self, call: Call) -> Json:
        params = call.params
        chosen = [
            (
                (schedule["Name"], schedule["GroupName"]),
                {name: schedule[name] for name in LISTED}
                | {"Target": {"Arn": schedule["Target"]["Arn"]}},
            )
            for _, schedule in self._documents.items(SCHEDULES)
            if schedule["GroupName"] == params.get("GroupName", schedule["GroupName"])
            and schedule["Name"].startswith(params.get("NamePrefix", ""))
            and schedule["State"] == params.get("State", schedule["State"])
        ]
        return listed(call, "Schedules", chosen)

    def _get(self, params: Json) -> Json:
        schedule = self._documents.get(SCHEDULES, key_of(params))
        if schedule is None:
            raise missing(f"Schedule {params['Name']} does not exist.")
        return schedule


def key_of(params: Json) -> str:
    """The document's key: group and name."""
    return f"{params.get('GroupName', DEFAULT)}/{params['Name']}"


def filled(aws: LocalAws, schedule: Json, due: datetime) -> str:
    """The target's input with the context attributes put in, as plain text."""
    target = schedule["Target"]
    moment = due.strftime("%Y-%m-%dT%H:%M:%SZ")
    if "Input" not in target:
        event = aws.event("aws.scheduler", "Scheduled Event", {}, [schedule["Arn"]], time=due)
        return json.dumps(event | {"detail": "{}"})
    text = str(target["Input"])
    for name, value in (
        ("schedule-arn", schedule["Arn"]),
        ("scheduled-time", moment),
        ("execution-id", str(uuid.uuid4())),
        ("attempt-number", "1"),
    ):
        text = text.replace(f"<aws.scheduler.{name}>", value)
    return text


def checked(params: Json) -> Json:
    """The schedule a Create or Update asks for. Raises ValidationException or NotEmulated."""
    parse_expression(params["ScheduleExpression"])
    try:
        ZoneInfo(params.get("ScheduleExpressionTimezone", "UTC"))
    except (ZoneInfoNotFoundError, ValueError) as error:
        zone = params["ScheduleExpressionTimezone"]
        raise invalid(f"The time zone {zone} is not in the IANA data base.") from error
    window = params["FlexibleTimeWindow"]
    if (window["Mode"] == "FLEXIBLE") != ("MaximumWindowInMinutes" in window):
        raise invalid(
            "MaximumWindowInMinutes goes with FlexibleTimeWindow Mode FLEXIBLE, and only with it.",
        )
    target = params["Target"]
    check_target("scheduler", "CreateSchedule", target)
    for name, (low, high) in RANGES.items():
        value = target.get("RetryPolicy", {}).get(name, low)
        if not low <= value <= high:
            raise invalid(f"{name} is {value}; it is {low} to {high}.")
    schedule = {name: params[name] for name in _GIVEN if name in params}
    for name in ("StartDate", "EndDate"):
        if name in schedule:
            moment = schedule[name]
            schedule[name] = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    start, end = schedule.get("StartDate"), schedule.get("EndDate")
    if start is not None and end is not None and end <= start:
        raise invalid("EndDate must be later than StartDate.")
    defaults = {"GroupName": DEFAULT, "State": "ENABLED", "ActionAfterCompletion": "NONE"}
    return defaults | {"ScheduleExpressionTimezone": "UTC"} | schedule

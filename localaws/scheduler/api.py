"""Amazon EventBridge Scheduler."""

from __future__ import annotations

import json
import random
import uuid
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from localaws.core.aws import LocalAws
from localaws.core.errors import AwsError
from localaws.core.service import Call, Service
from localaws.events.delivery import Deliveries, check_target
from localaws.scheduler.expressions import At, parse_expression
from localaws.scheduler.runner import Item, Runner

Json = dict[str, Any]
SCHEDULES = "scheduler-schedule"
GROUPS = "scheduler-group"
DEFAULT = "default"
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


class Schedules:
    """Schedules as documents, and what happens when one is due."""

    def __init__(self, aws: LocalAws, deliveries: Deliveries) -> None:
        self._aws = aws
        self._documents = aws.documents
        self._deliveries = deliveries
        self._documents.insert(GROUPS, DEFAULT, self.new_group(DEFAULT))

    def new_group(self, name: str) -> Json:
        arn = f"arn:aws:scheduler:{self._aws.region}:{self._aws.account}:schedule-group/{name}"
        now = self._aws.clock.now()
        return {
            **{"Name": name, "Arn": arn, "State": "ACTIVE"},
            **{"CreationDate": now, "LastModificationDate": now},
        }

    def arn(self, group: str, name: str) -> str:
        return f"arn:aws:scheduler:{self._aws.region}:{self._aws.account}:schedule/{group}/{name}"

    def group(self, name: str) -> Json:
        found = self._documents.get(GROUPS, name)
        if found is None:
            raise missing(f"Schedule group {name} does not exist.")
        return found

    def get(self, params: Json) -> Json:
        group = params.get("GroupName", DEFAULT)
        found = self._documents.get(SCHEDULES, f"{group}/{params['Name']}")
        if found is None:
            raise missing(f"Schedule {params['Name']} does not exist.")
        return found

    def put(self, schedule: Json) -> None:
        key = f"{schedule['GroupName']}/{schedule['Name']}"
        self._documents.put(SCHEDULES, key, schedule)

    def delete(self, schedule: Json) -> None:
        self._documents.delete(SCHEDULES, f"{schedule['GroupName']}/{schedule['Name']}")

    def all(self) -> list[Json]:
        return [schedule for _, schedule in self._documents.items(SCHEDULES)]

    def due_items(self) -> list[Item]:
        return [
            (schedule, parse_expression(schedule["ScheduleExpression"]), schedule["Anchor"])
            for schedule in self.all()
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
            self.delete(schedule)


def missing(message: str) -> AwsError:
    return AwsError("ResourceNotFoundException", message, 404)


def filled(aws: LocalAws, schedule: Json, due: datetime) -> str:
    """The target's input with the context attributes put in, as plain text."""
    target = schedule["Target"]
    moment = due.strftime("%Y-%m-%dT%H:%M:%SZ")
    if "Input" not in target:
        return json.dumps(
            {
                **{"version": "0", "id": str(uuid.uuid4()), "detail-type": "Scheduled Event"},
                **{"source": "aws.scheduler", "account": aws.account, "time": moment},
                **{"region": aws.region, "resources": [schedule["Arn"]], "detail": "{}"},
            }
        )
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
        raise AwsError(
            "ValidationException", f"The time zone {zone} is not in the IANA data base."
        ) from error
    window = params["FlexibleTimeWindow"]
    if (window["Mode"] == "FLEXIBLE") != ("MaximumWindowInMinutes" in window):
        raise AwsError(
            "ValidationException",
            "MaximumWindowInMinutes goes with FlexibleTimeWindow Mode FLEXIBLE, and only with it.",
        )
    target = params["Target"]
    check_target("scheduler", "CreateSchedule", target)
    for name, (low, high) in RANGES.items():
        value = target.get("RetryPolicy", {}).get(name, low)
        if not low <= value <= high:
            raise AwsError("ValidationException", f"{name} is {value}; it is {low} to {high}.")
    schedule = {name: params[name] for name in _GIVEN if name in params}
    for name in ("StartDate", "EndDate"):
        if name in schedule:
            moment = schedule[name]
            schedule[name] = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    start, end = schedule.get("StartDate"), schedule.get("EndDate")
    if start is not None and end is not None and end <= start:
        raise AwsError("ValidationException", "EndDate must be later than StartDate.")
    defaults = {"GroupName": DEFAULT, "State": "ENABLED", "ActionAfterCompletion": "NONE"}
    return defaults | {"ScheduleExpressionTimezone": "UTC"} | schedule


def service(aws: LocalAws) -> Service:
    """Scheduler with a thread that fires for real."""
    scheduler = Service("scheduler")
    deliveries = Deliveries(aws, "scheduler")
    schedules = Schedules(aws, deliveries)
    runner = Runner(aws, "schedules", schedules.due_items, schedules.fire)
    for starter in (deliveries.start, runner.start):
        scheduler.on_start(starter)
    for stopper in (runner.stop, deliveries.stop):
        scheduler.on_stop(stopper)
    _register_schedules(scheduler, aws, schedules, runner)
    _register_groups(scheduler, aws, schedules)
    return scheduler


def _register_schedules(
    service: Service, aws: LocalAws, schedules: Schedules, runner: Runner
) -> None:
    @service.operation("CreateSchedule", *_ACCEPTED)
    def create_schedule(call: Call) -> Json:
        schedule = checked(call.params)
        schedules.group(schedule["GroupName"])
        key = f"{schedule['GroupName']}/{schedule['Name']}"
        now = aws.clock.now()
        schedule |= {
            "Arn": schedules.arn(schedule["GroupName"], schedule["Name"]),
            **{"CreationDate": now, "LastModificationDate": now, "Anchor": now},
        }
        if not aws.documents.insert(SCHEDULES, key, schedule):
            raise AwsError("ConflictException", f"Schedule {schedule['Name']} already exists.", 409)
        runner.changed()
        return {"ScheduleArn": schedule["Arn"]}

    @service.operation("UpdateSchedule", *_ACCEPTED)
    def update_schedule(call: Call) -> Json:
        old = schedules.get(call.params)
        schedule = checked(call.params)
        now = aws.clock.now()
        timing = ("ScheduleExpression", "ScheduleExpressionTimezone", "State", "StartDate")
        same = all(old.get(name) == schedule.get(name) for name in timing)
        schedule |= {
            **{"Arn": old["Arn"], "CreationDate": old["CreationDate"]},
            **{"LastModificationDate": now, "Anchor": old["Anchor"] if same else now},
        }
        schedules.put(schedule)
        runner.changed()
        return {"ScheduleArn": schedule["Arn"]}

    @service.operation("GetSchedule", "Name", "GroupName")
    def get_schedule(call: Call) -> Json:
        schedule = schedules.get(call.params)
        return {name: value for name, value in schedule.items() if name != "Anchor"}

    @service.operation("DeleteSchedule", "Name", "GroupName", "ClientToken")
    def delete_schedule(call: Call) -> Json:
        schedules.delete(schedules.get(call.params))
        return {}

    @service.operation(
        "ListSchedules", "GroupName", "NamePrefix", "State", "NextToken", "MaxResults"
    )
    def list_schedules(call: Call) -> Json:
        params = call.params
        found = [
            schedule
            for schedule in sorted(schedules.all(), key=lambda item: str(item["Name"]))
            if schedule["GroupName"] == params.get("GroupName", schedule["GroupName"])
            and schedule["Name"].startswith(params.get("NamePrefix", ""))
            and schedule["State"] == params.get("State", schedule["State"])
        ]
        start = int(params.get("NextToken", 0))
        end = start + int(params.get("MaxResults", 100))
        names = ("Arn", "Name", "GroupName", "State", "CreationDate", "LastModificationDate")
        answer: Json = {
            "Schedules": [
                {name: schedule[name] for name in names}
                | {"Target": {"Arn": schedule["Target"]["Arn"]}}
                for schedule in found[start:end]
            ]
        }
        return answer | ({"NextToken": str(end)} if end < len(found) else {})


def _register_groups(service: Service, aws: LocalAws, schedules: Schedules) -> None:
    @service.operation("CreateScheduleGroup", "Name", "ClientToken")
    def create_schedule_group(call: Call) -> Json:
        group = schedules.new_group(call.params["Name"])
        if not aws.documents.insert(GROUPS, group["Name"], group):
            raise AwsError(
                "ConflictException", f"Schedule group {group['Name']} already exists.", 409
            )
        return {"ScheduleGroupArn": group["Arn"]}

    @service.operation("GetScheduleGroup", "Name")
    def get_schedule_group(call: Call) -> Json:
        return schedules.group(call.params["Name"])

    @service.operation("ListScheduleGroups", "NamePrefix", "NextToken", "MaxResults")
    def list_schedule_groups(call: Call) -> Json:
        prefix = call.params.get("NamePrefix", "")
        groups = [group for name, group in aws.documents.items(GROUPS) if name.startswith(prefix)]
        return {"ScheduleGroups": groups}

    @service.operation("DeleteScheduleGroup", "Name", "ClientToken")
    def delete_schedule_group(call: Call) -> Json:
        name = call.params["Name"]
        schedules.group(name)
        if name == DEFAULT:
            raise AwsError("ValidationException", "The default schedule group cannot be deleted.")
        for schedule in schedules.all():
            if schedule["GroupName"] == name:
                schedules.delete(schedule)
        aws.documents.delete(GROUPS, name)
        return {}

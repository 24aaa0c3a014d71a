"""Schedules: jobs that run by themselves at the times of a cron expression, in UTC.

https://docs.aws.amazon.com/databrew/latest/dg/jobs.cron.html: six fields, `?` in one of the two
for days, and no more often than every five minutes.
"""

from __future__ import annotations

import logging
from datetime import datetime
from itertools import pairwise

from localaws.core.aws import LocalAws
from localaws.core.service import Call, Service
from localaws.databrew.documents import (
    arn,
    conflict,
    created,
    existing,
    invalid,
    modified,
    named,
    not_found,
    page,
)
from localaws.databrew.jobs import RecipeJobs
from localaws.databrew.runs import JobRuns
from localaws.errors import AwsError, NotEmulated
from localaws.events.expressions import Cron, parse_expression
from localaws.events.runner import Item, Runner
from localaws.shapes import Json

KIND = "databrew-schedule"
LEAST_MINUTES = 5
logger = logging.getLogger(__name__)


class Schedules:
    def __init__(self, aws: LocalAws, jobs: RecipeJobs, runs: JobRuns) -> None:
        self._aws = aws
        self._jobs = jobs
        self._runs = runs
        self._runner = Runner(aws, "databrew", self.due_items, self.fire)

    def register(self, service: Service) -> None:
        service.operation("CreateSchedule", "Name", "CronExpression", "JobNames", "Tags")(
            self.create
        )
        service.operation("UpdateSchedule", "Name", "CronExpression", "JobNames")(self.update)
        service.operation("DescribeSchedule", "Name")(lambda call: _shown(self.get(call)))
        service.operation("DeleteSchedule", "Name")(self.delete)
        service.operation("ListSchedules", "JobName", "MaxResults", "NextToken")(self.list)
        service.on_start(self._runner.start)
        service.on_stop(self._runner.stop)

    # What the clock uses

    def due_items(self) -> list[Item]:
        return [
            (schedule | {"Arn": schedule["ResourceArn"]}, _cron(schedule["CronExpression"]), anchor)
            for _, schedule in self._aws.documents.items(KIND)
            for anchor in (schedule["Anchor"],)
        ]

    def fire(self, schedule: Json, due: datetime) -> None:
        """Starts each job. One that cannot be started (it is running, it is gone) is logged, as
        nobody is there to be told; the others start."""
        for job in schedule["JobNames"]:
            try:
                self._runs.start_job(job, schedule["ResourceArn"])
            except (AwsError, NotEmulated) as error:
                logger.warning("Schedule %s, job %s at %s: %s", schedule["Name"], job, due, error)

    # Operations

    def get(self, call: Call) -> Json:
        """The schedule. Raises ResourceNotFoundException."""
        return existing(self._aws, "Schedule", call.params["Name"])

    def create(self, call: Call) -> Json:
        name = named("schedule", call)
        document = {
            "Name": name,
            "Tags": call.params.get("Tags", {}),
            "ResourceArn": arn(self._aws, "schedule", name),
            **created(self._aws, call.caller),
            **self._settings(call),
        }
        if not self._aws.documents.insert(KIND, name, document):
            raise conflict(f"Schedule {name} already exists.")
        self._runner.changed()
        return {"Name": name}

    def update(self, call: Call) -> Json:
        name, settings = call.params["Name"], self._settings(call)
        with self._aws.documents.changing(KIND, name, not_found("Schedule", name)) as document:
            document |= settings | modified(self._aws, call.caller)
        self._runner.changed()
        return {"Name": name}

    def delete(self, call: Call) -> Json:
        self.get(call)
        self._aws.documents.delete(KIND, call.params["Name"])
        return {"Name": call.params["Name"]}

    def list(self, call: Call) -> Json:
        job = call.params.get("JobName")
        found, token = page(
            [
                (name, {"AccountId": self._aws.account, **_shown(schedule)})
                for name, schedule in self._aws.documents.items(KIND)
                if job is None or job in schedule["JobNames"]
            ],
            call.params,
        )
        return {"Schedules": found, **token}

    def _settings(self, call: Call) -> Json:
        """The times and the jobs, checked. Raises ValidationException."""
        expression, jobs = call.params["CronExpression"], call.params.get("JobNames", [])
        _cron(expression)
        for job in jobs:
            try:
                self._jobs.get(job)
            except AwsError as error:
                raise invalid(error.message) from error
        # Times before this moment are none of the schedule as it is now.
        return {"CronExpression": expression, "JobNames": jobs, "Anchor": self._aws.clock.now()}


def _shown(schedule: Json) -> Json:
    return {member: value for member, value in schedule.items() if member != "Anchor"}


def _cron(expression: str) -> Cron:
    """`cron(0 12 * * ? *)`, the word in any case. Raises ValidationException."""
    word, bracket, fields = expression.partition("(")
    if word.lower() != "cron" or not bracket:
        raise invalid(f"CronExpression is {expression!r}; it is cron(...) with six fields.")
    cron = parse_expression(f"cron({fields}")
    assert isinstance(cron, Cron)
    around = (cron.minutes[0] + 60,) if len(cron.hours) > 1 else ()
    if any(later - first < LEAST_MINUTES for first, later in pairwise((*cron.minutes, *around))):
        raise invalid(f"{expression} comes more often than every {LEAST_MINUTES} minutes.")
    return cron

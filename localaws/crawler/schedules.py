"""Crawlers that start at their times.

https://docs.aws.amazon.com/glue/latest/dg/schedule-crawler.html
"""

from __future__ import annotations

import logging
from datetime import datetime

from localaws.catalog import tags
from localaws.catalog.cron import cron
from localaws.core.aws import LocalAws
from localaws.core.service import Call, Service
from localaws.crawler.crawlers import Crawlers
from localaws.crawler.settings import ON, schedule
from localaws.errors import AwsError
from localaws.events.expressions import Expression
from localaws.events.runner import Runner
from localaws.shapes import Json

OFF = "NOT_SCHEDULED"
logger = logging.getLogger(__name__)


class Schedules:
    def __init__(self, aws: LocalAws, crawlers: Crawlers) -> None:
        self._aws = aws
        self._crawlers = crawlers
        self._clock = Runner(aws, "crawlers", self.scheduled, self._fire)
        crawlers.on_change = self._clock.changed

    def register(self, service: Service) -> None:
        take = service.operation
        take("UpdateCrawlerSchedule", "CrawlerName", "Schedule")(self.update)
        take("StartCrawlerSchedule", "CrawlerName")(self.start)
        take("StopCrawlerSchedule", "CrawlerName")(self.stop)
        service.on_start(self._clock.start)
        service.on_stop(self._clock.stop)

    def scheduled(self) -> list[tuple[Json, Expression, datetime]]:
        """(crawler, when, since when) of those whose schedule is on."""
        return [
            (
                {"Name": each["Name"], "Arn": tags.arn(self._aws, "crawler", each["Name"])},
                cron(each["Schedule"]["ScheduleExpression"]),
                each["ScheduledSince"],
            )
            for each in self._crawlers.all()
            if each.get("Schedule", {}).get("State") == ON
        ]

    def _fire(self, crawler: Json, due: datetime) -> None:
        try:
            self._crawlers.start(crawler["Name"])
        except AwsError as error:  # it is still at work, or gone
            logger.warning("The crawler %s did not start: %s", crawler["Name"], error.message)

    def update(self, call: Call) -> Json:
        """An empty Schedule takes it away."""
        text = call.params.get("Schedule") or ""
        self._crawlers.schedule(call.params["CrawlerName"], lambda before: schedule(text))
        return {}

    def start(self, call: Call) -> Json:
        self._turn(call, ON, "SchedulerRunningException", "is on already")
        return {}

    def stop(self, call: Call) -> Json:
        self._turn(call, OFF, "SchedulerNotRunningException", "is not on")
        return {}

    def _turn(self, call: Call, state: str, code: str, told: str) -> None:
        name = call.params["CrawlerName"]

        def turned(before: Json) -> Json:
            if not before:
                none = "NoScheduleException" if state == ON else code
                raise AwsError(none, f"Crawler {name} has no schedule.")
            if before["State"] == state:
                raise AwsError(code, f"The schedule of crawler {name} {told}.")
            return {**before, "State": state}

        self._crawlers.schedule(name, turned)

"""Crawlers that start at their times: docs.aws.amazon.com/glue/latest/dg/schedule-crawler.html"""

from __future__ import annotations

from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from tests.glue_workflows.conftest import Flows, MovedClock, clock, flows, local, until

__all__ = ["clock", "flows", "local"]  # fixtures


def test_a_crawler_starts_at_its_times_while_its_schedule_is_on(
    flows: Flows, clock: MovedClock
) -> None:
    glue = flows.glue
    flows.crawler("crawl")
    with pytest.raises(glue.exceptions.NoScheduleException):
        glue.start_crawler_schedule(CrawlerName="crawl")
    for wrong in ("rate(1 day)", "cron(0 25 * * ? *)"):
        with pytest.raises(ClientError) as error:
            glue.update_crawler(Name="crawl", Schedule=wrong)
        assert error.value.response["Error"]["Code"] == "InvalidInputException"

    def state() -> str | None:
        found = glue.get_crawler(Name="crawl")["Crawler"]
        return (found.get("Schedule") or {}).get("State")

    def a_day_later() -> None:
        clock.moved += timedelta(days=1)
        flows.crawler(f"crawl{clock.moved.days}")  # the clock looks at once

    glue.update_crawler(Name="crawl", Schedule="cron(15 12 * * ? *)")
    assert state() == "SCHEDULED"
    glue.stop_crawler_schedule(CrawlerName="crawl")
    assert state() == "NOT_SCHEDULED"
    with pytest.raises(glue.exceptions.SchedulerNotRunningException):
        glue.stop_crawler_schedule(CrawlerName="crawl")
    a_day_later()
    assert "LastCrawl" not in glue.get_crawler(Name="crawl")["Crawler"]
    glue.start_crawler_schedule(CrawlerName="crawl")
    a_day_later()

    crawler = until(
        lambda: glue.get_crawler(Name="crawl")["Crawler"],
        lambda found: found["State"] == "READY" and "LastCrawl" in found,
    )

    assert crawler["LastCrawl"]["Status"] == "SUCCEEDED"
    assert [table["Name"] for table in glue.get_tables(DatabaseName="default")["TableList"]] == [
        "raw"
    ]
    glue.update_crawler_schedule(CrawlerName="crawl", Schedule="")
    assert state() is None

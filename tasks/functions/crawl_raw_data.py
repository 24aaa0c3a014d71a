"""Crawl raw data: starts the crawler, or looks how far it is.

What counts is a crawl that began after the run was planned, or, after a redrive, after that: an
older one, or one that was already running, may have missed the files that started us.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from typing import Any

Json = dict[str, Any]

LIMIT = timedelta(hours=1)


class CrawlFailed(Exception):
    """The crawl failed or was stopped; the text is `LastCrawl` as Glue gives it."""


class CrawlTimedOut(Exception):
    """No crawl of this run was finished within an hour."""


def handler(event: Json, context: Any) -> Json:
    """`event`: {run, execution ($$.Execution)}. Answers {finished, state, last_crawl}."""
    import boto3

    glue = boto3.client("glue")
    name = os.environ["CRAWLER"]
    crawler = glue.get_crawler(Name=name)["Crawler"]
    since = begins(event["run"], event["execution"])
    step = decide(crawler, since, datetime.now(timezone.utc))
    if step == "start":
        # One that runs already is somebody else's: it is waited for, then ours is started.
        with suppress(glue.exceptions.CrawlerRunningException):
            glue.start_crawler(Name=name)
    return {
        "finished": step == "finished",
        "state": crawler["State"],
        "last_crawl": json.loads(json.dumps(crawler.get("LastCrawl"), default=str)),
    }


def begins(run: Json, execution: Json) -> datetime:
    """From when on a crawl is this run's."""
    times = [run["crawl_not_before"], execution.get("RedriveTime")]
    return max(datetime.fromisoformat(t.replace("Z", "+00:00")) for t in times if t).replace(
        microsecond=0  # crawlers report whole seconds
    )


def decide(crawler: Json, since: datetime, now: datetime) -> str:
    """What to do: "finished", "start", or "wait". Raises CrawlFailed, CrawlTimedOut."""
    last = crawler.get("LastCrawl") or {}
    if crawler["State"] == "READY" and "StartTime" in last and last["StartTime"] >= since:
        if last.get("Status") != "SUCCEEDED":
            raise CrawlFailed(json.dumps(last, default=str))
        return "finished"
    if now > since + LIMIT:
        raise CrawlTimedOut(
            f"The crawler is {crawler['State']}, and no crawl that began after {since:%FT%TZ} has"
            f" finished; a run waits {LIMIT}."
        )
    return "start" if crawler["State"] == "READY" else "wait"

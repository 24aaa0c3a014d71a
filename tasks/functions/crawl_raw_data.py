"""Crawl raw data: starts the crawler, or looks how far it is, and completes what it made.

What counts is a crawl that began after the run was planned, or, after a redrive, after that: an
older one, or one that was already running, may have missed the files that started us.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from typing import Any

from tasks.functions import mapping_file
from tasks.functions.raw_text import ESCAPE, OPEN_CSV

Json = dict[str, Any]

LIMIT = timedelta(hours=1)
POLL_SECONDS = 15
MOST_PARTITIONS = 100  # of one BatchUpdatePartition
# What of a described table or partition can be written back.
TABLE_INPUT = (
    "Name", "Description", "Owner", "LastAccessTime", "LastAnalyzedTime", "Retention",
    "StorageDescriptor", "PartitionKeys", "TableType", "Parameters",
)  # fmt: skip
PARTITION_INPUT = (
    "Values", "LastAccessTime", "StorageDescriptor", "Parameters", "LastAnalyzedTime",
)  # fmt: skip


class CrawlFailed(Exception):
    """The crawl failed or was stopped; the text is `LastCrawl` as Glue gives it."""


class CrawlTimedOut(Exception):
    """No crawl of this run was finished within an hour."""


def handler(event: Json, context: Any) -> Json:
    """`event`: {run, state, execution ($$.Execution)}. Answers {finished, wait_seconds, settles
    (the start of the crawl after which files were given time), state, last_crawl}."""
    import boto3

    if mapping_file.deployed()["statements"]:
        # Its mapping makes the tables; a crawl would find nothing, for ten minutes' price.
        answer = {"finished": True, "wait_seconds": 0, "settles": None}
        return {**answer, "state": "READY", "last_crawl": None}
    glue = boto3.client("glue")
    name = os.environ["CRAWLER"]
    crawler = glue.get_crawler(Name=name)["Crawler"]
    since = begins(event["run"], event["execution"])
    step = decide(crawler, since, datetime.now(timezone.utc))
    earlier = (event["state"].get("crawl") or {}).get("answer") or {}
    pause, settles = waits(step, crawler, event["run"]["options"], earlier.get("settles"))
    if step == "finished" and not pause:
        without_escape(glue, os.environ["RAW_DATABASE"])
    if step == "start":
        # One that runs already is somebody else's: it is waited for, then ours is started.
        with suppress(glue.exceptions.CrawlerRunningException):
            glue.start_crawler(Name=name)
    return {
        "finished": step == "finished" and not pause,
        "wait_seconds": pause,
        "settles": settles,
        "state": crawler["State"],
        "last_crawl": json.loads(json.dumps(crawler.get("LastCrawl"), default=str)),
    }


def waits(step: str, crawler: Json, options: Json, settled: str | None) -> tuple[int, str | None]:
    """(seconds until the next look, the crawl after which they are for files to settle). `settled`
    is the crawl after which they had that time already."""
    if step != "finished":
        return POLL_SECONDS, None
    crawl = str(crawler["LastCrawl"]["StartTime"])
    return (0 if settled == crawl else options["settle_seconds"]), crawl


def without_escape(glue: Any, database: str) -> None:
    """Lets a backslash in a raw file be data (`6\\"" Cake`): by default it is OpenCSVSerDe's escape
    character, and no classifier can name another. The one that is set stands in no text.

    https://docs.aws.amazon.com/athena/latest/ug/csv-serde.html. A crawl may take it away again, so
    each is followed by this; `raw_tables_are_as_expected` looks whether it is there.
    """
    for page in glue.get_paginator("get_tables").paginate(DatabaseName=database):
        for table in page["TableList"]:
            if _escapes(table):
                kept = {key: table[key] for key in TABLE_INPUT if key in table}
                glue.update_table(DatabaseName=database, TableInput=_completed(kept))
            if table.get("PartitionKeys"):
                _partitions_without_escape(glue, {"DatabaseName": database}, table["Name"])


def _partitions_without_escape(glue: Any, place: Json, table: str) -> None:
    for page in glue.get_paginator("get_partitions").paginate(**place, TableName=table):
        entries = [
            {
                "PartitionValueList": partition["Values"],
                "PartitionInput": _completed(
                    {key: partition[key] for key in PARTITION_INPUT if key in partition}
                ),
            }
            for partition in page["Partitions"]
            if _escapes(partition)
        ]
        for first in range(0, len(entries), MOST_PARTITIONS):
            some = entries[first : first + MOST_PARTITIONS]
            answer = glue.batch_update_partition(**place, TableName=table, Entries=some)
            if answer.get("Errors"):
                raise CrawlFailed(json.dumps(answer["Errors"][:5], default=str))


def _escapes(described: Json) -> bool:
    serde = described["StorageDescriptor"].get("SerdeInfo") or {}
    return (
        serde.get("SerializationLibrary") == OPEN_CSV
        and (serde.get("Parameters") or {}).get("escapeChar") != ESCAPE
    )


def _completed(described: Json) -> Json:
    place = described["StorageDescriptor"]
    serde = place["SerdeInfo"]
    serde = {**serde, "Parameters": {**serde.get("Parameters", {}), "escapeChar": ESCAPE}}
    return {**described, "StorageDescriptor": {**place, "SerdeInfo": serde}}


def begins(run: Json, execution: Json) -> datetime:
    """From when on a crawl is this run's."""
    times = [run["crawl_not_before"], execution.get("RedriveTime")]
    return max(datetime.fromisoformat(t.replace("Z", "+00:00")) for t in times if t)


def began_since(last: Json, since: datetime) -> bool:
    """Whether the crawl may have begun then or later. Glue's crawlers tell whole seconds; one that
    tells more is believed, for a run that ended in this very second may have crawled in it, too."""
    started: datetime = last["StartTime"]
    return started >= (since if started.microsecond else since.replace(microsecond=0))


def decide(crawler: Json, since: datetime, now: datetime) -> str:
    """What to do: "finished", "start", or "wait". Raises CrawlFailed, CrawlTimedOut."""
    last = crawler.get("LastCrawl") or {}
    if crawler["State"] == "READY" and "StartTime" in last and began_since(last, since):
        if last.get("Status") != "SUCCEEDED":
            raise CrawlFailed(json.dumps(last, default=str))
        return "finished"
    if now > since + LIMIT:
        raise CrawlTimedOut(
            f"The crawler is {crawler['State']}, and no crawl that began after {since:%FT%TZ} has"
            f" finished; a run waits {LIMIT}."
        )
    return "start" if crawler["State"] == "READY" else "wait"

"""Lines of CloudWatch Logs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from console.sections import Section, note, section

Json = dict[str, Any]

LOG_LINES = 400


def log(
    clients: Any,
    group: str,
    *,
    stream_prefix: str | None = None,
    title: str = "Log",
    between: tuple[datetime | None, datetime | None] | None = None,
) -> Iterator[Section]:
    """The last lines; nothing when the group is not there (yet) or is empty."""
    client = clients("logs")
    given: Json = {"logGroupName": group}
    if stream_prefix:
        given["logStreamNamePrefix"] = stream_prefix
    if between and between[0]:
        given["startTime"] = int(between[0].timestamp() * 1000) - 500
        if between[1]:
            given["endTime"] = int(between[1].timestamp() * 1000) + 2000
    lines: list[Json] = []
    try:
        for answer in client.get_paginator("filter_log_events").paginate(**given):
            lines = [*lines, *answer["events"]][-LOG_LINES:]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            yield note(f"Log {group}: {error}")
        return
    if lines:
        shown = [{"time": e["timestamp"], "text": e["message"].rstrip("\n")} for e in lines]
        yield section("log", title, group=group, lines=shown)

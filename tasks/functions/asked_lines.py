"""What the endpoint was asked, summed from the lines that its servers write (`inference/asked.py`):
counts by group of each feature, no rows."""

from __future__ import annotations

import json
import time
from datetime import datetime, timedelta
from typing import Any

Json = dict[str, Any]

DAYS = 7
# A server writes a line of about 2 KB a minute, a page has 1 MB: a week of forty servers.
MOST_PAGES = 800
MOST_SECONDS = 120.0
LINES = "{ $.counted.rows > 0 }"


def summed(logs: Any, endpoint: str, now: datetime) -> Json:
    """{since, complete, models: {run: {rows, features: {name: [count of each group]}}}} of the last
    DAYS days; no models where nobody asked. `complete` is false where there was more than the
    limits above let read."""
    since = now - timedelta(days=DAYS)
    found: Json = {"since": since.strftime("%Y-%m-%dT%H:%M:%SZ"), "complete": True, "models": {}}
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=f"/aws/sagemaker/Endpoints/{endpoint}",
        startTime=int(since.timestamp() * 1000),
        filterPattern=LINES,
    )
    began = time.monotonic()
    try:
        for number, page in enumerate(pages):
            if number == MOST_PAGES or time.monotonic() - began > MOST_SECONDS:
                return {**found, "complete": False}
            for event in page["events"]:
                add(found["models"], json.loads(event["message"]))
    except logs.exceptions.ResourceNotFoundException:
        pass  # the group is made with the first line of an endpoint
    return found


def add(models: Json, line: Json) -> None:
    counted = line["counted"]
    told = models.setdefault(line["model"], {"rows": 0, "features": {}})
    told["rows"] += counted["rows"]
    for name, counts in counted["features"].items():
        so_far = told["features"].get(name, [0] * len(counts))
        told["features"][name] = [a + b for a, b in zip(so_far, counts, strict=True)]

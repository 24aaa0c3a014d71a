"""The newest executions, a line each."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from configuration.connection import Connection
from console.executions import Origins
from rebuy.cli.console import seconds

STATUSES = ("RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "PENDING_REDRIVE")
BY = {"request": "hand"}
HEADER = f"{'STATUS':<10} {'STARTED':<19}  {'TOOK':>12}  {'BY':<9} NAME"


def newest(
    connection: Connection, machine: str, limit: int, status: str | None
) -> list[dict[str, Any]]:
    """{name, execution_arn, status, started_at, ended_at, seconds, started_by} of each, newest
    first; times as ISO 8601 in UTC. `started_by` is hand, upload, schedule, event, execution; None
    where that may not be asked."""
    client = connection.client("stepfunctions")
    wanted = {"statusFilter": status} if status else {}
    pages = client.get_paginator("list_executions").paginate(
        stateMachineArn=machine, PaginationConfig={"MaxItems": limit}, **wanted
    )
    entries = [entry for page in pages for entry in page["executions"]]
    origins = Origins().of(client, [entry["executionArn"] for entry in entries])
    return [_told(entry, origins.get(entry["executionArn"])) for entry in entries]


def _told(entry: dict[str, Any], origin: dict[str, Any] | None) -> dict[str, Any]:
    ended = entry.get("stopDate")
    took = (ended or datetime.now(UTC)) - entry["startDate"]
    return {
        "name": entry["name"],
        "execution_arn": entry["executionArn"],
        "status": entry["status"],
        "started_at": entry["startDate"].astimezone(UTC).isoformat(),
        "ended_at": ended.astimezone(UTC).isoformat() if ended else None,
        "seconds": round(took.total_seconds(), 3),
        "started_by": BY.get(origin["kind"], origin["kind"]) if origin else None,
    }


def line(entry: dict[str, Any]) -> str:
    started = datetime.fromisoformat(entry["started_at"]).astimezone()
    return (
        f"{entry['status']:<10} {started:%Y-%m-%d %H:%M:%S}  {seconds(entry['seconds']):>12}"
        f"  {entry['started_by'] or '?':<9} {entry['name']}"
    )

"""A run's output in CloudWatch Logs, where Glue puts it."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

from botocore.exceptions import ClientError

from localaws.core.aws import LocalAws

GROUP = "/aws-glue/jobs"
MOST_LINES = 5_000  # of the end of a file; the whole of it stays under the home
BATCH = 500


def publish(aws: LocalAws, run_id: str, output: Path, error: Path) -> None:
    """Sends both files' last lines as the streams `<run id>`. A missing logs service is no fault:
    the files are the record."""
    for name, file in (("output", output), ("error", error)):
        with contextlib.suppress(ClientError):
            _send(aws, f"{GROUP}/{name}", run_id, file)


def _send(aws: LocalAws, group: str, stream: str, file: Path) -> None:
    logs = aws.client("logs")
    with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_group(logGroupName=group)
    with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
    text = file.read_text(errors="replace") if file.exists() else ""
    lines = [line for line in text.splitlines() if line.strip()][-MOST_LINES:]
    now = int(time.time() * 1000)
    for start in range(0, len(lines), BATCH):
        logs.put_log_events(
            logGroupName=group,
            logStreamName=stream,
            logEvents=[
                {"timestamp": now, "message": line} for line in lines[start : start + BATCH]
            ],
        )

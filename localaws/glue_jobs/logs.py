"""A run's output in CloudWatch Logs, where Glue puts it."""

from __future__ import annotations

from pathlib import Path

from localaws.core.aws import LocalAws
from localaws.s3.names import split_uri
from localaws.shapes import Json

# By the job's Command.Name; the run's streams are in `<group>/output` and `<group>/error`.
GROUPS = {"glueetl": "/aws-glue/jobs", "pythonshell": "/aws-glue/python-jobs"}
MOST_LINES = 5_000  # of the end of a file; the whole of it stays under the home


def publish_events(aws: LocalAws, uri: str, folder: Path) -> None:
    """Puts what Spark has noted for its history server (the Spark UI) below an S3 address."""
    bucket, key = split_uri(uri)
    for file in sorted(folder.iterdir()):
        if file.is_file() and not file.name.startswith("."):
            name = file.name.removesuffix(".inprogress")
            aws.objects.adopt(bucket, f"{key.rstrip('/')}/{name}".lstrip("/"), file)


def publish(aws: LocalAws, run: Json, output: Path, error: Path) -> None:
    """Sends both files' last lines as the streams `<run id>`; they are there at the run's end."""
    for name, file in (("output", output), ("error", error)):
        text = file.read_text(errors="replace") if file.exists() else ""
        lines = [line for line in text.splitlines() if line.strip()]
        aws.logs.send(aws.caller, f"{run['LogGroupName']}/{name}", run["Id"], lines[-MOST_LINES:])
    aws.logs.flush()

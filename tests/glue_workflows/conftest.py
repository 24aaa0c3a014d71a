"""A local AWS with S3 and Glue; its jobs are Python shell jobs, which begin at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from localaws.core.aws import LocalAws, start
from localaws.core.clock import Clock
from localaws.glue.api import service as glue_service
from localaws.s3.api import service as s3_service

TRACE = "import sys\nprint(sys.argv)\n"


class MovedClock(Clock):
    """A clock that a test moves on."""

    moved = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.moved


class Flows:
    """Short words for what the tests do."""

    def __init__(self, aws: LocalAws) -> None:
        self.aws = aws
        self.glue = aws.client("glue")
        self.s3 = aws.client("s3")

    def job(self, name: str, script: str = TRACE, **settings: Any) -> None:
        self.s3.put_object(Bucket="lake", Key=f"{name}.py", Body=script.encode())
        command = {"Name": "pythonshell", "PythonVersion": "3.9"}
        self.glue.create_job(
            Name=name, Role="role", Command={**command, "ScriptLocation": f"s3://lake/{name}.py"},
            **settings,
        )  # fmt: skip

    def crawler(self, name: str) -> None:
        self.s3.put_object(Bucket="lake", Key="raw/a.csv", Body=b"x,y\n1,2\n3,4\n")
        targets = {"S3Targets": [{"Path": "s3://lake/raw/"}]}
        self.glue.create_crawler(Name=name, Role="role", DatabaseName="default", Targets=targets)

    def trigger(self, name: str, kind: str, *starts: str, **settings: Any) -> None:
        """`starts` are names of jobs, and of crawlers that begin with `crawl`."""
        self.glue.create_trigger(Name=name, Type=kind, Actions=actions(*starts), **settings)

    def after(self, name: str, conditions: list[Any], *starts: str, **settings: Any) -> None:
        """An active trigger by conditions."""
        predicate = {"Logical": settings.pop("Logical", "AND"), "Conditions": conditions}
        self.trigger(
            name, "CONDITIONAL", *starts, Predicate=predicate, StartOnCreation=True, **settings
        )

    def runs(self, job: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.glue.get_job_runs(JobName=job)["JobRuns"]
        return found

    def ended(self, job: str, count: int = 1) -> list[dict[str, Any]]:
        """The job's runs, once there are so many and all are over."""
        over = ("SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT", "ERROR")
        return until(
            lambda: self.runs(job),
            lambda runs: len(runs) >= count and all(run["JobRunState"] in over for run in runs),
        )

    def workflow_ended(self, name: str, run: str) -> dict[str, Any]:
        return until(
            lambda: self.glue.get_workflow_run(Name=name, RunId=run, IncludeGraph=True)["Run"],
            lambda found: found["Status"] not in ("RUNNING", "STOPPING"),
        )


def actions(*starts: str) -> list[dict[str, str]]:
    return [{"CrawlerName" if each.startswith("crawl") else "JobName": each} for each in starts]


def until(look: Callable[[], Any], good: Callable[[Any], bool]) -> Any:
    deadline = time.monotonic() + 120
    while not good(found := look()):
        assert time.monotonic() < deadline, found
        time.sleep(0.03)
    return found


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock(wait_scale=0)


@pytest.fixture
def local(tmp_path: Path, clock: MovedClock) -> Iterator[Callable[[], Flows]]:
    """Starts the local AWS on the test's home; called again it restarts it."""
    running: list[LocalAws] = []

    def begin() -> Flows:
        while running:
            running.pop().stop()
        services = [s3_service, glue_service]
        running.append(start(tmp_path / "home", services, url="http://127.0.0.1:9", clock=clock))
        return Flows(running[0])

    yield begin
    while running:
        running.pop().stop()


@pytest.fixture
def flows(local: Callable[[], Flows]) -> Flows:
    found = local()
    found.s3.create_bucket(Bucket="lake")
    return found

"""Schedules of jobs: what is taken, what is told, and one that really starts its job."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws.core.aws import start
from localaws.core.clock import Clock
from localaws.databrew.api import service as databrew
from localaws.s3.api import service as s3
from tests.databrew.conftest import DataBrew, step


class BeforeNoon(Clock):
    """Two seconds before twelve of a day when it is made; goes on as clocks do."""

    def __init__(self) -> None:
        super().__init__(wait_scale=0)
        noon = datetime(2026, 5, 1, 12, tzinfo=UTC)
        self._ahead = noon - timedelta(seconds=2) - datetime.now(UTC)

    def now(self) -> datetime:
        return super().now() + self._ahead


@pytest.fixture
def noon(tmp_path: Path) -> Iterator[DataBrew]:
    """A DataBrew just before noon, with the job `j`."""
    aws = start(tmp_path / "home", [s3, databrew], url="http://127.0.0.1:9", clock=BeforeNoon())
    brew = DataBrew(aws)
    brew.s3.create_bucket(Bucket="lake")
    brew.put("raw/d.csv", "a\nx\n")
    brew.dataset("d", "raw/d.csv")
    brew.recipe("r", step("UPPER_CASE", sourceColumn="a"))
    brew.job("j", "d", "r", Format="CSV")
    yield brew
    aws.stop()


def runs(brew: DataBrew) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = brew.client.list_job_runs(Name="j")["JobRuns"]
    return found


def test_a_schedule_starts_its_job_at_its_time(noon: DataBrew) -> None:
    noon.client.create_schedule(Name="daily", CronExpression="Cron(0 12 * * ? *)", JobNames=["j"])
    assert runs(noon) == []
    deadline = time.monotonic() + 20
    while not runs(noon) and time.monotonic() < deadline:
        time.sleep(0.05)

    (run,) = runs(noon)
    assert noon.wait("j", run["RunId"])["State"] == "SUCCEEDED"
    assert run["StartedBy"].endswith(":schedule/daily")
    assert run["StartedOn"] >= datetime(2026, 5, 1, 12, tzinfo=UTC)
    body = noon.s3.get_object(Bucket="lake", Key=noon.keys("out/")[0])["Body"].read()
    assert body == b"a\nX\n"


def test_a_schedule_is_changed_listed_by_job_and_deleted(noon: DataBrew) -> None:
    client = noon.client
    client.create_schedule(Name="s", CronExpression="cron(0 3 * * ? *)", Tags={"a": "1"})
    assert client.list_schedules(JobName="j")["Schedules"] == []
    client.update_schedule(Name="s", CronExpression="cron(0 4 ? * MON-FRI *)", JobNames=["j"])

    (listed,) = client.list_schedules(JobName="j")["Schedules"]
    described = client.describe_schedule(Name="s")
    assert listed["CronExpression"] == described["CronExpression"] == "cron(0 4 ? * MON-FRI *)"
    assert (described["JobNames"], described["Tags"]) == (["j"], {"a": "1"})
    assert described["ResourceArn"].endswith(":schedule/s")
    client.delete_schedule(Name="s")
    for operation in (client.describe_schedule, client.delete_schedule):
        with pytest.raises(ClientError, match="Schedule s not found") as error:
            operation(Name="s")
        assert error.value.response["Error"]["Code"] == "ResourceNotFoundException"


@pytest.mark.parametrize(
    ("expression", "jobs", "problem"),
    [
        ("rate(1 day)", [], "it is cron"),
        ("0 12 * * ? *", [], "it is cron"),
        ("cron(0 12 * * ?)", [], "Invalid Schedule Expression"),
        ("cron(0/4 * * * ? *)", [], "more often than every 5 minutes"),
        ("cron(0,57 * * * ? *)", [], "more often than every 5 minutes"),
        ("cron(0 12 * * ? *)", ["none"], "Job none not found"),
    ],
)
def test_what_is_no_schedule_is_refused(
    noon: DataBrew, expression: str, jobs: list[str], problem: str
) -> None:
    with pytest.raises(ClientError, match=problem) as error:
        noon.client.create_schedule(Name="s", CronExpression=expression, JobNames=jobs)
    assert error.value.response["Error"]["Code"] == "ValidationException"

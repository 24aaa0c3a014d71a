"""A local AWS with S3 and Glue jobs only: no other service can be at fault."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from localaws.core.aws import LocalAws, start
from localaws.core.service import Service
from localaws.glue_jobs import api
from localaws.glue_jobs.java import java_home
from localaws.glue_jobs.runs import JobRuns
from localaws.glue_jobs.spark import RUNTIME, SparkRun, properties
from localaws.s3.api import service as s3
from tests import archive
from tests.spark import java_machine

sys.path.append(str(RUNTIME))  # `awsglue`, as a job's script has it
ENDED = ("SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT")


class Glue:
    """Short words for what the tests do."""

    def __init__(self, aws: LocalAws, runs: JobRuns) -> None:
        self.aws = aws
        self.runs = runs
        self.client = aws.client("glue")
        self.s3 = aws.client("s3")

    def job(self, name: str, script: str | None, **settings: Any) -> str:
        """A job whose script is this text; None leaves the script out of S3."""
        if script is not None:
            self.s3.put_object(Bucket="lake", Key=f"scripts/{name}.py", Body=script.encode())
        self.client.create_job(
            Name=name,
            Role="arn:aws:iam::000000000000:role/glue",
            Command={"Name": "glueetl", "ScriptLocation": f"s3://lake/scripts/{name}.py"},
            **{"GlueVersion": "5.1", **settings},
        )
        return name

    def start(self, name: str, **arguments: str) -> str:
        given = {f"--{key}": value for key, value in arguments.items()}
        run: str = self.client.start_job_run(JobName=name, Arguments=given)["JobRunId"]
        return run

    def wait(self, name: str, run: str, states: tuple[str, ...] = ENDED) -> dict[str, Any]:
        deadline = time.monotonic() + 900
        while time.monotonic() < deadline:
            record: dict[str, Any] = self.client.get_job_run(JobName=name, RunId=run)["JobRun"]
            if record["JobRunState"] in states:
                return record
            time.sleep(0.05)
        raise AssertionError(f"{run} did not come to {states}")

    def run(self, name: str, **arguments: str) -> dict[str, Any]:
        return self.wait(name, self.start(name, **arguments))

    def output(self, run: dict[str, Any]) -> str:
        """What it has printed so far: nothing before its process is there."""
        file = self.runs.folder(run["Id"]) / "output.log"
        return file.read_text() if file.exists() else ""

    def errors(self, run: dict[str, Any]) -> str:
        return (self.runs.folder(run["Id"]) / "error.log").read_text()

    def keys(self, prefix: str) -> list[str]:
        listed = self.s3.list_objects_v2(Bucket="lake", Prefix=prefix)
        return [item["Key"] for item in listed.get("Contents", [])]


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Callable[[], Glue]]:
    """Starts the local AWS on the test's home; called again it restarts it."""
    running: list[LocalAws] = []

    def begin() -> Glue:
        while running:
            running.pop().stop()
        holder: list[JobRuns] = []

        def glue(aws: LocalAws) -> Service:
            service = Service("glue")
            holder.append(api.register(service, aws))
            return service

        aws = start(tmp_path / "Anna's home", [s3, glue], url="http://127.0.0.1:9", wait_scale=0)
        running.append(aws)
        return Glue(aws, holder[0])

    yield begin
    while running:
        running.pop().stop()


@pytest.fixture
def glue(local: Callable[[], Glue]) -> Glue:
    """S3 with the bucket `lake`, and Glue jobs."""
    found = local()
    found.s3.create_bucket(Bucket="lake")
    return found


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the bucket `lake`."""
    return tmp_path_factory.mktemp("lake")


@pytest.fixture(scope="module")
def context(lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A GlueContext over a Spark set up as a job's is: one start of it for many cases."""
    # People's folders are called like that.
    folder = tmp_path_factory.mktemp("spark") / "Anna's own files"
    (folder / "tmp").mkdir(parents=True)
    # Tiny data: compiling queries and planning their partitions would be most of the work.
    small = {
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.sql.adaptive.enabled": "false",
        "spark.sql.shuffle.partitions": "1",
        "spark.default.parallelism": "1",
    }
    run = SparkRun(
        folder,
        folder / "none.json",
        folder / "none.py",
        (),
        {"lake": lake},
        small,
        class_archive=archive.shared(),
        java_options="-XX:TieredStopAtLevel=1",
    )
    with java_machine(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAVA_HOME", str(java_home()))
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        patch.setenv("PYSPARK_DRIVER_PYTHON", sys.executable)
        patch.setenv("PYTHONPATH", os.pathsep.join([str(RUNTIME), str(Path.cwd())]))
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        from pyspark.sql import SparkSession

        builder = SparkSession.builder
        for name, value in properties(run).items():
            builder = builder.config(name, value)
        session = builder.getOrCreate()
        session.sparkContext.setLogLevel("OFF")
        from awsglue.context import GlueContext

        yield GlueContext(session.sparkContext)
        session.stop()

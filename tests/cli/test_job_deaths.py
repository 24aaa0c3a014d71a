"""Every kind of job under `kill -9` of a real server: done again once, then failed; stops hold."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from configuration.connection import Connection
from configuration.settings import Settings
from localaws.core import orphans
from localaws.core.aws import start
from localaws.core.jobs.kind import KINDS
from localaws.core.jobs.limits import Limits
from localaws.services import factories
from rebuy.cli import local

ROLE = "arn:aws:iam::000000000000:role/jobs"
ENDLESS = (
    "SELECT count(*) FROM UNNEST(sequence(1, 10000)) AS a(x), UNNEST(sequence(1, 10000)) AS b(y), "
    "UNNEST(sequence(1, 10000)) AS c(z) WHERE x * y * z % 7 = 3"
)
SLEEP = b"import time\ntime.sleep(600)\n"
Json = dict[str, Any]


class Server:
    """A local AWS in a process of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.up()

    def up(self) -> None:
        port = None if (self.home / "port").exists() else 0
        server = local.up(self.home, port, 0, policies="off")
        self.pid = server.pid
        self._connection = Connection(Settings(endpoint_url=server.url))

    def client(self, name: str) -> Any:
        return self._connection.client(name)

    def die(self) -> None:
        os.kill(self.pid, signal.SIGKILL)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path / "home")
    made.client("s3").create_bucket(Bucket="lake")
    yield made
    local.down(made.home)


def start_query(server: Any) -> Callable[[], tuple[str, str]]:
    given = {"ResultConfiguration": {"OutputLocation": "s3://lake/results/"}}
    started = server.client("athena").start_query_execution(QueryString=ENDLESS, **given)

    def state() -> tuple[str, str]:
        found = server.client("athena").get_query_execution(
            QueryExecutionId=started["QueryExecutionId"]
        )
        status = found["QueryExecution"]["Status"]
        return status["State"], status.get("StateChangeReason", "")

    return state


def start_spark(server: Any) -> Callable[[], tuple[str, str]]:
    server.client("s3").put_object(Bucket="lake", Key="sleep.py", Body=SLEEP)
    glue = server.client("glue")
    command = {"Name": "glueetl", "ScriptLocation": "s3://lake/sleep.py"}
    glue.create_job(Name="sleep", Role=ROLE, Command=command)
    run_id = glue.start_job_run(JobName="sleep")["JobRunId"]

    def state() -> tuple[str, str]:
        run = server.client("glue").get_job_run(JobName="sleep", RunId=run_id)["JobRun"]
        return run["JobRunState"], run.get("ErrorMessage", "")

    return state


def start_recipe(server: Any) -> Callable[[], tuple[str, str]]:
    rows = "".join(f"{number},{number % 977}\n" for number in range(300_000))
    server.client("s3").put_object(Bucket="lake", Key="rows/a.csv", Body=f"id,n\n{rows}".encode())
    brew = server.client("databrew")
    place = {"Bucket": "lake", "Key": "rows/"}
    brew.create_dataset(Name="rows", Format="CSV", Input={"S3InputDefinition": place})
    action = {"Operation": "UPPER_CASE", "Parameters": {"sourceColumn": "n"}}
    brew.create_recipe(Name="recipe", Steps=[{"Action": action}])
    brew.publish_recipe(Name="recipe")
    brew.create_recipe_job(
        Name="brew",
        DatasetName="rows",
        RecipeReference={"Name": "recipe"},
        RoleArn=ROLE,
        Outputs=[{"Format": "CSV", "Location": {"Bucket": "lake", "Key": "brewed"}}],
    )
    run_id = brew.start_job_run(Name="brew")["RunId"]

    def state() -> tuple[str, str]:
        run = server.client("databrew").describe_job_run(Name="brew", RunId=run_id)
        return run["State"], run.get("ErrorMessage", "")

    return state


def start_crawl(server: Any) -> Callable[[], tuple[str, str]]:
    glue = server.client("glue")
    for number in range(3):
        server.client("s3").put_object(
            Bucket="lake", Key=f"raw/t/{number}.csv", Body=b"id,n\n" + b"1,x\n" * 2_000_000
        )
    glue.create_database(DatabaseInput={"Name": "shop"})
    glue.create_crawler(
        Name="crawl", Role=ROLE, DatabaseName="shop",
        Targets={"S3Targets": [{"Path": "s3://lake/raw/"}]},
    )  # fmt: skip
    glue.start_crawler(Name="crawl")

    def state() -> tuple[str, str]:
        crawler = server.client("glue").get_crawler(Name="crawl")["Crawler"]
        last = crawler.get("LastCrawl", {})
        state = last["Status"] if crawler["State"] == "READY" else crawler["State"]
        return state, last.get("ErrorMessage", "")

    return state


def put_sleeping_script(server: Any) -> str:
    """The address of a script that trains for as long as it is let."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        member = tarfile.TarInfo("train.py")
        member.size = len(SLEEP)
        archive.addfile(member, io.BytesIO(SLEEP))
    s3 = server.client("s3")
    s3.put_object(Bucket="lake", Key="code/train.tar.gz", Body=packed.getvalue())
    s3.put_object(Bucket="lake", Key="sets/train/rows.csv", Body=b"1,2\n0,3\n")
    return "s3://lake/code/train.tar.gz"


def start_training(server: Any) -> Callable[[], tuple[str, str]]:
    from tests.sagemaker.conftest import training_request

    request = training_request("train", put_sleeping_script(server))
    server.client("sagemaker").create_training_job(**request)

    def state() -> tuple[str, str]:
        job = server.client("sagemaker").describe_training_job(TrainingJobName="train")
        running = job["SecondaryStatus"] == "Training"
        state = "RUNNING" if running else job["TrainingJobStatus"]
        return state, job.get("FailureReason", "")

    return state


def start_tuning(server: Any) -> Callable[[], tuple[str, str]]:
    from tests.sagemaker.test_tuning import tuning_request

    client = server.client("sagemaker")
    request = tuning_request("tune", put_sleeping_script(server))
    client.create_hyper_parameter_tuning_job(**request)

    def state() -> tuple[str, str]:
        job = client.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName="tune")
        trials = client.list_training_jobs_for_hyper_parameter_tuning_job(
            HyperParameterTuningJobName="tune"
        )["TrainingJobSummaries"]
        assert len(trials) <= 1  # taken up again, and not another one in its place
        status = job["HyperParameterTuningJobStatus"]
        running = any("TrainingStartTime" in trial for trial in trials)
        state = "RUNNING" if running and status == "InProgress" else status
        return state, job.get("FailureReason", "")

    return state


def start_transform(server: Any) -> Callable[[], tuple[str, str]]:
    """A batch transform whose model is loaded for as long as it is let."""
    from tests.sagemaker.conftest import IMAGE

    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        member = tarfile.TarInfo("code/serve.py")
        member.size = len(SLEEP)
        archive.addfile(member, io.BytesIO(SLEEP))
    s3, client = server.client("s3"), server.client("sagemaker")
    s3.put_object(Bucket="lake", Key="model.tar.gz", Body=packed.getvalue())
    s3.put_object(Bucket="lake", Key="rows/a.csv", Body=b"1,2\n")
    container = {
        "Image": IMAGE,
        "ModelDataUrl": "s3://lake/model.tar.gz",
        "Environment": {
            "SAGEMAKER_PROGRAM": "serve.py",
            "SAGEMAKER_SUBMIT_DIRECTORY": "s3://lake/model.tar.gz",
        },
    }
    client.create_model(ModelName="m", PrimaryContainer=container, ExecutionRoleArn=ROLE)
    rows = {"S3DataType": "S3Prefix", "S3Uri": "s3://lake/rows/"}
    client.create_transform_job(
        TransformJobName="transform",
        ModelName="m",
        TransformInput={"DataSource": {"S3DataSource": rows}, "ContentType": "text/csv"},
        TransformOutput={"S3OutputPath": "s3://lake/out"},
        TransformResources={"InstanceType": "ml.m5.xlarge", "InstanceCount": 1},
    )

    def state() -> tuple[str, str]:
        job = client.describe_transform_job(TransformJobName="transform")
        running = "TransformStartTime" in job and job["TransformJobStatus"] == "InProgress"
        state = "RUNNING" if running else job["TransformJobStatus"]
        return state, job.get("FailureReason", "")

    return state


STARTERS = {
    "query": start_query,
    "glue-job-run": start_spark,
    "databrew-run": start_recipe,
    "crawl": start_crawl,
    "training-job": start_training,
    "tuning-job": start_tuning,
    "transform-job": start_transform,
}


def suspend_work(home: Path) -> None:
    """What the server has started goes on with nothing: its jobs stay as they are."""
    for pid in orphans.marked(orphans.home_mark(home)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)


@contextlib.contextmanager
def held(home: Path) -> Iterator[None]:
    """No job of the home gets to its end meanwhile: what a server starts is suspended at once."""
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            suspend_work(home)
            time.sleep(0.002)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


State = Callable[[], tuple[str, str]]


def wait_for(state: State, wanted: set[str]) -> str:
    deadline = time.monotonic() + 120
    while (found := state())[0] not in wanted:
        assert time.monotonic() < deadline, found
        time.sleep(0.01)
    return found[1]


def test_jobs_that_two_servers_died_under_are_failed(server: Server) -> None:
    assert set(STARTERS) == {kind.name for kind in KINDS}
    with held(server.home):
        states = [starter(server) for starter in STARTERS.values()]
        for state in states:
            wait_for(state, {"RUNNING"})
        server.die()
        server.up()
        for state in states:  # each is done again
            wait_for(state, {"RUNNING"})
        server.die()
    server.up()

    for state in states:
        told = wait_for(state, {"FAILED", "Failed"})
        assert "The local AWS died while this was at work, and not for the first time." in told
    assert orphans.marked(orphans.home_mark(server.home)) == []


def test_stop_that_was_answered_holds_over_a_death(server: Server) -> None:
    state = start_query(server)
    wait_for(state, {"RUNNING"})
    suspend_work(server.home)
    execution_id = server.client("athena").list_query_executions()["QueryExecutionIds"][0]
    server.client("athena").stop_query_execution(QueryExecutionId=execution_id)
    server.die()
    server.up()

    assert wait_for(state, {"CANCELLED"}) == "Query cancelled by user"


@pytest.mark.parametrize(
    ("starter", "words"),
    [
        (start_recipe, "OutOfMemoryError: the job run needs more memory than it may have, 90 MiB."),
        (start_crawl, "Internal Service Exception: The job needs more memory than it may have."),
    ],
)
def test_job_beyond_its_memory_fails_in_its_services_words(
    tmp_path: Path, starter: Any, words: str
) -> None:
    limits = Limits(memory_bytes=90 << 20, threads=1)  # less than an engine takes by itself
    aws = start(tmp_path / "home", factories(), url="http://127.0.0.1:9", limits=limits)
    aws.client("s3").create_bucket(Bucket="lake")
    state = starter(aws)
    deadline = time.monotonic() + 60
    while state()[0] not in ("FAILED", "SUCCEEDED"):
        assert time.monotonic() < deadline
        time.sleep(0.01)

    assert state() == ("FAILED", words)
    aws.stop()

"""Job definitions, arguments and ends of runs that need no Spark."""

from __future__ import annotations

import importlib.util
import json
import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from pyspark import SparkContext, java_gateway

from localaws.glue_jobs import work
from localaws.glue_jobs.spark import RUNTIME
from tests.glue_jobs.conftest import Glue

SHOW = "import json, sys\nprint(json.dumps(sys.argv[1:]))\n"


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def test_a_job_has_glues_defaults(glue: Glue) -> None:
    glue.job("plain", SHOW)

    job = glue.client.get_job(JobName="plain")["Job"]

    assert job["Timeout"] == 480
    assert job["ExecutionProperty"] == {"MaxConcurrentRuns": 1}
    assert (job["WorkerType"], job["NumberOfWorkers"], job["MaxCapacity"]) == ("G.1X", 10, 10.0)
    assert glue.client.list_jobs()["JobNames"] == ["plain"]
    with pytest.raises(ClientError) as error:
        glue.job("plain", SHOW)
    assert code(error) == "AlreadyExistsException"


def test_jobs_are_got_by_their_names(glue: Glue, local: Callable[[], Glue]) -> None:
    for name in ("one", "two", "three"):
        glue.job(name, SHOW, Description=f"the job {name}")

    found = glue.client.batch_get_jobs(JobNames=["two", "gone", "one"])

    assert found["Jobs"] == [glue.client.get_job(JobName=name)["Job"] for name in ("two", "one")]
    assert found["JobsNotFound"] == ["gone"]
    none = glue.client.batch_get_jobs(JobNames=[])
    assert (none["Jobs"], none["JobsNotFound"]) == ([], [])
    again = local().client.batch_get_jobs(JobNames=["two", "gone", "one"])
    assert (again["Jobs"], again["JobsNotFound"]) == (found["Jobs"], ["gone"])


def test_an_update_replaces_the_whole_definition(glue: Glue) -> None:
    glue.job("plain", SHOW, Description="old", NumberOfWorkers=2, WorkerType="G.2X")

    glue.client.update_job(
        JobName="plain",
        JobUpdate={
            "Role": "role",
            "Command": {"Name": "glueetl", "ScriptLocation": "s3://lake/other.py"},
        },
    )

    job = glue.client.get_job(JobName="plain")["Job"]
    assert "Description" not in job
    assert job["Command"]["ScriptLocation"] == "s3://lake/other.py"
    assert job["NumberOfWorkers"] == 10
    for _ in range(2):  # no error for one that is not there
        assert glue.client.delete_job(JobName="plain")["JobName"] == "plain"
    with pytest.raises(ClientError) as error:
        glue.client.get_job(JobName="plain")
    assert code(error) == "EntityNotFoundException"


def test_the_script_sees_the_arguments_that_win(glue: Glue) -> None:
    glue.job(
        "show",
        SHOW,
        DefaultArguments={"--a": "default", "--b": "default", "--c": "default"},
        NonOverridableArguments={"--c": "fixed"},
    )

    run = glue.run("show", b="run", c="run")

    assert run["JobRunState"] == "SUCCEEDED"
    words = re.findall(r'"([^"]*)"', glue.output(run))
    given = dict(zip(words[::2], words[1::2], strict=True))
    assert given.pop("--JOB_ID").startswith("j_")
    assert given == {
        "--JOB_RUN_ID": run["Id"],
        "--JOB_NAME": "show",
        "--a": "default",
        "--b": "run",
        "--c": "fixed",
    }
    assert re.fullmatch(r"jr_[0-9a-f]{64}", run["Id"])
    assert [r["Id"] for r in glue.client.get_job_runs(JobName="show")["JobRuns"]] == [run["Id"]]


def test_a_missing_script_fails_the_run(glue: Glue) -> None:
    glue.job("none", None)

    run = glue.run("none")

    assert run["JobRunState"] == "FAILED"
    assert run["ErrorMessage"] == (
        "LAUNCH ERROR | File not found in S3: s3://lake/scripts/none.py (NoSuchKey)"
    )


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("raise ValueError('first line\\nsecond')", "ValueError: first line"),
        ("import os\nos._exit(3)", "Command failed with exit code 3"),
        ("import sys\nsys.exit(4)", "Command failed with exit code 4"),
        ("import sys\nsys.exit('no rows')", "SystemExit: no rows"),
        (
            "import os\nos.kill(os.getpid(), 9)",
            "Command failed with exit code 137 (killed, as the system does when memory runs out)",
        ),
        (
            "import sys\nfrom awsglue.utils import getResolvedOptions\n"
            "getResolvedOptions(sys.argv, ['JOB_NAME', 'run'])",
            "GlueArgumentError: the following arguments are required: --run",
        ),
        (
            "from awsglueml.transforms import FillMissingValues\n"
            "FillMissingValues.apply(frame=None, missing_values_column='a')",
            "NotEmulated: localaws does not emulate awsglueml.transforms.FillMissingValues.apply.",
        ),
    ],
)  # fmt: skip
def test_a_failed_run_says_why_as_glue_does(glue: Glue, script: str, message: str) -> None:
    glue.job("bad", script)

    run = glue.run("bad")

    assert (run["JobRunState"], run["ErrorMessage"]) == ("FAILED", message)


def test_a_job_runs_as_often_at_once_as_it_allows(glue: Glue) -> None:
    glue.job("one", "import time\ntime.sleep(60)\n")
    first = glue.start("one")

    with pytest.raises(ClientError) as error:
        glue.start("one")
    assert code(error) == "ConcurrentRunsExceededException"

    glue.client.batch_stop_job_run(JobName="one", JobRunIds=[first])
    assert glue.wait("one", first)["JobRunState"] == "STOPPED"
    second = glue.start("one")
    glue.client.batch_stop_job_run(JobName="one", JobRunIds=[second])
    glue.wait("one", second)


FAIL_TWICE = """
import os, sys
from awsglue.utils import getResolvedOptions

folder = getResolvedOptions(sys.argv, ["folder"])["folder"]
tries = len(os.listdir(folder))
open(os.path.join(folder, str(tries)), "w").close()
if tries < 2:
    raise OSError(f"not yet: {tries}")
"""


def test_a_run_that_failed_is_tried_again_as_often_as_the_job_says(
    glue: Glue, tmp_path: Path
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-jobs-runs.html: Attempt is the
    number of the attempt, PreviousRunId the run before it."""
    folder = tmp_path / "tries"
    folder.mkdir()
    glue.job("flaky", FAIL_TWICE, MaxRetries=2, DefaultArguments={"--folder": "none"})

    first = glue.start("flaky", folder=str(folder))
    for run in (first, f"{first}_attempt_1", f"{first}_attempt_2"):
        last = glue.wait("flaky", run)

    runs = glue.client.get_job_runs(JobName="flaky")["JobRuns"]
    assert [
        (run["Id"], run["Attempt"], run.get("PreviousRunId"), run["JobRunState"]) for run in runs
    ] == [
        (f"{first}_attempt_2", 2, f"{first}_attempt_1", "SUCCEEDED"),
        (f"{first}_attempt_1", 1, first, "FAILED"),
        (first, 0, None, "FAILED"),
    ]
    assert [run.get("ErrorMessage") for run in runs] == [
        None, "OSError: not yet: 1", "OSError: not yet: 0",
    ]  # fmt: skip
    assert last["Arguments"] == {"--folder": str(folder)}


def test_retries_come_to_an_end(glue: Glue) -> None:
    glue.job("bad", "raise ValueError('never')", MaxRetries=1)

    first = glue.start("bad")
    glue.wait("bad", first)

    assert glue.wait("bad", f"{first}_attempt_1")["JobRunState"] == "FAILED"
    assert len(glue.client.get_job_runs(JobName="bad")["JobRuns"]) == 2
    with pytest.raises(ClientError, match="MaxRetries is 11; it is 0 to 10"):
        glue.job("worse", SHOW, MaxRetries=11)


WAIT = "import os, time\nwhile not os.path.exists({ready!r}):\n    time.sleep(0.05)\n"


def test_a_queued_run_waits_for_a_place_and_outlives_a_restart(
    glue: Glue, local: Callable[[], Glue], tmp_path: Path
) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/job-run-statuses.html"""
    ready = tmp_path / "ready"
    glue.job("slow", WAIT.format(ready=str(ready)), JobRunQueuingEnabled=True)
    first, second, third = (glue.start("slow") for _ in range(3))

    waiting = glue.wait("slow", second, ("WAITING",))

    assert waiting["StateDetail"] == "Concurrent runs exceeded for slow"
    assert waiting["JobRunQueuingEnabled"] is True
    with pytest.raises(ClientError) as error:  # the run's own value counts, not the job's
        glue.client.start_job_run(JobName="slow", JobRunQueuingEnabled=False)
    assert code(error) == "ConcurrentRunsExceededException"
    glue.client.batch_stop_job_run(JobName="slow", JobRunIds=[third])
    assert glue.wait("slow", third)["JobRunState"] == "STOPPED"
    glue.wait("slow", first, ("RUNNING",))

    again = local()
    assert again.wait("slow", second, ("WAITING",))["Id"] == second
    ready.touch()
    ended = [again.wait("slow", each) for each in (first, second)]
    assert [run["JobRunState"] for run in ended] == ["SUCCEEDED", "SUCCEEDED"]
    assert "StateDetail" not in ended[1]
    assert ended[1]["CompletedOn"] >= ended[0]["CompletedOn"]


def test_a_run_that_a_restart_cut_off_is_started_again(
    glue: Glue, local: Callable[[], Glue], tmp_path: Path
) -> None:
    ready = tmp_path / "ready"
    glue.job(
        "slow", f"import os, time\nwhile not os.path.exists({str(ready)!r}):\n    time.sleep(0.1)\n"
    )
    run = glue.start("slow")
    glue.wait("slow", run, ("RUNNING",))

    again = local()

    assert again.client.get_job_run(JobName="slow", RunId=run)["JobRun"]["JobRunState"] in (
        "STARTING",
        "RUNNING",
    )
    ready.touch()
    assert again.wait("slow", run)["JobRunState"] == "SUCCEEDED"


def test_a_run_of_an_older_glue_says_what_it_has_instead(glue: Glue) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/release-notes.html"""
    glue.job("old", "print('ran')", GlueVersion="4.0")

    assert glue.client.get_job(JobName="old")["Job"]["Timeout"] == 2_880
    run = glue.run("old")

    assert (run["JobRunState"], run["GlueVersion"]) == ("SUCCEEDED", "4.0")
    assert glue.errors(run).startswith(
        "WARN localaws: Glue 4.0 is Spark 3.3.0, Python 3.10 on AWS; this run has those of Glue 5.1"
    )


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"Command": {"Name": "glueray", "ScriptLocation": "s3://b/k"}}, "glueray"),
        ({"GlueVersion": "2.0"}, "GlueVersion=2.0"),
        ({"SecurityConfiguration": "s"}, "SecurityConfiguration"),
        ({"DefaultArguments": {"--job-bookmark-option": "continue"}}, "job-bookmark"),
        ({"DefaultArguments": {"--python-modules-installer-option": "-r"}}, "installer-option"),
        ({"DefaultArguments": {"--enable-glue-datacatalog": "maybe"}}, "enable-glue-datacatalog"),
    ],
)
def test_what_localaws_lacks_is_refused_by_name(
    glue: Glue, settings: dict[str, object], named: str
) -> None:
    base = {
        "Name": "j",
        "Role": "role",
        "Command": {"Name": "glueetl", "ScriptLocation": "s3://lake/j.py"},
    }
    with pytest.raises(ClientError, match=named) as error:
        glue.client.create_job(**base | settings)
    assert code(error) == "NotEmulated"


def test_extra_python_files_can_be_imported(glue: Glue) -> None:
    glue.s3.put_object(Bucket="lake", Key="lib/helper.py", Body=b"ANSWER = 42\n")
    glue.job(
        "import",
        "import helper\nprint(helper.ANSWER)\n",
        DefaultArguments={"--extra-py-files": "s3://lake/lib/helper.py"},
    )

    run = glue.run("import")

    assert glue.output(run) == "42\n"


@pytest.mark.parametrize(
    ("exception", "log", "told"),
    [
        (
            "ConnectionRefusedError: [Errno 111] Connection refused",
            "java.lang.OutOfMemoryError: GC overhead limit exceeded\n\tat a.b\n",
            "java.lang.OutOfMemoryError: GC overhead limit exceeded",
        ),
        (
            "Py4JError: An error occurred while calling o45.collectToPython",
            "java.lang.OutOfMemoryError: Java heap space\n",
            "java.lang.OutOfMemoryError: Java heap space",
        ),
        (
            "Py4JError: An error occurred while calling o45.nothing. Trace:",
            "java.lang.OutOfMemoryError: Java heap space\n",
            "Py4JError: An error occurred while calling o45.nothing. Trace:",
        ),
        ("ConnectionRefusedError: [Errno 111]", "killed\n", "ConnectionRefusedError: [Errno 111]"),
        ("ValueError: no", "java.lang.OutOfMemoryError: Java heap space\n", "ValueError: no"),
    ],
)
def test_a_java_machine_that_is_gone_is_told_by_what_ended_it(
    tmp_path: Path, exception: str, log: str, told: str
) -> None:
    (tmp_path / "exception.json").write_text(json.dumps({"message": exception}))
    (tmp_path / "error.log").write_text(log)

    assert work.failure(tmp_path, 1) == told


def test_a_java_machine_that_does_not_say_where_it_listens_is_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """PySpark looks for the file in which it says so for ever, while the machine runs."""
    spec = importlib.util.spec_from_file_location("run_script", RUNTIME / "run_script.py")
    assert spec is not None and spec.loader is not None
    run_script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(run_script)
    monkeypatch.setattr(run_script, "GATEWAY_SECONDS", 0.2)
    monkeypatch.setattr(java_gateway, "Popen", java_gateway.Popen)
    monkeypatch.setattr(SparkContext, "_gateway", None)

    run_script.bound_gateway()

    assert java_gateway.Popen(["sleep", "60"]).wait(30) == -signal.SIGKILL

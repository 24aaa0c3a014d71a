"""Python shell jobs: https://docs.aws.amazon.com/glue/latest/dg/add-job-python.html"""

from __future__ import annotations

import io
import sys
import time
import zipfile
from typing import Any

import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError

from tests.glue_jobs.conftest import ENDED, Glue

COMMAND = {"Name": "pythonshell", "PythonVersion": "3.9", "ScriptLocation": "s3://lake/s.py"}


def shell(glue: Glue, name: str, script: str, **settings: Any) -> str:
    where = {**COMMAND, "ScriptLocation": f"s3://lake/scripts/{name}.py"}
    glue.s3.put_object(Bucket="lake", Key=f"scripts/{name}.py", Body=script.encode())
    glue.client.create_job(Name=name, Role="role", Command=where, **settings)
    return name


def wheel(name: str, text: str) -> bytes:
    """A package of one module, as `pip wheel` makes it."""
    info = f"{name}-1.0.dist-info"
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        file.writestr(f"{name}.py", text)
        file.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        file.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        file.writestr(f"{info}/RECORD", "")
    return made.getvalue()


@pytest.mark.parametrize(
    ("settings", "code", "told"),
    [
        ({"Command": {**COMMAND, "PythonVersion": "3"}}, "NotEmulated", "It has 3.9"),
        ({"Command": {**COMMAND, "PythonVersion": "3.6"}}, "NotEmulated", "It has 3.9"),
        ({"MaxCapacity": 2.0}, "InvalidInputException", "MaxCapacity is 2; .* of 0.0625 or 1"),
        ({"WorkerType": "G.1X", "NumberOfWorkers": 2}, "InvalidInputException", "WorkerType"),
        ({"DefaultArguments": {"--job-bookmark-option": "job-bookmark-enable"}}, "NotEmulated",
         "job-bookmark-disable"),
        ({"DefaultArguments": {"--extra-files": "s3://lake/f"}}, "NotEmulated", "extra-files"),
        ({"DefaultArguments": {"library-set": "all"}}, "NotEmulated", "analytics, none"),
        ({"DefaultArguments": {"--additional-python-modules": "-r s3://lake/r.txt"}},
         "NotEmulated", r"wheels \(.whl\) in S3"),
    ],
)  # fmt: skip
def test_what_a_shell_job_has_not_is_refused(
    glue: Glue, settings: dict[str, Any], code: str, told: str
) -> None:
    with pytest.raises(ClientError, match=told) as error:
        glue.client.create_job(**{"Name": "j", "Role": "role", "Command": COMMAND, **settings})
    assert error.value.response["Error"]["Code"] == code


def test_a_shell_run_has_python_and_boto3_and_says_where_it_differs(glue: Glue) -> None:
    shell(
        glue,
        "plain",
        "import sys, boto3\n"
        "from awsglue.utils import getResolvedOptions\n"
        "print(getResolvedOptions(sys.argv, ['JOB_NAME', 'day'])['day'], boto3.__name__)\n"
        "for name in ('pandas', 'duckdb', 'pyspark'):\n"
        "    try:\n"
        "        __import__(name)\n"
        "    except ModuleNotFoundError as error:\n"
        "        print(error)\n"
        "exit(0)\n",
    )

    job = glue.client.get_job(JobName="plain")["Job"]
    run = glue.run("plain", day="2026-01-31")

    assert (job["MaxCapacity"], job["GlueVersion"], job["Timeout"]) == (0.0625, "3.0", 2_880)
    assert job["AllocatedCapacity"] == 0  # whole DPUs, of old
    assert "WorkerType" not in run
    assert run["LogGroupName"] == "/aws-glue/python-jobs"
    assert (run["JobRunState"], run["MaxCapacity"]) == ("SUCCEEDED", 0.0625), glue.errors(run)
    assert glue.output(run).splitlines() == [
        "2026-01-31 boto3",
        *(f"No module named '{name}'" for name in ("pandas", "duckdb", "pyspark")),
    ]
    said = glue.errors(run).splitlines()
    version = ".".join(str(number) for number in sys.version_info[:3])
    assert said[0].startswith(
        "WARN localaws: a Python shell job has Python 3.9 on AWS;"
        f" this run has {version}, with its own versions"
    )
    assert "without --library-set analytics" in said[1]


def test_a_shell_run_ends_as_its_script_does(glue: Glue) -> None:
    shell(glue, "bad", "raise ValueError('no rows')\n")

    run = glue.run("bad")

    assert (run["JobRunState"], run["ErrorMessage"]) == ("FAILED", "ValueError: no rows")


def test_a_shell_run_has_the_memory_of_its_capacity(glue: Glue) -> None:
    """One DPU has 16 GB: https://docs.aws.amazon.com/glue/latest/webapi/API_Job.html."""
    shell(glue, "big", "import time\nheld = b'x' * (1100 << 20)\ntime.sleep(60)\n")

    run = glue.run("big")

    assert run["JobRunState"] == "FAILED"
    assert run["ErrorMessage"] == "Out of memory: 0.0625 DPU have 1 GB."


def test_wheels_are_installed_for_both_kinds_of_jobs(
    glue: Glue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    script = "import answers\nprint(answers.VALUE)\n"
    glue.s3.put_object(
        Bucket="lake", Key="answers-1.0-py3-none-any.whl", Body=wheel("answers", "VALUE = 42\n")
    )
    uri = "s3://lake/answers-1.0-py3-none-any.whl"
    shell(glue, "library", script, DefaultArguments={"--extra-py-files": uri})
    glue.job("spark", script, DefaultArguments={"--additional-python-modules": uri})

    runs = [glue.wait(name, glue.start(name)) for name in ("library", "spark")]

    assert [glue.output(run) for run in runs] == ["42\n", "42\n"], glue.errors(runs[0])


def test_a_module_that_pip_cannot_install_fails_the_run_with_its_reason(
    glue: Glue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    shell(
        glue, "lacking", "print('not reached')\n",
        DefaultArguments={"--additional-python-modules": "nobody-has-made-this==1.0"},
    )  # fmt: skip

    run = glue.run("lacking")

    assert run["JobRunState"] == "FAILED"
    assert run["ErrorMessage"].startswith(
        "LAUNCH ERROR | pip could not install the job's modules: Could not find a version that"
        " satisfies the requirement nobody-has-made-this==1.0"
    )


WRANGLER = """
import sys
import awswrangler as wr
import boto3
import pandas as pd
from awsglue.utils import getResolvedOptions

bucket = getResolvedOptions(sys.argv, ["bucket"])["bucket"]
frame = wr.s3.read_csv(f"s3://{bucket}/in/orders.csv")
wr.s3.to_parquet(frame.groupby("user", as_index=False).sum(), f"s3://{bucket}/out/totals.parquet")
print(boto3.client("sts").get_caller_identity()["Arn"].split(":")[-1])
"""


def test_awswrangler_works_on_the_lake_in_the_jobs_role(server: Any) -> None:
    s3, glue = server.client("s3"), server.client("glue")
    s3.create_bucket(Bucket="lake")
    s3.put_object(Bucket="lake", Key="in/orders.csv", Body=b"user,paid\n1,2\n1,3\n2,4\n")
    s3.put_object(Bucket="lake", Key="s.py", Body=WRANGLER.encode())
    glue.create_job(
        Name="totals", Role="analyst", Command=COMMAND, MaxCapacity=1.0,
        DefaultArguments={"--library-set": "analytics", "--bucket": "lake"},
    )  # fmt: skip

    started = glue.start_job_run(JobName="totals")["JobRunId"]
    deadline = time.monotonic() + 120
    while True:
        run = glue.get_job_run(JobName="totals", RunId=started)["JobRun"]
        if run["JobRunState"] in ENDED or time.monotonic() > deadline:
            break
        time.sleep(0.1)

    assert run["JobRunState"] == "SUCCEEDED", run
    logged = server.client("logs").get_log_events(
        logGroupName="/aws-glue/python-jobs/output", logStreamName=started
    )
    assert [event["message"] for event in logged["events"]] == [
        "assumed-role/analyst/GlueJobRunnerSession"
    ]
    body = s3.get_object(Bucket="lake", Key="out/totals.parquet")["Body"].read()
    assert pq.read_table(io.BytesIO(body)).to_pylist() == [
        {"user": 1, "paid": 5}, {"user": 2, "paid": 4},
    ]  # fmt: skip

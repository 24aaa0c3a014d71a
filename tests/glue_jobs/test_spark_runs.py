"""Job runs with the real Spark. Each starts a JVM, so each test looks at several things."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from localaws.core.signals import JobEnded
from tests import archive
from tests.glue_jobs.conftest import Glue

PARTITIONS = """
import sys
from awsglue.utils import getResolvedOptions
from awsglue.context import GlueContext
from awsglue.transforms import *
from awsglue.job import Job
from pyspark.context import SparkContext
from pyspark.sql import functions as F

args = getResolvedOptions(sys.argv, ["JOB_NAME", "lake_bucket", "run"])
context = GlueContext(SparkContext.getOrCreate())
spark = context.spark_session
job = Job(context)
job.init(args["JOB_NAME"], args)
lake = f"s3://{args['lake_bucket']}"
orders = spark.read.option("header", True).csv(f"{lake}/raw/orders/")
counts = orders.groupBy("user_id").agg(F.count("*").alias("orders"))
counts.write.mode("overwrite").partitionBy("user_id").parquet(f"{lake}/runs/{args['run']}/counts/")
again = spark.read.parquet(f"{lake}/runs/{args['run']}/counts/")
print("rows", again.count(), "spark", spark.version, "job", args["JOB_NAME"])
print("home of Java", spark.sparkContext._jvm.java.lang.System.getProperty("user.home"))
job.commit()
"""


def test_a_script_reads_and_writes_objects_in_place(glue: Glue) -> None:
    glue.s3.put_object(
        Bucket="lake", Key="raw/orders/orders.csv", Body=b"order_id,user_id\n1,7\n2,7\n3,8\n"
    )
    glue.job(
        "count-orders",
        PARTITIONS,
        DefaultArguments={
            "--lake_bucket": "none",
            "--run": "default",
            "--enable-spark-ui": "true",
            "--spark-event-logs-path": "s3://lake/spark-ui/",
        },
        NonOverridableArguments={"--lake_bucket": "lake"},
    )
    ended: list[dict[str, Any]] = []
    glue.aws.signals.subscribe(JobEnded, lambda signal: ended.append(asdict(signal)))

    run = glue.run("count-orders", run="r1", lake_bucket="ignored")

    assert run["JobRunState"] == "SUCCEEDED", glue.errors(run)
    assert "rows 2 spark 3.5.6 job count-orders" in glue.output(run)
    assert f"home of Java {glue.runs.folder(run['Id'])}/" in glue.output(run)  # not the user's
    keys = glue.keys("runs/")
    assert [key.rpartition("/")[0] for key in keys] == [
        "runs/r1/counts/user_id=7",
        "runs/r1/counts/user_id=8",
    ]
    assert all(key.endswith(".snappy.parquet") for key in keys)
    assert pq.read_table(glue.aws.objects.path("lake", keys[0])).to_pylist() == [{"orders": 2}]
    assert run["Arguments"] == {"--run": "r1", "--lake_bucket": "ignored"}
    assert run["GlueVersion"] == "5.1"
    (events,) = glue.keys("spark-ui/")
    assert b"SparkListenerApplicationEnd" in glue.aws.objects.path("lake", events).read_bytes()
    assert run["ExecutionTime"] > 0
    assert run["DPUSeconds"] > 0
    assert ended == [{"service": "glue", "id": run["Id"]}]


def test_a_missing_path_fails_the_run_with_sparks_own_message(
    local: Callable[[], Glue], monkeypatch: pytest.MonkeyPatch
) -> None:
    if archive.shared() is not None:  # a Java machine that cannot use it does not begin
        monkeypatch.setenv("LOCALAWS_SPARK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -Xshare:on")
    glue = local()
    glue.s3.create_bucket(Bucket="lake")
    glue.job(
        "missing",
        "from pyspark.sql import SparkSession\n"
        "spark = SparkSession.builder.getOrCreate()\n"
        "spark.range(3).write.parquet('s3://lake/partly/')\n"
        "spark.read.parquet('s3://lake/nothing/here/')\n",
    )

    run = glue.run("missing")

    assert run["JobRunState"] == "FAILED"
    assert run["ErrorMessage"] == (
        "AnalysisException: [PATH_NOT_FOUND] Path does not exist: s3://lake/nothing/here."
    )
    assert glue.keys("partly/"), "what was written before the failure stays, as on AWS"


STUBBORN = """
import signal, subprocess
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen(["sleep", "300"])
print(child.pid)
child.wait()
"""


@pytest.mark.parametrize("end", ["STOPPED", "TIMEOUT"])
def test_the_whole_process_group_dies_even_if_it_does_not_listen(glue: Glue, end: str) -> None:
    glue.job("slow", STUBBORN, Timeout=1)
    if end == "TIMEOUT":
        glue.runs.minute_seconds = 2.0
    run = glue.start("slow")
    if end == "STOPPED":
        record = glue.wait("slow", run, ("RUNNING",))
        while not glue.output(record):
            time.sleep(0.05)
        answer = glue.client.batch_stop_job_run(JobName="slow", JobRunIds=[run, "jr_none"])
        assert answer["SuccessfulSubmissions"] == [{"JobName": "slow", "JobRunId": run}]
        assert answer["Errors"][0]["ErrorDetail"]["ErrorCode"] == "EntityNotFoundException"

    record = glue.wait("slow", run)

    assert record["JobRunState"] == end
    assert ("1 minutes" in record.get("ErrorMessage", "")) == (end == "TIMEOUT")
    child = Path("/proc", glue.output(record).strip(), "cmdline")
    for _ in range(100):  # a killed process stays listed until it is reaped
        if not child.exists() or not child.read_bytes():
            break
        time.sleep(0.02)
    assert not child.exists() or not child.read_bytes()

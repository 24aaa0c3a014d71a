"""A class-data archive (AppCDS) that makes Spark's JVM start in half the time, made once per home.

Making it takes a JVM of its own for some seconds, so it is done in the background, at low priority,
when no job has run for a moment. Without it everything works, only slower. The variable
LOCALAWS_SPARK_ARCHIVE names another file, to share one archive between homes; 0 switches it off.
"""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path

from localaws.core.aws import LocalAws
from localaws.glue_jobs import spark
from localaws.glue_jobs.java import NoJava, java_home

IDLE_SECONDS = 5.0
TRAINING = """
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
spark = SparkSession.builder.getOrCreate()
data = spark.range(100).withColumn("k", F.col("id") % 3)
data.write.mode("overwrite").partitionBy("k").parquet("{folder}/out")
read = spark.read.parquet("{folder}/out")
read.join(read.groupBy("k").count(), "k").write.mode("overwrite").json("{folder}/json")
read.createOrReplaceTempView("t")
spark.sql("SELECT k, row_number() OVER (PARTITION BY k ORDER BY id) r FROM t").collect()
java = spark.sparkContext._gateway.proc
spark.stop()
java.stdin.close()  # tells the JVM to end; it writes the archive then
java.wait()
"""


class ClassArchive:
    """The archive of this home, if it is there."""

    def __init__(self, aws: LocalAws) -> None:
        self._aws = aws
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._closed = False
        self._setting = os.environ.get("LOCALAWS_SPARK_ARCHIVE", "")

    def _target(self) -> Path:
        if self._setting:
            return Path(self._setting)
        return self._aws.home.directory("cache") / "spark-classes.jsa"

    def file(self) -> Path | None:
        """The archive, to be used by the next JVM; None while there is none."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()  # a job comes: not now
                self._timer = None
        if self._setting == "0" or not self._target().exists():
            return None
        return self._target()  # the JVM ignores it when Java or Spark are others than at its making

    def consider(self, *, idle: bool) -> None:
        """Makes the archive after a while without runs, if there is none."""
        with self._lock:
            if self._setting == "0" or not idle or self._closed or self._target().exists():
                return
            if self._timer is not None:
                self._timer.cancel()
            self._timer = threading.Timer(IDLE_SECONDS, self._make)
            self._timer.daemon = True
            self._timer.start()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._timer is not None:
                self._timer.cancel()

    def _make(self) -> None:
        if not self._closed:
            make(self._aws, self._target())


def make(aws: LocalAws, target: Path, *, niceness: int = 19) -> bool:
    """Runs a small Spark job whose JVM writes its loaded classes to `target`; True if it did."""
    folder = aws.home.directory("cache") / "training"
    folder.mkdir(exist_ok=True)
    script = folder / "train.py"
    script.write_text(TRAINING.format(folder=folder))
    fresh = target.with_suffix(f".{os.getpid()}")
    fresh.unlink(missing_ok=True)
    run = spark.SparkRun(
        folder=folder,
        result=folder / "exception.json",
        script=script,
        arguments=(),
        buckets={},
        properties={},
        java_options=spark.java_option(f"-XX:ArchiveClassesAtExit={fresh}"),
    )
    spark.write(run)
    try:
        environment = aws.processes.environment(spark.variables(run, java_home()))
    except NoJava:
        return False
    process = aws.processes.start(
        "spark class archive",
        ["nice", "-n", str(niceness), *spark.command(run)],
        env=environment,
        cwd=folder / "tmp",
        log=folder / "training.log",
        stdout=subprocess.DEVNULL,
    )
    if process.wait() != 0 or not fresh.exists():
        return False
    fresh.replace(target)
    return True

"""The Spark that a job gets: its properties, its variables, its command line. Pure but for `write`.

`s3://bucket/key` is Hadoop's view file system (in Spark's own jars) mounted over the folder in
which the bucket's objects lie, so scripts read and write the objects in place. The mount targets
have a scheme of their own, `objects:`, that maps to RawLocalFileSystem: plain `file:` would
leave a hidden `.crc` file beside every object.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from localaws.glue_jobs.bookmarks import VARIABLE as BOOKMARK_VARIABLE

RUNTIME = Path(__file__).parent / "runtime"
# Begins the class path, and the archive of classes is of one class path: the same for every run.
# There is nothing in it.
CONFIGURATION = RUNTIME / "conf"
SCHEMES = ("s3", "s3a", "s3n")
DRIVER_MEMORY = "2g"
CORES = 2
BUCKETS = "buckets.json"  # in the run's folder: where each bucket's objects are


@dataclass(frozen=True)
class SparkRun:
    """One job run's place and command. `folder` is its own; its `tmp` may go when it is over."""

    folder: Path
    result: Path  # where the runner leaves the script's exception
    script: Path
    arguments: tuple[str, ...]
    buckets: Mapping[str, Path]
    properties: Mapping[str, str]  # of the job's own --conf; they win
    python_files: tuple[Path, ...] = ()
    jars: tuple[Path, ...] = ()
    event_logs: Path | None = None
    class_archive: Path | None = None
    java_options: str = ""
    catalog: bool = False  # whether Spark SQL's tables are those of the Data Catalog


def properties(run: SparkRun) -> dict[str, str]:
    """spark-defaults for the run: two cores, bounded memory, everything under its folder."""
    options = [
        # The one collector that gives up: a script whose rows outgrow the heap fails by name
        # ("GC overhead limit exceeded"); others look for room for ever.
        *("-XX:+UseParallelGC", "-XX:GCTimeLimit=90", "-XX:GCHeapFreeLimit=15"),
        "-Duser.timezone=UTC",
        # Java takes a user's home from the system, not from HOME.
        java_option(f"-Duser.home={run.folder / 'tmp'}"),
        java_option(f"-Djava.io.tmpdir={run.folder / 'tmp'}"),
        java_option(f"-Dderby.system.home={run.folder / 'tmp'}"),
        "-Xlog:disable",
        "-Xlog:all=error:stderr",
    ]
    if run.class_archive is not None:
        options += [java_option(f"-XX:SharedArchiveFile={run.class_archive}"), "-Xshare:auto"]
    if run.java_options:
        options.append(run.java_options)
    cores = max(1, min(CORES, os.cpu_count() or 1))
    found = {
        "spark.master": f"local[{cores}]",
        "spark.driver.memory": DRIVER_MEMORY,
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.extraJavaOptions": " ".join(options),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": str(max(2, cores)),
        "spark.default.parallelism": str(max(2, cores)),
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.warehouse.dir": str(run.folder / "tmp" / "warehouse"),
        "spark.hadoop.hive.exec.scratchdir": str(run.folder / "tmp" / "hive"),
        # As on Glue: no _SUCCESS objects, which readers of a folder would trip over.
        "spark.hadoop.mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
        # Iceberg's commits are checked by the catalog's versions (metastore/iceberg.py).
        "spark.hadoop.iceberg.engine.hive.lock-enabled": "false",
        "spark.hadoop.fs.objects.impl": "org.apache.hadoop.fs.RawLocalFileSystem",
    }
    if run.event_logs is not None:
        found["spark.eventLog.enabled"] = "true"
        found["spark.eventLog.dir"] = f"file://{quote(str(run.event_logs))}"
    if run.jars:
        # The driver is the executor too, and drivers of databases are looked for in its class path.
        found["spark.driver.extraClassPath"] = os.pathsep.join(str(jar) for jar in run.jars)
    for scheme in SCHEMES:
        found[f"spark.hadoop.fs.{scheme}.impl"] = (
            "org.apache.hadoop.fs.viewfs.ViewFileSystemOverloadScheme"
        )
    for bucket, folder in run.buckets.items():
        found[f"spark.hadoop.fs.viewfs.mounttable.{bucket}.linkFallback"] = (
            f"objects://{quote(str(folder))}"
        )
    return found | dict(run.properties)


def java_option(text: str) -> str:
    """One of Spark's extraJavaOptions, which it cuts as a shell would: a path may hold blanks."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def variables(run: SparkRun, java: Path) -> dict[str, str]:
    """What the script's process needs beside the usual variables of a child."""
    return {
        "JAVA_HOME": str(java),
        "SPARK_CONF_DIR": str(CONFIGURATION),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_LOCAL_DIRS": str(run.folder / "tmp"),
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
        # PySpark cuts it as a shell would: a folder's name may hold blanks and quotes.
        "PYSPARK_SUBMIT_ARGS": shlex.join(
            ["--properties-file", str(run.folder / "spark.conf"), "pyspark-shell"]
        ),
        "PYTHONPATH": os.pathsep.join(str(path) for path in (RUNTIME, *run.python_files)),
        "TMPDIR": str(run.folder / "tmp"),
        "LOCALAWS_BUCKETS": str(run.folder / BUCKETS),
        "LOCALAWS_PROPERTIES": str(run.folder / "spark.conf"),
        "LOCALAWS_CATALOG": "1" if run.catalog else "",
        BOOKMARK_VARIABLE: str(run.folder),
        "TZ": "UTC",
    }


def command(run: SparkRun) -> Sequence[str]:
    runner = RUNTIME / "run_script.py"
    return [sys.executable, str(runner), str(run.result), str(run.script), *run.arguments]


def write(run: SparkRun) -> None:
    """Makes the run's folder ready: the properties file, the buckets' folders, the place for
    scratch."""
    (run.folder / "tmp").mkdir(parents=True, exist_ok=True)
    lines = [f"{name} {_escaped(value)}" for name, value in properties(run).items()]
    (run.folder / "spark.conf").write_text("\n".join(lines) + "\n")
    folders = {bucket: str(folder) for bucket, folder in run.buckets.items()}
    (run.folder / BUCKETS).write_text(json.dumps(folders))


def _escaped(value: str) -> str:
    """A value of a Java properties file."""
    return value.replace("\\", "\\\\").replace("\n", "\\n")

"""The archive of Spark's classes, with which its Java machine starts in half the time.

All tests share one: a run with several processes makes it, while they collect, and .pytest_cache
keeps it.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO

import pytest

from localaws.core.aws import start
from localaws.glue_jobs import archive
from localaws.glue_jobs.java import java_home

VARIABLE = "LOCALAWS_SPARK_ARCHIVE"
ROOT = Path(__file__).parents[1]


def place(config: pytest.Config) -> Path:
    """Where the archive is, or is to be: named by the Java and the jars that it is good for."""
    assert config.cache is not None
    folder = config.cache.mkdir("spark-classes")
    spec = importlib.util.find_spec("pyspark")
    assert spec is not None and spec.origin is not None
    origin = Path(spec.origin)
    about = f"{java_home()} {origin} {origin.stat().st_mtime_ns}"
    return folder / f"{hashlib.sha256(about.encode()).hexdigest()[:16]}.jsa"


def begin(target: Path) -> None:
    """Has it made, if there is none, in a process of its own."""
    if not target.exists():
        with _lock(target) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # its, until it ends
            command = [sys.executable, "-m", "tests.archive", str(target)]
            subprocess.Popen(command, cwd=ROOT, pass_fds=[lock.fileno()])


def ready(target: Path) -> bool:
    """Whether there is one, once nobody is making it any more."""
    with _lock(target) as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
    return target.exists()


def shared() -> Path | None:
    """The archive, for who starts Spark in the tests' own process; None where there is none."""
    found = os.environ[VARIABLE]
    return None if found == "0" else Path(found)


def _lock(target: Path) -> IO[str]:
    return target.with_suffix(".lock").open("w")


def main(target: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        aws = start(Path(folder) / "home", [], url="http://127.0.0.1:9")
        try:
            archive.make(aws, target, niceness=0)
        finally:
            aws.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]))

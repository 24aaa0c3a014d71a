"""Python shell jobs: what AWS has of Python and of packages, and what this machine has of those.

https://docs.aws.amazon.com/glue/latest/dg/add-job-python.html. The script runs in the project's own
Python, and sees of its packages only those that the job's library set names.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from localaws.core.runtime.installed import folders, installed, normal, with_requirements

GLUE_VERSION = "3.0"  # of a job that names none
DPUS = (0.0625, 1.0)
BYTES_PER_DPU = 16 << 30
RUNTIME = Path(__file__).parent / "runtime"
LIBRARY_SET = "--library-set"
BASE = frozenset({"boto3", "botocore", "awscli"})
# Of the page's table "supported libraries", by distribution; `--library-set analytics` has them.
ANALYTICS = (
    "avro", "awswrangler", "elasticsearch", "numpy", "pandas", "psycopg2", "pyathena", "PyGreSQL",
    "PyMySQL", "pyodbc", "pyorc", "redshift-connector", "requests", "scikit-learn", "scipy",
    "SQLAlchemy", "s3fs",
)  # fmt: skip


def command(result: Path, script: Path, arguments: Sequence[str]) -> list[str]:
    """Without `site`: the packages are found by their names (`run_script.py`)."""
    return [sys.executable, "-S", str(RUNTIME / "run_script.py"), str(result), str(script),
            *arguments]  # fmt: skip


def variables(folder: Path, analytics: bool, modules: Sequence[Path]) -> dict[str, str]:
    """What the script's process needs beside the usual variables of a child."""
    owners = installed()
    wanted = {normal(name) for name in ANALYTICS} if analytics else set()
    named = {
        module for module, found in owners.items() if wanted & {normal(each) for each in found}
    }
    allowed = sorted(with_requirements(BASE | named))
    return {
        "LOCALAWS_PACKAGES": json.dumps([folders(), ",".join(allowed)]),
        "PYTHONPATH": os.pathsep.join(str(path) for path in modules),
        "TMPDIR": str(folder / "tmp"),
        "TZ": "UTC",
    }


def uses_analytics(given: Mapping[str, str]) -> bool:
    return given.get(LIBRARY_SET, given.get("library-set", "none")).lower() == "analytics"


def warnings(analytics: bool) -> list[str]:
    """What a run's error log begins with: where this machine differs from AWS."""
    lines = [
        f"WARN localaws: a Python shell job has Python 3.9 on AWS; this run has"
        f" {platform.python_version()}, with its own versions of packages."
    ]
    if not analytics:
        lines.append(
            "WARN localaws: without --library-set analytics this run has boto3 and Python's own"
            " library."
        )
        return lines
    there = {normal(name) for names in installed().values() for name in names}
    if lacking := [name for name in ANALYTICS if normal(name) not in there]:
        lines.append(
            f"WARN localaws: AWS has {', '.join(lacking)} too; this machine has not"
            " (--additional-python-modules installs them)."
        )
    return lines

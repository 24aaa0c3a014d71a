"""Packages that a run asks for, installed into a folder of its own by pip.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-python-libraries.html. What is asked
for and all that it needs is installed, whatever this machine has: the run finds it first.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from localaws.core.aws import LocalAws
from localaws.core.jobs.job import Job, JobFailed

# pip's own settings and the way out to its index: nothing else of the user's.
INHERITED = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")
LOG = "pip.log"


def install(aws: LocalAws, job: Job, requirements: Sequence[str], folder: Path) -> Path:
    """The folder in which they are. Raises JobFailed with pip's reason, Cancelled."""
    if importlib.util.find_spec("pip") is None:
        raise JobFailed("LAUNCH ERROR | This Python has no pip to install modules with.")
    target = folder / "site-packages"
    log = folder / LOG
    process = aws.processes.start(
        "pip",
        [sys.executable, "-m", "pip", "install", "--no-input", "--disable-pip-version-check",
         "--target", str(target), *requirements],
        env=aws.processes.plain_environment(_settings(aws.home.directory("cache") / "pip")),
        cwd=folder / "tmp",
        log=log,
    )  # fmt: skip
    if job.watch(process, grace_seconds=1.0) != 0:
        raise JobFailed(f"LAUNCH ERROR | pip could not install the job's modules: {_reason(log)}")
    return target


def _settings(cache: Path) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name.startswith("PIP_") or name.lower().endswith("_proxy") or name in INHERITED
    }
    return {"PIP_CACHE_DIR": str(cache), **kept}


def _reason(log: Path) -> str:
    """What pip calls an error, else its last line."""
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    return " ".join(errors) or (lines[-1] if lines else "it said nothing")

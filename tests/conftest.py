"""Fixtures that every area shares: a local AWS, with and without a socket."""

from __future__ import annotations

import gc
import json
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from localaws.glue_jobs.java import java_home
from localaws.glue_jobs.spark import CONFIGURATION
from tests import archive, order

# What has been collected, a million objects, stays to the end: not one of them is garbage, and
# looking through them again and again took half of the time of a quick test.
gc.disable()


def pytest_configure(config: pytest.Config) -> None:
    several = getattr(config.option, "numprocesses", None)
    if several and not hasattr(config, "workerinput"):
        archive.begin(archive.place(config))


def pytest_collection_finish(session: pytest.Session) -> None:
    place = archive.place(session.config)
    if archive.ready(place):
        os.environ[archive.VARIABLE] = str(place)
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)
    gc.enable()


def pytest_sessionfinish() -> None:
    gc.unfreeze()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: order.rank(item.nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    return order.scheduler(config, log)


# Making an archive of Spark's classes pays over many runs of one home, and every test has a new
# home: they have one that is made before (archive.py), or none.
os.environ.setdefault(archive.VARIABLE, "0")

# Small data: Java's second compiler costs more than it saves.
os.environ.setdefault("LOCALAWS_SPARK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1")

# As training.train sets it, but before whichever test loads XGBoost first: threads that wait by
# spinning take the cores from those they wait for.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# Tests that start Spark themselves need the Java that jobs would find, and their class path.
os.environ.setdefault("JAVA_HOME", str(java_home()))
os.environ.setdefault("SPARK_CONF_DIR", str(CONFIGURATION))
os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # and not the first python3 of the path

# The same cases in every run; HYPOTHESIS_PROFILE=default looks for new ones.
settings.register_profile("repeatable", derandomize=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))

CASES = Path(__file__).parent / "cases"


def cases(name: str) -> list[dict[str, Any]]:
    """The table of cases `tests/cases/<name>.json`."""
    table: list[dict[str, Any]] = json.loads((CASES / f"{name}.json").read_text())
    return table


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[Any]:
    """A local AWS with every service and a fresh home, reached in-process; waits take no time."""
    from localaws.core.aws import start
    from localaws.services import factories

    local = start(tmp_path / "home", factories(), url="http://127.0.0.1:9", wait_scale=0)
    yield local
    local.stop()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Any]:
    """The same on an ephemeral loopback port, for work done in child processes (`server.url`)."""
    from localaws.core import server as http
    from localaws.core.aws import start
    from localaws.services import factories

    listener = http.bind(0)
    url = f"http://{http.HOST}:{listener.server_port}"
    local = start(tmp_path / "home", factories(), url=url, wait_scale=0)
    with http.BackgroundServer(listener, local.gateway):
        yield local
        local.stop()


@pytest.fixture
def hangup() -> Iterator[None]:
    """Children heed SIGHUP, also where the tests themselves were started by nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Headless Chromium, one for all tests of a process: Playwright runs once in each."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium")
    assert chromium, "chromium is not installed: apt-get install chromium (make does it)"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield launched
        launched.close()

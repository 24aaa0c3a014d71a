"""Workers: quick when warm, bounded, and never the server's end."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from localaws.core import orphans
from localaws.core.clock import Clock
from localaws.core.jobs import limits, worker
from localaws.core.jobs.failures import OutOfMemory, WorkerDied, WorkFailed
from localaws.core.jobs.job import Cancelled, Job
from localaws.core.jobs.limits import Limits
from localaws.core.jobs.worker import Workers
from localaws.core.processes import Processes

BOUNDS = Limits(memory_bytes=400 << 20, threads=1)


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Workers]:
    processes = Processes(tmp_path, "http://127.0.0.1:1", "us-east-1")
    made = Workers(processes, tmp_path, BOUNDS)
    yield made
    made.close()
    processes.stop_all()
    assert orphans.marked(orphans.home_mark(tmp_path)) == []


def perform(workers: Workers, name: str, value: Any = None, job: Job | None = None) -> Any:
    job = job or Job(Clock(1), "job", {}, again=False)
    return workers.perform(job, f"tests.core.work_samples:{name}", value)


def test_job_after_job_goes_to_one_warm_worker(workers: Workers) -> None:
    first = perform(workers, "echo", {"n": [1, None, "ä"]})
    began = time.monotonic()
    second = perform(workers, "echo", 2)

    assert first == {
        "value": {"n": [1, None, "ä"]},
        "pid": second["pid"],
        "memory_bytes": 400 << 20,
    }
    assert time.monotonic() - began < 0.1


def test_what_the_work_says_comes_back_and_the_worker_goes_on(workers: Workers) -> None:
    pid = perform(workers, "echo")["pid"]
    with pytest.raises(WorkFailed, match="x is bad") as failed:
        perform(workers, "fail", "x")
    assert failed.value.code == "BAD_INPUT"
    with pytest.raises(WorkFailed, match="KeyError: 'a fault of ours'"):
        perform(workers, "break_down")
    assert perform(workers, "echo")["pid"] == pid


def test_worker_that_dies_is_a_failed_job_and_the_next_has_another(workers: Workers) -> None:
    pid = perform(workers, "echo")["pid"]
    for number in (signal.SIGSEGV, signal.SIGKILL):
        with pytest.raises(WorkerDied, match=f"the worker ended with code -{number.value}"):
            perform(workers, "die", number)
    assert perform(workers, "echo")["pid"] != pid


def test_who_is_killed_when_memory_runs_out_is_told_from_who_is_killed(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(OutOfMemory):  # it had most of what it may have
        perform(workers, "eat_and_die", [300, signal.SIGKILL])
    with pytest.raises(WorkerDied):
        perform(workers, "eat_and_die", [10, signal.SIGKILL])
    counts = iter([7, 8])  # the system has killed one meanwhile
    monkeypatch.setattr(worker, "killed_for_memory", lambda: next(counts))
    with pytest.raises(OutOfMemory):
        perform(workers, "eat_and_die", [10, signal.SIGKILL])


@pytest.mark.parametrize("work", ["eat", "eat_at_once"])
def test_work_that_needs_more_memory_than_it_may_have_fails(workers: Workers, work: str) -> None:
    with pytest.raises(OutOfMemory):
        perform(workers, work, 3000)
    assert perform(workers, "eat", 10) == 10


def test_worker_that_held_much_memory_gives_it_back(workers: Workers) -> None:
    perform(workers, "eat", 200)
    assert orphans.marked(orphans.home_mark(workers._folder)) == []


@pytest.mark.parametrize("work", ["sleep", "sleep_deaf", "compute"])
def test_stop_ends_the_work_whatever_it_does(
    workers: Workers, monkeypatch: pytest.MonkeyPatch, work: str
) -> None:
    monkeypatch.setattr(worker, "INTERRUPT_SECONDS", 0.3)
    pid = perform(workers, "echo")["pid"]
    job = Job(Clock(1), "job", {}, again=False)
    threading.Timer(0.3, job.stop).start()
    began = time.monotonic()

    with pytest.raises(Cancelled):
        perform(workers, work, job=job)

    assert time.monotonic() - began < 5
    kept = perform(workers, "echo")["pid"] == pid
    assert kept == (work != "sleep_deaf")  # interrupted, or killed


def test_work_ends_at_its_time_limit(workers: Workers) -> None:
    job = Job(Clock(1), "job", {}, again=False)
    job.limit(0.3)
    with pytest.raises(Cancelled):
        perform(workers, "compute", job=job)
    assert job.late


def test_worker_that_nobody_needs_ends(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "IDLE_SECONDS", 0.2)
    perform(workers, "echo")
    deadline = time.monotonic() + 60
    while orphans.marked(orphans.home_mark(workers._folder)):
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("text", "expected"), [("2GB", 2 * 10**9), ("800mib", 800 << 20), ("1.5GiB", 3 << 29)]
)
def test_amount_of_memory_is_read(text: str, expected: int) -> None:
    assert limits.memory(text) == expected


@pytest.mark.parametrize("text", ["", "2", "lots", "twoGB", "100MB", "-3GB"])
def test_amount_of_memory_that_is_none_or_too_little_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        limits.memory(text)


def test_server_carries_no_engine_that_only_workers_need() -> None:
    script = "import sys, localaws.services; print({'duckdb', 'pyarrow'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "set()\n"

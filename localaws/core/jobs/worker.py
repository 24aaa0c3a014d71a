"""Workers: processes that do the work of jobs, so that whatever it does the server goes on.

A worker is started when one is needed, does one job at a time, and waits a while for the next, so
that a small query does not pay for a process. One that dies is a failed job.
"""

from __future__ import annotations

import contextlib
import json
import select
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from localaws.core.jobs import frames, seen
from localaws.core.jobs.failures import MEMORY, OutOfMemory, WorkerDied, WorkFailed
from localaws.core.jobs.job import Cancelled, Job
from localaws.core.jobs.limits import Limits, killed_for_memory, resident_bytes
from localaws.core.processes import Processes
from localaws.shapes import Json

IDLE_SECONDS = 60.0
LOOK_SECONDS = 0.05  # between looks at a job's memory, its limit and its stop
INTERRUPT_SECONDS = 2.0  # to end by itself before it is killed
LONGEST_SECONDS = 30 * 24 * 3600.0
SEEN = "seen"
# How native code ends that is refused memory and does not ask, and whom the system ends when it has
# none left. Others are killed too: memory was the cause for who had so much of its share, and where
# the system counts one more of those that it killed.
STARVED = (-signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS, -signal.SIGKILL)
STARVED_SHARE = 0.5
ROOT = Path(__file__).parents[3]


class Worker:
    """A started process."""

    def __init__(self, processes: Processes, folder: Path, limits: Limits) -> None:
        self.used = time.monotonic()
        self._limits = limits
        self.process = processes.start(
            "worker",
            [sys.executable, "-P", "-m", "localaws.core.jobs.child", json.dumps(asdict(limits))],
            env=processes.plain_environment(
                {"PYTHONPATH": str(ROOT), seen.VARIABLE: str(folder / SEEN)}
            ),
            cwd=folder,
            log=folder / "workers.log",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self.process.stdin is not None and self.process.stdout is not None
        self._requests, self._answers = self.process.stdin, self.process.stdout
        self.last = False  # it ends after the job

    def perform(self, job: Job, work: str, value: Json) -> Any:
        """What the function returned. Raises Cancelled, WorkFailed, OutOfMemory."""
        seconds = min(job.remaining_seconds(), LONGEST_SECONDS) * self._limits.threads
        most, before = 0, killed_for_memory()
        try:
            frames.write(
                self._requests, {"work": work, "value": value, "processor_seconds": seconds}
            )
            while not self._answered(LOOK_SECONDS):
                if job.cancelled:
                    self._interrupt()
                    raise Cancelled
                most = max(most, resident_bytes(self.process.pid))
                if most > self._limits.memory_bytes:
                    self.end()
                    raise OutOfMemory
            answer = frames.read(self._answers)
        except (EOFError, BrokenPipeError):
            code = self.process.wait(INTERRUPT_SECONDS)
            self.end()
            full = most > self._limits.memory_bytes * STARVED_SHARE
            if code in STARVED and (full or killed_for_memory() > before):
                raise OutOfMemory from None
            raise WorkerDied(code) from None
        self.last = answer["last"]
        self.used = time.monotonic()
        if "result" in answer:
            return answer["result"]
        if answer.get("error", {}).get("code") == MEMORY:
            raise OutOfMemory
        if "error" in answer:
            raise WorkFailed(**answer["error"])
        raise Cancelled

    def _answered(self, seconds: float) -> bool:
        ready, _, _ = select.select([self._answers], [], [], seconds)
        return bool(ready)

    def _interrupt(self) -> None:
        self.process.signal(signal.SIGINT)
        if self._answered(INTERRUPT_SECONDS):
            with contextlib.suppress(EOFError):
                self.last = frames.read(self._answers)["last"]
                return
        self.end()

    def usable(self) -> bool:
        return self.process.running() and not self.last

    def end(self) -> None:
        self.last = True
        with contextlib.suppress(BrokenPipeError):
            self._requests.close()
        self.process.stop(grace_seconds=0)
        self._answers.close()


class Workers:
    """Those of a server. There are never more than jobs at work."""

    def __init__(self, processes: Processes, folder: Path, limits: Limits) -> None:
        self.limits = limits
        self._processes = processes
        self._folder = folder
        shutil.rmtree(folder / SEEN, ignore_errors=True)
        (folder / SEEN).mkdir(parents=True)
        self._lock = threading.Lock()
        self._idle: list[Worker] = []
        self._timer: threading.Timer | None = None
        self._closed = False

    def perform(self, job: Job, work: str, value: Json) -> Any:
        """Has a worker call the function `module:name`, which returns JSON.

        Raises Cancelled, WorkFailed, OutOfMemory.
        """
        job.check()
        worker = self._take() or Worker(self._processes, self._folder, self.limits)
        try:
            return worker.perform(job, work, value)
        except (Cancelled, WorkFailed):
            raise
        except BaseException:
            worker.end()
            raise
        finally:
            self._give_back(worker)

    def _take(self) -> Worker | None:
        with self._lock:
            while self._idle:
                worker = self._idle.pop()
                if worker.usable():
                    return worker
        return None

    def _give_back(self, worker: Worker) -> None:
        with self._lock:
            if worker.usable() and not self._closed:
                self._idle.append(worker)
                if self._timer is None:
                    self._wait(IDLE_SECONDS)
                return
        worker.end()

    def _wait(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self._sweep)
        self._timer.daemon = True
        self._timer.start()

    def _sweep(self) -> None:
        """Ends those that nobody has needed for a while."""
        now = time.monotonic()
        with self._lock:
            self._timer = None
            done = [worker for worker in self._idle if now - worker.used >= IDLE_SECONDS]
            self._idle = [worker for worker in self._idle if worker not in done]
            if self._idle and not self._closed:
                oldest = min(worker.used for worker in self._idle)
                self._wait(max(0.1, oldest + IDLE_SECONDS - now))
        for worker in done:
            worker.end()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
            if self._timer is not None:
                self._timer.cancel()
        for worker in idle:
            worker.end()

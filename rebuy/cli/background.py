"""Processes that outlive the command that started them: found, started, ended."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from configuration.errors import RebuyError

ROOT = Path(__file__).parents[2]  # where our packages are
POLL_SECONDS = 0.05
ANSWER_SECONDS = 2.0
LOG_LINES = 15  # of the end of a log, in the error of a process that did not come up


class Running(Protocol):
    """What a process writes of itself once it serves."""

    @property
    def pid(self) -> int: ...


R = TypeVar("R", bound=Running)


@dataclass(frozen=True)
class Background(Generic[R]):
    """A process of which a home has one: the local AWS, or the console beside it.

    Once it serves, it writes `record`, a JSON object with the members of `kind`; its output
    goes to `log`.
    """

    title: str  # begins a sentence: "The local AWS"
    record: Path
    log: Path
    kind: type[R]
    answers: Callable[[R], bool]  # whether the one that wrote the record serves now
    start_seconds: float
    stop_seconds: float

    def find(self) -> R | None:
        """The process that runs, if it answers."""
        try:
            running = self.kind(**json.loads(self.record.read_text()))
        except (OSError, ValueError, TypeError):
            return None
        return running if self.answers(running) else None

    def up(self, module: str, *arguments: str) -> R:
        """Starts the process, a module of ours, or finds the one that runs already or is being
        started. What modules lie in the folder where the command was given is no matter.

        Raises RebuyError with the end of its log when it does not come up; it does not go on
        running then, nor when the wait is interrupted.
        """
        with self.log.open("ab") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)  # one starts, the others wait and then find it
            return self.find() or self._start(module, arguments)

    def _start(self, module: str, arguments: Sequence[str]) -> R:
        running = None
        with self.log.open("ab") as output:
            path = (str(ROOT), os.environ.get("PYTHONPATH", ""))
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", module, *arguments],
                env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, path))},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            running = self._wait_for(process)
        finally:
            if running is None:
                end(process.pid, self.stop_seconds)
        if running is None:
            tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-LOG_LINES:])
            raise RebuyError(f"{self.title} did not start. The end of {self.log}:\n{tail}")
        return running

    def _wait_for(self, process: subprocess.Popen[bytes]) -> R | None:
        deadline = time.monotonic() + self.start_seconds
        while time.monotonic() < deadline and process.poll() is None:
            running = self.find()
            if running is not None and running.pid == process.pid:
                return running
            time.sleep(POLL_SECONDS)
        return None

    def down(self) -> bool:
        """Ends the process; False when none was running."""
        running = self.find()
        if running is None:
            return False
        end(running.pid, self.stop_seconds)
        self.record.unlink(missing_ok=True)
        return True


def end(pid: int, seconds: float) -> None:
    """Asks a process to end, and after `seconds` makes it."""
    if not alive(pid):
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
        os.kill(pid, signal.SIGCONT)  # one that was suspended hears nothing until it goes on
        deadline = time.monotonic() + seconds
        while alive(pid):
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
            time.sleep(POLL_SECONDS)


def alive(pid: int) -> bool:
    """Whether the process works; one that has ended may wait for its parent to notice."""
    if not Path("/proc/self/stat").exists():  # macOS
        try:
            os.kill(pid, 0)
        except OSError:
            return False
        return True
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        return stat.rsplit(")", 1)[1].split()[0] != "Z"
    except (OSError, IndexError):
        return False


def get_json(url: str) -> Any:
    """What an address answers, if that is JSON and comes soon; None otherwise."""
    try:
        with urllib.request.urlopen(url, timeout=ANSWER_SECONDS) as answer:
            return json.load(answer)
    except (urllib.error.URLError, OSError, ValueError):
        return None

"""Child processes that do the work (Spark, training, endpoints, functions): none outlives us."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from localaws.core import orphans
from localaws.core.jobs import limits

STOP_GRACE_SECONDS = 5.0

# A child sees only what its AWS runtime would give it, plus what it needs to find its tools: no
# home folder of the user's, no keys, no proxies.
INHERITED = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "JAVA_HOME", "LD_LIBRARY_PATH")


class ManagedProcess:
    """A child in its own process group, so that stopping it stops everything it started.

    When it ends by itself, what it leaves running in its group is killed too.
    """

    def __init__(self, name: str, popen: subprocess.Popen[bytes]) -> None:
        self.name = name
        self.pid = popen.pid
        self.stdin, self.stdout = popen.stdin, popen.stdout
        self._popen = popen
        self._code: int | None = None
        self._ended = threading.Event()

    def follow(self) -> None:
        """Waits for the end; called once, on a thread of its own."""
        if hasattr(os, "waitid"):  # the id stays taken until the group is dealt with
            os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
            _signal_group(self.pid, signal.SIGKILL)
            self._code = self._popen.wait()
        else:
            self._code = self._popen.wait()
            _signal_group(self.pid, signal.SIGKILL)
        self._ended.set()

    def wait(self, timeout_seconds: float | None = None) -> int | None:
        """The exit code, or None when it still runs after the timeout."""
        return self._code if self._ended.wait(timeout_seconds) else None

    def running(self) -> bool:
        return not self._ended.is_set()

    def signal(self, number: int) -> None:
        """Sends a signal to the group, if the process still runs."""
        if self.running():
            _signal_group(self.pid, number)

    def stop(self, grace_seconds: float = STOP_GRACE_SECONDS) -> None:
        """SIGTERM to the group, SIGKILL after the grace; returns when it is gone."""
        self.signal(signal.SIGTERM)
        if self.wait(grace_seconds) is None:
            self.signal(signal.SIGKILL)
            self.wait()


class Processes:
    """Starts and remembers children. However the server ends, a guard ends them.

    `clean_up` ends what earlier servers of the home left, should their guard have died as well.
    """

    def __init__(self, home: Path, url: str, region: str) -> None:
        self._home = home
        self._mark = orphans.new_mark(home)
        self._guard: orphans.Guard | None = None
        self._lock = threading.Lock()
        self._running: dict[int, ManagedProcess] = {}
        self.url = url
        self.region = region
        self.ended: Callable[[Mapping[str, str]], None] = lambda env: None  # told its variables

    def environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """A child's variables: our endpoint, nothing of the user's, and `extra` on top."""
        base = self.plain_environment() | {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "PYTHONUNBUFFERED": "1",
        }
        return base | dict(extra or {})

    def plain_environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """The variables of a child that calls nobody, and `extra` on top."""
        base = {name: os.environ[name] for name in INHERITED if name in os.environ}
        return base | dict(extra or {})

    def start(
        self,
        name: str,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path,
        log: Path | None = None,
        stdin: int | IO[bytes] | None = subprocess.DEVNULL,
        stdout: int | IO[bytes] | None = None,
    ) -> ManagedProcess:
        """Starts `argv` with exactly `env` and our mark; its output is appended to `log`.

        Its home is `cwd`, unless `env` says otherwise.
        """
        with contextlib.ExitStack() as stack:
            errors: int | IO[bytes] = subprocess.DEVNULL
            if log is not None:
                log.parent.mkdir(parents=True, exist_ok=True)
                errors = stack.enter_context(log.open("ab"))
            self._watch()
            popen = subprocess.Popen(
                list(argv),
                env={"HOME": str(cwd), **env, orphans.VARIABLE: self._mark},
                cwd=cwd,
                stdin=stdin,
                stdout=errors if stdout is None else stdout,
                stderr=errors,
                start_new_session=True,
            )
        limits.contain(popen.pid)
        process = ManagedProcess(name, popen)
        with self._lock:
            self._running[process.pid] = process
        threading.Thread(target=self._follow, args=(process, env), name=name, daemon=True).start()
        return process

    def _watch(self) -> None:
        """Before the first child there is nothing to guard."""
        with self._lock:
            if self._guard is None or not self._guard.on_duty():
                self._guard = orphans.Guard(self._mark)

    def _follow(self, process: ManagedProcess, env: Mapping[str, str]) -> None:
        process.follow()
        with contextlib.suppress(Exception):  # the store may be closed already at shutdown
            self.ended(env)
        with self._lock:
            self._running.pop(process.pid, None)

    def clean_up(self) -> None:
        """Ends children that an earlier server of this home left behind."""
        orphans.end_of_home(self._home)

    def stop_all(self) -> None:
        with self._lock:
            running = list(self._running.values())
        for process in running:
            process.signal(signal.SIGTERM)
        for process in running:
            process.stop(grace_seconds=2.0)
        with self._lock:
            if self._guard is not None:
                self._guard.release()
                self._guard = None


def told(code: int | None) -> str:
    """An exit code as a container's is told: 128 and the signal's number for who was killed."""
    if code is None or code >= 0:
        return str(code)
    memory = " (killed, as the system does when memory runs out)"
    return f"{128 - code}" + (memory if -code == signal.SIGKILL else "")


def _signal_group(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)

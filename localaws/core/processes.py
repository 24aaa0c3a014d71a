"""Child processes that do the work (Spark, training, endpoints, functions): none outlives us."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from localaws.core.documents import Documents

STOP_GRACE_SECONDS = 5.0
KIND = "process"

# A child sees only what its AWS runtime would give it, plus what it needs to find its tools.
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "JAVA_HOME", "LD_LIBRARY_PATH")


class ManagedProcess:
    """A child in its own process group, so that stopping it stops everything it started."""

    def __init__(self, name: str, popen: subprocess.Popen[bytes]) -> None:
        self.name = name
        self.popen = popen
        self.pid = popen.pid

    def wait(self, timeout_seconds: float | None = None) -> int | None:
        """The exit code, or None when it still runs after the timeout."""
        try:
            return self.popen.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            return None

    def running(self) -> bool:
        return self.popen.poll() is None

    def stop(self, grace_seconds: float = STOP_GRACE_SECONDS) -> None:
        """SIGTERM to the group, SIGKILL after the grace; returns when it is gone."""
        _signal_group(self.pid, signal.SIGTERM)
        if self.wait(grace_seconds) is None:
            _signal_group(self.pid, signal.SIGKILL)
            self.popen.wait()


class Processes:
    """Starts and remembers children; after a crash of the server `clean_up` ends the orphans."""

    def __init__(self, documents: Documents, url: str, region: str) -> None:
        self._documents = documents
        self._lock = threading.Lock()
        self._running: dict[int, ManagedProcess] = {}
        self.url = url
        self.region = region

    def environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """A child's variables: our endpoint, made-up keys, and `extra` on top."""
        base = {name: os.environ[name] for name in INHERITED if name in os.environ}
        base |= {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "localaws",
            "AWS_SECRET_ACCESS_KEY": "localaws",
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "PYTHONUNBUFFERED": "1",
        }
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
        """Starts `argv` with exactly `env`; its output is appended to `log`."""
        with contextlib.ExitStack() as stack:
            errors: int | IO[bytes] = subprocess.DEVNULL
            if log is not None:
                log.parent.mkdir(parents=True, exist_ok=True)
                errors = stack.enter_context(log.open("ab"))
            popen = subprocess.Popen(
                list(argv),
                env=dict(env),
                cwd=cwd,
                stdin=stdin,
                stdout=errors if stdout is None else stdout,
                stderr=errors,
                start_new_session=True,
            )
        process = ManagedProcess(name, popen)
        with self._lock:
            self._running[process.pid] = process
        self._documents.put(
            KIND, str(process.pid), {"name": name, "started": _started(process.pid)}
        )
        threading.Thread(target=self._forget, args=(process,), daemon=True).start()
        return process

    def _forget(self, process: ManagedProcess) -> None:
        process.popen.wait()
        with self._lock:
            self._running.pop(process.pid, None)
        with contextlib.suppress(Exception):  # the store may be closed already at shutdown
            self._documents.delete(KIND, str(process.pid))

    def clean_up(self) -> None:
        """Ends children that an earlier server of this home left behind."""
        for pid, document in self._documents.items(KIND):
            # The start time guards against a pid that now belongs to somebody else.
            if document["started"] is not None and _started(int(pid)) == document["started"]:
                _signal_group(int(pid), signal.SIGKILL)
            self._documents.delete(KIND, pid)

    def stop_all(self) -> None:
        with self._lock:
            running = list(self._running.values())
        for process in running:
            _signal_group(process.pid, signal.SIGTERM)
        for process in running:
            process.stop(grace_seconds=2.0)


def _signal_group(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _started(pid: int) -> str | None:
    """When the process started, in clock ticks since boot (Linux); None when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19]
    except (OSError, IndexError):
        return None

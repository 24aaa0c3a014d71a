"""One job at work, as its work sees it: whether it is to end, and how its process is watched."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable

from localaws.core.clock import Clock
from localaws.core.processes import ManagedProcess
from localaws.shapes import Json

POLL_SECONDS = 0.1


class JobFailed(Exception):
    """The job's work cannot be done; the message is for the job's owner."""


class Cancelled(Exception):
    """The work was ended by a stop, its time limit or the end of the server."""


class Job:
    """One job at work, as its work sees it."""

    def __init__(self, clock: Clock, job_id: str, request: Json, *, again: bool) -> None:
        self.id = job_id
        self.request = request
        self.again = again  # an earlier server may have begun it
        self._clock = clock
        self._cancelled = threading.Event()
        self._deadline: float | None = None
        self.stopped = False  # by its owner
        self.closing = False  # by the end of the server

    def limit(self, seconds: float) -> None:
        """From now on the work may take so long."""
        self._deadline = self._clock.monotonic() + seconds

    def remaining_seconds(self) -> float:
        """Until its limit; endless for a job without one."""
        if self._deadline is None:
            return math.inf
        return max(0.0, self._deadline - self._clock.monotonic())

    @property
    def late(self) -> bool:
        return self._deadline is not None and self._clock.monotonic() > self._deadline

    @property
    def cancelled(self) -> bool:
        """Whether the work is to end."""
        return self._cancelled.is_set() or self.late

    def stop(self) -> None:
        self.stopped = True
        self._cancelled.set()

    def close(self) -> None:
        self.closing = True
        self._cancelled.set()

    def check(self) -> None:
        """Raises Cancelled when the work is to end."""
        if self.cancelled:
            raise Cancelled

    def watch(
        self,
        process: ManagedProcess,
        *,
        grace_seconds: float,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> int:
        """The exit code of the process, which does the work.

        Raises Cancelled when the job was, after the process was ended: SIGTERM, and SIGKILL after
        the grace. A server that ends grants none.
        """
        while (code := process.wait(POLL_SECONDS)) is None:
            meanwhile()
            if self.cancelled:
                process.stop(0 if self.closing else grace_seconds)
                raise Cancelled
        return code

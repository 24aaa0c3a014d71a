"""The warm workers of one revision of a function."""

from __future__ import annotations

import threading

from localaws.core.aws import LocalAws
from localaws.functions.worker import (
    Died,
    FunctionWorker,
    Invocation,
    Spec,
    WorkerResult,
    error_payload,
)

# AWS scales to 1,000; this machine does not. More callers than this wait for a free worker.
MAXIMUM_WORKERS = 4
IDLE_SECONDS = 600.0


class Pool:
    """At most `MAXIMUM_WORKERS` processes; the one used last is used first."""

    def __init__(self, aws: LocalAws, spec: Spec) -> None:
        self.spec = spec
        self._aws = aws
        self._free: list[tuple[FunctionWorker, float]] = []  # and when each was last used
        self._count = 0
        self._retired = False
        self._changed = threading.Condition()

    def invoke(self, request: Invocation) -> tuple[WorkerResult, str]:
        """(outcome, log stream)."""
        worker = self._take()
        try:
            worker = worker or FunctionWorker(self._aws, self.spec)
        except Died as died:
            self._give_back(None)
            payload = error_payload("Runtime.ExitError", f"RequestId: {request.id} Error: {died}")
            return WorkerResult(False, payload, [str(died)], 0.0, None, 0, False), "init"
        except BaseException:
            self._give_back(None)
            raise
        outcome = None
        try:
            outcome = worker.invoke(request)
        finally:
            if outcome is None or not outcome.alive:
                worker.stop()
                self._give_back(None)
            else:
                self._give_back(worker)
        return outcome, worker.stream

    def _take(self) -> FunctionWorker | None:
        """A free worker, or None when the caller may start one."""
        with self._changed:
            while True:
                while self._free:
                    worker, _ = self._free.pop()
                    if worker.process.running():
                        return worker
                    self._count -= 1
                    worker.stop()
                if self._count < MAXIMUM_WORKERS:
                    self._count += 1
                    return None
                self._changed.wait()

    def _give_back(self, worker: FunctionWorker | None) -> None:
        done: list[FunctionWorker] = []
        with self._changed:
            if worker is None or self._retired:
                self._count -= 1
                done = [worker] if worker else []
            else:
                now = self._aws.clock.monotonic()
                done = [idle for idle, used in self._free if now - used > IDLE_SECONDS]
                self._free = [pair for pair in self._free if pair[0] not in done]
                self._count -= len(done)
                self._free.append((worker, now))
            self._changed.notify()
        for unused in done:
            unused.stop()

    def retire(self) -> None:
        """Ends the idle workers now and the busy ones after their invocation."""
        with self._changed:
            self._retired = True
            idle, self._free = self._free, []
            self._count -= len(idle)
        for worker, _ in idle:
            worker.stop()

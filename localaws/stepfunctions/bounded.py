"""Users' expressions and regular expressions, bounded in time and memory.

What is cheap is evaluated at once, in this process. Everything else goes to a process of its own
that is killed when it takes longer than an evaluation may: neither a regular expression nor a
loop in JSONata can be stopped from within. Such a call blocks its caller; the engine makes it on a
thread where only the execution itself waits.
"""

from __future__ import annotations

import atexit
import json
import os
import re
import selectors
import struct
import subprocess
import sys
import threading
import time
from functools import cached_property
from typing import Any

from localaws.shapes import Json
from localaws.stepfunctions.expression_cost import is_cheap
from localaws.stepfunctions.jsonata_functions import (
    OUT_OF_TIME,
    ExpressionFailedError,
    with_nulls,
)
from localaws.stepfunctions.jsonata_functions import (
    evaluate as evaluate_here,
)

LIMIT_SECONDS = 5.0
START_SECONDS = 60.0
MAX_WORKERS = 4
WORKER = "localaws.stepfunctions.bounded_worker"


class Bindings:
    """The variables of one evaluation: as JSON, and as the library wants them."""

    def __init__(self, values: Json) -> None:
        self.values = values

    @cached_property
    def native(self) -> Json:
        return {name: with_nulls(value) for name, value in self.values.items()}


def evaluate(text: str, bindings: Bindings) -> Any:
    """The JSONata expression's value. Raises ExpressionFailedError."""
    if is_cheap(text):
        return evaluate_here(text, bindings.native)
    answer = WORKERS.ask({"expression": text, "bindings": bindings.values})
    if answer is None:
        raise ExpressionFailedError(OUT_OF_TIME)
    if "failure" in answer:
        raise ExpressionFailedError(answer["failure"])
    return answer["value"]


def fullmatch(pattern: re.Pattern[str], text: str) -> bool:
    """Whether the whole text fits. Raises TimeoutError."""
    answer = WORKERS.ask({"pattern": pattern.pattern, "flags": pattern.flags, "text": text})
    if answer is None:
        raise TimeoutError(f"/{pattern.pattern}/ took longer than {LIMIT_SECONDS:g} seconds")
    return bool(answer.get("value"))


class _Worker:
    """One process and the pipe to it."""

    def __init__(self) -> None:
        command = [sys.executable, "-P", "-c", f"from {WORKER} import main; main()"]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env={"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )
        self._read(time.monotonic() + START_SECONDS)  # it says that it is ready

    def ask(self, request: Json) -> Json | None:
        """The answer; None when there is none in time or the process has died of it."""
        assert self.process.stdin is not None
        data = json.dumps({**request, "seconds": LIMIT_SECONDS}).encode()
        try:
            self.process.stdin.write(struct.pack(">I", len(data)) + data)
            self.process.stdin.flush()
            return self._read(time.monotonic() + LIMIT_SECONDS)
        except OSError:
            return None

    def _read(self, deadline: float) -> Json | None:
        head = self._bytes(4, deadline)
        body = None if head is None else self._bytes(struct.unpack(">I", head)[0], deadline)
        if body is None:
            return None
        answer: Json = json.loads(body)
        return answer

    def _bytes(self, count: int, deadline: float) -> bytes | None:
        assert self.process.stdout is not None
        parts = bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while len(parts) < count:
                left = deadline - time.monotonic()
                if left <= 0 or not selector.select(left):
                    return None
                part = os.read(self.process.stdout.fileno(), count - len(parts))
                if not part:
                    return None
                parts += part
        return bytes(parts)

    def stop(self) -> None:
        self.process.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
        self.process.wait()


class Workers:
    """At most `MAX_WORKERS` processes, started when one is needed and kept for the next call."""

    def __init__(self) -> None:
        self._free: list[_Worker] = []
        self._turns = threading.BoundedSemaphore(MAX_WORKERS)
        self._lock = threading.Lock()

    def ask(self, request: Json) -> Json | None:
        """What a worker answers; None where it had to be killed."""
        with self._turns:
            with self._lock:
                worker = self._free.pop() if self._free else None
            if worker is not None and worker.process.poll() is not None:
                worker.stop()
                worker = None
            worker = worker or _Worker()
            answer = None
            try:
                answer = worker.ask(request)
            finally:
                if answer is None:
                    worker.stop()
                else:
                    with self._lock:
                        self._free.append(worker)
            return answer

    def stop(self) -> None:
        """Ends the processes that have nothing to do."""
        with self._lock:
            free, self._free = self._free, []
        for worker in free:
            worker.stop()


WORKERS = Workers()
atexit.register(WORKERS.stop)

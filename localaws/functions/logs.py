"""Log lines to CloudWatch Logs, from a thread of its own so that nothing waits for them."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from dataclasses import dataclass

from botocore.exceptions import ClientError

from localaws.core.aws import LocalAws
from localaws.identity.caller import Caller

logger = logging.getLogger(__name__)

MAXIMUM_BATCH = 1000  # PutLogEvents takes 10,000 events or 1 MB
GATHER_SECONDS = 0.2
MAXIMUM_LINE = 200_000  # characters; an event may have 256 KB


@dataclass(frozen=True)
class Lines:
    """Lines for one log stream, all of the same time (milliseconds since the epoch)."""

    group: str
    stream: str
    time_ms: int
    lines: list[str]
    caller: Caller


class LogShipper:
    """Writes lines to log groups, making group and stream when they are missing.

    Losing log lines must not fail the work they tell of, so a fault here is logged once and the
    lines remain in the files that the caller keeps.
    """

    def __init__(self, aws: LocalAws) -> None:
        self._aws = aws
        self._queue: queue.SimpleQueue[Lines | threading.Event] = queue.SimpleQueue()
        self._known: set[tuple[str, str]] = set()
        self._complained = False
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def send(self, caller: Caller, group: str, stream: str, lines: list[str]) -> None:
        """Queues the lines, stamped with the time of this call; `caller` will write them."""
        if not lines:
            return
        time_ms = int(self._aws.clock.now().timestamp() * 1000)
        self._queue.put(Lines(group, stream, time_ms, lines, caller))
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="log-shipper", daemon=True)
                self._thread.start()

    def flush(self, timeout_seconds: float = 5.0) -> None:
        """Waits until everything queued so far is written."""
        if self._thread is None:
            return
        done = threading.Event()
        self._queue.put(done)
        done.wait(timeout_seconds)

    def _run(self) -> None:
        while True:
            waiting: list[threading.Event] = []
            streams: dict[tuple[str, str], list[Lines]] = {}
            self._take(self._queue.get(), streams, waiting)
            if not waiting:
                # One write for what comes at once: each costs milliseconds of everyone's time.
                time.sleep(GATHER_SECONDS)
            while not self._queue.empty():
                self._take(self._queue.get(), streams, waiting)
            for items in streams.values():
                try:
                    self._write(items)
                except Exception as problem:
                    if not self._complained:
                        self._complained = True
                        logger.warning("No log lines in CloudWatch Logs: %s", problem)
            for done in waiting:
                done.set()

    @staticmethod
    def _take(
        item: Lines | threading.Event,
        streams: dict[tuple[str, str], list[Lines]],
        waiting: list[threading.Event],
    ) -> None:
        if isinstance(item, threading.Event):
            waiting.append(item)
        else:
            streams.setdefault((item.group, item.stream), []).append(item)

    def _write(self, items: list[Lines]) -> None:
        """Lines of one stream, in their order."""
        client = self._aws.acting(items[0].caller).client("logs")
        group, stream = items[0].group, items[0].stream
        if (group, stream) not in self._known:
            with contextlib.suppress(client.exceptions.ResourceAlreadyExistsException):
                client.create_log_group(logGroupName=group)
            with contextlib.suppress(client.exceptions.ResourceAlreadyExistsException):
                client.create_log_stream(logGroupName=group, logStreamName=stream)
            self._known.add((group, stream))
        events = [
            {"timestamp": item.time_ms, "message": line[:MAXIMUM_LINE] or " "}
            for item in items
            for line in item.lines
        ]
        for start in range(0, len(events), MAXIMUM_BATCH):
            try:
                client.put_log_events(
                    logGroupName=group,
                    logStreamName=stream,
                    logEvents=events[start : start + MAXIMUM_BATCH],
                )
            except ClientError:
                # Someone deleted the group meanwhile: make it again at the next lines.
                self._known.discard((group, stream))
                raise

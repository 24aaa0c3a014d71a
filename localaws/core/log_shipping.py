"""Log events to CloudWatch Logs, from a thread of its own so that nothing waits for them.

Delivery is best effort, as on AWS: what was not written yet when the process died is missing in the
log group. The record is elsewhere: the files of a run, the history of an execution.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from localaws.core.clock import Clock
from localaws.identity.caller import Caller
from localaws.shapes import Json

Event = tuple[int, str]  # milliseconds since 1970, message

GATHER_SECONDS = 0.2
# docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html: 10,000
# events and 1 MiB, with 26 bytes for each event.
MOST_EVENTS = 5_000
MOST_BYTES = 1_000_000
EVENT_BYTES = 26
LONGEST_MESSAGE = 250_000  # bytes; an event may have 256 KiB

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Parcel:
    """Events of one stream; `events` is read on the shipper's thread."""

    caller: Caller
    group: str
    stream: str
    events: Iterable[Event]
    makes_group: bool


class LogShipper:
    """Writes events to log streams in a caller's name, making the stream, and the group if told to.

    A fault is told once per group: a log group that is gone must not stop the work.
    """

    def __init__(self, client: Callable[[Caller], Any], clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._queue: queue.SimpleQueue[_Parcel | threading.Event | None] = queue.SimpleQueue()
        self._known: set[tuple[str, str]] = set()
        self._complained: set[str] = set()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def send(self, caller: Caller, group: str, stream: str, lines: Sequence[str]) -> None:
        """Queues lines, stamped with the time of this call; makes group and stream."""
        if lines:
            now_ms = int(self._clock.now().timestamp() * 1000)
            self._put(_Parcel(caller, group, stream, [(now_ms, line) for line in lines], True))

    def send_events(self, caller: Caller, group: str, stream: str, events: Iterable[Event]) -> None:
        """Queues events for a group that is there. An iterator is run by the shipper."""
        self._put(_Parcel(caller, group, stream, events, False))

    def flush(self, timeout_seconds: float = 5.0) -> None:
        """Waits until everything queued so far is written."""
        if self._thread is not None:
            written = threading.Event()
            self._queue.put(written)
            written.wait(timeout_seconds)

    def stop(self) -> None:
        """Writes what there is and ends the thread."""
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            self._queue.put(None)
            thread.join(5)

    def _put(self, parcel: _Parcel) -> None:
        self._queue.put(parcel)
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="log-shipper", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        stopping = False
        while not stopping:
            items = [self._queue.get()]
            if isinstance(items[0], _Parcel):
                # One write for what comes at once: each costs milliseconds of everyone's time.
                self._clock.sleep(GATHER_SECONDS)
            while not self._queue.empty():
                items.append(self._queue.get())
            streams: dict[tuple[str, str], list[_Parcel]] = {}
            for item in items:
                if isinstance(item, _Parcel):
                    streams.setdefault((item.group, item.stream), []).append(item)
            for parcels in streams.values():
                self._write(parcels)
            for item in items:
                if isinstance(item, threading.Event):
                    item.set()
            stopping = None in items

    def _write(self, parcels: list[_Parcel]) -> None:
        """Parcels of one stream, in the order of time, which PutLogEvents wants."""
        group, stream = parcels[0].group, parcels[0].stream
        try:
            client = self._client(parcels[0].caller)
            events = [event for parcel in parcels for event in parcel.events]
            events.sort(key=lambda event: event[0])
            if events:
                self._make(client, group, stream, any(parcel.makes_group for parcel in parcels))
            for batch in batches(events):
                client.put_log_events(logGroupName=group, logStreamName=stream, logEvents=batch)
        except Exception as error:
            self._known.discard((group, stream))
            if group not in self._complained:
                self._complained.add(group)
                logger.warning("No log events in %s: %s", group, error)

    def _make(self, client: Any, group: str, stream: str, makes_group: bool) -> None:
        if (group, stream) in self._known:
            return
        known = client.exceptions.ResourceAlreadyExistsException
        try:
            with contextlib.suppress(known):
                client.create_log_stream(logGroupName=group, logStreamName=stream)
        except client.exceptions.ResourceNotFoundException:
            if not makes_group:
                raise
            with contextlib.suppress(known):
                client.create_log_group(logGroupName=group)
            with contextlib.suppress(known):
                client.create_log_stream(logGroupName=group, logStreamName=stream)
        self._known.add((group, stream))


def batches(events: Iterable[Event]) -> list[list[Json]]:
    """The events as calls of PutLogEvents take them; a longer message is cut, none is empty."""
    calls: list[list[Json]] = []
    size = 0
    for time_ms, message in events:
        data = message.encode()[:LONGEST_MESSAGE]
        entry = {"timestamp": time_ms, "message": data.decode(errors="ignore") or " "}
        more = len(data) + EVENT_BYTES
        if not calls or size + more > MOST_BYTES or len(calls[-1]) >= MOST_EVENTS:
            calls.append([])
            size = 0
        calls[-1].append(entry)
        size += more
    return calls

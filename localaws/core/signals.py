"""In-process news between services, so that nobody has to poll."""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Callable
from typing import Any

Listener = Callable[[dict[str, Any]], None]

EVENTS = "events"  # payload: a whole EventBridge event
JOB_ENDED = "job-ended"  # payload: {"service": "glue", "id": run id}, sent after the end is stored

logger = logging.getLogger(__name__)


class Signals:
    """Publish and subscribe by topic. Listeners run on the publisher's thread and must be quick."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: dict[str, list[Listener]] = defaultdict(list)

    def subscribe(self, topic: str, listener: Listener) -> Callable[[], None]:
        """Calls `listener` at each publication; the result unsubscribes it."""
        with self._lock:
            self._listeners[topic].append(listener)

        def unsubscribe() -> None:
            with self._lock:
                if listener in self._listeners[topic]:
                    self._listeners[topic].remove(listener)

        return unsubscribe

    def publish(self, topic: str, payload: dict[str, Any]) -> None:
        with self._lock:
            listeners = list(self._listeners[topic])
        for listener in listeners:
            try:
                listener(payload)
            except Exception:  # one listener's fault must not undo the work that was announced
                logger.exception("A listener of %s failed", topic)

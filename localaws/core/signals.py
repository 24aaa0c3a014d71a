"""In-process news between services, so that nobody has to poll, and EventBridge's events."""

from __future__ import annotations

import logging
import threading
import uuid
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from localaws.shapes import Json

Signal = TypeVar("Signal")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class JobEnded:
    """A job's end is stored. `service` as in botocore, but "states" and "glue-crawler"."""

    service: str
    id: str


@dataclass(frozen=True)
class EventSent:
    """An event for EventBridge's default bus."""

    event: Json


def event(
    source: str,
    detail_type: str,
    detail: Json,
    *,
    account: str,
    region: str,
    time: datetime,
    resources: Sequence[str] = (),
) -> Json:
    """An event as EventBridge delivers it.

    https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html
    """
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": detail_type,
        "source": source,
        "account": account,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": region,
        "resources": list(resources),
        "detail": detail,
    }


class Signals:
    """Publish and subscribe by the signal's class, on the publisher's thread: be quick."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: dict[type, list[Callable[[Any], None]]] = defaultdict(list)

    def subscribe(
        self, kind: type[Signal], listener: Callable[[Signal], None]
    ) -> Callable[[], None]:
        """Calls `listener` at each publication; the result unsubscribes it."""
        with self._lock:
            self._listeners[kind].append(listener)

        def unsubscribe() -> None:
            with self._lock:
                if listener in self._listeners[kind]:
                    self._listeners[kind].remove(listener)

        return unsubscribe

    def publish(self, signal: object) -> None:
        with self._lock:
            listeners = list(self._listeners[type(signal)])
        for listener in listeners:
            try:
                listener(signal)
            except Exception:  # one listener's fault must not undo the work that was announced
                logger.exception("A listener of %s failed", type(signal).__name__)

"""A thread that is there only while there is work."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

logger = logging.getLogger(__name__)


class OnDemand:
    """Calls `work` on a thread of its own, again as long as it answers that there is more, or it
    was called for meanwhile. `work` waits as long as it wants, but not longer than the server."""

    def __init__(self, name: str, work: Callable[[], bool]) -> None:
        self._name = name
        self._work = work
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._called = False

    def call(self) -> None:
        """There is work: `work` begins after this, be it once more."""
        with self._lock:
            self._called = True
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Waits until the work that was called for is done."""
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join(5)

    def _run(self) -> None:
        while True:
            with self._lock:
                self._called = False
            try:
                more = self._work()
            except Exception:
                logger.exception("The thread of %s could not do its work", self._name)
                more = False
            with self._lock:
                if not more and not self._called:
                    self._thread = None
                    return

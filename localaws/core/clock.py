"""The time, injectable; waits can be scaled."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime


class Clock:
    """Wall-clock time. `wait_scale` multiplies waits of workflows: 0 skips them, 1 is real time."""

    def __init__(self, wait_scale: float = 1.0) -> None:
        if not 0 <= wait_scale <= 1:
            raise ValueError(f"wait_scale is {wait_scale}; it must be 0 (skip waits) to 1 (real).")
        self.wait_scale = wait_scale

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float, cancel: threading.Event | None = None) -> bool:
        """Sleeps unscaled seconds; True when `cancel` was set before they were over."""
        if cancel is None:
            time.sleep(max(0.0, seconds))
            return False
        return cancel.wait(max(0.0, seconds))


def machine_time() -> float:
    """Seconds since 1970 of the machine itself, which stamps files and is read by children.

    For comparisons with those only; everything else asks the clock it was given.
    """
    return time.time()

"""Token buckets, one for each route of a stage."""

from __future__ import annotations

import threading
from collections.abc import Callable

from localaws.shapes import Json

# The account's limits, for a setting that only names one of the two
# (docs.aws.amazon.com/apigateway/latest/developerguide/limits.html).
ACCOUNT_RATE = 10_000.0
ACCOUNT_BURST = 5_000


class Throttle:
    """`ThrottlingBurstLimit` requests at once, `ThrottlingRateLimit` a second in the long run."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._buckets: dict[tuple[str, ...], tuple[float, float]] = {}  # tokens, when

    def admits(self, key: tuple[str, ...], settings: Json) -> bool:
        """Whether one more request may pass now."""
        if "ThrottlingBurstLimit" not in settings and "ThrottlingRateLimit" not in settings:
            return True
        rate = float(settings.get("ThrottlingRateLimit", ACCOUNT_RATE))
        burst = float(settings.get("ThrottlingBurstLimit", ACCOUNT_BURST))
        with self._lock:
            now = self._monotonic()
            tokens, before = self._buckets.get(key, (burst, now))
            tokens = min(burst, tokens + (now - before) * rate)
            passes = tokens >= 1
            self._buckets[key] = (tokens - 1 if passes else tokens, now)
            return passes

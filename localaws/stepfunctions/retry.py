"""Retriers and catchers: which one takes a failure, and how long to wait.

https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html#error-handling-retrying-after-an-error
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from localaws.stepfunctions.errors import StateError, matches

INTERVAL_SECONDS = 1
MAX_ATTEMPTS = 3
BACKOFF_RATE = 2.0

Block = dict[str, Any]


def retrier_for(retriers: Sequence[Block], used: Sequence[int], failure: StateError) -> int | None:
    """The index of the retrier that tries again, or None.

    The first retrier that names the error decides; when its attempts are used up, none does.
    """
    for index, retrier in enumerate(retriers):
        if matches(retrier["ErrorEquals"], failure):
            allowed = retrier.get("MaxAttempts", MAX_ATTEMPTS)
            return index if used[index] < allowed else None
    return None


def delay_seconds(
    retrier: Block, used: int, uniform: Callable[[float, float], float] = random.uniform
) -> float:
    """Seconds before the next attempt, after `used` earlier retries of this retrier."""
    interval = retrier.get("IntervalSeconds", INTERVAL_SECONDS)
    rate = retrier.get("BackoffRate", BACKOFF_RATE)
    longest = float(retrier.get("MaxDelaySeconds", 31_622_400))
    try:
        delay = min(interval * rate**used, longest)
    except OverflowError:
        delay = longest
    return uniform(0, delay) if retrier.get("JitterStrategy") == "FULL" else delay


def catcher_for(catchers: Sequence[Block], failure: StateError) -> Block | None:
    return next((block for block in catchers if matches(block["ErrorEquals"], failure)), None)

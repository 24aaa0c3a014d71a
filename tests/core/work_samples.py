"""Work for workers: what well-behaved and other code does."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from typing import Any

from localaws.core.jobs.failures import WorkFailed
from localaws.core.jobs.limits import Limits


def echo(value: Any, limits: Limits) -> Any:
    print("what a library prints is no answer")
    return {"value": value, "pid": os.getpid(), "memory_bytes": limits.memory_bytes}


def fail(value: Any, _: Limits) -> None:
    raise WorkFailed("BAD_INPUT", f"{value} is bad")


def break_down(_: Any, __: Limits) -> None:
    raise KeyError("a fault of ours")


def die(number: int, _: Limits) -> None:
    os.kill(os.getpid(), number)
    time.sleep(10)


def eat(megabytes: int, _: Limits) -> int:
    """Takes memory piece by piece, as an engine that has no limit of its own."""
    held = [os.urandom(1) * (1 << 20) for _ in range(megabytes)]
    return len(held)


def eat_and_die(value: list[int], limits: Limits) -> None:
    held = [os.urandom(1) * (1 << 20) for _ in range(value[0])]
    time.sleep(0.3)  # until somebody has looked
    die(value[1], limits)
    del held


def eat_at_once(megabytes: int, _: Limits) -> int:
    return len(bytearray(megabytes << 20))


def sleep(_: Any, __: Limits) -> None:
    time.sleep(60)


def sleep_deaf(_: Any, __: Limits) -> None:
    """In foreign code that heeds no signal."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ctypes.CDLL(None).sleep(60)


def compute(_: Any, __: Limits) -> None:
    while True:
        pass

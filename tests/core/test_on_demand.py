"""A thread that is there only while there is work."""

from __future__ import annotations

import threading

from localaws.core.on_demand import OnDemand
from tests.threads import on_threads


def threads(name: str) -> int:
    return sum(thread.name == name for thread in threading.enumerate())


def test_no_call_is_lost_and_no_two_work_at_once() -> None:
    lock, working, waiting, done = threading.Lock(), threading.Lock(), [0], [0]

    def work() -> bool:
        assert working.acquire(blocking=False), "two at once"
        with lock:
            taken, waiting[0] = waiting[0], 0
        done[0] += taken
        working.release()
        return False

    thread = OnDemand("on demand", work)

    def call(_: int) -> None:
        for _ in range(2000):
            with lock:
                waiting[0] += 1
            thread.call()

    on_threads(4, call)
    thread.stop()
    assert (done, waiting) == ([8000], [0])
    assert threads("on demand") == 0


def test_it_works_on_as_long_as_there_is_more_and_after_an_error() -> None:
    left = [3]

    def work() -> bool:
        left[0] -= 1
        if left[0] == 1:
            raise RuntimeError("once")
        return left[0] > 0

    thread = OnDemand("on demand", work)
    thread.call()
    thread.stop()
    assert (left, threads("on demand")) == ([1], 0)  # the error ended it
    thread.call()
    thread.stop()
    assert left == [0]

"""Work on several threads at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

LONGEST_SECONDS = 120


def on_threads(count: int, work: Callable[[int], None]) -> None:
    """Runs `work(number)` on that many threads at once; raises what one of them raised.

    Threads that wait for one another for ever fail the test, and do not keep it from ending.
    """
    gate = threading.Barrier(count)
    faults: list[BaseException] = []

    def run(number: int) -> None:
        try:
            gate.wait()
            work(number)
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(count)]
    for thread in threads:
        thread.start()
    end = time.monotonic() + LONGEST_SECONDS
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
        assert not thread.is_alive(), "the threads wait for one another"
    if faults:
        raise faults[0]

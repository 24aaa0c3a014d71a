"""Work on several threads at once."""

from __future__ import annotations

import threading
from collections.abc import Callable


def on_threads(count: int, work: Callable[[int], None]) -> None:
    """Runs `work(number)` on that many threads at once; raises what one of them raised."""
    gate = threading.Barrier(count)
    faults: list[BaseException] = []

    def run(number: int) -> None:
        try:
            gate.wait()
            work(number)
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]

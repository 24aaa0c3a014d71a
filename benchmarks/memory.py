"""The memory of a process with everything it started, looked at many times a second."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

PAUSE_SECONDS = 0.1
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass
class Sampler:
    """Resident bytes of the process `pid` and all its descendants, by time. Pages that several
    processes share count for each of them."""

    pid: int
    samples: list[tuple[float, int]] = field(default_factory=list)
    _done: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Sampler:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._done.wait(PAUSE_SECONDS):
            self.samples.append((time.time(), tree_bytes(self.pid)))

    def peak(self, begin: float = 0.0, end: float = float("inf")) -> int:
        """The most bytes between two times; of the nearest sample when there is none between."""
        inside = [size for at, size in self.samples if begin <= at <= end]
        if inside or not self.samples:
            return max(inside, default=0)
        return min(self.samples, key=lambda sample: abs(sample[0] - begin))[1]


def tree_bytes(root: int) -> int:
    """Resident bytes of a process and its descendants now."""
    children: dict[int, list[int]] = {}
    pages: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            pages[int(folder.name)] = int((folder / "statm").read_text().split()[1])
        except (OSError, IndexError, ValueError):
            continue
        children.setdefault(parent, []).append(int(folder.name))
    total, waiting = 0, [root]
    while waiting:
        pid = waiting.pop()
        total += pages.get(pid, 0) * PAGE_BYTES
        waiting += children.get(pid, [])
    return total

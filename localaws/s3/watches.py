"""Which changes in the buckets' folders were calls: all others are the work of engines there."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from localaws.core.object_store import Called, State


class Watches:
    """A call notes what it is about to make of a file, so that nobody sees the file before."""

    def __init__(self) -> None:
        self._open: list[Called] = []

    @contextlib.contextmanager
    def opened(self) -> Iterator[Called]:
        seen: Called = {}
        self._open.append(seen)
        try:
            yield seen
        finally:
            self._open = [each for each in self._open if each is not seen]

    def note(self, path: Path, state: State) -> None:
        for seen in self._open:
            seen.setdefault(path, set()).add(state)

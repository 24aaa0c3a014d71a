"""Gives the memory of request bodies back to the system."""

from __future__ import annotations

import ctypes
import gc
import sys

_MMAP_THRESHOLD = -3  # M_MMAP_THRESHOLD of glibc's malloc.h
_LARGE = 1 << 20


def return_large_blocks() -> None:
    """Makes glibc map blocks of 1 MiB and more by themselves, so that they go when they are freed.

    Without it, glibc raises that limit as it sees large blocks, and parts of uploads (8 MiB on
    ten threads) leave hundreds of MB in the arenas of threads. Elsewhere than on Linux: nothing.
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _LARGE)


class Bodies:
    """Counts the bytes of request bodies and collects them in time.

    werkzeug's request and its environment refer to each other, so a body of 8 MiB is freed by
    the garbage collector only, which counts objects and not bytes.
    """

    def __init__(self, most: int = 64 << 20) -> None:
        self._most = most
        self._seen = 0

    def took(self, count: int) -> None:
        self._seen += count
        if self._seen >= self._most:
            self._seen = 0
            gc.collect()

"""Gives the memory of request bodies back to the system."""

from __future__ import annotations

import ctypes
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

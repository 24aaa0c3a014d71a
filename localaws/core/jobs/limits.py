"""How much of the machine one worker may have."""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
from dataclasses import dataclass
from pathlib import Path

MEMORY_SHARE = 0.2  # of the machine's memory, for one job; two of a kind are at work at once
LEAST_MEMORY = 512 << 20
ENGINE_SHARE = 0.7  # of a job's memory, for the engine; the rest is Python's, and what it misses
ADDRESS_SHARE = 2.0  # of a job's memory, as address space: allocators take more than they use
CHILD_SHARE = 0.4  # of the machine's memory, for any other process
LEAST_CHILD_BYTES = 4 << 30  # Spark's Java machine has a heap of 2 GB
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30}


@dataclass(frozen=True)
class Limits:
    """`memory_bytes` is of one worker; `threads` are of its engine."""

    memory_bytes: int
    threads: int

    @property
    def engine_bytes(self) -> int:
        """What the engine in it may use before it works on disk."""
        return int(self.memory_bytes * ENGINE_SHARE)


def default() -> Limits:
    memory = max(LEAST_MEMORY, int(machine_bytes() * MEMORY_SHARE))
    return Limits(memory, max(1, min(2, os.cpu_count() or 1)))


def memory(text: str) -> int:
    """Bytes of `1.5GB` or `800MiB`. Raises ValueError for what is no such text or too little."""
    for unit, size in UNITS.items():
        if text.upper().endswith(unit):
            found = int(float(text[: -len(unit)]) * size)
            if found < LEAST_MEMORY:
                break
            return found
    raise ValueError(f"{text!r} is no amount of memory: give at least 512MiB, such as 2GB.")


def contain(pid: int) -> None:
    """Bounds a child that runs what users wrote: functions, scripts, training, endpoints.

    Each process of it has at most a share of the machine's memory; what wants more is refused it
    (MemoryError in Python). If the machine runs out all the same, it goes before the server. A
    machine that is no Linux knows neither.
    """
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/oom_score_adj").write_text("1000")
    if hasattr(resource, "prlimit"):
        bound = max(LEAST_CHILD_BYTES, int(machine_bytes() * CHILD_SHARE))
        with contextlib.suppress(ValueError, OSError):  # it has ended
            resource.prlimit(pid, resource.RLIMIT_DATA, (bound, bound))


def machine_bytes() -> int:
    return PAGE_BYTES * os.sysconf("SC_PHYS_PAGES")


def apply(limits: Limits) -> None:
    """Bounds this process. The server watches what it really uses, and ends it beyond that."""
    bound = int(limits.memory_bytes * ADDRESS_SHARE)
    with contextlib.suppress(ValueError, OSError):  # macOS knows the limit and does not heed it
        resource.setrlimit(resource.RLIMIT_DATA, (bound, bound))
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def limit_processor(seconds: float) -> None:
    """From now on this process may compute so long; beyond that the system ends it."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    bound = int(used.ru_utime + used.ru_stime + seconds) + 1
    if most == resource.RLIM_INFINITY or bound <= most:
        resource.setrlimit(resource.RLIMIT_CPU, (bound, most))


def resident_bytes(pid: int) -> int:
    """The memory that a process has now; 0 when it is gone."""
    try:
        if Path("/proc/self/statm").exists():
            return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES
        command = ["ps", "-o", "rss=", "-p", str(pid)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=5)
        return int(done.stdout) << 10
    except (OSError, ValueError, IndexError, subprocess.TimeoutExpired):
        return 0


def killed_for_memory() -> int:
    """How many processes Linux has killed since its start because memory had run out; 0 where it
    does not say."""
    try:
        lines = Path("/proc/vmstat").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("oom_kill ")).split()[1])
    except (OSError, StopIteration):
        return 0


def peak_bytes() -> int:
    """The most memory that this process has had."""
    try:
        # Not getrusage: on Linux its maximum includes the parent's, from before the exec.
        lines = Path("/proc/self/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM:")).split()[1]) << 10
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS

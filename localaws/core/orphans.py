"""No process outlives its owner: children carry a mark, and a guard watches over the owner.

Every child of a server has `LOCALAWS_OWNER=<home>.<server>` in its environment, and so has
whatever it starts, in its own process group or not. Processes are told by that mark and never by
an id alone, which may belong to a stranger by now.

The guard is this file run as a script. It holds the reading end of a pipe from the server; when
the pipe closes, however the server ended, it kills every process with that server's mark.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path

VARIABLE = "LOCALAWS_OWNER"
QUIET_LOOKS = 3  # a process that was just being started shows its mark a moment later
LOOK_SECONDS = 0.05
LONGEST_SECONDS = 10.0
IN_ORDER = b"1"


def home_mark(home: Path) -> str:
    """What the marks of all servers of a home begin with."""
    return hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:20]


def new_mark(home: Path) -> str:
    """The mark of one server's children."""
    return f"{home_mark(home)}.{secrets.token_hex(8)}"


def marked(mark: str) -> list[int]:
    """The processes of this user that carry `mark` or, with a home's mark, one of the home's."""
    pattern = re.compile(
        rb"(?:^|[\0 ])" + f"{VARIABLE}={re.escape(mark)}".encode() + rb"(?:[\0 .]|$)"
    )
    return [
        pid
        for pid, environment in _environments()
        if pid != os.getpid() and pattern.search(environment)
    ]


def _environments() -> list[tuple[int, bytes]]:
    if not Path("/proc/self/environ").exists():
        return _environments_by_ps()
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):  # another user's, or gone
                found.append((int(folder.name), (folder / "environ").read_bytes()))
    return found


def _environments_by_ps() -> list[tuple[int, bytes]]:
    """macOS and other BSDs: `-E` adds the environment to the command of one's own processes."""
    option = "-axEww" if sys.platform == "darwin" else "axeww"
    done = subprocess.run(
        ["ps", option, "-o", "pid=,command="], capture_output=True, check=False, timeout=10
    )
    lines = [line.strip().partition(b" ") for line in done.stdout.splitlines()]
    return [(int(pid), rest) for pid, _, rest in lines if pid.isdigit()]


def end(mark: str, quiet_looks: int = 1) -> None:
    """Kills the processes that carry the mark until `quiet_looks` looks have found none."""
    quiet = 0
    deadline = time.monotonic() + LONGEST_SECONDS
    while True:
        pids = [pid for pid in marked(mark) if not _ended(pid)]
        quiet = 0 if pids else quiet + 1
        if quiet == quiet_looks or time.monotonic() > deadline:
            return
        for pid in pids:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(LOOK_SECONDS)


def end_of_home(home: Path) -> None:
    """Kills what servers of the home left behind that were killed together with their guard."""
    end(home_mark(home))


def _ended(pid: int) -> bool:
    """A process that has ended keeps its id until its parent has noticed."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return False


class Guard:
    """The process that ends a server's children when the server is gone."""

    def __init__(self, mark: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__, mark],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={name: os.environ[name] for name in ("PATH",) if name in os.environ},
            cwd="/",
            start_new_session=True,  # a closed terminal does not reach it
        )

    def on_duty(self) -> bool:
        return self._process.poll() is None

    def release(self) -> None:
        """The server ends in order: the guard ends what may be left, and itself."""
        with contextlib.suppress(BrokenPipeError):
            self._process.communicate(IN_ORDER)


def main(mark: str) -> None:
    said = os.read(0, len(IN_ORDER))
    end(mark, 1 if said == IN_ORDER else QUIET_LOOKS)


if __name__ == "__main__":
    main(sys.argv[1])

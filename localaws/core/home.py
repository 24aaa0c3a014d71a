"""Where one local AWS keeps everything: a single folder."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# What a home holds; nothing else is made in it, and a reset removes nothing else.
FOLDERS = (
    "objects", "moto", "glue-runs", "training", "transforms", "endpoints", "functions",
    "crawler-logs", "athena-work", "databrew-runs", "databrew-sessions", "cache", "run", "data",
)  # fmt: skip
DATABASES = ("s3", "documents", "stepfunctions", "cloudwatch", "logs")
FILES = (
    *(f"{name}.sqlite{part}" for name in DATABASES for part in ("", "-wal", "-shm", "-journal")),
    "credentials.json", "credentials.new", "authorizations.jsonl",
    "port", "lock", "server.json", "server.log", "console.json", "console.log", "console.port",
    "sagemaker.yaml",
)  # fmt: skip
MARK = "home.json"
LOCK_WAIT_SECONDS = 0.5  # a look at the lock holds it for a moment


class NotAHome(ValueError):
    """The folder is no local AWS's, and cannot become one as it is; the message says why."""


@dataclass(frozen=True)
class Home:
    """The state folder. Deleting it is a reset; copying it is a backup. Raises NotAHome."""

    root: Path

    def __post_init__(self) -> None:
        claim(self.root)

    def directory(self, name: str) -> Path:
        """The sub-folder `name`, made when missing."""
        _check(name.partition("/")[0], FOLDERS)
        folder = self.root / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def file(self, name: str) -> Path:
        _check(name, FILES)
        return self.root / name


def _check(name: str, names: tuple[str, ...]) -> None:
    if name not in names:
        raise ValueError(f"{name!r} is not among what a home holds: {', '.join(names)}.")


def is_home(root: Path) -> bool:
    """Whether a local AWS keeps its state in the folder."""
    return (root / MARK).exists() or (root / "documents.sqlite").exists()


def claim(root: Path) -> None:
    """Makes the folder a home, if it is none yet; what is in it already stays somebody else's.

    Raises NotAHome when something there has a name that a home needs: it would be written to, and
    removed at a reset.
    """
    if not is_home(root):
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        taken = [name for name in (*FOLDERS, *FILES) if (root / name).exists()]
        if taken and not is_home(root):  # or another process has just made it one
            raise NotAHome(
                f"{root} holds {', '.join(taken)}, which no local AWS made; give a folder of its"
                " own with --home."
            )
    if not (root / MARK).exists():
        with contextlib.suppress(PermissionError):
            root.chmod(0o700)  # keys and data are the owner's alone
        write_whole(root / MARK, json.dumps({"format": 1}) + "\n")
    for name in FOLDERS:
        (root / name).mkdir(exist_ok=True)


def remove(root: Path) -> None:
    """Deletes what the home made, and the folder if nothing else is in it.

    Raises NotAHome for a folder that is none, BlockingIOError while a local AWS runs on it.
    """
    if not is_home(root):
        raise NotAHome(f"{root} is not the home of a local AWS; nothing was deleted.")
    with locked(root):
        for name in FOLDERS:
            path = root / name
            if path.is_symlink():
                path.unlink()  # where it leads is not the home's
            else:
                shutil.rmtree(path, ignore_errors=True)
        for name in (*FILES, MARK):  # the mark last: an interrupted reset can be repeated
            (root / name).unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        root.rmdir()


def write_whole(file: Path, text: str) -> None:
    """Writes a small file so that a reader, or a kill, finds all of it or what was before."""
    fresh = file.with_name(f".{file.name}.{os.getpid()}.{threading.get_ident()}")
    with fresh.open("w") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())  # or a power cut leaves the name with nothing in it
    fresh.replace(file)


# Who runs: whoever holds the lock, whether it answers or not; its process id stands in the file.


@contextlib.contextmanager
def locked(root: Path) -> Iterator[None]:
    """Holds the home, as one process can. Raises BlockingIOError while another does."""
    with (root / "lock").open("a+") as lock:
        deadline = time.monotonic() + LOCK_WAIT_SECONDS
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def holder(root: Path) -> int | None:
    """The id of the process that holds the home; None while nobody does."""
    try:
        lock = (root / "lock").open()
    except OSError:
        return None
    with lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                before = (root / "lock").read_text()
                time.sleep(0.01)  # whoever has just taken it may be about to write
                if before and before == (root / "lock").read_text():
                    return int(before)
            else:
                return None

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
STORES = tuple(f"{name}.sqlite" for name in DATABASES)
FILES = (
    *(f"{name}.sqlite{part}" for name in DATABASES for part in ("", "-wal", "-shm", "-journal")),
    "credentials.json", "credentials.new", "authorizations.jsonl",
    "port", "lock", "server.json", "server.log", "console.json", "console.log", "console.port",
    "sagemaker.yaml",
)  # fmt: skip
MARK = "home.json"  # {"format", "stores": what was made to be kept, by its path in the home}
LOCK_WAIT_SECONDS = 0.5  # a look at the lock holds it for a moment


class NotAHome(ValueError):
    """The folder is no local AWS's, and cannot become one as it is; the message says why."""


class LostStore(ValueError):
    """What the home has kept is not there any more; the message says what to do."""


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

    def store(self, name: str) -> Path:
        """A file in which the home keeps something for good, by its path in the home.

        Raises LostStore for one that was there once and is gone or empty: nobody begins anew with
        nothing, and overwrites what may be brought back, without a word.
        """
        path = self.root / name
        if not _bytes(path) and name in _stores(self.root):
            state = "is empty" if path.exists() else "is gone"
            raise LostStore(
                f"{path} {state}, and this home had kept something in it. Put a copy from a backup"
                f' in its place, or take "{name}" out of {self.root / MARK} to go on without what'
                " it recorded; everything else in the home stays."
            )
        return path

    def keep_stores(self, *names: str) -> None:
        """Notes those that are there, so that their loss is told."""
        there = [
            name for name in names if (path := self.root / name).exists() and path.stat().st_size
        ]
        known = _stores(self.root)
        if new := [name for name in there if name not in known]:
            write_whole(self.root / MARK, _mark([*known, *new]))


def _stores(root: Path) -> list[str]:
    """None in a home of before they were noted, nor where the mark is damaged."""
    try:
        return [str(name) for name in json.loads((root / MARK).read_text())["stores"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _bytes(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _mark(stores: list[str]) -> str:
    return json.dumps({"format": 1, "stores": stores}) + "\n"


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
        write_whole(root / MARK, _mark([]))
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

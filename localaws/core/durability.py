"""What was acknowledged outlives a power cut: what was written, and when it is forced to the disk.

A killed process loses nothing: what it wrote is the system's. A power cut loses what the system
had not put on the disk yet, and not in the order of the writing. So:

* Every `SETTLE_SECONDS`, and at a stop, what was written since is forced to the disk: the bytes of
  objects, their folders, then the databases that tell of them.
* A file that takes another's place (the records of the services kept by moto) is on the disk
  before it does: a power cut leaves the old one or the new one, whole.
* The same is done before an execution is told to have ended: what it did is there.
* After a power cut, objects that the index tells of and whose bytes did not get there are found
  (`newest` gives those that can be) and taken out: nothing answers with torn bytes.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from localaws.documents import Documents

logger = logging.getLogger(__name__)

SETTLE_SECONDS = 2.0
DOUBT_SECONDS = 600.0  # how long before the last one a write may not have been settled
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")  # another one after each start of the machine
KIND, KEY = "durability", "started"

Sync = Callable[[Path], None]


def sync(path: Path) -> None:
    """Forces a file's bytes, or a folder's names, to the disk; one that is gone needs nothing."""
    with contextlib.suppress(FileNotFoundError):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


class Durability:
    """Of one home. `on`: False leaves everything to the system (homes of tests)."""

    def __init__(self, documents: Documents, *, on: bool, force: Sync | None = None) -> None:
        self._documents = documents
        self._on = on
        self._sync = force or sync
        self._written: dict[Path, Path] = {}  # file: the folder at which its folders begin
        self._lock = threading.Lock()
        self._settling = threading.Lock()
        self._databases: list[Path] = []
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self.power_was_cut = self._begin()

    def _begin(self) -> bool:
        """Whether the machine was started anew since a server of this home began and never ended;
        False where the system does not say."""
        boot = BOOT_ID.read_text().strip() if BOOT_ID.exists() else ""
        before = self._documents.get(KIND, KEY) or {}
        self._documents.put(KIND, KEY, {"boot": boot})
        return bool(boot and before.get("boot") and before["boot"] != boot)

    def keep(self, database: Path) -> None:
        """A SQLite file that tells of what was written: forced to the disk after it."""
        self._databases.append(database)

    def wrote(self, file: Path, root: Path) -> None:
        """A file whose bytes are to be kept, with its folders below `root`."""
        if self._on:
            with self._lock:
                self._written[file] = root

    def replace(self, fresh: Path, file: Path) -> None:
        """Gives `fresh` the name of `file`, beside it, once its bytes are on the disk."""
        if self._on:
            self._sync(fresh)
        fresh.replace(file)
        self.wrote(file, file.parent)

    def settle(self) -> None:
        """Returns when everything written before is on the disk. Raises OSError."""
        if not self._on:
            return
        with self._settling:
            with self._lock:
                written, self._written = self._written, {}
            try:
                for file in written:
                    self._sync(file)
                for folder in _folders(written.items()):
                    self._sync(folder)
                for database in self._databases:
                    self._sync(database.with_name(f"{database.name}-wal"))
            except OSError:
                with self._lock:
                    self._written = written | self._written
                raise

    def start(self) -> None:
        """Settles from time to time, until `stop`."""
        if self._on:
            self._thread = threading.Thread(target=self._run, name="durability", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Settles a last time."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
        self._documents.delete(KIND, KEY)
        self.settle()

    def _run(self) -> None:
        while not self._ended.wait(SETTLE_SECONDS):
            if self._written:
                try:
                    self.settle()
                except OSError as error:  # a full or failing disk; the next time may do
                    logger.warning("What was written is not on the disk yet: %s", error)


def _folders(written: Iterable[tuple[Path, Path]]) -> list[Path]:
    """The folders from each file up to its root, the innermost first."""
    folders: dict[Path, None] = {}
    for file, root in written:
        for folder in file.parents:
            folders[folder] = None
            if folder == root:
                break
    return sorted(folders, key=lambda folder: -len(folder.parts))

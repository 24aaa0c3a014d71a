"""Looks into the buckets' folders for files that other programs put there."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from localaws.core.clock import machine_time
from localaws.s3.names import is_object_key, is_plain

SETTLED_SECONDS = 2.0  # coarsest step of file times: a younger time can hide a change
Take = Callable[[str, str, set[str]], bool]


@dataclass(frozen=True)
class _Look:
    mtime_ns: int
    folders: tuple[str, ...]


class BucketFolders:
    """Reads a folder only if its modification time is another one than at the last look.

    The time of a folder moves when a name in it appears or goes, not when a file is rewritten.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._looks: dict[Path, _Look] = {}

    def look(self, bucket: str, prefix: str, take: Take) -> None:
        """Calls `take(bucket, folder, names)` for each changed folder that can hold the prefix.

        `folder` is "" or ends in a slash; `names` are the names of its files. False from `take`:
        it was not done with them and wants to be asked again.
        """
        start = prefix.rpartition("/")[0]
        if start and not is_plain(start):
            return
        pending = [f"{start}/" if start else ""]
        while pending:
            folder = pending.pop()
            for name in self._folders_in(bucket, folder, take):
                below = f"{folder}{name}/"
                if below.startswith(prefix) or prefix.startswith(below):
                    pending.append(below)

    def _folders_in(self, bucket: str, folder: str, take: Take) -> tuple[str, ...]:
        path = self._root / bucket / folder
        try:
            now = machine_time()
            mtime_ns = path.stat().st_mtime_ns
            last = self._looks.get(path)
            if last is not None and last.mtime_ns == mtime_ns:
                return last.folders
            files, folders = _entries(path, folder)
        except (FileNotFoundError, NotADirectoryError):
            self._looks.pop(path, None)
            return ()
        done = take(bucket, folder, files)
        if done and now - mtime_ns / 1e9 > SETTLED_SECONDS:
            self._looks[path] = _Look(mtime_ns, folders)
        else:
            self._looks.pop(path, None)
        return folders


def _entries(path: Path, folder: str) -> tuple[set[str], tuple[str, ...]]:
    """The names of a folder's files and of its folders, without what cannot be an object."""
    files, folders = set(), []
    with os.scandir(path) as entries:
        for entry in entries:
            if not is_object_key(folder + entry.name):
                continue
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.name)
            elif entry.is_file(follow_symlinks=False):
                files.add(entry.name)
    return files, tuple(folders)

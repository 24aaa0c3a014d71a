"""A home in one file: a tar, gzipped, whose first member says what it is; never with its key."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import uuid
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from localaws.core.home import DATABASES, FOLDERS, MARK, is_home, locked
from localaws.core.tar import tarfile

HEAD = "rebuy-local-aws.json"
FORMAT = 1
HEAD_BYTES = 64 << 10
# What a server makes again: scratch, caches; and what is this machine's: keys, logs of servers.
FOLDERS_KEPT = tuple(name for name in FOLDERS if name not in ("cache", "run"))
FILES_KEPT = (
    *(f"{name}.sqlite{part}" for name in DATABASES for part in ("", "-wal", "-journal")),
    *("port", MARK),
)
COMPRESSION_LEVEL = 1  # most of a lake is packed already


class NotASnapshot(ValueError):
    """The file, or the folder that it is to become, cannot be used; the message says why."""


@dataclass(frozen=True)
class Head:
    """What a file says of itself. `bytes`: of all files together, unpacked."""

    format: int
    version: str
    files: int
    bytes: int


def save(root: Path, file: Path, version: str) -> Head:
    """Writes the home, whole or not at all. Raises NotASnapshot for a folder that is no home or
    holds links, BlockingIOError while a local AWS runs on it: its state would change meanwhile."""
    if not is_home(root):
        raise NotASnapshot(f"{root} is not the home of a local AWS.")
    fresh = file.with_name(f".{file.name}.{uuid.uuid4().hex[:8]}")
    try:
        with locked(root):
            found = sorted(_files(root))
            sizes = [(root / name).stat().st_size for name in found]
            head = Head(FORMAT, version, len(found), sum(sizes))
            with tarfile.open(
                fresh, "w:gz", compresslevel=COMPRESSION_LEVEL, format=tarfile.PAX_FORMAT
            ) as tar:
                said = json.dumps(asdict(head)).encode()
                tar.addfile(_member(HEAD, len(said)), io.BytesIO(said))
                for name in found:
                    path = root / name
                    with path.open("rb") as data:
                        state = os.fstat(data.fileno())
                        tar.addfile(_member(name, state.st_size, state.st_mtime), data)
        fresh.chmod(0o600)  # the data is its owner's
        fresh.replace(file)
    finally:
        fresh.unlink(missing_ok=True)
    return head


def _files(root: Path) -> Iterator[str]:
    """The names of what is kept. Folders without a file are made again by the server: but buckets
    stand in its database."""
    yield from (name for name in FILES_KEPT if (root / name).is_file())
    for folder in FOLDERS_KEPT:
        for path in (root / folder, *(root / folder).rglob("*")):
            name = path.relative_to(root).as_posix()
            if path.is_symlink():
                raise NotASnapshot(f"{name} is a link; what it leads to is not the home's.")
            if path.is_file():
                yield name


def _member(name: str, size_bytes: int, mtime: float = 0.0) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mtime, member.mode = size_bytes, mtime, 0o600
    return member


def load(file: Path, root: Path, version: str) -> Head:
    """Makes the folder, which must be empty or not there, the home that the file holds.

    Raises NotASnapshot for a file that is none, is of another version, holds more or other than it
    says, or that does not fit on the disk; nothing is left of it then.
    """
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise NotASnapshot(f"{root} is not empty; `rebuy local reset` empties a home.")
    root.parent.mkdir(parents=True, exist_ok=True)
    fresh = root.parent / f".{root.name}.{uuid.uuid4().hex[:8]}"
    fresh.mkdir(mode=0o700)
    try:
        try:
            with tarfile.open(file, "r|gz") as tar:
                head = _head(tar, file, version)
                free = shutil.disk_usage(fresh).free
                if head.bytes > free:
                    raise NotASnapshot(
                        f"{file} unpacks to {head.bytes:,} bytes; {fresh.parent} has {free:,} free."
                    )
                _unpack(tar, fresh, head)
        except (tarfile.TarError, EOFError, zlib.error, OSError) as problem:
            raise NotASnapshot(f"{file} cannot be read: {problem}") from problem
        if not is_home(fresh):
            raise NotASnapshot(f"{file} holds no home of a local AWS.")
        with contextlib.suppress(FileNotFoundError):
            root.rmdir()
        fresh.rename(root)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return head


def _head(tar: tarfile.TarFile, file: Path, version: str) -> Head:
    member = tar.next()
    if member is None or member.name != HEAD or member.size > HEAD_BYTES:
        raise NotASnapshot(f"{file} was not made by `rebuy local save`.")
    data = tar.extractfile(member)
    assert data is not None
    try:
        said = json.loads(data.read())
        head = Head(*(said[name] for name in ("format", "version", "files", "bytes")))
    except (ValueError, KeyError, TypeError) as problem:
        raise NotASnapshot(f"{file} was not made by `rebuy local save`: {problem}") from problem
    if (head.format, head.version) != (FORMAT, version):
        raise NotASnapshot(
            f"{file} is of format {head.format} and rebuy {head.version}; this is format {FORMAT}"
            f" and rebuy {version}. Load it with the version that saved it."
        )
    return head


def _unpack(tar: tarfile.TarFile, folder: Path, head: Head) -> None:
    """Plain files below the folder, under names that a home has, as many and as large as said."""
    files = size_bytes = 0
    while (member := tar.next()) is not None:
        files, size_bytes = files + 1, size_bytes + member.size
        first, _, rest = member.name.partition("/")
        kept = first in FOLDERS_KEPT if rest else first in FILES_KEPT
        if not member.isreg() or not kept or ".." in Path(member.name).parts:
            raise NotASnapshot(f"It holds {member.name!r}, which is no file of a home.")
        if files > head.files or size_bytes > head.bytes:
            raise NotASnapshot(f"It holds more than its {head.files} files of {head.bytes} bytes.")
        tar.extract(member, folder, filter="data")
    if (files, size_bytes) != (head.files, head.bytes):
        raise NotASnapshot(f"It is cut off: {files} of {head.files} files.")

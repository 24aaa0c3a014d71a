"""The tar.gz files that SageMaker takes and makes."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from localaws.core.tar import tarfile

COMPRESSION_LEVEL = 1  # models are mostly numbers: more effort takes five times as long for 8 %
# What an archive may hold. Zeros pack a thousand times, a model or its code less than ten times.
SMALL_BYTES = 512 << 20
UNPACKED_TIMES = 20  # of an archive that is larger than that would give
MEMBERS = 50_000
HEADER_BYTES = 1 << 20  # a member's long name and extended attributes: read as one piece
PADDING_BYTES = 16 << 20  # behind the archive's end
_READ_WHOLE = (
    *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
    *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK),
)
_UNREADABLE = (tarfile.TarError, OSError, EOFError, zlib.error)


def pack(folder: Path, target: Path) -> int:
    """Packs the folder's content, members at top level; the number of files in it.

    The same files always give the same bytes: sorted, no times, no owners.
    """
    members = sorted(path for path in folder.rglob("*") if path.is_file())
    with (
        target.open("wb") as raw,
        gzip.GzipFile("", "wb", COMPRESSION_LEVEL, raw, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as archive,
    ):
        for path in members:
            member = archive.gettarinfo(str(path), path.relative_to(folder).as_posix())
            member.mtime = 0
            member.uid = member.gid = 0
            member.uname = member.gname = ""
            member.mode = 0o644
            with path.open("rb") as data:
                archive.addfile(member, data)
    return len(members)


def unpack(archive: Path, folder: Path) -> None:
    """Unpacks a tar.gz; ValueError for one that is none, that would write elsewhere, or that holds
    more than it may: told from the heads of its members, before they are unpacked."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        count = _counter(archive)

        def checked(member: tarfile.TarInfo, path: str) -> tarfile.TarInfo | None:
            count(member)
            return tarfile.data_filter(member, path)

        with tarfile.open(archive, "r:gz", tarinfo=_Member) as tar:
            tar.extractall(folder, filter=checked)
            _read_to_the_end(tar)
    except _UNREADABLE as problem:
        raise ValueError(f"{archive.name} cannot be unpacked: {problem}") from problem


def top_level(archive: Path) -> set[str]:
    """The names at the top of a tar.gz; empty for one that cannot be read or holds too much."""
    names: set[str] = set()
    try:
        count = _counter(archive)
        with tarfile.open(archive, "r:gz", tarinfo=_Member) as tar:
            for member in tar:
                count(member)
                names.add(member.name.removeprefix("./").split("/")[0])
    except (*_UNREADABLE, ValueError):
        return set()
    return names


class _Member(tarfile.TarInfo):
    """A member whose head is of bounded size: tarfile reads it into memory."""

    def _proc_member(self, tar: tarfile.TarFile) -> Any:
        if self.type in _READ_WHOLE and self.size > HEADER_BYTES:
            raise tarfile.ReadError(f"a header of {self.size} bytes; {HEADER_BYTES} are taken")
        return super()._proc_member(tar)  # type: ignore[misc]


def _read_to_the_end(tar: tarfile.TarFile) -> None:
    """gzip's checksum stands behind the archive's end, where tarfile does not look."""
    assert tar.fileobj is not None
    if len(tar.fileobj.read(PADDING_BYTES + 1)) > PADDING_BYTES:
        raise tarfile.ReadError(f"more than {PADDING_BYTES} bytes behind the archive's end")


def _counter(archive: Path) -> Callable[[tarfile.TarInfo], None]:
    """Counts the members it is called with. Raises ValueError when they are too many or large."""
    limit = max(SMALL_BYTES, archive.stat().st_size * UNPACKED_TIMES)
    members = size_bytes = 0

    def count(member: tarfile.TarInfo) -> None:
        nonlocal members, size_bytes
        members += 1
        size_bytes += member.size
        if size_bytes > limit:
            raise ValueError(f"{archive.name} would unpack to more than {limit} bytes.")
        if members > MEMBERS:
            raise ValueError(f"{archive.name} has more than {MEMBERS} members.")

    return count

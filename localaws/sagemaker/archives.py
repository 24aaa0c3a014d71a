"""The tar.gz files that SageMaker takes and makes."""

from __future__ import annotations

import gzip
import tarfile
from pathlib import Path

COMPRESSION_LEVEL = 1  # models are mostly numbers: more effort takes five times as long for 8 %


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
    """Unpacks a tar.gz; ValueError for one that is none or that would write elsewhere."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(archive, "r:gz") as tar:
            tar.extractall(folder, filter="data")
    except (tarfile.TarError, OSError, EOFError) as problem:
        raise ValueError(f"{archive.name} cannot be unpacked: {problem}") from problem


def top_level(archive: Path) -> set[str]:
    """The names at the top of a tar.gz; empty for one that cannot be read."""
    try:
        with tarfile.open(archive, "r:gz") as tar:
            return {name.removeprefix("./").split("/")[0] for name in tar.getnames()}
    except (tarfile.TarError, OSError, EOFError):
        return set()

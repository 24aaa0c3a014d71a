"""Archives that hold more than they may: refused by name before they are unpacked."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from localaws.sagemaker import archives

ZEROS = 2 << 30


def large(tar: tarfile.TarFile) -> None:
    """A member of 2 GB: its head; what follows is never read."""
    head = tarfile.TarInfo("xgboost-model")
    head.size = ZEROS
    assert tar.fileobj is not None
    tar.fileobj.write(head.tobuf())


def many(tar: tarfile.TarFile) -> None:
    for number in range(archives.MEMBERS + 1):
        tar.addfile(tarfile.TarInfo(f"d{number % 2}"))


def outside(tar: tarfile.TarFile) -> None:
    link = tarfile.TarInfo("link")
    link.type, link.linkname = tarfile.SYMTYPE, "../../outside"
    tar.addfile(link)


def head(tar: tarfile.TarFile) -> None:
    """A long name of 2 GB."""
    name = tarfile.TarInfo("././@LongLink")
    name.type, name.size = tarfile.GNUTYPE_LONGNAME, ZEROS
    assert tar.fileobj is not None
    tar.fileobj.write(name.tobuf())


@pytest.mark.parametrize(
    ("fill", "message"),
    [
        (large, "would unpack to more than"),
        (many, "more than 100 members"),
        (outside, "outside"),
        (head, "a header of 2147483648 bytes"),
    ],
)
def test_a_bomb_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fill: Callable[[tarfile.TarFile], None],
    message: str,
) -> None:
    monkeypatch.setattr(archives, "MEMBERS", 100)
    file = tmp_path / "model.tar.gz"
    with tarfile.open(file, "w:gz", compresslevel=1) as tar:
        fill(tar)
    with pytest.raises(ValueError, match=message):
        archives.unpack(file, tmp_path / "model")
    size_bytes = sum(path.stat().st_size for path in (tmp_path / "model").rglob("*"))
    assert size_bytes < 1 << 20
    archives.top_level(file)


def test_an_archive_with_one_changed_byte_is_named(tmp_path: Path) -> None:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        member = tarfile.TarInfo("a")
        member.size = 4096
        tar.addfile(member, io.BytesIO(os.urandom(4096)))
    packed = bytearray(gzip.compress(data.getvalue()))
    packed[2000] ^= 1  # inside the member: only gzip's checksum tells
    (tmp_path / "m.tar.gz").write_bytes(packed)
    with pytest.raises(ValueError, match=r"m\.tar\.gz cannot be unpacked"):
        archives.unpack(tmp_path / "m.tar.gz", tmp_path / "model")

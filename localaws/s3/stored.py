"""What the S3 store says of one object, and how file bytes are received and measured."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from localaws.s3 import checksums
from localaws.s3.index import Row

PIECE = 1 << 20
Piece = bytes  # a dataclass with a field `bytes` cannot name the type
NULL_VERSION = "null"
DEFAULT_TYPE = "binary/octet-stream"


@dataclass(frozen=True)
class StoredObject:
    """One version of one object (or a delete marker, which has no file).

    `etag` has no quotes; `version_id` is "null" where versioning was off; `properties` holds what
    came with the object, as the API spells it (ContentType, Metadata, Checksums, Tags, ...).
    """

    bucket: str
    key: str
    path: Path
    bytes: int
    etag: str
    version_id: str
    last_modified: datetime
    latest: bool = True
    marker: bool = False
    properties: dict[str, Any] = field(default_factory=dict)

    @property
    def content_type(self) -> str:
        return str(self.properties.get("ContentType", DEFAULT_TYPE))

    def stream(self, start: int = 0, length: int | None = None) -> Iterator[Piece]:
        """The bytes from `start` on, in pieces; the file is opened before the first piece."""
        return pieces(self.path.open("rb"), start, self.bytes if length is None else length)

    @property
    def part_bytes(self) -> list[int] | None:
        """The sizes of the parts that a multipart upload joined."""
        sizes: list[int] | None = self.properties.get("Parts")
        return sizes

    @staticmethod
    def of(row: Row, root: Path) -> StoredObject:
        return StoredObject(
            bucket=row["bucket"],
            key=row["key"],
            path=root / row["path"],
            bytes=row["bytes"],
            etag=row["etag"],
            version_id=row["version_id"],
            last_modified=datetime.fromtimestamp(row["modified"], UTC),
            latest=bool(row["latest"]),
            marker=bool(row["marker"]),
            properties=json.loads(row["properties"]),
        )


@dataclass(frozen=True)
class Received:
    """Bytes that are in a file of ours but no object yet. `checksums`: algorithm to base64."""

    path: Path
    bytes: int
    etag: str
    checksums: dict[str, str]


def pieces(file: BinaryIO, start: int, length: int) -> Iterator[bytes]:
    """`length` bytes of `file` from `start`, at most 1 MiB at a time; closes the file."""
    with file:
        file.seek(start)
        while length > 0:
            piece = file.read(min(PIECE, length))
            if not piece:
                return
            length -= len(piece)
            yield piece


def receive(chunks: Iterable[bytes], folder: Path, algorithms: Iterable[str] = ()) -> Received:
    """Writes the chunks to a new file in `folder`, hashing on the way."""
    path = folder / uuid.uuid4().hex
    md5 = hashlib.md5(usedforsecurity=False)
    running = {name: checksums.new(name) for name in algorithms}
    size = 0
    try:
        with path.open("xb", buffering=0) as file:
            for chunk in chunks:
                file.write(chunk)
                md5.update(chunk)
                for digest in running.values():
                    digest.update(chunk)
                size += len(chunk)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    texts = {name: checksums.text(digest.digest()) for name, digest in running.items()}
    return Received(path, size, md5.hexdigest(), texts)


def measure(path: Path, algorithms: Iterable[str] = ()) -> Received:
    """Size, MD5 and checksums of a file that is already there."""
    md5 = hashlib.md5(usedforsecurity=False)
    running = {name: checksums.new(name) for name in algorithms}
    size = 0
    for piece in pieces(path.open("rb"), 0, path.stat().st_size):
        md5.update(piece)
        for digest in running.values():
            digest.update(piece)
        size += len(piece)
    texts = {name: checksums.text(digest.digest()) for name, digest in running.items()}
    return Received(path, size, md5.hexdigest(), texts)


def etag_of(path: Path, part_bytes: list[int] | None) -> str:
    """The ETag of a file: its MD5, or that of its parts' MD5s and their number."""
    if part_bytes is None:
        return measure(path).etag
    whole = hashlib.md5(usedforsecurity=False)
    start = 0
    for length in part_bytes:
        part = hashlib.md5(usedforsecurity=False)
        for piece in pieces(path.open("rb"), start, length):
            part.update(piece)
        whole.update(part.digest())
        start += length
    return f"{whole.hexdigest()}-{len(part_bytes)}"

"""Objects in S3: their places as text, and one of them as a file."""

from __future__ import annotations

import io
from typing import Any


def split_uri(uri: str) -> tuple[str, str]:
    """(bucket, key) of "s3://bucket/key"; the key is "" for a bucket alone."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def body_of(s3: Any, bucket: str, key: str, version_id: str | None = None, **more: str) -> Any:
    """An object's content as a stream: of the version that is named, else of the newest."""
    version = {"VersionId": version_id} if version_id else {}
    return s3.get_object(Bucket=bucket, Key=key, **version, **more)["Body"]


class ObjectFile(io.RawIOBase):
    """An object as a file: only what is asked for is fetched, of the version if one is named."""

    def __init__(
        self, s3: Any, bucket: str, key: str, size_bytes: int, version_id: str | None = None
    ) -> None:
        super().__init__()
        self._s3, self._place, self._size_bytes = s3, (bucket, key, version_id), size_bytes
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        bases = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size_bytes}
        self._position = bases[whence] + offset
        return self._position

    def read(self, count: int = -1) -> bytes:
        end = self._size_bytes if count < 0 else min(self._size_bytes, self._position + count)
        if end <= self._position:
            return b""
        span = f"bytes={self._position}-{end - 1}"
        content: bytes = body_of(self._s3, *self._place, Range=span).read()
        self._position += len(content)
        return content

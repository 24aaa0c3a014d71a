"""Clients that send or read slowly, or stop halfway: each is waited for, and none for ever.

A connection is a thread and a descriptor. Who sends has `PATIENCE_SECONDS` of waiting; every
`LEAST_BYTES` that come give one second back, so that an upload takes as long as it takes, and one
byte a second ends after a minute. Who reads has `READER_SECONDS` for each piece of an answer.
"""

from __future__ import annotations

import io
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from localaws.errors import AwsError

PATIENCE_SECONDS = 60.0
LEAST_BYTES = 1000
READER_SECONDS = 600.0
# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList
IDLE = (
    "Your socket connection to the server was not read from or written to within the timeout"
    " period. Idle connections will be closed."
)


class Patient(io.RawIOBase):
    """What comes over a connection. Raises TimeoutError when the patience is at its end."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._left = PATIENCE_SECONDS

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._left <= 0:
            raise TimeoutError
        began = time.monotonic()
        self._connection.settimeout(self._left)
        try:
            count = self._connection.recv_into(buffer)
        except TimeoutError:
            self._left = 0
            raise
        finally:
            self._connection.settimeout(READER_SECONDS)
        left = self._left - (time.monotonic() - began) + count / LEAST_BYTES
        self._left = min(PATIENCE_SECONDS, left)
        return count


class Body(io.RawIOBase):
    """A request's body: who stalls in it is told so, in S3's words."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        with _told():
            return bytes(self._stream.read(size))

    def readline(self, size: int | None = -1) -> bytes:
        with _told():
            return bytes(self._stream.readline(size))

    def readinto(self, buffer: Any) -> int:
        with _told():
            return int(self._stream.readinto(buffer))


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        raise AwsError("RequestTimeout", IDLE) from None

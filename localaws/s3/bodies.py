"""Request bodies as they come in: the aws-chunked encoding, and what a client says of its bytes.

A body is never held: it goes from the socket to a file in pieces, hashed on the way.
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import re
from collections.abc import Iterable, Iterator
from typing import Any

from localaws.core.service import Call
from localaws.errors import AwsError
from localaws.s3 import checksums
from localaws.s3.objects import Objects
from localaws.s3.stored import PIECE, Received
from localaws.shapes import Json

PREFIX = "x-amz-checksum-"
_HASH = re.compile(r"[0-9a-f]{64}")
_LONGEST_LINE = 8192  # of a chunk's header or a trailer


def receive(objects: Objects, call: Call, more: Iterable[str] = ()) -> Received:
    """The body of PutObject or UploadPart, on disk and checked; `more`: checksums wanted besides.

    Raises BadDigest, InvalidDigest, InvalidRequest, IncompleteBody, XAmzContentSHA256Mismatch.
    """
    body = Body(call)
    received = objects.receive(body.pieces(), sorted({*body.algorithms, *more}))
    try:
        body.check(received)
    except AwsError:
        received.path.unlink()
        raise
    return received


class Body:
    """A body and its checks. `algorithms` are the checksums that its client sent or asked for."""

    def __init__(self, call: Call) -> None:
        params = call.params
        self._stream = _stream(params.get("Body") or b"")
        self._hash = call.headers.get("X-Amz-Content-Sha256", "")
        self._chunked = self._hash.startswith("STREAMING-") or _is_chunked(
            call.headers.get("Content-Encoding", "")
        )
        self._length = call.headers.get("X-Amz-Decoded-Content-Length")
        self._sha256 = hashlib.sha256() if _HASH.fullmatch(self._hash) else None
        self._content_md5: str | None = params.get("ContentMD5")
        self._announced = _announced(call.headers.get("X-Amz-Trailer", ""))
        self._sent = sent_checksums(params)
        names = [*self._sent, *self._announced]
        if len(names) > 1:
            raise AwsError(
                "InvalidRequest",
                "Expecting a single x-amz-checksum- header. Multiple checksum Types are not"
                f" allowed: {', '.join(names)}.",
            )
        self.algorithms = wanted_algorithms(params, names)

    def pieces(self) -> Iterator[bytes]:
        """The object's bytes, without framing, at most 1 MiB at a time."""
        length = 0
        for piece in self._unchunked() if self._chunked else _read(self._stream, None):
            length += len(piece)
            if self._sha256 is not None:
                self._sha256.update(piece)
            yield piece
        if self._chunked and self._length is not None and str(length) != self._length.strip():
            raise AwsError(
                "IncompleteBody",
                f"The request body has {length} bytes; x-amz-decoded-content-length says"
                f" {self._length}.",
            )

    def check(self, received: Received) -> None:
        """Raises where the bytes are not what the client said that it sends."""
        for name in self._announced:
            if name not in self._sent:
                raise AwsError(
                    "MalformedTrailerError",
                    f"The request announced the trailer {PREFIX}{name.lower()} and sent none.",
                )
        for name, value in self._sent.items():
            check_checksum(name, value, received.checksums[name])
        if self._sha256 is not None and self._sha256.hexdigest() != self._hash:
            raise AwsError(
                "XAmzContentSHA256Mismatch",
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
            )
        if self._content_md5 is not None:
            _check_md5(self._content_md5, received.etag)

    def _unchunked(self) -> Iterator[bytes]:
        while True:
            line = self._line()
            try:
                size = int(line.split(b";")[0], 16)
            except ValueError as error:
                raise AwsError(
                    "IncompleteBody", f"A chunk of the body begins with {line[:40]!r}, no size."
                ) from error
            if size == 0:
                self._read_trailers()
                return
            yield from _read(self._stream, size)
            if self._line():
                raise AwsError("IncompleteBody", f"A chunk of the body is not {size} bytes long.")

    def _read_trailers(self) -> None:
        while line := self._line(last=True):
            name, _, value = line.decode("latin-1").partition(":")
            if name.lower().startswith(PREFIX):
                self._sent[name[len(PREFIX) :].upper()] = value.strip()
        unknown = self._sent.keys() - {*self.algorithms}
        if unknown:
            raise AwsError(
                "InvalidRequest",
                f"The trailer {PREFIX}{min(unknown).lower()} was not announced by x-amz-trailer.",
            )

    def _line(self, *, last: bool = False) -> bytes:
        """A line without its end. Only after the last chunk may the body just end."""
        line = self._stream.readline(_LONGEST_LINE)
        if not line.endswith(b"\n") and not (last and not line):
            raise AwsError("IncompleteBody", "The last chunk of the body is cut off.")
        return line.rstrip(b"\r\n")


def _stream(body: Any) -> io.BufferedIOBase:
    if isinstance(body, bytes):
        return io.BytesIO(body)
    return io.BufferedReader(body, PIECE)


def _read(stream: io.BufferedIOBase, length: int | None) -> Iterator[bytes]:
    """So many bytes, or all that there are."""
    left = length
    while left is None or left > 0:
        piece = stream.read(PIECE if left is None else min(PIECE, left))
        if not piece:
            if left is not None:
                raise AwsError("IncompleteBody", "The last chunk of the body is cut off.")
            return
        if left is not None:
            left -= len(piece)
        yield piece


def _is_chunked(content_encoding: str) -> bool:
    return "aws-chunked" in [part.strip() for part in content_encoding.split(",")]


def content_encoding(text: str) -> str:
    """An object's Content-Encoding: that of the request without the framing, which is gone."""
    parts = [part.strip() for part in text.split(",")]
    return ",".join(part for part in parts if part and part != "aws-chunked")


def _announced(trailers: str) -> list[str]:
    """The checksums that come after the body."""
    names = [name.strip().lower() for name in trailers.split(",") if name.strip()]
    found = [name.removeprefix(PREFIX).upper() for name in names if name.startswith(PREFIX)]
    unknown = [name for name in found if name not in checksums.ALGORITHMS]
    if unknown or len(found) != len(names):
        raise AwsError(
            "InvalidRequest", f"The value specified in the x-amz-trailer header, {trailers!r}, is"
            " not supported."
        )  # fmt: skip
    return found


def sent_checksums(params: Json) -> dict[str, str]:
    """Checksums by algorithm that the client says the bytes have."""
    return {
        name: params[f"Checksum{name}"]
        for name in checksums.ALGORITHMS
        if f"Checksum{name}" in params
    }


def wanted_algorithms(params: Json, sent: Iterable[str]) -> list[str]:
    """Which checksums to work out: those sent, and the one asked for by ChecksumAlgorithm."""
    algorithm = params.get("ChecksumAlgorithm")
    if algorithm is not None and algorithm not in checksums.ALGORITHMS:
        raise AwsError(
            "InvalidRequest",
            f"Checksum algorithm {algorithm!r} is not known here; these are:"
            f" {', '.join(checksums.ALGORITHMS)}.",
        )
    return sorted({*sent, *([algorithm] if algorithm else [])})


def check_checksum(name: str, sent: str, computed: str) -> None:
    """Raises InvalidRequest for what is no such checksum, BadDigest for another one."""
    try:
        length = len(base64.b64decode(sent.partition("-")[0], validate=True))
    except binascii.Error:
        length = -1
    if length != len(checksums.new(name).digest()):
        raise AwsError("InvalidRequest", f"Value for {PREFIX}{name.lower()} header is invalid.")
    if sent != computed:
        raise AwsError(
            "BadDigest",
            f"The {name} you specified did not match the calculated checksum:"
            f" {sent} was given, the body has {computed}.",
        )


def _check_md5(content_md5: str, md5: str) -> None:
    try:
        sent = base64.b64decode(content_md5, validate=True)
    except binascii.Error:
        sent = b""
    if len(sent) != 16:
        raise AwsError("InvalidDigest", "The Content-MD5 you specified is not valid.")
    if sent.hex() != md5:
        raise AwsError("BadDigest", "The Content-MD5 you specified did not match what we received.")

"""Request bodies: the aws-chunked encoding, and checksums that a client sent along."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from localaws.core.errors import AwsError
from localaws.s3 import checksums
from localaws.s3.stored import Received

Json = dict[str, Any]


def plain_body(params: Json) -> tuple[bytes, Json]:
    """The body without aws-chunked framing, and the trailing checksums by algorithm.

    https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
    """
    body: bytes = params.get("Body") or b""
    encodings = [part.strip() for part in params.get("ContentEncoding", "").split(",")]
    if "aws-chunked" not in encodings:
        return body, {}
    rest = [part for part in encodings if part and part != "aws-chunked"]
    params.pop("ContentEncoding")
    if rest:
        params["ContentEncoding"] = ",".join(rest)
    return _unchunk(body)


def _unchunk(body: bytes) -> tuple[bytes, Json]:
    data = bytearray()
    position = 0
    while True:
        end = body.find(b"\r\n", position)
        size_text = body[position:end].split(b";")[0]
        try:
            size = int(size_text, 16)
        except ValueError as error:
            raise AwsError(
                "IncompleteBody", f"No chunk size at byte {position} of the body."
            ) from error
        if size == 0:
            return bytes(data), _trailers(body[end + 2 :])
        start = end + 2
        if start + size > len(body):
            raise AwsError("IncompleteBody", "The last chunk of the body is cut off.")
        data += memoryview(body)[start : start + size]
        position = start + size + 2


def _trailers(text: bytes) -> Json:
    found = {}
    for line in text.split(b"\r\n"):
        name, _, value = line.decode("latin-1").partition(":")
        if name.lower().startswith("x-amz-checksum-"):
            found[name[len("x-amz-checksum-") :].upper()] = value.strip()
    return found


def sent_checksums(params: Json, trailers: Json) -> Json:
    """Checksums by algorithm that the client says the body has."""
    sent = {
        name: params[f"Checksum{name}"]
        for name in checksums.ALGORITHMS
        if f"Checksum{name}" in params
    }
    return sent | trailers


def wanted_algorithms(params: Json, sent: Json) -> list[str]:
    """Which checksums to work out: those sent, and the one asked for by ChecksumAlgorithm."""
    algorithm = params.get("ChecksumAlgorithm")
    if algorithm is not None and algorithm not in checksums.ALGORITHMS:
        raise AwsError(
            "InvalidRequest",
            f"Checksum algorithm {algorithm!r} is not known here; these are:"
            f" {', '.join(checksums.ALGORITHMS)}.",
        )
    return sorted({*sent, *([algorithm] if algorithm else [])})


def check_received(received: Received, sent: Json, content_md5: str | None) -> None:
    """Raises BadDigest where the body is not what the client said it sends."""
    for name, value in sent.items():
        if received.checksums[name] != value:
            raise AwsError(
                "BadDigest",
                f"The {name} you specified did not match the calculated checksum:"
                f" {value} was given, the body has {received.checksums[name]}.",
            )
    if content_md5 is None:
        return
    try:
        given = base64.b64decode(content_md5, validate=True).hex()
    except binascii.Error as error:
        raise AwsError("InvalidDigest", "The Content-MD5 you specified is not valid.") from error
    if given != received.etag:
        raise AwsError("BadDigest", "The Content-MD5 you specified did not match what we received.")

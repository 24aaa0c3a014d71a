"""Conditional requests and byte ranges (RFC 9110), as S3 takes them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

from localaws.errors import AwsError
from localaws.s3.stored import StoredObject
from localaws.shapes import Json

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def check_read(found: StoredObject, params: Json) -> None:
    """Raises PreconditionFailed (412) or 304 for the If-* parameters of a read."""
    etag = found.etag
    modified = found.last_modified.replace(microsecond=0)
    if "IfMatch" in params:
        if not _named(params["IfMatch"], etag):
            raise _failed("If-Match")
    elif "IfUnmodifiedSince" in params and modified > _utc(params["IfUnmodifiedSince"]):
        raise _failed("If-Unmodified-Since")
    if "IfNoneMatch" in params:
        if _named(params["IfNoneMatch"], etag):
            raise AwsError("304", "Not Modified", 304)
    elif "IfModifiedSince" in params and modified <= _utc(params["IfModifiedSince"]):
        raise AwsError("304", "Not Modified", 304)


def write_check(params: Json) -> Callable[[StoredObject | None], None] | None:
    """The check of a conditional write: IfNoneMatch "*", IfMatch an ETag; None if there is none."""
    none_match, match = params.get("IfNoneMatch"), params.get("IfMatch")
    if none_match is None and match is None:
        return None
    if none_match not in (None, "*"):
        raise AwsError("NotImplemented", "If-None-Match of a write can only be *.", 501)

    def check(current: StoredObject | None) -> None:
        if none_match is not None and current is not None:
            raise _failed("If-None-Match")
        if match is not None:
            if current is None:
                raise AwsError("NoSuchKey", "The specified key does not exist.", 404)
            if not _named(match, current.etag):
                raise _failed("If-Match")

    return check


def byte_range(text: str | None, size: int) -> tuple[int, int] | None:
    """(first byte, length) of a Range header; None: all of it (also where S3 ignores the header).

    Raises InvalidRange for one that begins past the end.
    """
    match = _RANGE.fullmatch(text.strip()) if text else None
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        length = min(int(last), size)
        start = size - length
    else:
        start = int(first)
        if last and int(last) < start:
            return None
        length = min(int(last) + 1 if last else size, size) - start
    if length <= 0:
        raise AwsError("InvalidRange", f"The requested range {text} is not satisfiable", 416)
    return start, length


def _named(etags: str, etag: str) -> bool:
    """Whether an If-Match list names the ETag."""
    names = [name.strip().removeprefix("W/").strip('"') for name in etags.split(",")]
    return "*" in names or etag in names


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _failed(header: str) -> AwsError:
    return AwsError(
        "PreconditionFailed",
        f"At least one of the pre-conditions you specified did not hold: {header}",
        412,
    )

"""Names of buckets and objects, and which keys can be file names as they are."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from localaws.errors import AwsError

_BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")
_LONGEST_KEY = 1024  # bytes of UTF-8, as S3 has it
_LONGEST_SEGMENT = 255  # bytes, the limit of common file systems
_SCRATCH = re.compile(r"_temporary|\.spark-staging-.*|\..*\.crc")


class NoS3Address(ValueError):
    """A text that is no s3://bucket/key."""


def split_uri(uri: str) -> tuple[str, str]:
    """Bucket and key of `s3://bucket/key` (also `s3a://` and `s3n://`, as Hadoop writes them).

    The key may be empty. Raises NoS3Address for other texts.
    """
    scheme, separator, rest = uri.partition("://")
    if not separator or scheme not in ("s3", "s3a", "s3n"):
        raise NoS3Address(f"{uri!r} is not an S3 address; s3://bucket/key is.")
    bucket, _, key = rest.partition("/")
    if not bucket:
        raise NoS3Address(f"{uri!r} names no bucket; s3://bucket/key does.")
    return bucket, key


def check_bucket_name(name: str) -> None:
    """Raises InvalidBucketName as S3 does for a general purpose bucket.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
    """
    if not _BUCKET_NAME.fullmatch(name) or ".." in name or _ADDRESS.fullmatch(name):
        raise AwsError("InvalidBucketName", f"The specified bucket is not valid: {name!r}", 400)


def check_key(key: str) -> None:
    """Raises KeyTooLongError or InvalidArgument for a key that S3 does not take."""
    if not key:
        raise AwsError("InvalidArgument", "An object key has at least one character.", 400)
    if len(key.encode("utf-8", "surrogatepass")) > _LONGEST_KEY:
        raise AwsError("KeyTooLongError", f"Your key is too long (over {_LONGEST_KEY} bytes)", 400)


def is_plain(key: str) -> bool:
    """Whether the key is, unchanged, a relative path of a file below its bucket's folder."""
    if "\0" in key or any(0xD800 <= ord(character) <= 0xDFFF for character in key):
        return False
    return all(
        segment not in ("", ".", "..") and len(segment.encode()) <= _LONGEST_SEGMENT
        for segment in key.split("/")
    )


def odd_path(root: Path, bucket: str, key: str) -> Path:
    """Where the bytes of an object are whose key cannot be a path: found through the index only."""
    name = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
    return root / ".odd" / bucket / name


def is_object_key(key: str) -> bool:
    """Whether what another program put at this path of a bucket's folder can be an object.

    Hadoop's local file system leaves `.name.crc` files beside its output; its committers work in
    `_temporary` and Spark's in `.spark-staging-...`: none of that is data. Nor is a name that is
    no text.
    """
    if _SCRATCH.fullmatch(key.rpartition("/")[2]):
        return False
    return is_plain(key) and len(key.encode()) <= _LONGEST_KEY

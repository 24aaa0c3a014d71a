"""The data plane: objects as files, for services that read and write many of them in place.

A port: S3 implements it, whoever works with objects depends on this alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol

from localaws.errors import AwsError
from localaws.identity.actions.s3 import listing
from localaws.identity.authorization import Authorizer
from localaws.identity.caller import Caller
from localaws.shapes import ObjectFile

DEFAULT_TYPE = "binary/octet-stream"


class StoredObject(ObjectFile, Protocol):
    """One version of one object, with what S3 keeps beside its bytes."""

    @property
    def version_id(self) -> str: ...
    @property
    def content_type(self) -> str: ...
    @property
    def properties(self) -> dict[str, Any]: ...


Listed = Sequence[StoredObject]
Body = bytes
State = tuple[int, int] | None  # a file's bytes and modification time in ns; None: there is none

Called = dict[Path, set[State]]  # what calls have made of files, each state that they had


def state_of(path: Path) -> State:
    try:
        state = path.stat()
    except (OSError, ValueError):  # a key may be no path
        return None
    return state.st_size, state.st_mtime_ns


class ObjectStore(Protocol):
    """Every object of every bucket. Errors are S3's: NoSuchBucket, NoSuchKey, NoSuchVersion."""

    def bucket_names(self) -> list[str]: ...

    def path(self, bucket: str, key: str) -> Path:
        """The file of an existing object, for reading."""

    def folder(self, bucket: str) -> Path:
        """The bucket's folder, for engines that read and write in place; then `discover`."""

    def list(self, bucket: str, prefix: str = "") -> Listed:
        """Current objects whose key starts with `prefix`, by key."""

    def read(self, bucket: str, prefix: str = "") -> Listed:
        """As `list`, of objects whose files will be read."""

    def head(self, bucket: str, key: str, version_id: str | None = None) -> StoredObject: ...

    def put(
        self, bucket: str, key: str, data: Body, content_type: str = DEFAULT_TYPE
    ) -> StoredObject: ...

    def adopt(
        self, bucket: str, key: str, file: Path, content_type: str = DEFAULT_TYPE
    ) -> StoredObject:
        """Moves a file that an engine wrote into the store."""

    def discover(self, bucket: str, prefix: str = "") -> Listed:
        """Makes files that an engine wrote below the bucket's folder objects; all below prefix."""

    def delete(self, bucket: str, key: str) -> None:
        """A key that is not there is fine."""

    def default_key(self, bucket: str) -> str | None:
        """The ARN of the KMS key that new objects of the bucket lie under."""

    def watched(self) -> AbstractContextManager[Called]:
        """What calls make of files within the block: other changes are the work of engines."""


@contextmanager
def telling_missing(authorize: Authorizer, caller: Caller, bucket: str, key: str) -> Iterator[None]:
    """NoSuchKey within the block is AccessDenied to a caller who may not list the key."""
    try:
        yield
    except AwsError as error:
        if error.code == "NoSuchKey":
            authorize.ask(caller, "s3", listing(bucket, key))
        raise


class ActingObjects:
    """The object store as one caller may use it: each use is asked for as S3's API would."""

    def __init__(self, store: ObjectStore, caller: Caller, authorize: Authorizer) -> None:
        self._store = store
        self._caller = caller
        self._authorize = authorize

    def bucket_names(self) -> list[str]:
        self._ask("ListBuckets")
        return self._store.bucket_names()

    def path(self, bucket: str, key: str) -> Path:
        self._ask("GetObject", Bucket=bucket, Key=key)
        with telling_missing(self._authorize, self._caller, bucket, key):
            return self._store.path(bucket, key)

    def folder(self, bucket: str) -> Path:
        self._ask("GetBucketLocation", Bucket=bucket)
        return self._store.folder(bucket)

    def list(self, bucket: str, prefix: str = "") -> Listed:
        self._ask("ListObjectsV2", Bucket=bucket, Prefix=prefix)
        return self._store.list(bucket, prefix)

    def read(self, bucket: str, prefix: str = "") -> Listed:
        found = self.list(bucket, prefix)
        for stored in found:
            self._ask("GetObject", Bucket=bucket, Key=stored.key)
        return found

    def head(self, bucket: str, key: str, version_id: str | None = None) -> StoredObject:
        version = {} if version_id is None else {"VersionId": version_id}
        self._ask("GetObject", Bucket=bucket, Key=key, **version)
        with telling_missing(self._authorize, self._caller, bucket, key):
            return self._store.head(bucket, key, version_id)

    def put(
        self, bucket: str, key: str, data: Body, content_type: str = DEFAULT_TYPE
    ) -> StoredObject:
        self._ask("PutObject", Bucket=bucket, Key=key)
        return self._store.put(bucket, key, data, content_type)

    def adopt(
        self, bucket: str, key: str, file: Path, content_type: str = DEFAULT_TYPE
    ) -> StoredObject:
        self._ask("PutObject", Bucket=bucket, Key=key)
        return self._store.adopt(bucket, key, file, content_type)

    def discover(self, bucket: str, prefix: str = "") -> Listed:
        self._ask("ListObjectsV2", Bucket=bucket, Prefix=prefix)
        return self._store.discover(bucket, prefix)

    def default_key(self, bucket: str) -> str | None:
        return self._store.default_key(bucket)

    def watched(self) -> AbstractContextManager[Called]:
        return self._store.watched()

    def delete(self, bucket: str, key: str) -> None:
        self._ask("DeleteObject", Bucket=bucket, Key=key)
        self._store.delete(bucket, key)

    def _ask(self, operation: str, **params: str) -> None:
        self._authorize(self._caller, "s3", operation, params)

"""The S3 store: objects are plain files that engines and other programs read and write in place.

An object's bytes are the file `objects/<bucket>/<key>` (files.py has the exceptions), replaced by
renaming, never rewritten. What tells a version's bytes is their ETag: a file whose size and time
are those of the index is not read again, one with another time is measured before it counts as
changed. So a home may be copied, zipped, or checked out.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from localaws.core.clock import Clock
from localaws.core.object_store import Called, state_of
from localaws.errors import AwsError
from localaws.s3 import announce, encryption
from localaws.s3.buckets import ENABLED, Buckets
from localaws.s3.files import Files
from localaws.s3.folders import BucketFolders
from localaws.s3.index import Index, Row, dump, successor
from localaws.s3.names import check_key, is_object_key, split_uri
from localaws.s3.stored import (
    DEFAULT_TYPE,
    NULL_VERSION,
    Received,
    StoredObject,
    etag_of,
    measure,
    receive,
)
from localaws.s3.watches import Watches

__all__ = ["Objects", "Removed", "StoredObject", "split_uri"]

Listed = list[StoredObject]
Publish = Callable[[str, str, dict[str, Any]], None]  # bucket, detail type, detail
Wrote = Callable[[Path, Path], None]  # a file of an object, the folder of all of them


@dataclass(frozen=True)
class Removed:
    """What a delete did: the version it took away, or the delete marker it made."""

    version_id: str | None = None
    marker: bool = False


class Objects:
    """Every object of every bucket, for the API and, in process, for the engines."""

    def __init__(
        self, root: Path, index: Index, publish: Publish, clock: Clock, wrote: Wrote
    ) -> None:
        self.root = root
        self.index = index
        self.clock = clock
        self.buckets = Buckets(root, index, clock)
        self._files = Files(root, index)
        self._folders = BucketFolders(root)
        self._publish = publish
        self._wrote = wrote
        self._sequencer = announce.Sequencer(clock)
        self._watches = Watches()
        self.incoming = root / ".incoming"
        shutil.rmtree(self.incoming, ignore_errors=True)  # what a killed server left half written
        self.incoming.mkdir(parents=True)

    # What engines use

    def bucket_names(self) -> list[str]:
        return [bucket.name for bucket in self.buckets.all()]

    def path(self, bucket: str, key: str) -> Path:
        """The file of an existing object, for reading. Raises NoSuchKey, NoSuchBucket."""
        return self.head(bucket, key).path

    def folder(self, bucket: str) -> Path:
        """The folder of a bucket, for engines that read and write `s3://` in place.

        After writing there, `discover` makes the files objects. Raises NoSuchBucket.
        """
        self.buckets.get(bucket)
        return self.root / bucket

    def list(self, bucket: str, prefix: str = "") -> Listed:
        """Current objects whose key starts with `prefix`, by key. Raises NoSuchBucket."""
        self.buckets.get(bucket)
        self.look(bucket, prefix)
        rows = self._rows_below(bucket, prefix)
        return [stored for row in rows if (stored := self.as_it_is(row)) is not None]

    def read(self, bucket: str, prefix: str = "") -> Listed:
        return self.list(bucket, prefix)

    def put(
        self, bucket: str, key: str, data: bytes, content_type: str = DEFAULT_TYPE
    ) -> StoredObject:
        """Stores `data`. Raises NoSuchBucket."""
        self.buckets.get(bucket)
        return self.commit(bucket, key, self.receive([data]), {"ContentType": content_type})

    def adopt(
        self, bucket: str, key: str, file: Path, content_type: str = DEFAULT_TYPE
    ) -> StoredObject:
        """Moves a file that an engine wrote into the store: no copy within one file system."""
        self.buckets.get(bucket)
        target = self.incoming / uuid.uuid4().hex
        shutil.move(file, target)
        return self.commit(bucket, key, measure(target), {"ContentType": content_type})

    def discover(self, bucket: str, prefix: str = "") -> Listed:
        """Makes files that an engine wrote directly below the bucket's folder objects.

        Returns all objects below `prefix`. Changed files count as written again; objects whose
        file is gone are deleted.
        """
        return self.list(bucket, prefix)

    def delete(self, bucket: str, key: str) -> None:
        """Deletes as the API does: a key that is not there is fine. Raises NoSuchBucket."""
        self.remove(bucket, key)

    def watched(self) -> AbstractContextManager[Called]:
        """What calls make of files within the block: other changes are the work of engines."""
        return self._watches.opened()

    # What the API adds

    def receive(self, chunks: Iterable[bytes], algorithms: Iterable[str] = ()) -> Received:
        """Bytes on disk that `commit` can make an object."""
        return receive(chunks, self.incoming, algorithms)

    def find(self, bucket: str, key: str, version_id: str | None = None) -> StoredObject | None:
        """The current or the given version, delete markers too; None if there is none."""
        self.buckets.get(bucket)
        if version_id is not None:
            row = self.index.row(
                "SELECT * FROM objects WHERE bucket = ? AND key = ? AND version_id = ?",
                *(bucket, key, version_id),
            )
            return self.as_it_is(row) if row is not None else None
        row = self._current(bucket, key)
        found = self.as_it_is(row) if row is not None else None
        if (found is None or found.marker) and is_object_key(key):
            path = self.root / bucket / key
            if path.is_file() and path.resolve() == self.root.resolve() / bucket / key:
                return self._register(bucket, key, path) or found
        return found

    def default_key(self, bucket: str) -> str | None:
        """The ARN of the KMS key that new objects of the bucket lie under."""
        return encryption.of_bucket(self.buckets, bucket).get(encryption.KEY)

    def head(self, bucket: str, key: str, version_id: str | None = None) -> StoredObject:
        """An object with a file. Raises NoSuchKey, NoSuchVersion, MethodNotAllowed (a marker)."""
        found = self.find(bucket, key, version_id)
        if found is None and version_id is not None:
            raise AwsError("NoSuchVersion", f"The specified version does not exist: {key}", 404)
        if found is None or (found.marker and version_id is None):
            raise AwsError("NoSuchKey", f"The specified key does not exist: {bucket}/{key}", 404)
        if found.marker:
            raise AwsError("MethodNotAllowed", "The version is a delete marker.", 405)
        return found

    def commit(
        self,
        bucket: str,
        key: str,
        data: Received,
        properties: dict[str, Any],
        *,
        reason: str = "PutObject",
        unless: Callable[[StoredObject | None], None] | None = None,
    ) -> StoredObject:
        """Makes received bytes the current version of `key`.

        `unless` sees the version they would replace and may raise (conditional writes).
        """
        try:
            check_key(key)
            with self.index.writing():
                versioning = self.buckets.versioning(bucket)
                if unless is not None or versioning is not None:
                    current = self.find(bucket, key)  # what another program wrote is a version too
                    if unless is not None:
                        unless(None if current is None or current.marker else current)
                version = uuid.uuid4().hex if versioning == ENABLED else NULL_VERSION
                path = self._files.place(bucket, key)
                self._files.clear_way(bucket, key, version, keep=path)
                self._watches.note(path, state_of(data.path))
                data.path.replace(path)
                stored = self._insert(bucket, key, version, path, data, properties)
        except BaseException:
            data.path.unlink(missing_ok=True)
            raise
        self._tell_created(stored, reason)
        return stored

    def update(self, bucket: str, key: str, version_id: str | None, **members: Any) -> StoredObject:
        """Changes what is kept beside the bytes of a version (`Tags`). Raises as `head` does."""
        with self.index.writing():
            found = self.head(bucket, key, version_id)
            properties = found.properties | members
            self.index.run(
                "UPDATE objects SET properties = ? WHERE bucket = ? AND key = ? AND version_id = ?",
                *(dump(properties), bucket, key, found.version_id),
            )
        return replace(found, properties=properties)

    def remove(
        self,
        bucket: str,
        key: str,
        version_id: str | None = None,
        *,
        unless: Callable[[StoredObject | None], None] | None = None,
    ) -> Removed:
        """Deletes a version, or the object: in a versioned bucket that makes a delete marker."""
        with self.index.writing():
            self._watches.note(self.root / bucket / key, None)
            current = self.find(bucket, key, version_id)
            if unless is not None:
                unless(current)
            versioning = self.buckets.versioning(bucket)
            if version_id is None and versioning is not None:
                marker = self._mark_deleted(bucket, key, versioning)
                shown = replace(marker, etag=current.etag if current else "")
            else:
                if current is None:
                    return Removed(version_id=version_id)
                self._take_away(current)
                shown, marker = current, None
            self._watches.note(self.root / bucket / key, state_of(self.root / bucket / key))
        if marker is not None:
            self._tell_deleted(shown, marker=True)
            return Removed(marker.version_id, marker=True)
        self._tell_deleted(shown, marker=False)
        return Removed(version_id, marker=shown.marker)

    # Rows and files

    def _rows_below(self, bucket: str, prefix: str) -> Iterable[Row]:
        end = successor(prefix)
        return self.index.rows(
            "SELECT * FROM objects WHERE bucket = ? AND latest = 1 AND marker = 0 AND key >= ?"
            + (" AND key < ? ORDER BY key" if end is not None else " ORDER BY key"),
            *((bucket, prefix) if end is None else (bucket, prefix, end)),
        )

    def _current(self, bucket: str, key: str) -> Row | None:
        return self.index.row(
            "SELECT * FROM objects WHERE bucket = ? AND key = ? AND latest = 1", bucket, key
        )

    def look(self, bucket: str, prefix: str) -> None:
        """Makes objects of files that other programs put into the folders of the prefix."""
        self._folders.look(bucket, prefix, self._take)

    def _take(self, bucket: str, folder: str, names: set[str]) -> bool:
        """Registers the files of one folder that are no objects yet; False if one was missed."""
        end = successor(folder)
        rows = self.index.rows(
            "SELECT key FROM objects WHERE bucket = ? AND latest = 1 AND marker = 0 AND key >= ?"
            + (" AND key < ?" if end is not None else "")
            + " AND instr(substr(key, ?), '/') = 0",
            *(bucket, folder, *([end] if end is not None else []), len(folder) + 1),
        )
        fresh = sorted(names - {row["key"][len(folder) :] for row in rows})
        place = self.root / bucket
        missed = [
            name
            for name in fresh
            if self._register(bucket, folder + name, place / (folder + name)) is None
        ]
        return not missed

    def as_it_is(self, row: Row) -> StoredObject | None:
        """The version with its file as that is now; None if another program removed the file.

        A current version that was rewritten in place counts as written again. Raises InternalError
        for an old version whose bytes are others now.
        """
        if row["marker"]:
            return StoredObject.of(row, self.root)
        try:
            state = (self.root / row["path"]).stat()
        except (FileNotFoundError, NotADirectoryError):
            return self._forget(row)
        if (state.st_size, state.st_mtime_ns) == (row["bytes"], row["mtime_ns"]):
            return StoredObject.of(row, self.root)
        return self._examine(row)

    def _examine(self, row: Row) -> StoredObject | None:
        """`as_it_is` of a version whose file has another size or time: do its bytes differ?"""
        stored = StoredObject.of(row, self.root)
        try:
            state = stored.path.stat()
            same = state.st_size == stored.bytes and stored.etag == etag_of(
                stored.path, stored.part_bytes
            )
        except (FileNotFoundError, NotADirectoryError):
            return self._forget(row)
        if same:
            self.index.run(
                "UPDATE objects SET mtime_ns = ? WHERE id = ? AND path = ? AND etag = ?",
                *(state.st_mtime_ns, row["id"], row["path"], row["etag"]),
            )
            return stored
        if stored.latest:
            return self._register(stored.bucket, stored.key, stored.path)
        raise AwsError(
            "InternalError",
            f"The file of version {stored.version_id} of {stored.bucket}/{stored.key} was changed"
            f" by another program: {stored.path}",
            500,
        )

    def _register(self, bucket: str, key: str, path: Path) -> StoredObject | None:
        """Makes a file that another program wrote the current version of its key.

        None if it is gone or still being written.
        """
        try:
            before = path.stat()
            data = measure(path)
            with self.index.writing():
                row = self._current(bucket, key)
                if row is not None and row["path"] != str(path.relative_to(self.root)):
                    row = None
                after = path.stat()
                written = (after.st_size, after.st_mtime_ns)
                if row is not None and written == (row["bytes"], row["mtime_ns"]):
                    return StoredObject.of(row, self.root)  # someone else was quicker
                if row is None and written != (before.st_size, before.st_mtime_ns):
                    return None
                versioned = self.buckets.versioning(bucket) == ENABLED
                version = uuid.uuid4().hex if versioned else NULL_VERSION
                # Rewritten in place: the old bytes are gone, so the old version is gone too.
                if row is not None:
                    self.index.run("DELETE FROM objects WHERE id = ?", row["id"])
                self._files.clear_way(bucket, key, version, keep=path)
                stored = self._insert(
                    *(bucket, key, version, path, data, {}), mtime_ns=before.st_mtime_ns
                )
        except (FileNotFoundError, NotADirectoryError):
            return None
        self._tell_created(stored, "PutObject")
        return stored

    def _forget(self, row: Row) -> StoredObject | None:
        """Drops a version whose file is gone; if it was only moved, the version as it is now."""
        with self.index.writing():
            now = self.index.row("SELECT * FROM objects WHERE id = ?", row["id"])
            if now is None:
                return None
            if (self.root / now["path"]).is_file():
                return StoredObject.of(now, self.root)
            self.index.run("DELETE FROM objects WHERE id = ?", row["id"])
            if now["latest"]:
                self._files.promote(now["bucket"], now["key"])
        self._tell_deleted(StoredObject.of(now, self.root), marker=False)
        return None

    def _insert(
        self,
        bucket: str,
        key: str,
        version: str,
        path: Path,
        data: Received,
        properties: dict[str, Any],
        *,
        mtime_ns: int | None = None,
    ) -> StoredObject:
        now = self.clock.now().timestamp()
        if encryption.MEMBER not in properties:  # what engines wrote
            properties = properties | encryption.of_bucket(self.buckets, bucket)
        self._wrote(path, self.root)
        self.index.run(
            "INSERT INTO objects (bucket, key, version_id, latest, marker, path, bytes, etag,"
            " mtime_ns, modified, properties) VALUES (?, ?, ?, 1, 0, ?, ?, ?, ?, ?, ?)",
            *(bucket, key, version, str(path.relative_to(self.root)), data.bytes, data.etag),
            *(path.stat().st_mtime_ns if mtime_ns is None else mtime_ns, now, dump(properties)),
        )
        return StoredObject(
            *(bucket, key, path, data.bytes, data.etag, version),
            last_modified=datetime.fromtimestamp(now, UTC),
            properties=properties,
        )

    def _mark_deleted(self, bucket: str, key: str, versioning: str) -> StoredObject:
        version = uuid.uuid4().hex if versioning == ENABLED else NULL_VERSION
        before = self.index.row(
            "SELECT path FROM objects WHERE bucket = ? AND key = ? AND latest = 1 AND marker = 0",
            *(bucket, key),
        )
        self._files.clear_way(bucket, key, version)
        if before is not None:
            # An engine would take an empty folder for a prefix that holds something.
            self._files.remove_empty_parents(self.root / before["path"])
        now = self.clock.now().timestamp()
        self.index.run(
            "INSERT INTO objects (bucket, key, version_id, latest, marker, path, bytes, etag,"
            " mtime_ns, modified, properties) VALUES (?, ?, ?, 1, 1, '', 0, '', 0, ?, '{}')",
            *(bucket, key, version, now),
        )
        return StoredObject(
            *(bucket, key, self.root, 0, "", version),
            last_modified=datetime.fromtimestamp(now, UTC),
            marker=True,
        )

    def _take_away(self, found: StoredObject) -> None:
        self.index.run(
            "DELETE FROM objects WHERE bucket = ? AND key = ? AND version_id = ?",
            *(found.bucket, found.key, found.version_id),
        )
        if not found.marker:
            self._files.unlink(found.path)
        if found.latest:
            self._files.promote(found.bucket, found.key)

    def _tell_created(self, stored: StoredObject, reason: str) -> None:
        if self.buckets.tells_eventbridge(stored.bucket):
            number = self._sequencer.next()
            self._publish(stored.bucket, *announce.created(stored, reason, number))

    def _tell_deleted(self, shown: StoredObject, *, marker: bool) -> None:
        if self.buckets.tells_eventbridge(shown.bucket):
            number = self._sequencer.next()
            self._publish(shown.bucket, *announce.deleted(shown, marker, number))

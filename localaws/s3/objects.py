"""The S3 store: objects are plain files that engines read and write in place.

An object's bytes are the file `objects/<bucket>/<key>`. Elsewhere, found through the index, are
keys that cannot be a path (`objects/.odd/`: empty or dot segments, a trailing slash, `a` beside
`a/b`) and old versions (`objects/.versions/`). A file is replaced by renaming, never rewritten.
"""

from __future__ import annotations

import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from localaws.core.errors import AwsError
from localaws.s3 import announce
from localaws.s3.buckets import ENABLED, Buckets
from localaws.s3.index import Index, Row, dump, successor
from localaws.s3.names import check_key, is_object_file, is_plain, odd_path, split_uri
from localaws.s3.stored import DEFAULT_TYPE, NULL_VERSION, Received, StoredObject, measure, receive

__all__ = ["Objects", "Removed", "StoredObject", "split_uri"]

Listed = list[StoredObject]
Publish = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Removed:
    """What a delete did: the version it took away, or the delete marker it made."""

    version_id: str | None = None
    marker: bool = False


class Objects:
    """Every object of every bucket, for the API and, in process, for the engines."""

    def __init__(
        self, root: Path, index: Index, publish: Publish, account: str, region: str
    ) -> None:
        self.root = root
        self.index = index
        self.buckets = Buckets(root, index)
        self._publish = publish
        self._account = account
        self._region = region
        self._sequencer = announce.Sequencer()
        self.incoming = root / ".incoming"
        shutil.rmtree(self.incoming, ignore_errors=True)  # what a killed server left half written
        self.incoming.mkdir(parents=True)

    # What engines use

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
        return [StoredObject.of(row, self.root) for row in self._rows_below(bucket, prefix)]

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
        file is gone are deleted. Hadoop's `.name.crc` side files are left out.
        """
        self.buckets.get(bucket)
        known = {row["key"]: row for row in self._rows_below(bucket, prefix)}
        seen = set()
        for key, path in self._files(bucket, prefix):
            seen.add(key)
            row = known.get(key)
            if row is None or self._changed(row, path):
                self._register(bucket, key, path)
        for key, row in known.items():
            if key not in seen and not (self.root / row["path"]).exists():
                self._forget(row)
        return self.list(bucket, prefix)

    def delete(self, bucket: str, key: str) -> None:
        """Deletes as the API does: a key that is not there is fine. Raises NoSuchBucket."""
        self.remove(bucket, key)

    # What the API adds

    def receive(self, chunks: Iterable[bytes], algorithms: Iterable[str] = ()) -> Received:
        """Bytes on disk that `commit` can make an object."""
        return receive(chunks, self.incoming, algorithms)

    def find(self, bucket: str, key: str, version_id: str | None = None) -> StoredObject | None:
        """The current or the given version, delete markers too; None if there is none."""
        self.buckets.get(bucket)
        if version_id is None:
            row = self.index.row(
                "SELECT * FROM objects WHERE bucket = ? AND key = ? AND latest = 1", bucket, key
            )
        else:
            row = self.index.row(
                "SELECT * FROM objects WHERE bucket = ? AND key = ? AND version_id = ?",
                *(bucket, key, version_id),
            )
        return self._still_there(row) if row is not None else None

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
                if unless is not None:
                    current = self.find(bucket, key)
                    unless(None if current is None or current.marker else current)
                versioning = self.buckets.versioning(bucket)
                version = uuid.uuid4().hex if versioning == ENABLED else NULL_VERSION
                path = self._place(bucket, key)
                self._clear_way(bucket, key, version, keep=path)
                data.path.replace(path)
                stored = self._insert(bucket, key, version, path, data, properties)
        except BaseException:
            data.path.unlink(missing_ok=True)
            raise
        self._tell_created(stored, reason)
        return stored

    def update(self, found: StoredObject, properties: dict[str, Any]) -> StoredObject:
        """Changes what is kept beside the bytes (tags)."""
        with self.index.writing():
            self.index.run(
                "UPDATE objects SET properties = ? WHERE bucket = ? AND key = ? AND version_id = ?",
                *(dump(properties), found.bucket, found.key, found.version_id),
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

    def _files(self, bucket: str, prefix: str) -> Iterator[tuple[str, Path]]:
        """(key, file) of the files in the bucket's folder whose key starts with `prefix`."""
        root = self.root / bucket
        start = prefix.rpartition("/")[0]
        if start and not is_plain(start):
            return
        for folder, _, names in os.walk(root / start):
            below = Path(folder).relative_to(root).as_posix()
            for name in names:
                key = name if below == "." else f"{below}/{name}"
                path = Path(folder, name)
                if key.startswith(prefix) and is_object_file(name) and not path.is_symlink():
                    yield key, path

    def _changed(self, row: Row, path: Path) -> bool:
        state = path.stat()
        return (state.st_size, state.st_mtime_ns) != (row["bytes"], row["mtime_ns"])

    def _still_there(self, row: Row) -> StoredObject | None:
        """The object as its file is now: an engine may have rewritten or removed it in place."""
        if row["marker"]:
            return StoredObject.of(row, self.root)
        path = self.root / row["path"]
        try:
            if not self._changed(row, path):
                return StoredObject.of(row, self.root)
        except FileNotFoundError:
            self._forget(row)
            return None
        return self._register(row["bucket"], row["key"], path)

    def _register(self, bucket: str, key: str, path: Path) -> StoredObject | None:
        """Makes a file in the bucket's folder the current version of its key."""
        try:
            before = path.stat()
            data = measure(path)
        except FileNotFoundError:
            return None
        with self.index.writing():
            row = self.index.row(
                "SELECT * FROM objects WHERE bucket = ? AND key = ? AND latest = 1", bucket, key
            )
            same = row is not None and row["path"] == str(path.relative_to(self.root))
            if row is not None and same and not self._changed(row, path):
                return StoredObject.of(row, self.root)  # someone else was quicker
            versioned = self.buckets.versioning(bucket) == ENABLED
            version = uuid.uuid4().hex if versioned else NULL_VERSION
            # Rewritten in place: the old bytes are gone, so the old version is gone too.
            if row is not None and same:
                self.index.run("DELETE FROM objects WHERE id = ?", row["id"])
            self._clear_way(bucket, key, version, keep=path)
            stored = self._insert(bucket, key, version, path, data, {}, mtime_ns=before.st_mtime_ns)
        self._tell_created(stored, "PutObject")
        return stored

    def _forget(self, row: Row) -> None:
        """Drops an object whose file is gone."""
        with self.index.writing():
            gone = self.index.run("DELETE FROM objects WHERE id = ?", row["id"])
            if row["latest"]:
                self._promote(row["bucket"], row["key"])
        if gone and not row["marker"]:
            self._tell_deleted(StoredObject.of(row, self.root), marker=False)

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
        now = time.time()
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

    def _clear_way(self, bucket: str, key: str, version: str, keep: Path | None = None) -> None:
        """Before a new current version: drops the same version, sets another one aside.

        The file `keep` is left: it is, or is about to become, the new version's.
        """
        for row in self.index.rows(
            "SELECT * FROM objects WHERE bucket = ? AND key = ? AND (latest = 1 OR version_id = ?)",
            *(bucket, key, version),
        ):
            path = self.root / row["path"]
            if row["version_id"] == version:
                self.index.run("DELETE FROM objects WHERE id = ?", row["id"])
                if not row["marker"] and path != keep:
                    self._unlink(path)
            elif row["marker"]:
                self.index.run("UPDATE objects SET latest = 0 WHERE id = ?", row["id"])
            else:
                aside = self.root / ".versions" / bucket / str(row["id"])
                self._move(row["id"], path, aside)
                self.index.run("UPDATE objects SET latest = 0 WHERE id = ?", row["id"])

    def _mark_deleted(self, bucket: str, key: str, versioning: str) -> StoredObject:
        version = uuid.uuid4().hex if versioning == ENABLED else NULL_VERSION
        before = self.index.row(
            "SELECT path FROM objects WHERE bucket = ? AND key = ? AND latest = 1 AND marker = 0",
            *(bucket, key),
        )
        self._clear_way(bucket, key, version)
        if before is not None:
            # An engine would take an empty folder for a prefix that holds something.
            self._remove_empty_parents(self.root / before["path"])
        now = time.time()
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
            self._unlink(found.path)
        if found.latest:
            self._promote(found.bucket, found.key)

    def _promote(self, bucket: str, key: str) -> None:
        """Makes the newest remaining version the current one again."""
        row = self.index.row(
            "SELECT * FROM objects WHERE bucket = ? AND key = ? ORDER BY id DESC LIMIT 1",
            *(bucket, key),
        )
        if row is None:
            return
        if not row["marker"]:
            self._move(row["id"], self.root / row["path"], self._place(bucket, key))
        self.index.run("UPDATE objects SET latest = 1 WHERE id = ?", row["id"])

    def _place(self, bucket: str, key: str) -> Path:
        """Where the current version's file goes; its folder exists afterwards.

        An object `a` in the way of `a/b` moves aside, since `a` must become a folder.
        """
        root = self.root / bucket
        path = root / key if is_plain(key) else odd_path(self.root, bucket, key)
        if root in path.parents:
            for parent in reversed(path.relative_to(root).parents[:-1]):
                if (root / parent).is_file() and not self._step_aside(bucket, parent.as_posix()):
                    path = odd_path(self.root, bucket, key)
                    break
            if path.is_dir():
                path = odd_path(self.root, bucket, key)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _step_aside(self, bucket: str, key: str) -> bool:
        row = self.index.row(
            "SELECT * FROM objects WHERE bucket = ? AND key = ? AND latest = 1", bucket, key
        )
        if row is None:
            return False  # an engine's file that is no object yet: leave it where it is
        self._move(row["id"], self.root / row["path"], odd_path(self.root, bucket, key))
        return True

    def _move(self, row_id: int, source: Path, target: Path) -> None:
        if source == target:
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        source.replace(target)
        self.index.run(
            "UPDATE objects SET path = ? WHERE id = ?", str(target.relative_to(self.root)), row_id
        )

    def _unlink(self, path: Path) -> None:
        """Removes a file and the folders that it leaves empty."""
        path.unlink(missing_ok=True)
        self._remove_empty_parents(path)

    def _remove_empty_parents(self, path: Path) -> None:
        """Removes the folders around a file that is gone, up to the bucket's own."""
        bucket = self.root / path.relative_to(self.root).parts[0]
        for parent in path.parents:
            if bucket not in parent.parents:
                return
            try:
                parent.rmdir()
            except OSError:  # not empty
                return

    def _tell_created(self, stored: StoredObject, reason: str) -> None:
        if self.buckets.tells_eventbridge(stored.bucket):
            number = self._sequencer.next()
            self._publish(announce.created(stored, reason, number, self._account, self._region))

    def _tell_deleted(self, shown: StoredObject, *, marker: bool) -> None:
        if self.buckets.tells_eventbridge(shown.bucket):
            number = self._sequencer.next()
            self._publish(announce.deleted(shown, marker, number, self._account, self._region))

"""Multipart uploads: parts are files, joined by the kernel without passing through memory."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from localaws.errors import AwsError
from localaws.s3 import checksums
from localaws.s3.bodies import check_checksum
from localaws.s3.index import Row, dump
from localaws.s3.objects import Objects
from localaws.s3.stored import Received, StoredObject, measure
from localaws.shapes import Json

LEAST_PART = 5 * 1024 * 1024
_JOINED = 1 << 30  # bytes a copy_file_range call


@dataclass(frozen=True)
class Upload:
    id: str
    bucket: str
    key: str
    started: datetime
    properties: Json

    @property
    def algorithm(self) -> str | None:
        found: str | None = self.properties.get("ChecksumAlgorithm")
        return found

    @property
    def checksum_type(self) -> str:
        """COMPOSITE, but for CRC64NVME which only has FULL_OBJECT."""
        default = "FULL_OBJECT" if self.algorithm == "CRC64NVME" else "COMPOSITE"
        return str(self.properties.get("ChecksumType", default))


class Uploads:
    """Unfinished multipart uploads; they survive a restart."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._index = objects.index
        self._root = objects.root / ".uploads"

    def start(self, bucket: str, key: str, properties: Json) -> Upload:
        self._objects.buckets.get(bucket)
        now = self._objects.clock.now()
        # Ids of one key are in the order of time, as lists are.
        identifier = f"{int(now.timestamp() * 1e6):014x}{uuid.uuid4().hex}"
        upload = Upload(identifier, bucket, key, now, properties)
        if upload.algorithm in ("SHA1", "SHA256") and upload.checksum_type == "FULL_OBJECT":
            raise AwsError(
                "InvalidRequest",
                f"The FULL_OBJECT checksum type cannot be used with {upload.algorithm}.",
            )
        self._index.run(
            "INSERT INTO uploads VALUES (?, ?, ?, ?, ?)",
            *(upload.id, bucket, key, upload.started.timestamp(), dump(properties)),
        )
        return upload

    def get(self, bucket: str, key: str, upload_id: str) -> Upload:
        """Raises NoSuchUpload."""
        row = self._index.row(
            "SELECT * FROM uploads WHERE id = ? AND bucket = ? AND key = ?", upload_id, bucket, key
        )
        if row is None:
            raise AwsError(
                "NoSuchUpload",
                "The specified multipart upload does not exist. The upload ID might be invalid,"
                " or the multipart upload might have been aborted or completed.",
                404,
            )
        return _upload(row)

    def all(self, bucket: str) -> list[Upload]:
        self._objects.buckets.get(bucket)
        return [
            _upload(row)
            for row in self._index.rows(
                "SELECT * FROM uploads WHERE bucket = ? ORDER BY key, id", bucket
            )
        ]

    def add(self, upload: Upload, number: int, part: Received) -> None:
        """Keeps a part; one with the same number is replaced."""
        folder = self._root / upload.id
        folder.mkdir(parents=True, exist_ok=True)
        with self._index.writing():
            part.path.replace(folder / str(number))
            self._index.run(
                "INSERT OR REPLACE INTO parts VALUES (?, ?, ?, ?, ?, ?)",
                *(upload.id, number, part.bytes, part.etag, dump(part.checksums)),
                self._objects.clock.now().timestamp(),
            )

    def parts(self, upload: Upload, after: int = 0) -> list[Row]:
        return self._index.rows(
            "SELECT * FROM parts WHERE upload = ? AND number > ? ORDER BY number", upload.id, after
        )

    def abort(self, upload: Upload) -> None:
        with self._index.writing():
            self._index.run("DELETE FROM parts WHERE upload = ?", upload.id)
            self._index.run("DELETE FROM uploads WHERE id = ?", upload.id)
        shutil.rmtree(self._root / upload.id, ignore_errors=True)

    def complete(
        self,
        upload: Upload,
        listed: list[Json],
        unless: Any = None,
        *,
        sent: dict[str, str] | None = None,
        checksum_type: str | None = None,
        size: int | None = None,
    ) -> StoredObject:
        """Joins the listed parts to an object.

        `sent` checksums, their type and `size` are what the client says of the whole object. Raises
        InvalidPartOrder, InvalidPart (unknown, or another ETag), EntityTooSmall, BadDigest,
        InvalidRequest.
        """
        parts = self._chosen(upload, listed)
        _check_whole(upload, checksum_type, size, sum(part["bytes"] for part in parts))
        whole = hashlib.md5(usedforsecurity=False)
        for part in parts:
            whole.update(bytes.fromhex(part["etag"]))
        target = self._objects.incoming / uuid.uuid4().hex
        join([self._root / upload.id / str(part["number"]) for part in parts], target)
        joined_bytes = sum(part["bytes"] for part in parts)
        etag = f"{whole.hexdigest()}-{len(parts)}"
        properties = {
            name: value
            for name, value in upload.properties.items()
            if name not in ("ChecksumAlgorithm", "ChecksumType")
        } | {"Parts": [part["bytes"] for part in parts]}
        try:
            if upload.algorithm is not None:
                computed = self._checksum(upload, parts, target)
                for name, value in (sent or {}).items():
                    if name == upload.algorithm:
                        check_checksum(name, value, computed)
                properties |= {
                    "Checksums": {upload.algorithm: computed},
                    "ChecksumType": upload.checksum_type,
                }
        except AwsError:
            target.unlink()
            raise
        stored = self._objects.commit(
            upload.bucket,
            upload.key,
            Received(target, joined_bytes, etag, {}),
            properties,
            reason="CompleteMultipartUpload",
            unless=unless,
        )
        self.abort(upload)
        return stored

    def _chosen(self, upload: Upload, listed: list[Json]) -> list[Row]:
        known = {row["number"]: row for row in self.parts(upload)}
        numbers = [part.get("PartNumber", 0) for part in listed]
        if not numbers:
            raise AwsError("MalformedXML", "You must specify at least one part.")
        if numbers != sorted(set(numbers)):
            raise AwsError(
                "InvalidPartOrder", "The list of parts was not in ascending order by number."
            )
        for part in listed:
            row = known.get(part["PartNumber"])
            if row is None or row["etag"] != part.get("ETag", "").strip('"'):
                raise AwsError(
                    "InvalidPart",
                    f"Part {part['PartNumber']} could not be found, or its ETag"
                    f" {part.get('ETag')} is not the uploaded part's.",
                )
            for name, value in json.loads(row["checksums"]).items():
                if part.get(f"Checksum{name}", value) != value:
                    raise AwsError("BadDigest", f"The {name} of part {row['number']} differs.")
        chosen = [known[number] for number in numbers]
        if any(row["bytes"] < LEAST_PART for row in chosen[:-1]):
            raise AwsError(
                "EntityTooSmall",
                f"Your proposed upload is smaller than the minimum allowed size: only the last"
                f" part may have fewer than {LEAST_PART} bytes.",
            )
        return chosen

    def _checksum(self, upload: Upload, parts: list[Row], whole: Path) -> str:
        algorithm = str(upload.algorithm)
        if upload.checksum_type == "FULL_OBJECT":
            return measure(whole, [algorithm]).checksums[algorithm]
        sums = [json.loads(part["checksums"]).get(algorithm) for part in parts]
        if None in sums:
            raise AwsError(
                "InvalidRequest", f"Every part needs the upload's checksum, {algorithm}."
            )
        return checksums.composite(algorithm, sums)


def _check_whole(upload: Upload, checksum_type: str | None, size: int | None, bytes_: int) -> None:
    """Raises InvalidRequest where the client completes another object than it has uploaded."""
    if upload.algorithm is not None and checksum_type not in (None, upload.checksum_type):
        raise AwsError(
            "InvalidRequest",
            f"The upload was created using the {upload.checksum_type} checksum mode. The complete"
            f" request must use the same checksum mode, not {checksum_type}.",
        )
    if size is not None and size != bytes_:
        raise AwsError(
            "InvalidRequest",
            f"The provided 'x-amz-mp-object-size' header value {size} does not match what was"
            f" computed: {bytes_}",
        )


def _upload(row: Row) -> Upload:
    started = datetime.fromtimestamp(row["started"], UTC)
    return Upload(row["id"], row["bucket"], row["key"], started, json.loads(row["properties"]))


def join(parts: Iterable[Path], target: Path) -> None:
    """Writes the files one after the other; the kernel copies, or shares the blocks."""
    with target.open("xb") as output:
        for path in parts:
            with path.open("rb") as part:
                left = os.fstat(part.fileno()).st_size
                while left > 0:
                    left -= _append(part.fileno(), output.fileno(), min(left, _JOINED))


def _append(source: int, target: int, count: int) -> int:
    copy = getattr(os, "copy_file_range", None)  # Linux only
    if copy is not None:
        try:
            return int(copy(source, target, count))
        except OSError:  # a file system that cannot: EXDEV, EINVAL, ENOTSUP
            pass
    piece = os.read(source, min(count, 1 << 20))
    return os.write(target, piece)

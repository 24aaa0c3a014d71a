"""The objects that a frame is read from and written to: the files under the buckets' folders.

The job's Spark has every bucket mounted (`spark.hadoop.fs.viewfs.mounttable...`); what is listed
here is what it would read, also what the run itself has written just now.
"""

from __future__ import annotations

import importlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from awsglue.refusal import only, refuse
from localaws.s3.names import is_object_key, split_uri
from localaws.tables.exclusions import glob

_MOUNT = re.compile(r"spark\.hadoop\.fs\.viewfs\.mounttable\.(.+)\.linkFallback")
_OPTIONS = (
    "paths", "path", "recurse", "exclusions", "groupFiles", "groupSize", "useS3ListImplementation",
    "boundedFiles", "boundedSize", "maxBand", "maxFilesInBand", "isFailFast", "compressionType",
    "inPartition", "encryptionType",
    "jobBookmarkKeys", "jobBookmarkKeysSortOrder",  # of databases: bookmarks of S3 go by objects
)  # fmt: skip


@dataclass(frozen=True)
class ListedFile:
    """An object that is a file; what `localaws.tables` asks of a listing."""

    bucket: str
    key: str
    path: Path
    bytes: int
    modified_ns: int

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    @property
    def etag(self) -> str:
        return str(self.modified_ns)

    @property
    def last_modified(self) -> datetime:
        return datetime.fromtimestamp(self.modified_ns / 1e9, UTC)


class MountedObjects:
    """The buckets as this job's Spark has them."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self.folders = {
            match[1]: Path(value.removeprefix("objects://"))
            for name, value in settings.items()
            if (match := _MOUNT.fullmatch(name))
        }

    def folder(self, bucket: str) -> Path:
        if bucket not in self.folders:
            raise FileNotFoundError(
                f"There is no bucket {bucket}, or there was none when the run started."
            )
        return self.folders[bucket]

    def read(self, bucket: str, prefix: str = "") -> list[ListedFile]:
        """The objects whose keys start with the prefix, by key; the role may have to ask."""
        root = self.folder(bucket)
        if os.environ.get("LOCALAWS_POLICIES"):
            importlib.import_module("s3_reads").ask("getDynamicFrame", f"s3://{bucket}/{prefix}")
        start = root / prefix.rpartition("/")[0]
        found = [
            each
            for each in _walk(bucket, root, start)
            if each.key.startswith(prefix) and is_object_key(each.key)
        ]
        return sorted(found, key=lambda each: each.key)


def _walk(bucket: str, root: Path, start: Path) -> Iterator[ListedFile]:
    for folder, _, names in os.walk(start):
        for name in names:
            path = Path(folder, name)
            try:
                state = path.stat()
            except FileNotFoundError:
                continue
            key = path.relative_to(root).as_posix()
            yield ListedFile(bucket, key, path, state.st_size, state.st_mtime_ns)


def at_paths(objects: MountedObjects, options: Mapping[str, Any]) -> list[ListedFile]:
    """The objects with bytes that the options of an S3 source name, each once.

    A path is an object or a folder; without `recurse` only what lies directly in it. Raises
    FileNotFoundError for a path without any object.
    https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-connect-s3-home.html
    """
    only("connection_options of an S3 source", options, _OPTIONS)
    paths = options.get("paths", options.get("path", []))
    recurse = flag(options.get("recurse", False))
    excluded = [re.compile(glob(pattern)) for pattern in _exclusions(options.get("exclusions"))]
    found: dict[str, ListedFile] = {}
    for path in [paths] if isinstance(paths, str) else paths:
        here = _below(objects, path, recurse)
        if not here:
            raise FileNotFoundError(f"Path does not exist: {path}")
        found |= {
            file.uri: file
            for file, relative in here
            if not any(
                pattern.fullmatch(name) for pattern in excluded for name in (relative, file.uri)
            )
        }
    return [file for file in found.values() if file.bytes]


def _exclusions(given: Any) -> Sequence[str]:
    """A JSON list of patterns, in a string."""
    if not given:
        return []
    return list(json.loads(given)) if isinstance(given, str) else list(given)


def _below(objects: MountedObjects, path: str, recurse: bool) -> Sequence[tuple[ListedFile, str]]:
    """The objects at a path, each with its name below it."""
    bucket, key = split_uri(path)
    if re.search(r"[*?\[{]", key):
        refuse(f"the pattern {path} as a path of an S3 source", "Name folders, and exclusions.")
    folder = key if not key or key.endswith("/") else f"{key}/"
    found = []
    for file in objects.read(bucket, key):
        if file.key == key:
            return [(file, key.rpartition("/")[2])]
        relative = file.key.removeprefix(folder)
        hidden = any(part.startswith(("_", ".")) for part in relative.split("/"))
        if file.key.startswith(folder) and not hidden and (recurse or "/" not in relative):
            found.append((file, relative))
    return found


def flag(value: Any) -> bool:
    """Options come as booleans and as texts."""
    return str(value).strip().lower() == "true"

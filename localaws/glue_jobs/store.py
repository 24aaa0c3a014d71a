"""What a run did to the object store: its files become objects, its scratch goes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from localaws.core.aws import LocalAws
from localaws.core.errors import AwsError
from localaws.core.object_store import ObjectStore

SCRATCH = "_temporary"  # Hadoop's output committer works in folders of this name

Snapshot = dict[Path, tuple[int, int]]  # file to (bytes, modification time in ns)


def mounts(objects: ObjectStore) -> dict[str, Path]:
    """The folder of every bucket."""
    return {name: objects.folder(name) for name in objects.bucket_names()}


def snapshot(buckets: Mapping[str, Path]) -> Snapshot:
    """The files in the buckets, but for committers' scratch."""
    found: Snapshot = {}
    for bucket_folder in buckets.values():
        for folder, below, names in os.walk(bucket_folder):
            below[:] = [name for name in below if name != SCRATCH]
            for name in names:
                path = Path(folder, name)
                try:
                    state = path.stat()
                except FileNotFoundError:
                    continue
                found[path] = (state.st_size, state.st_mtime_ns)
    return found


def remove_scratch(buckets: Mapping[str, Path]) -> None:
    """Deletes what committers of killed runs left; only when no other run is at work."""
    for bucket_folder in buckets.values():
        for folder, below, _ in os.walk(bucket_folder):
            if SCRATCH in below:
                below.remove(SCRATCH)
                shutil.rmtree(Path(folder, SCRATCH), ignore_errors=True)


def register(aws: LocalAws, buckets: Mapping[str, Path], before: Snapshot) -> AwsError | None:
    """Makes objects of the files written since `before`, forgets those deleted.

    Each is asked for as S3's API would be; returns the first refusal: Spark has done its work by
    then, and the run has to fail.
    """
    after = snapshot(buckets)
    changed = {path for path, state in after.items() if before.get(path) != state}
    deleted = before.keys() - after.keys()
    changed |= deleted
    refused = None
    for bucket, folder in buckets.items():
        # Whole folders at a time, not the bucket: others may be writing elsewhere in it.
        prefixes = {
            path.parent.relative_to(folder).as_posix() for path in changed if folder in path.parents
        }
        for prefix in sorted(prefixes):
            aws.object_store.discover(bucket, "" if prefix == "." else f"{prefix}/")
            # A committer takes its scratch away; on S3 that is a DeleteObject.
            refused = refused or _refusal(aws, bucket, folder, folder / prefix / SCRATCH, True)
        for path in sorted(changed):
            if folder in path.parents:
                refused = refused or _refusal(aws, bucket, folder, path, path in deleted)
    return refused


def _refusal(
    aws: LocalAws, bucket: str, folder: Path, path: Path, deleted: bool
) -> AwsError | None:
    params = {"Bucket": bucket, "Key": path.relative_to(folder).as_posix()}
    try:
        aws.authorize(aws.caller, "s3", "DeleteObject" if deleted else "PutObject", params)
    except AwsError as error:
        return error
    return None

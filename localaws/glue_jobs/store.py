"""What a run did to the object store: its files become objects, its scratch goes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from localaws.core.aws import LocalAws
from localaws.core.object_store import Called, ObjectStore, State, state_of
from localaws.errors import AwsError

SCRATCH = "_temporary"  # Hadoop's output committer works in folders of this name

Snapshot = dict[Path, State]


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
                if (state := state_of(path)) is not None:
                    found[path] = state
    return found


def remove_scratch(buckets: Mapping[str, Path]) -> None:
    """Deletes what committers of killed runs left; only when no other run is at work."""
    for bucket_folder in buckets.values():
        for folder, below, _ in os.walk(bucket_folder):
            if SCRATCH in below:
                below.remove(SCRATCH)
                shutil.rmtree(Path(folder, SCRATCH), ignore_errors=True)


def register(
    aws: LocalAws,
    buckets: Mapping[str, Path],
    before: Snapshot,
    called: Called,
    others: Iterable[LocalAws] = (),
) -> AwsError | None:
    """Makes objects of the files written since `before`, forgets those deleted.

    Each is asked for as S3's API would be; returns the first refusal: Spark has done its work by
    then, and the run has to fail. `called` is what calls of anybody have changed meanwhile, which
    is not the run's. `others` are who else was at work in the folders: whose a file is cannot be
    told, so what one of them may do is none of this run's refusals.
    """
    after = snapshot(buckets)
    changed = {path for path, state in after.items() if before.get(path) != state}
    deleted = before.keys() - after.keys()
    changed |= deleted
    changed = {path for path in changed if after.get(path) not in called.get(path, ())}
    callers = (aws, *others)
    refused = None
    for bucket, folder in buckets.items():
        # Whole folders at a time, not the bucket: others may be writing elsewhere in it.
        prefixes = {
            path.parent.relative_to(folder).as_posix() for path in changed if folder in path.parents
        }
        for prefix in sorted(prefixes):
            aws.object_store.discover(bucket, "" if prefix == "." else f"{prefix}/")
            # A committer takes its scratch away; on S3 that is a DeleteObject.
            refused = refused or _refusal(callers, bucket, folder, folder / prefix / SCRATCH, True)
        for path in sorted(changed):
            if folder in path.parents:
                refused = refused or _refusal(callers, bucket, folder, path, path in deleted)
    return refused


def _refusal(
    callers: Iterable[LocalAws], bucket: str, folder: Path, path: Path, deleted: bool
) -> AwsError | None:
    """The refusal to the first one, where all of them are refused."""
    params = {"Bucket": bucket, "Key": path.relative_to(folder).as_posix()}
    refused = None
    for aws in callers:
        try:
            aws.authorize(aws.caller, "s3", "DeleteObject" if deleted else "PutObject", params)
        except AwsError as error:
            refused = refused or error
        else:
            return None
    return refused

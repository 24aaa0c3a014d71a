"""OPTIMIZE and VACUUM: which files are rewritten, and which nothing needs any more.

https://docs.aws.amazon.com/athena/latest/ug/querying-iceberg-data-optimization.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pyiceberg.manifest import DataFile
from pyiceberg.table import FileScanTask, Table
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.snapshots import Snapshot
from pyiceberg.table.update import RemoveSnapshotsUpdate, TableUpdate

from localaws.athena.iceberg.files import LocalFiles, place

TARGET_BYTES = 512 << 20


def rewritten(tasks: Iterable[FileScanTask], properties: dict[str, str]) -> list[FileScanTask]:
    """The files that are too small, too large, or have many delete files; by partition, and only
    where they are enough."""
    target = _number(properties, "write_target_data_file_size_bytes", TARGET_BYTES)
    least = _number(properties, "optimize_rewrite_min_data_file_size_bytes", target * 3 // 4)
    most = _number(properties, "optimize_rewrite_max_data_file_size_bytes", target * 9 // 5)
    files_needed = _number(properties, "optimize_rewrite_data_file_threshold", 5)
    deletes_needed = _number(properties, "optimize_rewrite_delete_file_threshold", 2)
    groups: dict[tuple[int, Any], list[FileScanTask]] = {}
    for task in tasks:
        groups.setdefault(partition(task), []).append(task)
    found = []
    for members in groups.values():
        worn = [task for task in members if len(task.delete_files) >= deletes_needed]
        odd = [
            task
            for task in members
            if len(task.delete_files) < deletes_needed
            and not least <= task.file.file_size_in_bytes <= most
        ]
        found += worn
        if len(odd) >= files_needed:
            found += odd
    return found


def partition(task: FileScanTask) -> tuple[int, Any]:
    return task.file.spec_id, task.file.partition


def released(gone: Iterable[FileScanTask], tasks: Iterable[FileScanTask]) -> list[DataFile]:
    """The delete files that name rows of no file but those that are gone."""
    paths = {task.file.file_path for task in gone}
    needed = {
        d.file_path for task in tasks if task.file.file_path not in paths for d in task.delete_files
    }
    found = {d.file_path: d for task in gone for d in task.delete_files}
    return [file for path, file in found.items() if path not in needed]


def expired(metadata: TableMetadata, now_milliseconds: int) -> list[int]:
    """The snapshots that are older than vacuum_max_snapshot_age_seconds, but for the newest
    vacuum_min_snapshots_to_keep of each branch and what a tag names."""
    properties = metadata.properties
    age = _number(properties, "vacuum_max_snapshot_age_seconds", 432_000)
    keep = _number(properties, "vacuum_min_snapshots_to_keep", 1)
    oldest = now_milliseconds - age * 1000
    kept: set[int] = set()
    for ref in metadata.refs.values():
        snapshot = metadata.snapshot_by_id(ref.snapshot_id)
        kept.add(ref.snapshot_id)
        if ref.snapshot_ref_type.value != "branch":
            continue
        for number, ancestor in enumerate(_line(metadata, snapshot)):
            if number < max(keep, 1) or ancestor.timestamp_ms >= oldest:
                kept.add(ancestor.snapshot_id)
    return [s.snapshot_id for s in metadata.snapshots if s.snapshot_id not in kept]


def expiry(metadata: TableMetadata, snapshot_ids: list[int]) -> list[TableUpdate]:
    return (
        [RemoveSnapshotsUpdate.model_validate({"snapshot-ids": snapshot_ids})]
        if snapshot_ids
        else []
    )


def _line(metadata: TableMetadata, snapshot: Snapshot | None) -> Iterable[Snapshot]:
    while snapshot is not None:
        yield snapshot
        parent = snapshot.parent_snapshot_id
        snapshot = metadata.snapshot_by_id(parent) if parent is not None else None


def referenced(table: Table, metadata: TableMetadata, *, live: bool = False) -> dict[str, str]:
    """Every object that the table names at this metadata: bucket/key to URI; with `live`, without
    the files of which its manifests say no more than that they are gone."""
    files: Any = table.io
    found: dict[str, str] = {}

    def name(*uris: str) -> None:
        found.update((place(uri), uri) for uri in uris)

    name(*(entry.metadata_file for entry in metadata.metadata_log))
    name(*(statistics.statistics_path for statistics in metadata.statistics))
    for snapshot in metadata.snapshots:
        name(snapshot.manifest_list)
        if place(snapshot.manifest_list) not in files.known:
            continue
        for manifest in snapshot.manifests(files):
            if place(manifest.manifest_path) not in found:
                name(manifest.manifest_path, *_named_by(manifest, files, live))
    return found


def _named_by(manifest: Any, files: LocalFiles, live: bool) -> list[str]:
    if place(manifest.manifest_path) not in files.known:
        return []
    entries = manifest.fetch_manifest_entry(files, discard_deleted=live)
    return [entry.data_file.file_path for entry in entries]


def _number(properties: dict[str, str], key: str, default: int) -> int:
    return int(properties.get(key, default))

"""New versions of an Iceberg table: manifests, a snapshot, the metadata file.

pyiceberg writes appends and whole files; Athena's changes of rows are position deletes beside new
data files, which are put together here from its parts. https://iceberg.apache.org/spec/#snapshots
"""

from __future__ import annotations

from collections.abc import Sequence

from pyiceberg.manifest import (
    DataFile,
    ManifestContent,
    ManifestEntry,
    ManifestEntryStatus,
    ManifestFile,
    ManifestWriter,
    ManifestWriterV1,
    ManifestWriterV2,
    write_manifest_list,
)
from pyiceberg.partitioning import PartitionSpec
from pyiceberg.serializers import ToOutputFile
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.refs import MAIN_BRANCH
from pyiceberg.table.snapshots import (
    Operation,
    Snapshot,
    SnapshotSummaryCollector,
    Summary,
    update_snapshot_summaries,
)
from pyiceberg.table.update import (
    AddSnapshotUpdate,
    SetSnapshotRefUpdate,
    TableUpdate,
    update_table_metadata,
)

from localaws.athena.iceberg.files import LocalFiles


class _DeletesWriter(ManifestWriterV2):
    """A manifest of delete files."""

    def content(self) -> ManifestContent:
        return ManifestContent.DELETES

    @property
    def _meta(self) -> dict[str, str]:
        return {**super()._meta, "content": "deletes"}


class Commit:
    """What one statement makes of a table; its files are named after the execution."""

    def __init__(
        self,
        metadata: TableMetadata,
        location: str | None,  # of the metadata file; None for a new table
        files: LocalFiles,
        execution_id: str,
        now_milliseconds: int,
    ) -> None:
        self.metadata = metadata
        self.location = location
        self.files = files
        self.execution_id = execution_id
        self.now = max(now_milliseconds, metadata.last_updated_ms + 1)
        self.made: str | None = None  # the location of the new metadata file
        self._manifests = 0

    @property
    def _folder(self) -> str:
        given = self.metadata.properties.get("write.metadata.path")
        return (given or f"{self.metadata.location.rstrip('/')}/metadata").rstrip("/")

    def rows(
        self,
        added: Sequence[DataFile],
        deletes: Sequence[DataFile] = (),
        replaced: Sequence[DataFile] = (),
    ) -> None:
        """A snapshot with new data and delete files and without those `replaced`, whose rows the
        new ones have."""
        snapshot_id = self.metadata.new_snapshot_id()
        parent = self.metadata.current_snapshot()
        gone = {file.file_path for file in replaced}
        manifests = [
            kept
            for manifest in (parent.manifests(self.files) if parent else [])
            for kept in self._kept(manifest, gone, snapshot_id)
        ]
        manifests += self._new(added, ManifestContent.DATA, snapshot_id)
        manifests += self._new(deletes, ManifestContent.DELETES, snapshot_id)
        sequence = self.metadata.next_sequence_number()
        uri = f"{self._folder}/snap-{snapshot_id}-0-{self.execution_id}.avro"
        with write_manifest_list(
            self.metadata.format_version,
            self.files.new_output(uri),
            snapshot_id,
            parent.snapshot_id if parent else None,
            sequence,
            "deflate",
        ) as writer:
            writer.add_manifests(manifests)
        snapshot = Snapshot.model_validate(
            {
                "snapshot-id": snapshot_id,
                "parent-snapshot-id": parent.snapshot_id if parent else None,
                "sequence-number": sequence,
                "timestamp-ms": self.now,
                "manifest-list": uri,
                "summary": self._summary(added, deletes, replaced),
                "schema-id": self.metadata.current_schema_id,
            }
        )
        main = {"ref-name": MAIN_BRANCH, "type": "branch", "snapshot-id": snapshot_id}
        self.updates(
            AddSnapshotUpdate(snapshot=snapshot), SetSnapshotRefUpdate.model_validate(main)
        )

    def updates(self, *updates: TableUpdate) -> None:
        """A metadata file with these changes."""
        self.metadata = update_table_metadata(
            self.metadata, updates, metadata_location=self.location
        ).model_copy(update={"last_updated_ms": self.now})
        self.written()

    def written(self) -> None:
        version = 0
        if self.location is not None:
            before = self.location.rpartition("/")[2].partition("-")[0].removeprefix("v")
            version = int(before) + 1 if before.isdigit() else 1
        uri = f"{self._folder}/{version:05d}-{self.execution_id}.metadata.json"
        ToOutputFile.table_metadata(self.metadata, self.files.new_output(uri))
        self.made = uri

    def _kept(self, manifest: ManifestFile, gone: set[str], snapshot_id: int) -> list[ManifestFile]:
        """The manifest as it is, or anew without the files that are gone."""
        if not manifest.has_added_files() and not manifest.has_existing_files():
            return []
        if not gone:
            return [manifest]
        entries = manifest.fetch_manifest_entry(self.files)
        if not any(entry.data_file.file_path in gone for entry in entries):
            return [manifest]
        with self._writer(
            self.metadata.specs()[manifest.partition_spec_id], manifest.content, snapshot_id
        ) as writer:
            for entry in entries:
                if entry.data_file.file_path in gone:
                    writer.delete(entry)
                else:
                    writer.existing(entry)
        return [writer.to_manifest_file()]

    def _new(
        self, files: Sequence[DataFile], content: ManifestContent, snapshot_id: int
    ) -> list[ManifestFile]:
        found = []
        for spec_id in sorted({file.spec_id for file in files}):
            with self._writer(self.metadata.specs()[spec_id], content, snapshot_id) as writer:
                for file in files:
                    if file.spec_id == spec_id:
                        writer.add(
                            ManifestEntry.from_args(
                                status=ManifestEntryStatus.ADDED,
                                snapshot_id=snapshot_id,
                                sequence_number=None,
                                file_sequence_number=None,
                                data_file=file,
                            )
                        )
            found.append(writer.to_manifest_file())
        return found

    def _writer(
        self, spec: PartitionSpec, content: ManifestContent, snapshot_id: int
    ) -> ManifestWriter:
        kind: type[ManifestWriter] = ManifestWriterV2
        if content == ManifestContent.DELETES:
            kind = _DeletesWriter
        elif self.metadata.format_version == 1:
            kind = ManifestWriterV1
        output = self.files.new_output(
            f"{self._folder}/{self.execution_id}-m{self._manifests}.avro"
        )
        self._manifests += 1
        return kind(spec, self.metadata.schema(), output, snapshot_id, "deflate")

    def _summary(
        self,
        added: Sequence[DataFile],
        deletes: Sequence[DataFile],
        replaced: Sequence[DataFile],
    ) -> Summary:
        schema, specs = self.metadata.schema(), self.metadata.specs()
        told = SnapshotSummaryCollector()
        for file in (*added, *deletes):
            told.add_file(file, schema, specs[file.spec_id])
        for file in replaced:
            told.remove_file(file, schema, specs[file.spec_id])
        parent = self.metadata.current_snapshot()
        operation = Operation.APPEND
        if deletes:
            operation = Operation.OVERWRITE if added else Operation.DELETE
        # pyiceberg counts the totals of every operation but of this one.
        counted = Operation.OVERWRITE if replaced else operation
        summary = update_snapshot_summaries(
            Summary(counted, **{"trino_query_id": self.execution_id, **told.build()}),
            parent.summary.additional_properties if parent and parent.summary else None,
        )
        if not replaced:
            return summary
        return Summary(Operation.REPLACE, **summary.additional_properties)

"""Rows into files of an Iceberg table: data files by partition, and position delete files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow.parquet as pq
from pyiceberg.io.pyarrow import (
    compute_statistics_plan,
    data_file_statistics_from_parquet_metadata,
    parquet_path_to_id_mapping,
)
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
from pyiceberg.partitioning import PartitionSpec
from pyiceberg.table import FileScanTask
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.typedef import Record

from localaws.athena.iceberg import transforms, types
from localaws.athena.iceberg.files import LocalFiles
from localaws.athena.iceberg.reading import Run, as_json, field_ids, stored
from localaws.tables.errors import TableError, not_emulated
from localaws.trino.values import name, text

TARGET_SIZE = "write_target_data_file_size_bytes"
MAXIMUM_PARTITIONS = 100  # that one statement may write
# https://iceberg.apache.org/spec/#reserved-field-ids
_PATH_ID, _POS_ID = 2147483546, 2147483545
_CODECS = {
    "zstd": "zstd", "gzip": "gzip", "snappy": "snappy", "none": "uncompressed",
    "uncompressed": "uncompressed",
}  # fmt: skip


class Writer:
    """Writes for one statement. File names have the execution's id, so that what a stop of the
    server cut off is found again."""

    def __init__(
        self, metadata: TableMetadata, files: LocalFiles, run: Run, execution_id: str
    ) -> None:
        self.metadata = metadata
        self.files = files
        self.run = run
        self.execution_id = execution_id
        files.folder.mkdir(parents=True, exist_ok=True)
        taken = {field.name.lower() for field in metadata.schema().fields}
        mark = "_"
        while any(label.startswith(mark) for label in taken):
            mark += "_"
        self._mark = mark  # before names of our own, so that they are no column's

    @property
    def _codec(self) -> str:
        given = self.metadata.properties.get("write.parquet.compression-codec", "zstd").lower()
        if given not in _CODECS:
            raise not_emulated(f"write.parquet.compression-codec {given}")
        return _CODECS[given]

    def data(self, source: str) -> list[DataFile]:
        """The rows of `source`, a SELECT of the schema's columns as expressions hold them, named
        c0, c1, ... Raises TableError."""
        schema, spec = self.metadata.schema(), self.metadata.spec()
        shown = [
            f"{stored(f'c{place}', field.field_type)} AS {name(field.name)}"
            for place, field in enumerate(schema.fields)
        ]
        self._check_required(source)
        keys = []
        for number, part in enumerate(spec.fields):
            field = schema.find_field(part.source_id)
            label = schema.find_column_name(part.source_id) or ""
            if "." in label:
                raise not_emulated("Iceberg's partitions of a nested field")
            kind = types.trino(as_json(field.field_type))
            keys.append(
                f"{transforms.applied(part.transform, name(label), kind)} AS {self._mark}p{number}"
            )
        self.run(f"CREATE OR REPLACE TEMP TABLE _data AS SELECT {', '.join(shown)} FROM ({source})")
        labels = ", ".join(name(field.name) for field in schema.fields)
        options = f"FORMAT parquet, COMPRESSION {self._codec}, FIELD_IDS {field_ids(schema.fields)}"
        if not self.run("SELECT 1 FROM _data LIMIT 1"):
            return []
        target = self.files.folder / "data"
        if not keys:
            given = self.metadata.properties
            size = int(given.get(TARGET_SIZE, given.get("write.target-file-size-bytes", 512 << 20)))
            self.run(
                f"COPY _data TO {text(str(target))} ({options}, FILE_SIZE_BYTES {size}, "
                "OVERWRITE_OR_IGNORE)"
            )
            partitions = {path: Record() for path in _below(target)}
        else:
            partitions = self._partitioned(keys, labels, options, target)
        return [self._data_file(path, values, spec) for path, values in partitions.items()]

    def _partitioned(
        self, keys: Sequence[str], labels: str, options: str, target: Path
    ) -> dict[Path, Record]:
        places = [f"{self._mark}p{place}" for place in range(len(keys))]
        number = f"{self._mark}n"
        self.run(
            f"CREATE OR REPLACE TEMP TABLE _parts AS SELECT row_number() OVER () AS {number}, * "
            f"FROM (SELECT DISTINCT {', '.join(keys)} FROM _data)"
        )
        found = self.run(f"SELECT {number}, {', '.join(places)} FROM _parts")
        if len(found) > MAXIMUM_PARTITIONS:
            raise TableError(
                "ICEBERG_TOO_MANY_OPEN_PARTITIONS",
                f"Exceeded limit of {MAXIMUM_PARTITIONS} open writers for partitions",
            )
        same = " AND ".join(f"d.{place} IS NOT DISTINCT FROM q.{place}" for place in places)
        self.run(
            f"COPY (SELECT {labels}, {number} FROM (SELECT *, {', '.join(keys)} FROM _data) AS d "
            f"JOIN _parts AS q ON {same}) TO {text(str(target))} "
            f"({options}, PARTITION_BY ({number}), OVERWRITE_OR_IGNORE)"
        )
        values = {str(place): Record(*rest) for place, *rest in found}
        return {path: values[path.parent.name.partition("=")[2]] for path in _below(target)}

    def _check_required(self, source: str) -> None:
        needed = [
            (place, field.name)
            for place, field in enumerate(self.metadata.schema().fields)
            if field.required
        ]
        for place, label in needed:
            if self.run(f"SELECT 1 FROM ({source}) WHERE c{place} IS NULL LIMIT 1"):
                raise TableError(
                    "CONSTRAINT_VIOLATION", f"NULL value not allowed for NOT NULL column: {label}"
                )

    def _data_file(self, path: Path, partition: Record, spec: PartitionSpec) -> DataFile:
        schema = self.metadata.schema()
        told: dict[str, Any] = data_file_statistics_from_parquet_metadata(
            pq.read_metadata(path),
            compute_statistics_plan(schema, self.metadata.properties),
            parquet_path_to_id_mapping(schema),
        ).to_serialized_dict()
        return self._entry(DataFileContent.DATA, path, partition, spec, told)

    def _entry(
        self,
        content: DataFileContent,
        path: Path,
        partition: Any,
        spec: PartitionSpec,
        more: dict[str, Any],
    ) -> DataFile:
        """What a manifest is to say of a file that was written, which gets its URI here."""
        below = spec.partition_to_path(partition, self.metadata.schema()) if spec.fields else ""
        made = DataFile.from_args(
            content=content,
            file_path=self._adopt(path, below),
            file_format=FileFormat.PARQUET,
            partition=partition,
            file_size_in_bytes=path.stat().st_size,
            **more,
        )
        made.spec_id = spec.spec_id
        return made

    def _adopt(self, path: Path, below: str) -> str:
        """The URI of a file that was written."""
        root = self.metadata.properties.get("write.data.path") or f"{self.metadata.location}/data"
        parts = (root.rstrip("/"), below, f"{self.execution_id}-{uuid4()}.parquet")
        uri = "/".join(part for part in parts if part)
        self.files.written[uri] = path
        return uri

    def deletes(self, source: str, tasks: Sequence[FileScanTask]) -> list[DataFile]:
        """`source` selects the `path` and `pos` of rows that are no more; `tasks` are the table's
        files. One delete file for each partition with such rows."""
        if self.metadata.format_version < 2:
            raise TableError(
                "NOT_SUPPORTED", "Iceberg table updates require at least format version 2"
            )
        named = {path for (path,) in self.run(f"SELECT DISTINCT path FROM ({source})")}
        groups: dict[tuple[int, Any], list[str]] = {}
        for task in tasks:
            if task.file.file_path in named:
                key = (task.file.spec_id, task.file.partition)
                groups.setdefault(key, []).append(task.file.file_path)
        found = []
        for (spec_id, partition), paths in groups.items():
            target = self.files.folder / f"deletes-{uuid4()}.parquet"
            listed = ", ".join(f"({text(path)})" for path in paths)
            self.run(
                f"COPY (SELECT path AS file_path, CAST(pos AS BIGINT) AS pos FROM ({source}) "
                f"WHERE path IN (SELECT * FROM (VALUES {listed})) ORDER BY file_path, pos) "
                f"TO {text(str(target))} (FORMAT parquet, COMPRESSION {self._codec}, "
                f"FIELD_IDS {{file_path: {_PATH_ID}, pos: {_POS_ID}}})"
            )
            more = {
                "record_count": pq.read_metadata(target).num_rows,
                "lower_bounds": {_PATH_ID: min(paths).encode()},
                "upper_bounds": {_PATH_ID: max(paths).encode()},
            }
            spec = self.metadata.specs()[spec_id]
            kind = DataFileContent.POSITION_DELETES
            found.append(self._entry(kind, target, partition, spec, more))
        return found


def _below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())

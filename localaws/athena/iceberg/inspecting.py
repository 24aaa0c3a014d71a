"""The rows of an Iceberg table's metadata tables; `described.py` has their columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.conversions import from_bytes
from pyiceberg.manifest import DataFile
from pyiceberg.table import Table
from pyiceberg.table.snapshots import ancestors_of
from pyiceberg.transforms import IdentityTransform

from localaws.athena.iceberg.reading import planned
from localaws.athena.iceberg.source import IcebergScan
from localaws.athena.sql.times import ZONED
from localaws.trino import types as t
from localaws.trino.types import Type
from localaws.trino.values import name, text

Row = dict[str, Any]


def relation(table: Table, scan: IcebergScan, folder: Path) -> str:
    """A SELECT of the metadata table's rows."""
    columns = scan.columns
    rows = list(_ROWS[scan.kind](table, scan, dict(columns)))
    schema = pa.schema([(label, _arrow(kind)) for label, kind in columns])
    path = folder / f"{scan.kind}-{uuid4()}.parquet"
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)
    shown = [f"{_held(name(label), kind)} AS {name(label)}" for label, kind in columns]
    return f"SELECT {', '.join(shown)} FROM read_parquet({text(str(path))})"


def _history(table: Table, scan: IcebergScan, columns: dict[str, Type]) -> Iterator[Row]:
    metadata = table.metadata
    ancestors = {s.snapshot_id for s in ancestors_of(metadata.current_snapshot(), metadata)}
    for entry in metadata.snapshot_log:
        found = metadata.snapshot_by_id(entry.snapshot_id)
        yield {
            "made_current_at": _moment(entry.timestamp_ms),
            "snapshot_id": entry.snapshot_id,
            "parent_id": found.parent_snapshot_id if found else None,
            "is_current_ancestor": entry.snapshot_id in ancestors,
        }


def _snapshots(table: Table, scan: IcebergScan, columns: dict[str, Type]) -> Iterator[Row]:
    for found in table.metadata.snapshots:
        yield {
            "committed_at": _moment(found.timestamp_ms),
            "snapshot_id": found.snapshot_id,
            "parent_id": found.parent_snapshot_id,
            "operation": found.summary.operation.value if found.summary else None,
            "manifest_list": found.manifest_list,
            "summary": list(found.summary.additional_properties.items()) if found.summary else None,
        }


def _refs(table: Table, scan: IcebergScan, columns: dict[str, Type]) -> Iterator[Row]:
    for label, ref in table.metadata.refs.items():
        yield {
            "name": label,
            "type": ref.snapshot_ref_type.value.upper(),
            "snapshot_id": ref.snapshot_id,
            "max_reference_age_in_ms": ref.max_ref_age_ms,
            "min_snapshots_to_keep": ref.min_snapshots_to_keep,
            "max_snapshot_age_in_ms": ref.max_snapshot_age_ms,
        }


def _manifests(table: Table, scan: IcebergScan, columns: dict[str, Type]) -> Iterator[Row]:
    snapshot = table.snapshot_by_id(scan.snapshot_id) if scan.snapshot_id else None
    for found in snapshot.manifests(table.io) if snapshot else []:
        spec = table.specs()[found.partition_spec_id]
        kinds = [field.field_type for field in spec.partition_type(table.schema()).fields]

        def shown(place: int, bound: bytes | None, spec: Any = spec, kinds: Any = kinds) -> Any:
            if bound is None:
                return None
            value = from_bytes(kinds[place], bound)
            return spec.fields[place].transform.to_human_string(kinds[place], value)

        yield {
            "content": int(found.content),
            "path": found.manifest_path,
            "length": found.manifest_length,
            "partition_spec_id": found.partition_spec_id,
            "added_snapshot_id": found.added_snapshot_id,
            "added_data_files_count": found.added_files_count,
            "added_rows_count": found.added_rows_count,
            "existing_data_files_count": found.existing_files_count,
            "existing_rows_count": found.existing_rows_count,
            "deleted_data_files_count": found.deleted_files_count,
            "deleted_rows_count": found.deleted_rows_count,
            "partition_summaries": [
                {
                    "contains_null": summary.contains_null,
                    "contains_nan": summary.contains_nan,
                    "lower_bound": shown(place, summary.lower_bound),
                    "upper_bound": shown(place, summary.upper_bound),
                }
                for place, summary in enumerate(found.partitions or [])
            ],
        }


def _files(table: Table, scan: IcebergScan, columns: dict[str, Type]) -> Iterator[Row]:
    snapshot = table.snapshot_by_id(scan.snapshot_id) if scan.snapshot_id else None
    for manifest in snapshot.manifests(table.io) if snapshot else []:
        for entry in manifest.fetch_manifest_entry(table.io):
            file = entry.data_file
            yield {
                "content": int(file.content),
                "file_path": file.file_path,
                "file_format": file.file_format.value,
                "record_count": file.record_count,
                "file_size_in_bytes": file.file_size_in_bytes,
                "column_sizes": _pairs(file.column_sizes),
                "value_counts": _pairs(file.value_counts),
                "null_value_counts": _pairs(file.null_value_counts),
                "nan_value_counts": _pairs(file.nan_value_counts),
                "lower_bounds": _bounds(table, file.lower_bounds),
                "upper_bounds": _bounds(table, file.upper_bounds),
                "key_metadata": file.key_metadata,
                "split_offsets": file.split_offsets,
                "equality_ids": file.equality_ids,
            }


def _pairs(given: dict[int, int] | None) -> list[tuple[int, int]] | None:
    return list(given.items()) if given is not None else None


def _bounds(table: Table, given: dict[int, bytes] | None) -> list[tuple[int, str]] | None:
    if given is None:
        return None
    found = []
    for number, value in given.items():
        try:
            kind: Any = table.schema().find_type(number)
        except ValueError:  # of a column that is dropped, or of a delete file
            continue
        bound: Any = from_bytes(kind, value)
        told = IdentityTransform().to_human_string(kind, bound)
        found.append((number, told))
    return found


def _partitions(table: Table, scan: IcebergScan, columns: dict[str, Type]) -> Iterator[Row]:
    groups: dict[tuple[Any, ...], list[DataFile]] = {}
    names = columns["partition"].names if "partition" in columns else ()
    for task in planned(table, scan.snapshot_id):
        spec = table.specs()[task.file.spec_id]
        own = {
            field.name.lower(): _plain(task.file.partition[place])
            for place, field in enumerate(spec.fields)
        }
        groups.setdefault(tuple(own.get(label or "") for label in names), []).append(task.file)
    stated = columns["data"].names if "data" in columns else ()
    fields = {field.name.lower(): field for field in table.schema().fields}
    for values, files in groups.items():
        yield {
            **({"partition": dict(zip(names, values, strict=True))} if names else {}),
            "record_count": sum(file.record_count for file in files),
            "file_count": len(files),
            "total_size": sum(file.file_size_in_bytes for file in files),
            "data": {label: _stated(fields[label or ""], files) for label in stated},
        }


def _stated(field: Any, files: Sequence[DataFile]) -> Row:
    number, kind = field.field_id, field.field_type

    def of(told: str) -> list[Any]:
        stated = [getattr(file, told) or {} for file in files]
        return [one[number] for one in stated if number in one]

    lows = [from_bytes(kind, bound) for bound in of("lower_bounds")]
    highs = [from_bytes(kind, bound) for bound in of("upper_bounds")]
    nulls, nans = of("null_value_counts"), of("nan_value_counts")
    whole = len(lows) == len(files)
    return {
        "min": _plain(min(lows)) if whole and lows else None,
        "max": _plain(max(highs)) if whole and highs else None,
        "null_count": sum(nulls) if nulls else None,
        "nan_count": sum(nans) if nans else None,
    }


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, UUID) else value


def _properties(table: Table, scan: IcebergScan, columns: dict[str, Type]) -> Iterator[Row]:
    for key, value in table.properties.items():
        yield {"key": key, "value": value}


_ROWS = {
    "history": _history, "snapshots": _snapshots, "refs": _refs, "manifests": _manifests,
    "files": _files, "partitions": _partitions, "properties": _properties,
}  # fmt: skip


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).replace(tzinfo=None)


_ARROW = {
    "boolean": pa.bool_(), "integer": pa.int32(), "bigint": pa.int64(), "real": pa.float32(),
    "double": pa.float64(), "date": pa.date32(), "time": pa.time64("us"),
    "timestamp": pa.timestamp("us"), ZONED: pa.timestamp("us"), "varchar": pa.string(),
    "varbinary": pa.binary(), "uuid": pa.string(),
}  # fmt: skip


def _arrow(kind: Type) -> pa.DataType:
    if kind.name == "decimal":
        return pa.decimal128(*kind.numbers)
    if kind.name == "array":
        return pa.list_(_arrow(kind.items[0]))
    if kind.name == "map":
        return pa.map_(_arrow(kind.items[0]), _arrow(kind.items[1]))
    if kind.name == "row":
        return pa.struct(
            [
                (label or "", _arrow(item))
                for label, item in zip(kind.names, kind.items, strict=True)
            ]
        )
    return _ARROW[kind.name]


def _held(sql: str, kind: Type) -> str:
    """The value as expressions hold it."""
    if kind.name == ZONED:
        return f"trino_at({sql}, 'UTC')"
    if kind.name == "row":
        labels = [name(label or "") for label in kind.names]
        parts = [
            f"{label} := {_held(f'({sql}).{label}', item)}"
            for label, item in zip(labels, kind.items, strict=True)
        ]
        return f"struct_pack({', '.join(parts)})"
    return f"CAST({sql} AS {t.duckdb(kind)})"

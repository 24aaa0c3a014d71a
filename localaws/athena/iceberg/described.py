"""The columns of a table's metadata tables: "t$snapshots" and its like.

https://docs.aws.amazon.com/athena/latest/ug/querying-iceberg-table-metadata.html, and Trino's
tables of the same names for what is not told there.
"""

from __future__ import annotations

from localaws.athena.iceberg import types
from localaws.athena.iceberg.state import IcebergTable
from localaws.shapes import Json
from localaws.trino import types as t
from localaws.trino.types import Type

Columns = tuple[tuple[str, Type], ...]
_COUNTS = t.map_of(t.INTEGER, t.BIGINT)
_BOUNDS = t.map_of(t.INTEGER, t.VARCHAR)
_SUMMARY = t.row(
    (t.BOOLEAN, t.BOOLEAN, t.VARCHAR, t.VARCHAR),
    ("contains_null", "contains_nan", "lower_bound", "upper_bound"),
)
_FIXED: dict[str, Columns] = {
    "history": (
        ("made_current_at", t.TIMESTAMP_TZ), ("snapshot_id", t.BIGINT), ("parent_id", t.BIGINT),
        ("is_current_ancestor", t.BOOLEAN),
    ),
    "snapshots": (
        ("committed_at", t.TIMESTAMP_TZ), ("snapshot_id", t.BIGINT), ("parent_id", t.BIGINT),
        ("operation", t.VARCHAR), ("manifest_list", t.VARCHAR),
        ("summary", t.map_of(t.VARCHAR, t.VARCHAR)),
    ),
    "refs": (
        ("name", t.VARCHAR), ("type", t.VARCHAR), ("snapshot_id", t.BIGINT),
        ("max_reference_age_in_ms", t.BIGINT), ("min_snapshots_to_keep", t.INTEGER),
        ("max_snapshot_age_in_ms", t.BIGINT),
    ),
    "manifests": (
        ("content", t.INTEGER), ("path", t.VARCHAR), ("length", t.BIGINT),
        ("partition_spec_id", t.INTEGER), ("added_snapshot_id", t.BIGINT),
        ("added_data_files_count", t.INTEGER), ("added_rows_count", t.BIGINT),
        ("existing_data_files_count", t.INTEGER), ("existing_rows_count", t.BIGINT),
        ("deleted_data_files_count", t.INTEGER), ("deleted_rows_count", t.BIGINT),
        ("partition_summaries", t.array(_SUMMARY)),
    ),
    "files": (
        ("content", t.INTEGER), ("file_path", t.VARCHAR), ("file_format", t.VARCHAR),
        ("record_count", t.BIGINT), ("file_size_in_bytes", t.BIGINT), ("column_sizes", _COUNTS),
        ("value_counts", _COUNTS), ("null_value_counts", _COUNTS), ("nan_value_counts", _COUNTS),
        ("lower_bounds", _BOUNDS), ("upper_bounds", _BOUNDS), ("key_metadata", t.VARBINARY),
        ("split_offsets", t.array(t.BIGINT)), ("equality_ids", t.array(t.INTEGER)),
    ),
    "properties": (("key", t.VARCHAR), ("value", t.VARCHAR)),
}  # fmt: skip
KINDS = (*_FIXED, "partitions")
_OF_ONE_SNAPSHOT = ("manifests", "files", "partitions")


def columns(table: IcebergTable, kind: str) -> Columns:
    return _FIXED[kind] if kind in _FIXED else _partitions(table)


def snapshot_of(table: IcebergTable, kind: str) -> int | None:
    """The snapshot that the metadata table tells of, where it is of one."""
    return table.current if kind in _OF_ONE_SNAPSHOT else None


def _partitions(table: IcebergTable) -> Columns:
    found: list[tuple[str, Type]] = []
    parts = partition_fields(table)
    if parts:
        found.append(("partition", t.row((k for _, k in parts), (label for label, _ in parts))))
    found += [("record_count", t.BIGINT), ("file_count", t.BIGINT), ("total_size", t.BIGINT)]
    sources = {field["source-id"] for field in _spec_fields(table)}
    stated = [
        (field["name"].lower(), types.trino(field["type"]))
        for field in table.fields()
        if isinstance(field["type"], str) and field["id"] not in sources
    ]
    if stated:
        told = [
            t.row((kind, kind, t.BIGINT, t.BIGINT), ("min", "max", "null_count", "nan_count"))
            for _, kind in stated
        ]
        found.append(("data", t.row(told, (label for label, _ in stated))))
    return tuple(found)


def _spec_fields(table: IcebergTable) -> list[Json]:
    """The partition fields of all specs, each once."""
    found: dict[int, Json] = {}
    for spec in table.document["partition-specs"]:
        for place, field in enumerate(spec["fields"]):
            found.setdefault(field.get("field-id", 1000 + place), field)
    return list(found.values())


def partition_fields(table: IcebergTable) -> list[tuple[str, Type]]:
    sources = {
        field["id"]: field["type"]
        for schema in table.document["schemas"]
        for field in schema["fields"]
    }
    return [
        (field["name"].lower(), _result(field["transform"], sources.get(field["source-id"])))
        for field in _spec_fields(table)
    ]


def _result(transform: str, source: object) -> Type:
    if transform == "day":
        return t.DATE
    if transform in ("year", "month", "hour") or transform.startswith("bucket"):
        return t.INTEGER
    return types.trino(source) if isinstance(source, str) else t.VARCHAR

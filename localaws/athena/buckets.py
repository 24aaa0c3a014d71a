"""Buckets: files of a table by the hash of some columns, as Hive has them.

https://docs.aws.amazon.com/athena/latest/ug/ctas-partitioning-and-bucketing-what-is-bucketing.html;
the hash is Hive's first one and the names of files are Trino's (io.trino.plugin.hive:
HiveBucketingV1, BackgroundHiveSplitLoader). A query reads all buckets here, where AWS may leave
some out: the rows are the same, the bytes may be more.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from localaws.athena.sql.queries import Query
from localaws.shapes import Json
from localaws.tables.snapshot import TableSnapshot
from localaws.trino.errors import QueryError
from localaws.trino.types import Type
from localaws.trino.values import name, text

COLUMN = "$bucket"  # of what is written, before it becomes a file's name
_KINDS = (
    "boolean", "tinyint", "smallint", "integer", "bigint", "real", "double", "varchar", "date",
)  # fmt: skip
# How Hive, Trino and Spark put the bucket into a file's name.
_NAMES = [
    re.compile(pattern)
    for pattern in (
        r"part-\d{5}-[a-z0-9-]+_(\d{5})(?:[-_.].*)?",
        r"(0\d+)_\d+.*",
        r"bucket_(\d+)(?:_\d+)?",
        r"\d{8}_\d{6}_\d{5}_[a-z0-9]{5}_bucket-(\d+)(?:[-_.].*)?",
    )
]


@dataclass(frozen=True)
class Buckets:
    columns: tuple[str, ...]
    count: int

    def column(self, query: Query, labels: list[str]) -> str:
        """DuckDB's text for the bucket of a row of the query, as COLUMN."""
        found = dict(zip(labels, query.columns, strict=True))
        kinds = [found[label].type.name for label in self.columns]
        values = [_shown(found[label].sql, found[label].type) for label in self.columns]
        listed = f"[{', '.join(map(text, kinds))}], [{', '.join(values)}], {self.count}"
        return f"hive_bucket({listed}) AS {name(COLUMN)}"

    def described(self) -> Json:
        """Members of a StorageDescriptor."""
        return {"BucketColumns": list(self.columns), "NumberOfBuckets": self.count}


def chosen(properties: Mapping[str, Any], keys: list[str], query: Query) -> Buckets | None:
    """`bucketed_by` and `bucket_count` of a CTAS. Raises QueryError."""
    given = properties.get("bucketed_by"), properties.get("bucket_count")
    if given == (None, None):
        return None
    columns, count = given
    if not columns or count is None:
        raise QueryError(
            "INVALID_TABLE_PROPERTY", "bucketed_by and bucket_count must be specified together"
        )
    if not str(count).isdigit() or not 0 < int(count) <= 1_000_000:
        raise QueryError(
            "INVALID_TABLE_PROPERTY", "bucket_count must be greater than 0 and at most 1000000"
        )
    types = {column.name: column.type for column in query.columns}
    labels = tuple(str(column).lower() for column in columns)
    for label in labels:
        if label not in types or label in keys:
            raise QueryError(
                "INVALID_TABLE_PROPERTY", f"Bucketing columns [{label}] not present in schema"
            )
        if types[label].name not in _KINDS:
            raise QueryError(
                "NOT_SUPPORTED", f"Table bucketing column {label} has the type {types[label]}"
            )
    return Buckets(labels, int(count))


def file_name(bucket: str, number: int, execution_id: str, ending: str) -> str:
    return f"{int(bucket):06d}_{number}_{execution_id}{ending}"


def check(table: Json, snapshot: TableSnapshot) -> None:
    """Raises QueryError where a file of a bucketed table is of no bucket."""
    place = table.get("StorageDescriptor") or {}
    count = place.get("NumberOfBuckets") or 0
    if count <= 0 or not place.get("BucketColumns"):
        return
    shown = f"Hive table '{table['DatabaseName']}.{table['Name']}' is corrupt."
    for partition in snapshot.partitions:
        for file in partition.files:
            last = file.uri.rpartition("/")[2]
            found = next(filter(None, (pattern.fullmatch(last) for pattern in _NAMES)), None)
            if found is not None and int(found[1]) >= count:
                raise QueryError(
                    "HIVE_INVALID_BUCKET_FILES",
                    f"{shown} The highest bucket number in the directory ({int(found[1])}) exceeds "
                    f"the bucket number range defined by the declared bucket count ({count})",
                )
            if found is None and len(partition.files) != count:
                values = "/".join(partition.values) or "<UNPARTITIONED>"
                raise QueryError(
                    "HIVE_INVALID_BUCKET_FILES",
                    f"{shown} File '{last}' does not match the standard naming pattern, and the "
                    f"number of files in the directory ({len(partition.files)}) does not match the "
                    f"declared bucket count ({count}) for partition: {values}",
                )


def _shown(sql: str, kind: Type) -> str:
    if kind.name == "date":
        sql = f"({sql} - DATE '1970-01-01')"
    return f"CAST({sql} AS VARCHAR)"


def bucket_of(kinds: list[str], values: list[str | None], count: int) -> int:
    found = 0
    for kind, value in zip(kinds, values, strict=True):
        found = _int(found * 31 + (0 if value is None else _hash(kind, value)))
    return (found & 0x7FFFFFFF) % count


def _hash(kind: str, value: str) -> int:
    if kind == "varchar":
        found = 0
        for byte in struct.unpack(f"{len(value.encode())}b", value.encode()):
            found = _int(found * 31 + byte)
        return found
    if kind == "boolean":
        return int(value == "true")
    if kind == "real":
        return int(struct.unpack(">i", struct.pack(">f", _float(value)))[0])
    if kind == "double":
        return _long(struct.unpack(">q", struct.pack(">d", _float(value)))[0])
    return _long(int(value)) if kind == "bigint" else int(value)


def _float(value: str) -> float:
    return float(value) or 0.0  # no negative zero


def _long(value: int) -> int:
    return _int((value & 0xFFFFFFFFFFFFFFFF) >> 32 ^ value)


def _int(value: int) -> int:
    """As Java's int holds it."""
    return (value + 0x80000000 & 0xFFFFFFFF) - 0x80000000


def register(connection: Any) -> None:
    connection.create_function(
        "hive_bucket",
        bucket_of,
        ["VARCHAR[]", "VARCHAR[]", "INTEGER"],
        "INTEGER",
        null_handling="special",
    )

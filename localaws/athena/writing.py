"""Writes a query's rows as the data files of a table, in the format and folders Athena uses."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from localaws.athena.sql import types as t
from localaws.athena.sql.errors import QueryError, not_emulated
from localaws.athena.sql.queries import Query
from localaws.athena.sql.types import Type
from localaws.athena.sql.values import name, text
from localaws.core.aws import LocalAws
from localaws.s3.objects import split_uri
from localaws.tables import partitions

Json = dict[str, Any]
MAXIMUM_WRITERS = 100  # partitions that one CTAS or INSERT INTO may write
_COMPRESSIONS = {
    "parquet": {
        "GZIP": "gzip",
        "SNAPPY": "snappy",
        "ZSTD": "zstd",
        "LZ4": "lz4_raw",
        "NONE": "uncompressed",
    },
    "json": {"GZIP": "gzip", "ZSTD": "zstd", "NONE": "none"},
    "textfile": {"GZIP": "gzip", "ZSTD": "zstd", "NONE": "none"},
}
_ENDINGS = {"gzip": ".gz", "zstd": ".zst", "snappy": ".snappy", "lz4_raw": ".lz4"}


@dataclass(frozen=True)
class Format:
    """parquet, json or textfile, its compression (DuckDB's name) and the text's delimiter."""

    name: str
    compression: str
    delimiter: str = "\x01"

    @property
    def ending(self) -> str:
        if self.name == "parquet":
            return ".parquet"
        return _ENDINGS.get(self.compression, "")


@dataclass
class Written:
    """Rows written, the object URIs, and the partitions: values in key order to folder URI."""

    rows: int = 0
    files: list[str] = field(default_factory=list)
    partitions: dict[tuple[str, ...], str] = field(default_factory=dict)


def chosen_format(properties: dict[str, Any]) -> Format:
    """`format`, `write_compression` and their like. Raises QueryError for what is not written."""
    kind = str(properties.get("format", "PARQUET")).lower()
    kind = {"text": "textfile"}.get(kind, kind)
    if kind not in _COMPRESSIONS:
        raise not_emulated(f"the format {kind.upper()}; it writes PARQUET, JSON and TEXTFILE")
    if "compression_level" in properties:
        raise not_emulated("compression_level")
    asked = [
        key
        for key in ("write_compression", f"{kind}_compression", "compression")
        if key in properties
    ]
    if len(asked) > 1:
        raise QueryError("INVALID_TABLE_PROPERTY", f"{' and '.join(asked)} cannot both be given")
    compression = str(properties[asked[0]]).upper() if asked else "GZIP"
    compression = {"UNCOMPRESSED": "NONE"}.get(compression, compression)
    if compression not in _COMPRESSIONS[kind]:
        raise not_emulated(
            f"the compression {compression} of {kind.upper()}; it has "
            f"{', '.join(_COMPRESSIONS[kind])}"
        )
    return Format(
        kind, _COMPRESSIONS[kind][compression], str(properties.get("field_delimiter", "\x01"))
    )


def write(
    aws: LocalAws,
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    query: Query,
    labels: list[str],
    keys: list[str],
    location: str,
    format_: Format,
    run: Callable[[str], Any],
    execution_id: str,
    again: bool,
) -> Written:
    """Runs the query through `run`; its rows become objects below `location` (ending in /).

    Nothing is put into S3 before all of it is written and the number of partitions is known.
    Every file is named after the execution: what an attempt that a stop of the server cut off
    had put there is taken away first (`again`).
    """
    bucket, prefix = split_uri(location)
    if again:
        for item in aws.objects.discover(bucket, prefix):
            if execution_id in item.key:
                aws.objects.delete(bucket, item.key)
    work = Path(tempfile.mkdtemp(dir=folder))
    try:
        target = work / "out"
        target.mkdir()
        selected = ", ".join(
            f"{_plain(column.sql, column.type, format_)} AS {name(label)}"
            for column, label in zip(query.columns, labels, strict=True)
        )
        options = [
            f"FORMAT {'csv' if format_.name == 'textfile' else format_.name}",
            f"COMPRESSION {format_.compression}",
        ]
        if format_.name == "textfile":
            options += [
                f"DELIMITER {text(format_.delimiter)}",
                "HEADER false",
                "QUOTE ''",
                "ESCAPE ''",
                r"NULLSTR '\N'",
            ]
        if keys:
            options += [
                f"PARTITION_BY ({', '.join(name(key) for key in keys)})",
                "OVERWRITE_OR_IGNORE",
            ]
            place = target
        else:
            place = target / "data"
        copied = run(
            f"COPY (SELECT {selected} FROM ({query.sql})) TO {text(str(place))} "
            f"({', '.join(options)})"
        )
        written = Written(rows=int(copied[0][0]))
        found = sorted(path for path in target.rglob("*") if path.is_file())
        if written.rows == 0:
            return written
        folders = {path.parent for path in found}
        if keys and len(folders) > MAXIMUM_WRITERS:
            raise QueryError(
                "HIVE_TOO_MANY_OPEN_PARTITIONS",
                f"Exceeded limit of {MAXIMUM_WRITERS} open writers for partitions/buckets",
            )
        stamp = aws.clock.now().strftime("%Y%m%d_%H%M%S")
        for number, path in enumerate(found):
            values = [partitions.value(part) for part in path.parent.relative_to(target).parts]
            below = partitions.folder(keys, values)
            file = f"{stamp}_{number:05d}_{execution_id}{format_.ending}"
            aws.objects.adopt(bucket, f"{prefix}{below}{file}", path)
            written.files.append(f"s3://{bucket}/{prefix}{below}{file}")
            if keys:
                written.partitions[tuple(values)] = (
                    f"s3://{bucket}/{prefix}{below}".rstrip("/") + "/"
                )
        return written
    finally:
        shutil.rmtree(work, ignore_errors=True)


def others(aws: LocalAws, location: str, execution_id: str) -> bool:
    """Whether anything but this execution's own files is below the location."""
    return any(execution_id not in item.key for item in aws.objects.list(*split_uri(location)))


def _plain(sql: str, kind: Type, format_: Format) -> str:
    """Text files hold text; the other formats hold the value itself."""
    if format_.name != "textfile":
        return sql
    if kind.items:
        raise not_emulated(f"the type {kind} in TEXTFILE")
    if kind.name == "timestamp":
        return f"strftime({sql}, '%Y-%m-%d %H:%M:%S.%g')"
    return f"CAST({sql} AS VARCHAR)"


def check_types(query: Query, labels: list[str]) -> list[str]:
    """The Hive types of the columns; NOT_SUPPORTED for one that a Hive table cannot have."""
    seen: set[str] = set()
    for label in labels:
        if label in seen:
            raise QueryError(
                "DUPLICATE_COLUMN_NAME", f"Column name '{label}' specified more than once"
            )
        seen.add(label)
    return [t.hive(column.type) for column in query.columns]

"""What a query writes as the data files of a table: the format, and the objects they become."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localaws.athena import buckets
from localaws.athena.read_plan import ReadResult
from localaws.athena.session import Session
from localaws.athena.sql.queries import Query
from localaws.s3.objects import split_uri
from localaws.tables import partitions
from localaws.trino import types as t
from localaws.trino.errors import QueryError, not_emulated
from localaws.trino.types import Type
from localaws.trino.values import name, text

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
# The property that names the compression, by the format that it belongs to (None: any).
_COMPRESSION_PROPERTIES = {
    "write_compression": None,
    "compression": None,
    "parquet_compression": "parquet",
    "orc_compression": "orc",
}


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

    @property
    def copy(self) -> str:
        """DuckDB's COPY options."""
        options = [
            f"FORMAT {'csv' if self.name == 'textfile' else self.name}",
            f"COMPRESSION {self.compression}",
        ]
        if self.name == "textfile":
            options += [
                f"DELIMITER {text(self.delimiter)}",
                "HEADER false",
                "QUOTE ''",
                "ESCAPE ''",
                r"NULLSTR '\N'",
            ]
        return ", ".join(options)


@dataclass
class WrittenRows:
    """Rows written, the object URIs, and the partitions: values in key order to folder URI."""

    rows: int = 0
    files: list[str] = field(default_factory=list)
    partitions: dict[tuple[str, ...], str] = field(default_factory=dict)


def chosen_format(properties: dict[str, Any]) -> Format:
    """`format`, `write_compression` and their like. Raises QueryError for what is not written, and
    for a property that would have no effect in the format."""
    kind = str(properties.get("format", "PARQUET")).lower()
    kind = {"text": "textfile"}.get(kind, kind)
    if kind not in _COMPRESSIONS:
        raise not_emulated(f"the format {kind.upper()}; it writes PARQUET, JSON and TEXTFILE")
    if "compression_level" in properties:
        raise not_emulated("compression_level")
    asked = [key for key in _COMPRESSION_PROPERTIES if key in properties]
    for key in asked:
        if _COMPRESSION_PROPERTIES[key] not in (None, kind):
            raise QueryError(
                "INVALID_TABLE_PROPERTY", f"{key} cannot be given with format = '{kind.upper()}'"
            )
    if "field_delimiter" in properties and kind != "textfile":
        raise QueryError(
            "INVALID_TABLE_PROPERTY",
            f"field_delimiter cannot be given with format = '{kind.upper()}'; TEXTFILE has it",
        )
    if len(asked) > 1:
        raise QueryError("INVALID_TABLE_PROPERTY", f"{' and '.join(asked)} cannot both be given")
    compression = str(properties[asked[0]]).upper() if asked else "GZIP"
    compression = {"UNCOMPRESSED": "NONE"}.get(compression, compression)
    if compression not in _COMPRESSIONS[kind]:
        raise not_emulated(
            f"the compression {compression} of {kind.upper()}; it has "
            f"{', '.join(_COMPRESSIONS[kind])}"
        )
    delimiter = str(properties.get("field_delimiter", "\x01"))
    if len(delimiter) != 1:
        raise QueryError(
            "INVALID_TABLE_PROPERTY",
            f"field_delimiter is {delimiter!r}; it must be a single character",
        )
    return Format(kind, _COMPRESSIONS[kind][compression], delimiter)


def write(
    session: Session,
    query: Query,
    labels: list[str],
    keys: list[str],
    location: str,
    format_: Format,
    bucketed: buckets.Buckets | None = None,
) -> WrittenRows:
    """Runs the query; its rows become objects below `location` (ending in /).

    Nothing is put into S3 before all of it is written and the number of partitions is known.
    Every file is named after the execution: what an attempt that a stop of the server cut off
    had put there is taken away first.
    """
    selected = ", ".join(
        f"{_plain(column.sql, column.type, format_)} AS {name(label)}"
        for column, label in zip(query.columns, labels, strict=True)
    )
    folders = list(keys)
    if bucketed is not None:
        selected += f", {bucketed.column(query, labels)}"
        folders.append(buckets.COLUMN)
    select = f"SELECT {selected} FROM ({query.sql})"
    result = session.read(query, select, format_.copy, tuple(folders))
    if session.again:
        forget_first_attempt(session, location)
    return _adopt(session, result, keys, location, format_)


def forget_first_attempt(session: Session, location: str) -> None:
    """Takes away what an attempt of this execution that was cut off has put there."""
    objects, (bucket, prefix) = session.aws.objects, split_uri(location)
    for item in objects.list(bucket, prefix):
        if session.execution_id in item.key:
            objects.delete(bucket, item.key)


def _adopt(
    session: Session, result: ReadResult, keys: list[str], location: str, format_: Format
) -> WrittenRows:
    bucket, prefix = split_uri(location)
    written = WrittenRows(rows=result.rows)
    if not result.rows:
        return written
    stamp = session.aws.clock.now().strftime("%Y%m%d_%H%M%S")
    for number, file in enumerate(result.files):
        values, hashed = file.values[: len(keys)], file.values[len(keys) :]
        below = partitions.folder(keys, values)
        own = f"{stamp}_{number:05d}_{session.execution_id}{format_.ending}"
        if hashed:
            own = buckets.file_name(hashed[0], number, session.execution_id, format_.ending)
        key = f"{prefix}{below}{own}"
        session.aws.objects.adopt(bucket, key, Path(file.path))
        written.files.append(f"s3://{bucket}/{key}")
        if keys:
            written.partitions[values] = f"s3://{bucket}/{prefix}{below}"
    return written


def others(session: Session, location: str) -> bool:
    """Whether anything but this execution's own files is below the location."""
    listed = session.aws.objects.list(*split_uri(location))
    return any(session.execution_id not in item.key for item in listed)


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
    for column in query.columns:
        _check_digits(column.type)
    return [t.hive(column.type) for column in query.columns]


def _check_digits(kind: Type) -> None:
    """Raises QueryError for a timestamp of which a Hive table would lose digits."""
    if kind.name == "timestamp" and kind.numbers > (3,):
        raise QueryError(
            "NOT_SUPPORTED",
            f"Incorrect timestamp precision for {kind}; the configured precision is MILLISECONDS",
        )
    for item in kind.items:
        _check_digits(item)

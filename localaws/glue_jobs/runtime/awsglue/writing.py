"""Frames to objects: formats, names and partitions as Glue's own writers have them.

A writer of Spark works in a folder of its own (`_temporary`, no object); its files then move to
where they belong, under names that no object has. Nothing that is there is replaced.
https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-format.html
"""

from __future__ import annotations

import re
import secrets
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from pyspark.sql import DataFrame

from awsglue import avro_files
from awsglue import gluetypes as glue
from awsglue.objects import MountedObjects, flag
from awsglue.places import column, fields_of
from awsglue.refusal import only, refuse
from awsglue.values import to_record
from localaws.s3.names import split_uri

SPARKS = ("parquet", "orc")  # of Spark's own writers, under Spark's names
_OPTIONS = {
    "csv": ("separator", "quoteChar", "writeHeader", "escaper", "withHeader", "quoteAll",
            "optimizePerformance"),
    "json": (),
    "avro": ("version",),
    "glueparquet": ("compression", "blockSize", "pageSize", "useGlueParquetWriter"),
    "parquet": ("compression", "useGlueParquetWriter", "blockSize", "pageSize"),
    "orc": (),
}  # fmt: skip
_PART = re.compile(r"part-(?:r-)?(\d+)")
_PACKED = {"gzip": ".gz", "bzip2": ".bz2", "snappy": ".snappy"}


@dataclass(frozen=True)
class Target:
    """Where and how a frame is written."""

    path: str
    format: str
    options: Mapping[str, Any]
    partition_keys: Sequence[str] = ()
    compression: str = ""
    context: str = ""


def write(frame: DataFrame, schema: Any, target: Target, objects: MountedObjects) -> set[str]:
    """Adds the frame's objects; the folders of its partitions (`year=2024/month=1`) come back."""
    if target.format not in _OPTIONS:
        refuse(f"the format {target.format} of an S3 target", f"It writes {', '.join(_OPTIONS)}.")
    only(f"format_options of {target.format}", target.options, _OPTIONS[target.format])
    if not schema.fields:  # no records either: as on AWS, nothing is written
        return set()
    missing = [key for key in target.partition_keys if key not in schema.field_map]
    if missing:
        raise ValueError(f"partitionKeys: there is no field {', '.join(missing)} in the frame.")
    bucket, key = split_uri(target.path)
    root = objects.folder(bucket)
    stage_key = "/".join(filter(None, [key.strip("/"), "_temporary", secrets.token_hex(8)]))
    stage = root / stage_key
    try:
        _write_parts(frame, schema, target, f"s3://{bucket}/{stage_key}", stage)
        return _move(stage, root / key.strip("/"), target)
    finally:
        shutil.rmtree(stage, ignore_errors=True)
        _remove_if_empty(stage.parent)


def _remove_if_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:
        return


def _write_parts(frame: DataFrame, schema: Any, target: Target, uri: str, stage: Path) -> None:
    """What Spark writes, in the stage."""
    if target.format == "avro":
        _write_avro(frame, schema, target, stage)
        return
    if target.format in ("csv", "json"):
        frame = _without_void(frame, schema)
    writer = frame.write.partitionBy(*target.partition_keys)
    packed = {"bzip": "bzip2"}.get(target.compression, target.compression)
    if target.format == "csv":
        options = _csv_options(target.options)
    elif target.format == "json":
        options = {}
    else:
        options = {}
        packed = str(target.options.get("compression", "snappy"))
    if packed:
        options["compression"] = packed
    name = "parquet" if target.format == "glueparquet" else target.format
    getattr(writer.options(**options), name)(uri)


def _csv_options(given: Mapping[str, Any]) -> dict[str, Any]:
    quote = str(given.get("quoteChar", '"'))
    off = quote == "-1"
    return {
        "sep": str(given.get("separator", ",")),
        "header": flag(given.get("writeHeader", True)),
        "quote": "\0" if off else quote,
        "escape": "\0" if off else quote,
        "escapeQuotes": not off,
        "emptyValue": "",
    }


def _without_void(frame: DataFrame, schema: Any) -> DataFrame:
    """A column of nulls only has no type; as a text it can be written."""
    return frame.select(
        *(
            value.column.cast("string").alias(name)
            if isinstance(value.kind, glue.NullType)
            else column(name)
            for name, value in fields_of(schema)
        )
    )


def _write_avro(frame: DataFrame, schema: Any, target: Target, stage: Path) -> None:
    if target.partition_keys:
        refuse("partitionKeys with avro", "Write parquet, json or csv.")
    version = str(target.options.get("version", "1.7"))
    stage.mkdir(parents=True)
    written = avro_files.written_schema(schema, version)
    frame.rdd.mapPartitionsWithIndex(
        partial(_avro_part, str(stage), written, schema, version)
    ).collect()


def _avro_part(
    stage: str, written: Any, schema: Any, version: str, number: int, rows: Any
) -> list[int]:
    import fastavro

    made = [avro_files.writable(_whole(row, schema), schema, version) for row in rows]
    with Path(stage, f"part-{number:05d}").open("wb") as file:
        fastavro.writer(file, fastavro.parse_schema(written), made)
    return [len(made)] if made else []


def _whole(row: Any, schema: Any) -> Any:
    return to_record(row, schema)


# To their places


def _move(stage: Path, folder: Path, target: Target) -> set[str]:
    parts = [part for part in sorted(stage.rglob("*")) if part.is_file() and _is_part(part)]
    parts = [part for part in parts if not _is_empty(part, target)]
    names = _names(parts, stage, folder, target)
    places = set()
    for part, name in zip(parts, names, strict=True):
        within = part.parent.relative_to(stage)
        place = folder / within
        place.mkdir(parents=True, exist_ok=True)
        part.replace(place / name)
        places.add("" if within == Path() else within.as_posix())
    return places - {""}


def _is_part(part: Path) -> bool:
    return not part.name.startswith(("_", "."))


def _is_empty(part: Path, target: Target) -> bool:
    """A part without a record makes no object, but with Spark's own writers."""
    if target.format == "glueparquet":
        import pyarrow.parquet as pq

        return bool(pq.read_metadata(part).num_rows == 0)
    if target.format == "avro":
        import fastavro

        with part.open("rb") as file:
            return next(iter(fastavro.reader(file)), None) is None
    if target.format == "csv" and flag(target.options.get("writeHeader", True)):
        from awsglue.documents import opened

        with opened(str(part), "") as lines:
            return not lines.readline() or not lines.readline()
    return part.stat().st_size == 0


def _names(parts: Sequence[Path], stage: Path, folder: Path, target: Target) -> list[str]:
    if target.format in SPARKS:
        return [part.name for part in parts]
    first = target.context or str(time.time_ns() // 1_000_000)
    number = 1
    while True:
        run = f"run-{first}-{number}" if target.context or number > 1 else f"run-{first}"
        names = [_name(run, part, target) for part in parts]
        places = [
            folder / part.parent.relative_to(stage) / name
            for part, name in zip(parts, names, strict=True)
        ]
        if not any(place.exists() for place in places):
            return names
        number += 1


def _name(run: str, part: Path, target: Target) -> str:
    match = _PART.match(part.name)
    number = int(match[1]) if match else 0
    if target.format == "glueparquet":
        codec = str(target.options.get("compression", "snappy")).lower()
        kind = "" if codec in ("uncompressed", "none") else f"-{codec}"
        return f"{run}-part-block-0-r-{number:05d}{kind}.parquet"
    packed = _PACKED.get({"bzip": "bzip2"}.get(target.compression, target.compression), "")
    return f"{run}-part-r-{number:05d}{packed}"


def partition_values(folder: str) -> list[str]:
    """`year=2024/city=a%2Fb` as the values of its keys."""
    return [unquote(part.partition("=")[2]) for part in folder.split("/")]

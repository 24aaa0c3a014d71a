"""A run's result as files: format, compression, names, partitions.

A run writes into a folder of its own, `<key>/<job>_<ddMonyyyy>_<epoch ms>/`, or, with Overwrite,
into the key itself. Files are named `<job>_<ddMonyyyy>_<epoch ms>_part00000.<extension>`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from localaws.databrew.recipe.sql import ident, literal
from localaws.shapes import Json

# (format, compression) to (DuckDB's COPY options, extension); None: no CompressionFormat given.
WRITERS: dict[tuple[str, str | None], tuple[str, str]] = {
    ("CSV", None): ("FORMAT csv, HEADER true", "csv"),
    ("CSV", "GZIP"): ("FORMAT csv, HEADER true, COMPRESSION gzip", "csv.gz"),
    ("CSV", "ZSTD"): ("FORMAT csv, HEADER true, COMPRESSION zstd", "csv.zst"),
    ("JSON", None): ("FORMAT json", "json"),
    ("JSON", "GZIP"): ("FORMAT json, COMPRESSION gzip", "json.gz"),
    ("JSON", "ZSTD"): ("FORMAT json, COMPRESSION zstd", "json.zst"),
    ("PARQUET", None): ("FORMAT parquet, COMPRESSION snappy", "snappy.parquet"),
    ("PARQUET", "SNAPPY"): ("FORMAT parquet, COMPRESSION snappy", "snappy.parquet"),
    ("PARQUET", "GZIP"): ("FORMAT parquet, COMPRESSION gzip", "gz.parquet"),
    ("PARQUET", "BROTLI"): ("FORMAT parquet, COMPRESSION brotli", "br.parquet"),
    ("PARQUET", "LZ4"): ("FORMAT parquet, COMPRESSION lz4", "lz4.parquet"),
    ("PARQUET", "ZSTD"): ("FORMAT parquet, COMPRESSION zstd", "zstd.parquet"),
}


@dataclass(frozen=True)
class Written:
    """One file that DuckDB wrote, and the object it is to become."""

    file: str
    bucket: str
    key: str


def flat(sql: str, columns: dict[str, str]) -> str:
    """The query with lists, maps and structs as JSON texts, for formats that have only texts.

    What DataBrew writes for those is not known (Spark's CSV writer refuses them); this loses
    nothing and any reader takes it.
    """
    nested = [
        name
        for name, kind in columns.items()
        if "(" in kind.replace("DECIMAL(", "") or kind.endswith("]")
    ]
    if not nested:
        return sql
    texts = ", ".join(
        f"CAST(to_json({ident(name)}) AS VARCHAR) AS {ident(name)}" for name in nested
    )
    return f"SELECT * REPLACE ({texts}) FROM ({sql})"


def write(
    output: Json,
    sql: str,
    columns: dict[str, str],
    job: str,
    when: datetime,
    scratch: Path,
    execute: Callable[[str], object],
) -> list[Written]:
    """Writes the query's result into `scratch`; nothing is an object yet."""
    options, extension = WRITERS[(output["Format"], output.get("CompressionFormat"))]
    delimiter = output.get("FormatOptions", {}).get("Csv", {}).get("Delimiter")
    if delimiter and output["Format"] == "CSV":
        options += f", DELIMITER {literal(delimiter)}"
    stem = f"{job}_{when:%d%b%Y}_{int(when.timestamp() * 1000)}"
    base = output["Location"].get("Key", "").strip("/")
    folder = base if output["Overwrite"] else f"{base}/{stem}".lstrip("/")
    bucket = output["Location"]["Bucket"]
    partitions = output["PartitionColumns"]
    for name in partitions:
        if name not in columns:
            raise LookupError(
                f"The partition column {name!r} is not in the result, which has"
                f" {', '.join(columns)}."
            )
    scratch.mkdir(parents=True)
    if output["Format"] == "CSV":
        sql = flat(sql, columns)
    if not partitions:
        file = scratch / "part"
        execute(f"COPY ({sql}) TO {literal(str(file))} ({options})")
        return [Written(str(file), bucket, f"{folder}/{stem}_part00000.{extension}")]
    names = ", ".join(ident(name) for name in partitions)
    execute(f"COPY ({sql}) TO {literal(str(scratch))} ({options}, PARTITION_BY ({names}))")
    files = sorted(path for path in scratch.rglob("*") if path.is_file())
    return [
        Written(
            str(file),
            bucket,
            f"{folder}/{file.parent.relative_to(scratch).as_posix()}"
            f"/{stem}_part{number:05}.{extension}",
        )
        for number, file in enumerate(files)
    ]

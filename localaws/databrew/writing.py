"""A run's result as files: format, compression, names, partitions.

https://docs.aws.amazon.com/databrew/latest/dg/jobs.recipe.html has the formats and their suffixes,
the compression last; jobs' own outputs show the names: a run writes into a folder of its own,
`<key>/<job>_<ddMonyyyy>_<epoch ms>/`, and its files begin with that name too, or, with Overwrite,
into the key itself, `<job>_part00000.<suffix>`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from localaws.databrew.recipe.sql import FLOATS, ident, is_nested, literal
from localaws.databrew.source import InputError
from localaws.shapes import Json

BY_DUCKDB = ("GZIP", "ZSTD")  # what it compresses text with by itself
_TEXT: dict[str | None, str] = {
    None: "",
    **{"GZIP": "gz", "BZIP2": "bz2", "SNAPPY": "snappy", "LZ4": "lz4"},
    **{"DEFLATE": "deflate", "BROTLI": "br", "ZSTD": "zst"},
}
# Format to its suffix and, by compression, what follows that; None: no CompressionFormat given.
SUFFIXES: dict[str, tuple[str, dict[str | None, str]]] = {
    "CSV": ("csv", _TEXT),
    "JSON": ("json", _TEXT),
    "XML": ("xml", _TEXT),
    "PARQUET": (
        "parquet",
        {None: "", "SNAPPY": "snappy", "GZIP": "gz", "LZ4": "lz4", "BROTLI": "br", "ZSTD": "zst"},
    ),
    "GLUEPARQUET": ("glue.parquet", {None: "snappy", "SNAPPY": "snappy"}),
    "ORC": ("orc", {None: "", "SNAPPY": "snappy", "ZLIB": "zlib"}),
    "AVRO": ("avro", {None: "", "DEFLATE": "deflate", "BZIP2": "bz2"}),
}
REASONS = {
    ("PARQUET", "LZO"): "No library writes LZO.",
    ("ORC", "LZO"): "No library writes LZO.",
    ("TABLEAUHYPER", None): "Only Tableau's own program writes it.",
}


@dataclass(frozen=True)
class Written:
    """One file that was written, and the object it is to become."""

    file: str
    bucket: str
    key: str


@dataclass(frozen=True)
class Result:
    """An output's files, the rows that were written, and a catalog table's columns with types."""

    files: tuple[Written, ...]
    rows: int
    columns: tuple[tuple[str, str], ...] = ()


def finite(sql: str, columns: dict[str, str], kind: str) -> str:
    """The query with NaN and Infinity as the texts that Spark writes; JSON has no such numbers."""
    doubles = [name for name, type_ in columns.items() if type_ in FLOATS]
    if not doubles or kind not in ("CSV", "JSON"):
        return sql
    write = "to_json({})" if kind == "JSON" else "CAST({} AS VARCHAR)"
    written = []
    for name in map(ident, doubles):
        sign = f"WHEN {name} > 0 THEN 'Infinity' ELSE '-Infinity'"
        text = f"CASE WHEN isnan({name}) THEN 'NaN' {sign} END"
        other = f"to_json({text})" if kind == "JSON" else text
        written.append(
            f"CASE WHEN isfinite({name}) THEN {write.format(name)}"
            f" WHEN {name} IS NOT NULL THEN {other} END AS {name}"
        )
    return f"SELECT * REPLACE ({', '.join(written)}) FROM ({sql})"


def flat(sql: str, columns: dict[str, str]) -> str:
    """The query with lists, maps and structs as JSON texts, for formats that have only texts.

    What DataBrew writes for those is not known (Spark's CSV writer refuses them); this loses
    nothing and any reader takes it.
    """
    # GUESSED: lists, maps and structs are written as JSON texts into CSV files.
    nested = [name for name, kind in columns.items() if is_nested(kind)]
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
    query: Callable[[str], list[tuple[int, ...]]],
) -> Result:
    """Writes the query's result into `scratch`; nothing is an object yet. Raises InputError."""
    kind, compression = output["Format"], output.get("CompressionFormat")
    delimiter = output.get("FormatOptions", {}).get("Csv", {}).get("Delimiter", ",")
    if kind in ("CSV", "XML"):
        sql = flat(sql, columns)
    sql = finite(sql, columns, kind)
    partitions = output["PartitionColumns"]
    for name in partitions:
        if name not in columns:
            raise InputError(
                f"The partition column {name!r} is not in the result, which has"
                f" {', '.join(columns)}."
            )
    if set(partitions) >= set(columns):  # as Spark
        raise InputError("All columns are partition columns, which leaves none for the files.")
    scratch.mkdir(parents=True)
    options = _options(kind, compression, delimiter)
    target = scratch
    if partitions:
        options += f", PARTITION_BY ({', '.join(ident(name) for name in partitions)})"
    else:
        target = scratch / "part"
    ((rows,),) = query(f"COPY ({sql}) TO {literal(str(target))} ({options})")
    suffix = _suffix(kind, compression, delimiter)
    stem = f"{job}_{when:%d%b%Y}_{int(when.timestamp() * 1000)}"
    base = output["Location"].get("Key", "").strip("/")
    folder = base if output["Overwrite"] else f"{base}/{stem}".lstrip("/")
    name = job if output["Overwrite"] else stem
    found = []
    for number, file in enumerate(sorted(path for path in scratch.rglob("*") if path.is_file())):
        place = file.parent.relative_to(scratch).as_posix()
        # GUESSED: files of a job are called <job>_part00000.<suffix>, below <job>_<time>/ or
        #     the key.
        parts = [folder, "" if place == "." else place, f"{name}_part{number:05}.{suffix}"]
        from localaws.databrew import packing  # PyArrow, which the server does not carry

        packing.pack(file, kind, None if _is_quick(kind, compression) else compression)
        key = "/".join(part for part in parts if part)
        found.append(Written(str(file), output["Location"]["Bucket"], key))
    return Result(tuple(found), rows)


def _options(kind: str, compression: str | None, delimiter: str) -> str:
    """How DuckDB writes the format, or what `packing` makes the format of."""
    if kind == "CSV":
        # Without a comment sign DuckDB puts no quotes around a mask such as ##/04, as DataBrew.
        plain = f"FORMAT csv, HEADER true, COMMENT '', DELIMITER {literal(delimiter)}"
        return plain + _quickly(kind, compression)
    if kind == "JSON":
        return f"FORMAT json{_quickly(kind, compression)}"
    if kind == "PARQUET" and compression is not None:
        return f"FORMAT parquet, COMPRESSION {compression.lower()}"
    return "FORMAT parquet, COMPRESSION snappy"


def _quickly(kind: str, compression: str | None) -> str:
    quick = _is_quick(kind, compression)
    return f", COMPRESSION {str(compression).lower()}" if quick else ""


def _is_quick(kind: str, compression: str | None) -> bool:
    """Whether DuckDB compresses the text as it writes it."""
    return kind in ("CSV", "JSON") and compression in BY_DUCKDB


def _suffix(kind: str, compression: str | None, delimiter: str) -> str:
    suffix, compressions = SUFFIXES[kind]
    if kind == "CSV" and delimiter == "\t" and compression:
        suffix = "tsv"
    packed = compressions[compression]
    return f"{suffix}.{packed}" if packed else suffix


def combinations() -> Iterator[str]:
    """Each format with its compressions, as a sentence of a refusal has them."""
    for kind, (_, compressions) in SUFFIXES.items():
        yield f"{kind} ({', '.join(name or 'none' for name in compressions)})"

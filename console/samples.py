"""First rows of a data set in S3: of what a DataBrew job read, beside what it wrote.

CSV and Parquet are read, from the beginning of one object; other formats are named in a note.
"""

from __future__ import annotations

import csv
import io
import zlib
from datetime import timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from console import sections
from console.sections import Section, note
from executions.s3 import ObjectFile, split_uri

Json = dict[str, Any]

ROWS = 10
HEAD_BYTES = 256 * 1024
MOST_LISTED = 1000


class NotRead(Exception):
    """Why there are no rows to show."""


def section(clients: Any, run: Json) -> Section:
    """{kind: "sample", before, after, added, removed, touched} of a DataBrew job run, or a note.

    `before` and `after` are {where, columns, rows}, or {where, why} for what cannot be shown.
    """
    try:
        dataset = clients("databrew").describe_dataset(Name=run["DatasetName"])
    except (ClientError, BotoCoreError, KeyError) as error:
        return note(f"The rows before cannot be shown: {error}")
    before = _tried(lambda: _input(clients, dataset, run))
    after = _tried(lambda: _output(clients("s3"), run))
    names: list[str] = before.get("columns", [])
    new_names: list[str] = after.get("columns", [])
    both = "why" not in before and "why" not in after
    return sections.section(
        "sample",
        "Rows before and after",
        before=before,
        after=after,
        added=[name for name in new_names if name not in names] if both else [],
        removed=[name for name in names if name not in new_names] if both else [],
    )


def touched(steps: list[Json]) -> list[str]:
    """The columns that a recipe's steps name as their source or target."""
    found: list[str] = []
    for step in steps:
        for name, value in (step["Action"].get("Parameters") or {}).items():
            if name in ("sourceColumn", "targetColumn") and value not in found:
                found.append(value)
    return found


def _tried(read: Any) -> Json:
    try:
        found: Json = read()
    except NotRead as why:
        return {"why": str(why)}
    except (ClientError, BotoCoreError) as error:
        return {"why": str(error)}
    except Exception as error:  # a broken file says so in its reader's words
        return {"why": f"{type(error).__name__}: {error}"}
    return found


def _input(clients: Any, dataset: Json, run: Json) -> Json:
    changed = dataset.get("LastModifiedDate")
    if changed and run.get("StartedOn") and changed > run["StartedOn"]:
        raise NotRead(
            f"Data set {dataset['Name']} was changed after this run; what it was then is not kept."
        )
    given = dataset["Input"]
    options = (dataset.get("FormatOptions") or {}).get("Csv") or {}
    if "S3InputDefinition" in given:
        place = given["S3InputDefinition"]
        form = dataset.get("Format") or place.get("Key", "").rsplit(".", 1)[-1].upper()
        return rows_of(
            clients("s3"),
            place["Bucket"],
            place.get("Key", ""),
            form,
            delimiter=options.get("Delimiter", ","),
            header=options.get("HeaderRow", True),
        )
    if "DataCatalogInputDefinition" in given:
        place = given["DataCatalogInputDefinition"]
        table = clients("glue").get_table(
            DatabaseName=place["DatabaseName"], Name=place["TableName"]
        )["Table"]
        return table_rows(clients("s3"), table)
    raise NotRead(f"Input of the kind {', '.join(given)} is not read here.")


def _output(s3: Any, run: Json) -> Json:
    if not run.get("Outputs"):
        raise NotRead("The run has no output in S3.")
    output = run["Outputs"][0]
    place = output["Location"]
    options = (output.get("FormatOptions") or {}).get("Csv") or {}
    return rows_of(
        s3,
        place["Bucket"],
        place.get("Key", ""),
        output.get("Format", "CSV"),
        delimiter=options.get("Delimiter", ","),
        since=run.get("StartedOn"),
        until=run.get("CompletedOn"),
    )


def table_rows(s3: Any, table: Json) -> Json:
    """The first rows of a table of the Data Catalog."""
    storage = table.get("StorageDescriptor") or {}
    location = storage.get("Location", "")
    if not location.startswith("s3://"):
        raise NotRead(f"Table {table['Name']} has no place in S3.")
    bucket, prefix = split_uri(location)
    serde = storage.get("SerdeInfo") or {}
    library = serde.get("SerializationLibrary", "").lower()
    parameters = {**(serde.get("Parameters") or {}), **(table.get("Parameters") or {})}
    form = "PARQUET" if "parquet" in library else "JSON" if "json" in library else "CSV"
    if not any(name in library for name in ("parquet", "json", "csv", "lazysimple")):
        form = library or "of unknown kind"
    if prefix and not prefix.endswith("/"):
        prefix += "/"
    return rows_of(
        s3,
        bucket,
        prefix,
        form,
        delimiter=parameters.get("separatorChar") or parameters.get("field.delim") or ",",
        header=int(parameters.get("skip.header.line.count", 0)) > 0,
        columns=storage.get("Columns", []),
    )


def rows_of(
    s3: Any,
    bucket: str,
    prefix: str,
    form: str,
    *,
    delimiter: str = ",",
    header: bool = True,
    columns: list[Json] | None = None,
    since: Any = None,
    until: Any = None,
) -> Json:
    """{where, columns, types, rows}: the first rows of the first object below a prefix.

    `columns` are the Data Catalog's, for names and types that the file does not have itself.
    `since` and `until`: only objects written between these times, and shortly after.
    Raises NotRead.
    """
    if form.upper() not in ("CSV", "PARQUET"):
        raise NotRead(f"Format {form} is not read here.")
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=MOST_LISTED)
    slack = timedelta(seconds=1)
    found = [
        item
        for item in listed.get("Contents", [])
        if item["Size"] and not item["Key"].rsplit("/", 1)[-1].startswith(("_", "."))
    ]
    if since is not None:
        late = (until or since) + slack * 120
        found = [item for item in found if since - slack <= item["LastModified"] <= late]
    if not found:
        when = "of this run " if since is not None else ""
        raise NotRead(f"Nothing {when}lies at s3://{bucket}/{prefix}.")
    key, size = found[0]["Key"], found[0]["Size"]
    read = _parquet if form.upper() == "PARQUET" else _csv
    names, types, rows = read(s3, bucket, key, size, delimiter, header, columns)
    return {"where": f"s3://{bucket}/{key}", "columns": names, "types": types, "rows": rows}


def _csv(
    s3: Any,
    bucket: str,
    key: str,
    size: int,
    delimiter: str,
    header: bool,
    columns: list[Json] | None,
) -> tuple[list[str], list[str], list[list[str]]]:
    body = s3.get_object(Bucket=bucket, Key=key, Range=f"bytes=0-{HEAD_BYTES - 1}")["Body"].read()
    whole = size <= len(body)
    if body[:2] == b"\x1f\x8b":
        opened = zlib.decompressobj(zlib.MAX_WBITS | 16)
        body = opened.decompress(body, HEAD_BYTES)
        whole = whole and opened.eof
    if not whole:
        body = body[: body.rfind(b"\n") + 1]
    lines = list(csv.reader(io.StringIO(body.decode("utf-8-sig", "replace")), delimiter=delimiter))
    if not whole:
        lines = lines[:-1]  # a quoted value may have been cut
    width = len(lines[0]) if lines else 0
    names = lines.pop(0) if header and lines else [f"column {n + 1}" for n in range(width)]
    known = columns[:width] if columns is not None and len(columns) >= width else []
    names = [column["Name"] for column in known] or names
    return names, [column.get("Type", "") for column in known], lines[:ROWS]


def _parquet(
    s3: Any, bucket: str, key: str, size: int, *_: Any
) -> tuple[list[str], list[str], list[list[str | None]]]:
    from pyarrow import PythonFile
    from pyarrow.parquet import ParquetFile

    source = PythonFile(ObjectFile(s3, bucket, key, size), mode="r")
    opened = ParquetFile(source, pre_buffer=False, buffer_size=64 * 1024)
    first = next(opened.iter_batches(batch_size=ROWS), None)
    names = list(opened.schema_arrow.names)
    types = [str(field.type) for field in opened.schema_arrow]
    if first is None:
        return names, types, []
    shown = [[None if cell is None else str(cell) for cell in c.to_pylist()] for c in first.columns]
    return names, types, [list(row) for row in zip(*shown, strict=True)]

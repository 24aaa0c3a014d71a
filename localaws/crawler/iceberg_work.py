"""What a crawl of Iceberg tables does in a worker: it reads files of metadata."""

from __future__ import annotations

import gzip
from pathlib import Path

from pyiceberg.catalog.glue import _to_columns
from pyiceberg.exceptions import ValidationError
from pyiceberg.table.metadata import TableMetadata, TableMetadataUtil

from localaws.core.jobs.failures import WorkFailed
from localaws.core.jobs.limits import Limits
from localaws.shapes import Json


def described(request: Json, _: Limits) -> list[Json]:
    """Of each of `tables`, files of metadata of one version ({path, uri}): uri, location and
    columns of the one that was written last. Raises WorkFailed for a file that is none."""
    return [_described(files) for files in request["tables"]]


def _described(files: list[Json]) -> Json:
    read = [(_read(file), file["uri"]) for file in files]
    metadata, uri = max(read, key=lambda each: each[0].last_updated_ms)
    return {"uri": uri, "location": metadata.location, "columns": _to_columns(metadata)}


def _read(file: Json) -> TableMetadata:
    try:
        data = Path(file["path"]).read_bytes()
        text = gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
        return TableMetadataUtil.parse_raw(text.decode())
    except (OSError, ValueError, EOFError, ValidationError) as error:
        told = str(error).splitlines()[0]
        raise WorkFailed(
            "InvalidInputException", f"{file['uri']} is no metadata of an Iceberg table: {told}"
        ) from error

"""The items of a Distributed Map from S3: those of a file, of the files that a manifest names or a
listing finds, or the listing itself.

https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from localaws.shapes import Json
from localaws.stepfunctions import item_formats
from localaws.stepfunctions.errors import ITEM_READER_FAILED, NOT_EMULATED, StateError
from localaws.stepfunctions.integrations import failures
from localaws.stepfunctions.integrations.runtime import Integrations
from localaws.stepfunctions.language import Language, Scope

RANGE_BYTES = 1 << 22
CHUNK_BYTES = 1 << 16


@dataclass(frozen=True)
class Plan:
    """What to read: `action` is getObject or listObjectsV2; `config` the ReaderConfig."""

    action: str
    parameters: Json
    config: Json


def plan(language: Language, scope: Scope, reader: Json) -> Plan:
    """Evaluates the ItemReader. Raises StateError."""
    resource = str(reader.get("Resource", ""))
    action = resource.rsplit(":", 1)[-1]
    if not resource.startswith("arn:aws:states:::s3:") or action not in (
        "getObject",
        "listObjectsV2",
    ):
        raise StateError(NOT_EMULATED, f"localaws does not emulate the ItemReader {resource!r}.")
    given = reader.get("Parameters", reader.get("Arguments", {}))
    config = dict(reader.get("ReaderConfig", {}))
    state = replace(scope.state, body=scope.state.body | config)
    config["MaxItems"] = language.number(replace(scope, state=state), "MaxItems")
    return Plan(action, language.template(scope, given), config)


@dataclass(frozen=True)
class Items:
    """What a Map Run iterates over. `sources`: where each item is from, as the context tells it;
    none for items of the state's own data."""

    values: list[Any]
    sources: list[str] = field(default_factory=list)


def read(integrations: Integrations, plan: Plan) -> Items:
    """The items; a file is read as a stream and no further than MaxItems, except for JSON and
    Parquet, which are read whole. Raises States.ItemReaderFailed with what is wrong."""
    items = _read_listing if plan.action == "listObjectsV2" else _read_object
    most = int(plan.config.get("MaxItems") or 0)
    if most < 0:
        raise StateError(ITEM_READER_FAILED, "field MaxItems must be positive")
    try:
        pairs = list(itertools.islice(items(integrations.client("s3"), plan), most or None))
    except StateError:
        raise
    except Exception as error:
        raise StateError(ITEM_READER_FAILED, failures.s3_cause(error)) from error
    return Items([item for item, _ in pairs], [source for _, source in pairs])


Pairs = Iterator[tuple[Any, str]]  # (item, its source)


def _read_listing(client: Any, plan: Plan) -> Pairs:
    if plan.config.get("Transformation", "NONE") == "NONE":
        source = f"S3://{plan.parameters['Bucket']}"
        yield from ((entry, source) for entry in _listing(client, plan.parameters))
        return
    for entry in _listing(client, plan.parameters):  # LOAD_AND_FLATTEN
        if not entry["Key"].endswith("/"):
            yield from _file(client, plan, plan.parameters["Bucket"], entry["Key"])


def _listing(client: Any, parameters: Json) -> Iterator[Json]:
    for page in client.get_paginator("list_objects_v2").paginate(**parameters):
        for entry in page.get("Contents", []):
            yield {
                "Etag": entry["ETag"],
                "LastModified": int(entry["LastModified"].timestamp()),
                "Key": entry["Key"],
                "Size": entry["Size"],
                "StorageClass": entry.get("StorageClass", "STANDARD"),
            }


def _read_object(client: Any, plan: Plan) -> Pairs:
    source = f"S3://{plan.parameters['Bucket']}/{plan.parameters['Key']}"
    kind, manifest = plan.config.get("InputType"), plan.config.get("ManifestType")
    if manifest == "S3_INVENTORY" or kind == "MANIFEST":
        yield from ((row, source) for row in _inventory(client, plan.parameters))
    elif manifest == "ATHENA_DATA":
        for line in item_formats.lines(_chunks(client, plan.parameters)):
            if line.strip():
                bucket, _, key = line.strip().removeprefix("s3://").partition("/")
                yield from _file(client, plan, bucket, key)
    else:
        chunks = _chunks(client, plan.parameters)
        found = item_formats.items(kind or "JSON", plan.parameters["Key"], chunks, plan.config)
        yield from ((item, source) for item in found)


def _file(client: Any, plan: Plan, bucket: str, key: str) -> Pairs:
    chunks = _chunks(client, {"Bucket": bucket, "Key": key})
    found = item_formats.items(plan.config.get("InputType", "JSON"), key, chunks, plan.config)
    return ((item, f"S3://{bucket}/{key}") for item in found)


def _inventory(client: Any, parameters: Json) -> Iterator[Json]:
    """The rows of an S3 inventory report's files, which its manifest.json names."""
    manifest = json.loads(b"".join(_chunks(client, parameters)))
    if manifest.get("fileFormat") != "CSV":
        raise ValueError(f"An inventory report is read as CSV, not {manifest.get('fileFormat')}.")
    names = [name.strip() for name in manifest["fileSchema"].split(",")]
    bucket = manifest["destinationBucket"].rsplit(":", 1)[-1]
    config = {"CSVHeaderLocation": "GIVEN", "CSVHeaders": names}
    for file in manifest["files"]:
        chunks = _chunks(client, {"Bucket": bucket, "Key": file["key"]})
        yield from item_formats.items("CSV", file["key"], chunks, config)


def _chunks(client: Any, parameters: Json) -> Iterator[bytes]:
    """The object's bytes, asked for in ranges: a client may hold a whole answer in memory."""
    head = client.head_object(**parameters)
    for first in range(0, head["ContentLength"], RANGE_BYTES):
        asked = f"bytes={first}-{first + RANGE_BYTES - 1}"
        body = client.get_object(**parameters, Range=asked, IfMatch=head["ETag"])["Body"]
        yield from body.iter_chunks(CHUNK_BYTES)

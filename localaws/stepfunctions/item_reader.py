"""The items of a Distributed Map from S3: a JSON array, JSON lines, a CSV file or a listing.

https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html
"""

from __future__ import annotations

import codecs
import csv
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from localaws.stepfunctions.errors import ITEM_READER_FAILED, NOT_EMULATED, StateError
from localaws.stepfunctions.integrations import failures
from localaws.stepfunctions.integrations.runtime import Integrations
from localaws.stepfunctions.language import Language, Scope

Json = dict[str, Any]

RANGE_BYTES = 1 << 22
CHUNK_BYTES = 1 << 16
DELIMITERS = {"COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "SPACE": " ", "TAB": "\t"}


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


def read(integrations: Integrations, plan: Plan) -> list[Any]:
    """The items; a file is read as a stream and no further than MaxItems, except for a JSON
    array, which is parsed whole. Raises States.ItemReaderFailed with what is wrong."""
    items = _file if plan.action == "getObject" else _listing
    most = int(plan.config.get("MaxItems") or 0)
    if most < 0:
        raise StateError(ITEM_READER_FAILED, "field MaxItems must be positive")
    try:
        return list(itertools.islice(items(integrations, plan), most or None))
    except StateError:
        raise
    except Exception as error:
        raise StateError(ITEM_READER_FAILED, failures.s3_cause(error)) from error


def _listing(integrations: Integrations, plan: Plan) -> Iterator[Any]:
    pages = integrations.client("s3").get_paginator("list_objects_v2").paginate(**plan.parameters)
    for page in pages:
        for entry in page.get("Contents", []):
            yield {
                "Etag": entry["ETag"],
                "LastModified": int(entry["LastModified"].timestamp()),
                "Key": entry["Key"],
                "Size": entry["Size"],
                "StorageClass": entry.get("StorageClass", "STANDARD"),
            }


def _file(integrations: Integrations, plan: Plan) -> Iterator[Any]:
    client = integrations.client("s3")
    kind = plan.config.get("InputType", "JSON")
    if kind == "JSON":
        yield from _array(json.loads(client.get_object(**plan.parameters)["Body"].read()))
        return
    lines = _lines(_chunks(client, plan.parameters))
    if kind == "CSV":
        yield from _csv(lines, plan.config)
    elif kind == "JSONL":
        for line in lines:
            if line.strip():
                yield json.loads(line)
    else:
        raise StateError(NOT_EMULATED, f"localaws does not emulate the InputType {kind}.")


def _chunks(client: Any, parameters: Json) -> Iterator[bytes]:
    """The object's bytes, asked for in ranges: a client may hold a whole answer in memory."""
    head = client.head_object(**parameters)
    for first in range(0, head["ContentLength"], RANGE_BYTES):
        asked = f"bytes={first}-{first + RANGE_BYTES - 1}"
        body = client.get_object(**parameters, Range=asked, IfMatch=head["ETag"])["Body"]
        yield from body.iter_chunks(CHUNK_BYTES)


def _lines(chunks: Iterator[bytes]) -> Iterator[str]:
    """Lines with their ends, as they come in: a quoted CSV field may go over several."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    rest = ""
    for chunk in chunks:
        *whole, rest = (rest + decoder.decode(chunk)).split("\n")
        for line in whole:
            yield line + "\n"
    rest += decoder.decode(b"", final=True)
    if rest:
        yield rest


def _array(items: Any) -> list[Any]:
    if isinstance(items, dict):
        return [{"Key": key, "Value": value} for key, value in items.items()]
    if not isinstance(items, list):
        raise ValueError("Attempting to map over non-iterable node.")
    return items


def _csv(lines: Iterator[str], config: Json) -> Iterator[Any]:
    delimiter = DELIMITERS.get(config.get("CSVDelimiter", "COMMA"), ",")
    rows = csv.reader(lines, delimiter=delimiter)
    headers = config.get("CSVHeaders")
    if config.get("CSVHeaderLocation", "FIRST_ROW") == "FIRST_ROW":
        headers = next(rows, [])
    if not headers:
        raise ValueError("The CSV has no headers.")
    if len(set(headers)) < len(headers):
        raise ValueError("CSV headers cannot contain duplicates.")
    columns = sorted(enumerate(headers), key=lambda column: _bucket(column[1], len(headers)))
    for row in rows:
        if row:
            yield {name: row[index] if index < len(row) else "" for index, name in columns}


def _bucket(name: str, count: int) -> int:
    """Where a Java HashMap of `count` keys has the name: AWS's rows come in that order."""
    code = 0
    for character in name:
        code = (code * 31 + ord(character)) & 0xFFFFFFFF
    capacity = 16
    while count > capacity * 3 // 4:
        capacity *= 2
    return (code ^ code >> 16) & (capacity - 1)

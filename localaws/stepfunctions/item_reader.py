"""The items of a Distributed Map from S3: a JSON array, JSON lines, a CSV file or a listing.

https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from localaws.stepfunctions.errors import ITEM_READER_FAILED, NOT_EMULATED, StateError
from localaws.stepfunctions.language import Language, Scope

if TYPE_CHECKING:
    from localaws.stepfunctions.integrations.runtime import Integrations

Json = dict[str, Any]

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
    if "MaxItemsPath" in config:
        config["MaxItems"] = language.template(scope, {"n.$": config.pop("MaxItemsPath")})["n"]
    return Plan(action, language.template(scope, given), config)


def read(integrations: Integrations, plan: Plan) -> list[Any]:
    """The items. Raises States.ItemReaderFailed with what is wrong."""
    try:
        items = (
            _listing(integrations, plan)
            if plan.action != "getObject"
            else _file(integrations, plan)
        )
    except StateError:
        raise
    except Exception as error:
        raise StateError(ITEM_READER_FAILED, str(error)) from error
    most = int(plan.config.get("MaxItems") or 0)
    return items[:most] if most else items


def _listing(integrations: Integrations, plan: Plan) -> list[Any]:
    pages = integrations.client("s3").get_paginator("list_objects_v2").paginate(**plan.parameters)
    return [
        {
            "Etag": entry["ETag"],
            "Key": entry["Key"],
            "LastModified": int(entry["LastModified"].timestamp()),
            "Size": entry["Size"],
            "StorageClass": entry.get("StorageClass", "STANDARD"),
        }
        for page in pages
        for entry in page.get("Contents", [])
    ]


def _file(integrations: Integrations, plan: Plan) -> list[Any]:
    body = integrations.client("s3").get_object(**plan.parameters)["Body"]
    text = io.TextIOWrapper(io.BytesIO(body.read()), encoding="utf-8-sig", newline="")
    kind = plan.config.get("InputType", "JSON")
    if kind == "CSV":
        return _csv(text, plan.config)
    if kind == "JSONL":
        return [json.loads(line) for line in text if line.strip()]
    if kind != "JSON":
        raise StateError(NOT_EMULATED, f"localaws does not emulate ReaderConfig InputType {kind}.")
    items = json.load(text)
    if isinstance(items, dict):
        return [{"Key": key, "Value": value} for key, value in items.items()]
    if not isinstance(items, list):
        raise ValueError("Attempting to map over non-iterable node.")
    return items


def _csv(text: io.TextIOWrapper, config: Json) -> list[Any]:
    delimiter = DELIMITERS.get(config.get("CSVDelimiter", "COMMA"), ",")
    rows = csv.reader(text, delimiter=delimiter)
    headers = config.get("CSVHeaders")
    if config.get("CSVHeaderLocation", "FIRST_ROW") == "FIRST_ROW":
        headers = next(rows, [])
    if not headers:
        raise ValueError("The CSV has no headers.")
    return [
        {header: row[index] if index < len(row) else "" for index, header in enumerate(headers)}
        for row in rows
        if row
    ]

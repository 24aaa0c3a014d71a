"""DynamoDB targets: the attributes of a table's items, as one table of the catalog.

https://docs.aws.amazon.com/glue/latest/dg/define-crawler.html
"""

from __future__ import annotations

import re
from typing import Any

from botocore.exceptions import ClientError

from localaws.core.aws import LocalAws
from localaws.core.jobs.job import Job, JobFailed
from localaws.crawler.tables import store_input
from localaws.crawler.types import Array, Kind, Struct, merged, written
from localaws.crawler.writing import Found
from localaws.shapes import Json

SAMPLE = 1000  # items, where not all of them are scanned


def table(aws: LocalAws, crawler: str, target: Json, job: Job) -> Found:
    """Raises JobFailed for a table that is not there or may not be read."""
    name, client = target["Path"], aws.client("dynamodb")
    try:
        described = client.describe_table(TableName=name)["Table"]
        kinds, count = _kinds(client, name, target.get("scanAll", True), job)
    except ClientError as error:
        raise JobFailed(f"DynamoDB table {name}: {error.response['Error']['Message']}") from error
    size = described.get("TableSizeBytes", 0)
    keys = {key["KeyType"]: key["AttributeName"] for key in described["KeySchema"]}
    parameters = {
        "classification": "dynamodb",
        "compressionType": "none",
        "typeOfData": "table",
        "objectCount": "1",
        "recordCount": str(count),
        "averageRecordSize": str(size // count if count else 0),
        "sizeKey": str(size),
        "hashKey": keys["HASH"],
        **({"rangeKey": keys["RANGE"]} if "RANGE" in keys else {}),
    }
    columns = [{"Name": each, "Type": written(kind)} for each, kind in kinds.items()]
    return Found(name, store_input(crawler, described["TableArn"], columns, parameters))


def _kinds(client: Any, name: str, everything: bool, job: Job) -> tuple[dict[str, Kind], int]:
    """The types of the attributes, in the order they are met, and how many items were read."""
    found: dict[str, Kind] = {}
    count = 0
    for page in client.get_paginator("scan").paginate(TableName=name):
        job.check()
        for item in page["Items"]:
            count += 1
            for attribute, value in item.items():
                label = attribute.lower()
                found[label] = merged(found.get(label), _kind(value))
        if not everything and count >= SAMPLE:
            break
    return found, count


def _kind(value: Json) -> Kind:
    """Of an attribute's value, as DynamoDB's API has it: {type: value}."""
    ((kind, given),) = value.items()
    if kind == "N":
        return "bigint" if re.fullmatch(r"-?\d{1,18}", given) else "double"
    if kind == "M":
        return Struct(tuple((name.lower(), _kind(inside)) for name, inside in given.items()))
    if kind == "L":
        item: Kind = None
        for each in given:
            item = merged(item, _kind(each))
        return Array(item)
    if kind in ("SS", "NS", "BS"):
        item = None
        for each in given:
            item = merged(item, _kind({kind[0]: each}))
        return Array(item)
    return {"S": "string", "BOOL": "boolean", "B": "binary"}.get(kind)

"""The Data Catalog's verbs of the Glue API."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from localaws.catalog import tags
from localaws.catalog.filters import matching
from localaws.core import pages
from localaws.core.aws import LocalAws
from localaws.core.errors import AwsError
from localaws.core.pages import Key
from localaws.core.service import Call, Service
from localaws.shapes import Json
from localaws.tables.catalog import Catalog

Item = TypeVar("Item")
_TABLE_INPUT = tuple(
    f"TableInput.{name}"
    for name in (
        "Name", "Description", "Owner", "LastAccessTime", "LastAnalyzedTime", "Retention",
        "StorageDescriptor", "PartitionKeys", "ViewOriginalText", "ViewExpandedText", "TableType",
        "Parameters",
    )
)  # fmt: skip
_DATABASE_INPUT = tuple(
    f"DatabaseInput.{name}" for name in ("Name", "Description", "LocationUri", "Parameters")
)


def register(service: Service, aws: LocalAws) -> None:
    """Adds the verbs of databases, tables and partitions."""
    catalog = Catalog(aws)
    tags.register(service, aws)
    _databases(service, catalog)
    _tables(service, catalog)
    _partitions(service, catalog)
    _partition_batches(service, catalog)


def page(
    items: Iterable[tuple[Key, Item]], params: Json, size: int = 100
) -> tuple[list[Item], Json]:
    """One page of (key, item) by key, and `{"NextToken": ...}` when there is more."""
    most = int(params.get("MaxResults") or size)
    found = pages.page(items, params.get("NextToken"), most, invalid=_invalid)
    return found.items, found.next()


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidInputException", message)


def _check(call: Call) -> Json:
    given = call.params.get("CatalogId")
    if given not in (None, call.account):
        raise AwsError(
            "EntityNotFoundException", f"Catalog {given} not found; there is {call.account}."
        )
    return call.params


def _databases(service: Service, catalog: Catalog) -> None:
    @service.operation("CreateDatabase", "CatalogId", "Tags", *_DATABASE_INPUT)
    def create_database(call: Call) -> Json:
        given = _check(call)["DatabaseInput"]
        catalog.create_database(given)
        place = tags.arn(catalog.aws, "database", given["Name"].lower())
        tags.write(catalog.aws, place, call.params.get("Tags") or {})
        return {}

    @service.operation("GetDatabase", "CatalogId", "Name")
    def get_database(call: Call) -> Json:
        return {"Database": catalog.database(_check(call)["Name"])}

    @service.operation(
        "GetDatabases",
        "CatalogId",
        "NextToken",
        "MaxResults",
        "ResourceShareType",
        "AttributesToGet",
    )
    def get_databases(call: Call) -> Json:
        found, more = page(((one["Name"], one) for one in catalog.databases()), _check(call))
        return {"DatabaseList": found, **more}

    @service.operation("UpdateDatabase", "CatalogId", "Name", *_DATABASE_INPUT)
    def update_database(call: Call) -> Json:
        params = _check(call)
        catalog.update_database(params["Name"], params["DatabaseInput"])
        return {}

    @service.operation("DeleteDatabase", "CatalogId", "Name")
    def delete_database(call: Call) -> Json:
        catalog.delete_database(_check(call)["Name"])
        return {}


def _tables(service: Service, catalog: Catalog) -> None:
    @service.operation("CreateTable", "CatalogId", "DatabaseName", *_TABLE_INPUT)
    def create_table(call: Call) -> Json:
        params = _check(call)
        catalog.create_table(
            params["DatabaseName"], params["TableInput"], created_by=call.caller.arn
        )
        return {}

    @service.operation("GetTable", "CatalogId", "DatabaseName", "Name")
    def get_table(call: Call) -> Json:
        params = _check(call)
        return {"Table": catalog.table(params["DatabaseName"], params["Name"])}

    @service.operation(
        "GetTables", "CatalogId", "DatabaseName", "Expression", "NextToken", "MaxResults"
    )
    def get_tables(call: Call) -> Json:
        params = _check(call)
        try:
            wanted = re.compile(params.get("Expression") or ".*")
        except re.error as error:
            raise AwsError(
                "InvalidInputException", f"Expression is no regular expression: {error}"
            ) from None
        tables = [t for t in catalog.tables(params["DatabaseName"]) if wanted.fullmatch(t["Name"])]
        found, more = page(((table["Name"], table) for table in tables), params)
        return {"TableList": found, **more}

    @service.operation("UpdateTable", "CatalogId", "DatabaseName", "SkipArchive", *_TABLE_INPUT)
    def update_table(call: Call) -> Json:
        params = _check(call)
        catalog.update_table(params["DatabaseName"], params["TableInput"])
        return {}

    @service.operation("DeleteTable", "CatalogId", "DatabaseName", "Name")
    def delete_table(call: Call) -> Json:
        params = _check(call)
        catalog.delete_table(params["DatabaseName"], params["Name"])
        return {}

    @service.operation("BatchDeleteTable", "CatalogId", "DatabaseName", "TablesToDelete")
    def batch_delete_table(call: Call) -> Json:
        params = _check(call)
        errors = _each(
            params["TablesToDelete"],
            lambda name: catalog.delete_table(params["DatabaseName"], name),
            lambda name: {"TableName": name},
        )
        return {"Errors": errors}


def _partitions(service: Service, catalog: Catalog) -> None:
    where = ("CatalogId", "DatabaseName", "TableName")

    @service.operation("CreatePartition", *where, "PartitionInput")
    def create_partition(call: Call) -> Json:
        params = _check(call)
        catalog.create_partition(
            params["DatabaseName"], params["TableName"], params["PartitionInput"]
        )
        return {}

    @service.operation("GetPartition", *where, "PartitionValues")
    def get_partition(call: Call) -> Json:
        params = _check(call)
        values = params["PartitionValues"]
        return {"Partition": catalog.partition(params["DatabaseName"], params["TableName"], values)}

    @service.operation(
        "GetPartitions",
        *where,
        "Expression",
        "NextToken",
        "MaxResults",
        "ExcludeColumnSchema",
        "Segment",
    )
    def get_partitions(call: Call) -> Json:
        params = _check(call)
        table = catalog.table(params["DatabaseName"], params["TableName"])
        kept = matching(
            catalog.partitions(table["DatabaseName"], table["Name"]),
            table.get("PartitionKeys") or [],
            params.get("Expression") or "",
        )
        segment = params.get("Segment")
        if segment:
            # By its values, so that it stays in its segment when others come and go.
            kept = [
                partition
                for partition in kept
                if zlib.crc32(json.dumps(partition["Values"]).encode()) % segment["TotalSegments"]
                == segment["SegmentNumber"]
            ]
        found, more = page(((tuple(one["Values"]), one) for one in kept), params, 1000)
        if params.get("ExcludeColumnSchema"):
            found = [_without_columns(partition) for partition in found]
        return {"Partitions": found, **more}

    @service.operation("UpdatePartition", *where, "PartitionValueList", "PartitionInput")
    def update_partition(call: Call) -> Json:
        params = _check(call)
        catalog.update_partition(
            params["DatabaseName"],
            params["TableName"],
            params["PartitionValueList"],
            params["PartitionInput"],
        )
        return {}

    @service.operation("DeletePartition", *where, "PartitionValues")
    def delete_partition(call: Call) -> Json:
        params = _check(call)
        catalog.delete_partition(
            params["DatabaseName"], params["TableName"], params["PartitionValues"]
        )
        return {}


def _partition_batches(service: Service, catalog: Catalog) -> None:
    where = ("CatalogId", "DatabaseName", "TableName")

    @service.operation("BatchCreatePartition", *where, "PartitionInputList")
    def batch_create_partition(call: Call) -> Json:
        params = _check(call)
        database, table = (
            params["DatabaseName"],
            catalog.table(params["DatabaseName"], params["TableName"])["Name"],
        )
        errors = _each(
            params["PartitionInputList"],
            lambda given: catalog.create_partition(database, table, given),
            lambda given: {"PartitionValues": given.get("Values", [])},
        )
        return {"Errors": errors}

    @service.operation("BatchGetPartition", *where, "PartitionsToGet")
    def batch_get_partition(call: Call) -> Json:
        params = _check(call)
        found, missing = [], []
        for wanted in params["PartitionsToGet"]:
            try:
                found.append(
                    catalog.partition(params["DatabaseName"], params["TableName"], wanted["Values"])
                )
            except AwsError as error:
                if error.message != "Cannot find partition.":
                    raise
                missing.append(wanted)
        return {"Partitions": found, "UnprocessedKeys": missing}

    @service.operation("BatchUpdatePartition", *where, "Entries")
    def batch_update_partition(call: Call) -> Json:
        params = _check(call)
        errors = _each(
            params["Entries"],
            lambda entry: catalog.update_partition(
                params["DatabaseName"],
                params["TableName"],
                entry["PartitionValueList"],
                entry["PartitionInput"],
            ),
            lambda entry: {"PartitionValueList": entry["PartitionValueList"]},
        )
        return {"Errors": errors}

    @service.operation("BatchDeletePartition", *where, "PartitionsToDelete")
    def batch_delete_partition(call: Call) -> Json:
        params = _check(call)
        errors = _each(
            params["PartitionsToDelete"],
            lambda wanted: catalog.delete_partition(
                params["DatabaseName"], params["TableName"], wanted["Values"]
            ),
            lambda wanted: {"PartitionValues": wanted["Values"]},
        )
        return {"Errors": errors}


def _each(items: list[Any], act: Callable[[Any], None], label: Callable[[Any], Json]) -> list[Json]:
    """Acts on every item; the items that fail come back labelled, with their error."""
    errors = []
    for item in items:
        try:
            act(item)
        except AwsError as error:
            detail = {"ErrorCode": error.code, "ErrorMessage": error.message}
            errors.append({**label(item), "ErrorDetail": detail})
    return errors


def _without_columns(partition: Json) -> Json:
    storage = {k: v for k, v in partition.get("StorageDescriptor", {}).items() if k != "Columns"}
    return {**partition, "StorageDescriptor": storage}

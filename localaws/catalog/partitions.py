"""The operations on partitions, one by one and many at once."""

from __future__ import annotations

import json
import zlib

from localaws.catalog.calls import check, each
from localaws.catalog.filters import matching
from localaws.catalog.lists import page_of_partitions
from localaws.core.service import Call, Service
from localaws.errors import AwsError
from localaws.shapes import Json
from localaws.tables.catalog import Catalog


class Partitions:
    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def register(self, service: Service) -> None:
        take, table = service.operation, ("CatalogId", "DatabaseName", "TableName")
        take("CreatePartition", *table, "PartitionInput")(self.create)
        take("GetPartition", *table, "PartitionValues")(self.get)
        take(
            *("GetPartitions", *table, "Expression", "NextToken", "MaxResults"),
            *("ExcludeColumnSchema", "Segment"),
        )(self.list)
        take("UpdatePartition", *table, "PartitionValueList", "PartitionInput")(self.update)
        take("DeletePartition", *table, "PartitionValues")(self.delete)
        take("BatchCreatePartition", *table, "PartitionInputList")(self.create_many)
        take("BatchGetPartition", *table, "PartitionsToGet")(self.get_many)
        take("BatchUpdatePartition", *table, "Entries")(self.update_many)
        take("BatchDeletePartition", *table, "PartitionsToDelete")(self.delete_many)

    def create(self, call: Call) -> Json:
        self._catalog.create_partition(*_table(call), call.params["PartitionInput"])
        return {}

    def get(self, call: Call) -> Json:
        values = call.params["PartitionValues"]
        return {"Partition": self._catalog.partition(*_table(call), values)}

    def list(self, call: Call) -> Json:
        params = call.params
        table = self._catalog.table(*_table(call))
        kept = matching(
            self._catalog.partitions(table["DatabaseName"], table["Name"]),
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
        found, more = page_of_partitions(((tuple(one["Values"]), one) for one in kept), params)
        if params.get("ExcludeColumnSchema"):
            found = [_without_columns(partition) for partition in found]
        return {"Partitions": found, **more}

    def update(self, call: Call) -> Json:
        values, given = call.params["PartitionValueList"], call.params["PartitionInput"]
        self._catalog.update_partition(*_table(call), values, given)
        return {}

    def delete(self, call: Call) -> Json:
        self._catalog.delete_partition(*_table(call), call.params["PartitionValues"])
        return {}

    def create_many(self, call: Call) -> Json:
        database, name = _table(call)
        name = self._catalog.table(database, name)["Name"]
        errors = each(
            call.params["PartitionInputList"],
            lambda given: self._catalog.create_partition(database, name, given),
            lambda given: {"PartitionValues": given.get("Values", [])},
        )
        return {"Errors": errors}

    def get_many(self, call: Call) -> Json:
        found, missing = [], []
        for wanted in call.params["PartitionsToGet"]:
            try:
                found.append(self._catalog.partition(*_table(call), wanted["Values"]))
            except AwsError as error:
                if error.message != "Cannot find partition.":
                    raise
                missing.append(wanted)
        return {"Partitions": found, "UnprocessedKeys": missing}

    def update_many(self, call: Call) -> Json:
        place = _table(call)
        errors = each(
            call.params["Entries"],
            lambda entry: self._catalog.update_partition(
                *place, entry["PartitionValueList"], entry["PartitionInput"]
            ),
            lambda entry: {"PartitionValueList": entry["PartitionValueList"]},
        )
        return {"Errors": errors}

    def delete_many(self, call: Call) -> Json:
        place = _table(call)
        errors = each(
            call.params["PartitionsToDelete"],
            lambda wanted: self._catalog.delete_partition(*place, wanted["Values"]),
            lambda wanted: {"PartitionValues": wanted["Values"]},
        )
        return {"Errors": errors}


def _table(call: Call) -> tuple[str, str]:
    params = check(call)
    return params["DatabaseName"], params["TableName"]


def _without_columns(partition: Json) -> Json:
    storage = {k: v for k, v in partition.get("StorageDescriptor", {}).items() if k != "Columns"}
    return {**partition, "StorageDescriptor": storage}

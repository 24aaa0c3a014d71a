"""Partition indexes of tables, as they are described: here no look-up is quicker for one.

https://docs.aws.amazon.com/glue/latest/dg/partition-indexes.html; the messages are AWS's, as they
were recorded in floci-io/floci's pull request 3551.
"""

from __future__ import annotations

from localaws.catalog.calls import check
from localaws.core.service import Call, Service
from localaws.errors import AwsError
from localaws.shapes import Json
from localaws.tables.catalog import Catalog

MOST = 3
_TYPES = ("string", "char", "varchar", "int", "bigint", "long", "tinyint", "smallint", "date")
_INDEX = ("PartitionIndex.IndexName", "PartitionIndex.Keys")


class PartitionIndexes:
    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def register(self, service: Service) -> None:
        take, table = service.operation, ("CatalogId", "DatabaseName", "TableName")
        take("CreatePartitionIndex", *table, *_INDEX)(self.create)
        take("GetPartitionIndexes", *table, "NextToken")(self.list)
        take("DeletePartitionIndex", *table, "IndexName")(self.delete)

    def create(self, call: Call) -> Json:
        given = check(call)["PartitionIndex"]
        with self._catalog.documents.transaction():
            table = self._table(call)
            types = {key["Name"]: key["Type"] for key in table.get("PartitionKeys") or []}
            names = [name.lower() for name in given["Keys"]]
            if unknown := [name for name in names if name not in types]:
                raise AwsError(
                    "InvalidInputException",
                    "IndexKeys not a part of PartitionColumns. Verify the indexKeys :"
                    f" [{', '.join(unknown)}]",
                )
            if refused := [name for name in names if types[name].split("(")[0] not in _TYPES]:
                raise AwsError(
                    "InvalidInputException",
                    f"Keys of types that no index takes: {', '.join(refused)}.",
                )
            keys = [{"Name": name, "Type": types[name]} for name in names]
            there = self._catalog.partition_indexes(table)
            for what, same in (
                ("name", [each["IndexName"] == given["IndexName"] for each in there]),
                ("keys", [each["Keys"] == keys for each in there]),
            ):
                if any(same):
                    told = f"Partition Index {given['IndexName']} already exists"
                    raise AwsError("AlreadyExistsException", f"{told} with the same {what}.")
            if len(there) >= MOST:
                raise AwsError(
                    "ResourceNumberLimitExceededException",
                    f"Partition index limit exceeded. Maximum: {MOST}",
                )
            made = {"IndexName": given["IndexName"], "Keys": keys, "IndexStatus": "ACTIVE"}
            self._catalog.put_partition_indexes(table, [*there, made])
        return {}

    def list(self, call: Call) -> Json:
        check(call)
        found = self._catalog.partition_indexes(self._table(call))
        return {"PartitionIndexDescriptorList": found}

    def delete(self, call: Call) -> Json:
        name = check(call)["IndexName"]
        with self._catalog.documents.transaction():
            table = self._table(call)
            there = self._catalog.partition_indexes(table)
            kept = [each for each in there if each["IndexName"] != name]
            if len(kept) == len(there):
                raise AwsError("EntityNotFoundException", f"Partition Index {name} not found.")
            self._catalog.put_partition_indexes(table, kept)
        return {}

    def _table(self, call: Call) -> Json:
        return self._catalog.table(call.params["DatabaseName"], call.params["TableName"])

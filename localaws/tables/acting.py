"""The catalog as one caller may use it."""

from __future__ import annotations

from typing import Any

from localaws.core.aws import LocalAws
from localaws.shapes import Json
from localaws.tables.catalog import Catalog


class ActingCatalog(Catalog):
    """For services that use the catalog in the caller's name: each use is asked for, once, as
    Glue's API would."""

    def __init__(self, aws: LocalAws) -> None:
        super().__init__(aws)
        self._plain = Catalog(aws)

    def create_database(self, given: Json) -> None:
        self._ask("CreateDatabase", DatabaseInput=given)
        self._plain.create_database(given)

    def database(self, name: str) -> Json:
        self._ask("GetDatabase", Name=name)
        return self._plain.database(name)

    def databases(self) -> list[Json]:
        self._ask("GetDatabases")
        return self._plain.databases()

    def update_database(self, name: str, given: Json) -> None:
        self._ask("UpdateDatabase", Name=name, DatabaseInput=given)
        self._plain.update_database(name, given)

    def delete_database(self, name: str) -> None:
        self._ask("DeleteDatabase", Name=name)
        self._plain.delete_database(name)

    def create_table(self, database: str, given: Json, created_by: str | None = None) -> None:
        self._ask("CreateTable", DatabaseName=database, TableInput=given)
        self._plain.create_table(database, given, created_by)

    def table(self, database: str, name: str) -> Json:
        self._ask("GetTable", DatabaseName=database, Name=name)
        return self._plain.table(database, name)

    def tables(self, database: str) -> list[Json]:
        self._ask("GetTables", DatabaseName=database)
        return self._plain.tables(database)

    def update_table(
        self, database: str, given: Json, version_id: str | None = None, *, archive: bool = True
    ) -> None:
        self._ask("UpdateTable", DatabaseName=database, TableInput=given)
        self._plain.update_table(database, given, version_id, archive=archive)

    def delete_table(self, database: str, name: str) -> None:
        self._ask("DeleteTable", DatabaseName=database, Name=name)
        self._plain.delete_table(database, name)

    def create_partition(self, database: str, table: str, given: Json) -> None:
        self._ask("CreatePartition", DatabaseName=database, TableName=table, PartitionInput=given)
        self._plain.create_partition(database, table, given)

    def partition(self, database: str, table: str, values: list[str]) -> Json:
        self._ask("GetPartition", DatabaseName=database, TableName=table, PartitionValues=values)
        return self._plain.partition(database, table, values)

    def partitions(self, database: str, table: str) -> list[Json]:
        self._ask("GetPartitions", DatabaseName=database, TableName=table)
        return self._plain.partitions(database, table)

    def update_partition(self, database: str, table: str, values: list[str], given: Json) -> None:
        self._ask(
            "UpdatePartition",
            DatabaseName=database,
            TableName=table,
            PartitionValueList=values,
            PartitionInput=given,
        )
        self._plain.update_partition(database, table, values, given)

    def delete_partition(self, database: str, table: str, values: list[str]) -> None:
        self._ask("DeletePartition", DatabaseName=database, TableName=table, PartitionValues=values)
        self._plain.delete_partition(database, table, values)

    def _ask(self, operation: str, **params: Any) -> None:
        self.aws.authorize(self.aws.caller, "glue", operation, params)

"""The Glue Data Catalog of this AWS: databases, tables and partitions, kept on disk.

One object for the Glue verbs, the crawler and Athena, so that all three see the same tables.
Errors are Glue's own: EntityNotFoundException, AlreadyExistsException, InvalidInputException.
"""

from __future__ import annotations

import json
import re

from localaws.core.aws import LocalAws
from localaws.errors import AwsError
from localaws.shapes import Json

_DATABASES = "glue-databases"
_INDEXES = "glue-partition-indexes"
# What TableInput has of a table; the rest is the catalog's own.
TABLE_INPUT = (
    "Name",
    "Description",
    "Owner",
    "Retention",
    "StorageDescriptor",
    "PartitionKeys",
    "TableType",
    "Parameters",
    "ViewOriginalText",
    "ViewExpandedText",
)


class Catalog:
    """Names are lower-cased, as Glue does. Documents are in the shape Glue returns them."""

    def __init__(self, aws: LocalAws) -> None:
        self.aws = aws
        self.documents = aws.documents

    # databases

    def create_database(self, given: Json) -> None:
        name = _name(given.get("Name"), "DatabaseInput.Name")
        document = {
            **{k: v for k, v in given.items() if k in ("Description", "LocationUri", "Parameters")},
            "Name": name,
            "CreateTime": self.aws.clock.now(),
            "CreateTableDefaultPermissions": [],
            "CatalogId": self.aws.account,
        }
        if not self.documents.insert(_DATABASES, name, document):
            raise AwsError("AlreadyExistsException", "Database already exists.")

    def database(self, name: str) -> Json:
        document = self.documents.get(_DATABASES, name.lower())
        if document is None:
            raise AwsError("EntityNotFoundException", f"Database {name.lower()} not found.")
        return document

    def databases(self) -> list[Json]:
        return sorted((found for _, found in self.documents.items(_DATABASES)), key=_by_name)

    def update_database(self, name: str, given: Json) -> None:
        kept = self.database(name)
        if _name(given.get("Name"), "DatabaseInput.Name") != kept["Name"]:
            raise AwsError("InvalidInputException", "Cannot rename a database.")
        changed = {
            k: v for k, v in given.items() if k in ("Description", "LocationUri", "Parameters")
        }
        fixed = ("Name", "CreateTime", "CatalogId", "CreateTableDefaultPermissions")
        self.documents.put(_DATABASES, kept["Name"], {**{k: kept[k] for k in fixed}, **changed})

    def delete_database(self, name: str) -> None:
        with self.documents.transaction():
            kept = self.database(name)["Name"]
            for table in self.tables(kept):
                self.delete_table(kept, table["Name"])
            self.documents.delete(_DATABASES, kept)

    # tables

    def create_table(self, database: str, given: Json, created_by: str | None = None) -> None:
        """`created_by` is the ARN of who makes it, if that is not this AWS's caller."""
        database = self.database(database)["Name"]
        name = _name(given.get("Name"), "TableInput.Name")
        now = self.aws.clock.now()
        document = {
            "Retention": 0,
            "PartitionKeys": [],
            **given,
            "Name": name,
            "DatabaseName": database,
            "CreateTime": now,
            "UpdateTime": now,
            "CreatedBy": created_by or self.aws.caller.arn,
            "IsRegisteredWithLakeFormation": False,
            "CatalogId": self.aws.account,
            "VersionId": "0",
        }
        if not self.documents.insert(_tables(database), name, document):
            raise AwsError("AlreadyExistsException", "Table already exists.")

    def table(self, database: str, name: str) -> Json:
        self.database(database)
        document = self.documents.get(_tables(database), name.lower())
        if document is None:
            raise AwsError(
                "EntityNotFoundException", f"Entity Not Found: Table {name.lower()} not found."
            )
        return document

    def tables(self, database: str) -> list[Json]:
        kept = self.database(database)["Name"]
        return sorted((found for _, found in self.documents.items(_tables(kept))), key=_by_name)

    def update_table(
        self,
        database: str,
        given: Json,
        version_id: str | None = None,
        *,
        archive: bool = True,
    ) -> None:
        """Replaces the table's input; the version before stays among `versions`, if `archive`.

        With `version_id`, only if that is the table's version still:
        ConcurrentModificationException otherwise.
        """
        with self.documents.transaction():
            kept = self.table(database, _name(given.get("Name"), "TableInput.Name"))
            if version_id not in (None, kept["VersionId"]):
                raise AwsError(
                    "ConcurrentModificationException",
                    f"Table {kept['Name']} is at version {kept['VersionId']}, not {version_id}: "
                    "it was changed meanwhile.",
                )
            fixed = (
                "DatabaseName",
                "CreateTime",
                "CreatedBy",
                "IsRegisteredWithLakeFormation",
                "CatalogId",
            )
            document = {
                "Retention": 0,
                "PartitionKeys": [],
                **given,
                **{key: kept[key] for key in fixed},
                "Name": kept["Name"],
                "UpdateTime": self.aws.clock.now(),
                "VersionId": str(int(kept["VersionId"]) + 1),
            }
            if archive:
                self.documents.put(_versions(kept), kept["VersionId"], kept)
            self.documents.put(_tables(kept["DatabaseName"]), kept["Name"], document)

    def versions(self, database: str, name: str) -> list[Json]:
        """The table as it is, then as it was, from the latest to the first."""
        kept = self.table(database, name)
        before = [document for _, document in self.documents.items(_versions(kept))]
        return [kept, *sorted(before, key=lambda one: -int(one["VersionId"]))]

    def delete_version(self, database: str, name: str, version_id: str) -> None:
        """Raises InvalidInputException for the table as it is."""
        kept = self.table(database, name)
        if version_id == kept["VersionId"]:
            raise AwsError("InvalidInputException", "The current version cannot be deleted.")
        if not self.documents.delete(_versions(kept), version_id):
            raise no_version(version_id)

    def delete_table(self, database: str, name: str) -> None:
        with self.documents.transaction():
            kept = self.table(database, name)
            for kind in (_partitions(kept), _versions(kept)):
                for key, _ in self.documents.items(kind):
                    self.documents.delete(kind, key)
            self.documents.delete(_INDEXES, _named(kept))
            self.documents.delete(_tables(kept["DatabaseName"]), kept["Name"])

    # partitions

    def partition_indexes(self, table: Json) -> list[Json]:
        """As GetPartitionIndexes describes them."""
        return list((self.documents.get(_INDEXES, _named(table)) or {}).get("Indexes", []))

    def put_partition_indexes(self, table: Json, indexes: list[Json]) -> None:
        self.documents.put(_INDEXES, _named(table), {"Indexes": indexes})

    def create_partition(self, database: str, table: str, given: Json) -> None:
        kept = self.table(database, table)
        values = _values(given.get("Values"), kept)
        document = {
            **given,
            "Values": values,
            "DatabaseName": kept["DatabaseName"],
            "TableName": kept["Name"],
            "CreationTime": self.aws.clock.now(),
            "CatalogId": self.aws.account,
        }
        if not self.documents.insert(_partitions(kept), json.dumps(values), document):
            raise AwsError("AlreadyExistsException", "Partition already exists.")

    def partition(self, database: str, table: str, values: list[str]) -> Json:
        kept = self.table(database, table)
        document = self.documents.get(_partitions(kept), json.dumps(_values(values, kept)))
        if document is None:
            raise AwsError("EntityNotFoundException", "Cannot find partition.")
        return document

    def partitions(self, database: str, table: str) -> list[Json]:
        kept = self.table(database, table)
        found = [document for _, document in self.documents.items(_partitions(kept))]
        return sorted(found, key=lambda document: list(document["Values"]))

    def update_partition(self, database: str, table: str, values: list[str], given: Json) -> None:
        with self.documents.transaction():
            before = self.partition(database, table, values)
            wanted = list(given.get("Values") or values)
            if wanted != before["Values"]:
                self.create_partition(database, table, {**given, "Values": wanted})
                self.delete_partition(database, table, values)
                return
            fixed = ("DatabaseName", "TableName", "CreationTime", "CatalogId", "Values")
            document = {**given, **{key: before[key] for key in fixed}}
            kind = _partitions(self.table(database, table))
            self.documents.put(kind, json.dumps(wanted), document)

    def delete_partition(self, database: str, table: str, values: list[str]) -> None:
        self.partition(database, table, values)
        self.documents.delete(_partitions(self.table(database, table)), json.dumps(values))


def _tables(database: str) -> str:
    return f"glue-tables:{database.lower()}"


def _named(table: Json) -> str:
    return f"{table['DatabaseName']}.{table['Name']}"


def _partitions(table: Json) -> str:
    return f"glue-partitions:{_named(table)}"


def _versions(table: Json) -> str:
    return f"glue-table-versions:{_named(table)}"


def no_version(version_id: str) -> AwsError:
    return AwsError("EntityNotFoundException", f"Version {version_id} not found.")


def _by_name(document: Json) -> str:
    return str(document["Name"])


def _name(given: object, where: str) -> str:
    """Glue takes 1 to 255 characters without control characters, and lower-cases them."""
    if not isinstance(given, str) or not re.fullmatch(r"[^\x00-\x1f/]{1,255}", given):
        raise AwsError(
            "InvalidInputException",
            f"{where} is {given!r}; it must have 1 to 255 characters, none of them '/' or control.",
        )
    return given.lower()


def _values(given: object, table: Json) -> list[str]:
    keys = [key["Name"] for key in table.get("PartitionKeys") or []]
    if not isinstance(given, list) or len(given) != len(keys):
        raise AwsError(
            "InvalidInputException",
            f"The number of partition keys do not match the number of partition values: "
            f"table {table['Name']} has {keys}, given were {given!r}.",
        )
    return [str(value) for value in given]

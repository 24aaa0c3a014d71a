"""The metastore's methods, each by calls of the Glue API.

Names of methods and their errors are Hive's. Where a table lies is for its data: what a managed
table leaves is deleted with it, as AWS's client of the catalog does.
"""

from __future__ import annotations

import functools
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from botocore.exceptions import ClientError

from localaws.glue_jobs.metastore import translation
from localaws.glue_jobs.metastore.translation import Json, in_s3
from localaws.s3.names import split_uri
from localaws.wildcards import in_order

_BATCH = 100  # partitions in a call of BatchCreatePartition
_READABLE = ("parquet", "orc", "hive")  # providers whose tables Hive, so Athena, reads too
_EXCEPTIONS = {
    "EntityNotFoundException": "NoSuchObjectException",
    "AlreadyExistsException": "AlreadyExistsException",
    "InvalidInputException": "InvalidObjectException",
}


class Refusal(Exception):
    """An exception of the metastore's interface."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind, self.message = kind, message


class Metastore:
    """`client` is Glue's, with the keys of the job's role; `buckets` the folders of buckets."""

    def __init__(self, client: Callable[[], Any], buckets: Mapping[str, Path]) -> None:
        self._make, self._buckets = client, buckets

    @functools.cached_property
    def _glue(self) -> Any:
        return self._make()

    def call(self, method: str, given: Json) -> Any:
        """What the method of `interface.METHODS` returns. Raises Refusal."""
        try:
            return getattr(self, method)(**given)
        except ClientError as error:
            about = error.response
            code, status = about["Error"]["Code"], about["ResponseMetadata"]["HTTPStatusCode"]
            raise Refusal(
                _EXCEPTIONS.get(code, "MetaException"),
                f"{about['Error']['Message']} (Service: AWSGlue; Status Code: {status};"
                f" Error Code: {code})",
            ) from error

    # What has no counterpart in the catalog

    def set_ugi(self, user_name: str, group_names: list[str]) -> list[str]:
        return group_names

    def get_functions(self, db_name: str, pattern: str) -> list[str]:
        return []

    def get_all_functions(self) -> Json:
        return {"functions": []}

    def getMetaConf(self, key: str) -> str:  # noqa: N802 - the interface's name
        return ""

    # Databases

    def get_database(self, name: str) -> Json:
        return translation.database_to_hive(self._glue.get_database(Name=name)["Database"])

    def get_all_databases(self) -> list[str]:
        pages = self._glue.get_paginator("get_databases").paginate()
        return [each["Name"] for page in pages for each in page["DatabaseList"]]

    def get_databases(self, pattern: str) -> list[str]:
        return _matching(self.get_all_databases(), pattern)

    def create_database(self, database: Json) -> None:
        self._glue.create_database(DatabaseInput=translation.database_to_glue(database))

    def alter_database(self, name: str, database: Json) -> None:
        given = translation.database_to_glue(database)
        self._glue.update_database(Name=name, DatabaseInput=given)

    def drop_database(self, name: str, deleteData: bool, cascade: bool) -> None:  # noqa: N803
        tables = self.get_all_tables(name)
        if tables and not cascade:
            raise Refusal("InvalidOperationException", f"Database {name} is not empty.")
        for table in tables:
            self.drop_table(name, table, deleteData)
        self._glue.delete_database(Name=name)

    # Tables

    def _table(self, database: str, name: str) -> Json:
        found: Json = self._glue.get_table(DatabaseName=database, Name=name)["Table"]
        return found

    def get_table(self, db_name: str, tbl_name: str) -> Json:
        return _readable(self._table(db_name, tbl_name))

    def get_table_req(self, req: Json) -> Json:
        return {"table": self.get_table(req["dbName"], req["tblName"])}

    def get_table_objects_by_name_req(self, req: Json) -> Json:
        return {"tables": self.get_table_objects_by_name(req["dbName"], req["tblNames"])}

    def get_table_objects_by_name(self, db_name: str, tbl_names: list[str]) -> list[Json]:
        wanted = {name.lower() for name in tbl_names}
        found = [each for each in self._tables(db_name) if each["Name"] in wanted]
        return [translation.table_to_hive(each) for each in found]

    def _tables(self, database: str) -> Iterable[Json]:
        for page in self._glue.get_paginator("get_tables").paginate(DatabaseName=database):
            yield from page["TableList"]

    def get_all_tables(self, db_name: str) -> list[str]:
        return [each["Name"] for each in self._tables(db_name)]

    def get_tables(self, db_name: str, pattern: str) -> list[str]:
        return _matching(self.get_all_tables(db_name), pattern)

    def get_tables_by_type(self, db_name: str, pattern: str, tableType: str) -> list[str]:  # noqa: N803
        kept = [each["Name"] for each in self._tables(db_name) if each["TableType"] == tableType]
        return _matching(kept, pattern)

    def create_table(self, tbl: Json) -> None:
        given = translation.table_to_glue(tbl)
        name = f"{tbl['dbName']}.{tbl['tableName']}"
        if given["TableType"] != translation.VIEW:
            if not _location(given):  # Spark leaves it to the metastore
                given["StorageDescriptor"]["Location"] = self._managed_place(tbl)
            _check_place(name, given)
            _warn_of_provider(name, given)
            self._make_folders([given])
        self._glue.create_table(DatabaseName=tbl["dbName"], TableInput=given)

    create_table_with_environment_context = create_table

    def _managed_place(self, table: Json) -> str:
        """Below the database's location; nowhere, if it has none."""
        home = self.get_database(table["dbName"])["locationUri"]
        return f"{home.rstrip('/')}/{table['tableName'].lower()}" if home else ""

    def drop_table(self, db_name: str, tbl_name: str, deleteData: bool = False) -> None:  # noqa: N803
        table = self._table(db_name, tbl_name)
        places = [_location(table)]
        managed = deleteData and table.get("TableType") == "MANAGED_TABLE"
        if managed and table.get("PartitionKeys"):
            places += [_location(each) for each in self._partitions(db_name, tbl_name)]
        self._glue.delete_table(DatabaseName=db_name, Name=tbl_name)
        if managed:
            self._delete(places)

    drop_table_with_environment_context = drop_table

    def alter_table(
        self, db_name: str, tbl_name: str, new_tbl: Json, environment_context: Json | None = None
    ) -> None:
        if (new_tbl["dbName"], new_tbl["tableName"]) != (db_name, tbl_name):
            raise Refusal(
                "InvalidOperationException",
                f"Table rename is not supported: {db_name}.{tbl_name}, in the Data Catalog.",
            )
        before = self._table(db_name, tbl_name)
        given = translation.table_to_glue(new_tbl, before)
        self._glue.update_table(DatabaseName=db_name, TableInput=given)

    alter_table_with_environment_context = alter_table

    # Partitions

    def _partitions(self, database: str, table: str) -> list[Json]:
        pages = self._glue.get_paginator("get_partitions").paginate(
            DatabaseName=database, TableName=table
        )
        return [each for page in pages for each in page["Partitions"]]

    def get_partition(self, db_name: str, tbl_name: str, part_vals: list[str], **who: Any) -> Json:
        found = self._glue.get_partition(
            DatabaseName=db_name, TableName=tbl_name, PartitionValues=part_vals
        )
        return translation.partition_to_hive(found["Partition"])

    get_partition_with_auth = get_partition

    def get_partitions(self, db_name: str, tbl_name: str, **unused: Any) -> list[Json]:
        return [translation.partition_to_hive(each) for each in self._partitions(db_name, tbl_name)]

    get_partitions_with_auth = get_partitions
    # Spark filters once more: all of them are a right answer.
    get_partitions_by_filter = get_partitions

    def get_partitions_by_expr(self, req: Json) -> Json:
        found = self.get_partitions(req["dbName"], req["tblName"])
        return {"partitions": found, "hasUnknownPartitions": True}

    def get_partitions_ps(
        self, db_name: str, tbl_name: str, part_vals: list[str], **unused: Any
    ) -> list[Json]:
        """Those with the values that are given; an empty one is any."""
        return [
            each
            for each in self.get_partitions(db_name, tbl_name)
            if all(
                wanted in ("", value)
                for wanted, value in zip(part_vals, each["values"], strict=False)
            )
        ]

    get_partitions_ps_with_auth = get_partitions_ps

    def get_partition_names(self, db_name: str, tbl_name: str, **unused: Any) -> list[str]:
        return self.get_partition_names_ps(db_name, tbl_name, [])

    def get_partition_names_ps(
        self, db_name: str, tbl_name: str, part_vals: list[str], **unused: Any
    ) -> list[str]:
        keys = self._keys(db_name, tbl_name)
        found = self.get_partitions_ps(db_name, tbl_name, part_vals)
        return [_partition_name(keys, each["values"]) for each in found]

    def get_partitions_by_names(self, db_name: str, tbl_name: str, names: list[str]) -> list[Json]:
        wanted = {
            tuple(unquote(part.partition("=")[2]) for part in name.split("/")) for name in names
        }
        return [
            each
            for each in self.get_partitions(db_name, tbl_name)
            if tuple(each["values"]) in wanted
        ]

    def _keys(self, database: str, table: str) -> list[str]:
        return [key["Name"] for key in self._table(database, table).get("PartitionKeys") or []]

    def add_partition(self, new_part: Json) -> Json:
        self._add(new_part["dbName"], new_part["tableName"], [new_part], not_there=True)
        return new_part

    add_partition_with_environment_context = add_partition

    def add_partitions(self, new_parts: list[Json]) -> int:
        if new_parts:
            first = new_parts[0]
            self._add(first["dbName"], first["tableName"], new_parts, not_there=True)
        return len(new_parts)

    def add_partitions_req(self, request: Json) -> Json:
        parts = request["parts"]
        self._add(request["dbName"], request["tblName"], parts, not request.get("ifNotExists"))
        return {"partitions": parts if request.get("needResult", True) else []}

    def _add(self, database: str, table: str, parts: Sequence[Json], not_there: bool) -> None:
        """`not_there`: one that is there already is an error."""
        described = self._table(database, table)
        keys = [key["Name"] for key in described.get("PartitionKeys") or []]
        inputs = [translation.partition_to_glue(part) for part in parts]
        for given in inputs:
            if not _location(given):
                below = _partition_name(keys, given["Values"])
                place = f"{_location(described).rstrip('/')}/{below}"
                given["StorageDescriptor"]["Location"] = place
            _check_place(f"{database}.{table}", given)
        self._make_folders(inputs)
        for at in range(0, len(inputs), _BATCH):
            answer = self._glue.batch_create_partition(
                DatabaseName=database,
                TableName=table,
                PartitionInputList=inputs[at : at + _BATCH],
            )
            for error in answer.get("Errors") or []:
                detail = error["ErrorDetail"]
                code = detail["ErrorCode"]
                if not_there or code != "AlreadyExistsException":
                    kind = _EXCEPTIONS.get(code, "MetaException")
                    raise Refusal(kind, f"{detail['ErrorMessage']} {error['PartitionValues']}")

    def drop_partition(
        self,
        db_name: str,
        tbl_name: str,
        part_vals: list[str],
        deleteData: bool = False,  # noqa: N803
    ) -> bool:
        named = {"DatabaseName": db_name, "TableName": tbl_name, "PartitionValues": part_vals}
        place = _location(self._glue.get_partition(**named)["Partition"])
        managed = self._table(db_name, tbl_name).get("TableType") == "MANAGED_TABLE"
        self._glue.delete_partition(**named)
        if deleteData and managed:
            self._delete([place])
        return True

    drop_partition_with_environment_context = drop_partition

    def alter_partition(self, db_name: str, tbl_name: str, new_part: Json) -> None:
        self._change(db_name, tbl_name, new_part["values"], new_part)

    alter_partition_with_environment_context = alter_partition

    def alter_partitions(self, db_name: str, tbl_name: str, new_parts: list[Json]) -> None:
        for part in new_parts:
            self._change(db_name, tbl_name, part["values"], part)

    alter_partitions_with_environment_context = alter_partitions

    def rename_partition(
        self, db_name: str, tbl_name: str, part_vals: list[str], new_part: Json
    ) -> None:
        self._change(db_name, tbl_name, part_vals, new_part)

    def _change(self, database: str, table: str, values: list[str], part: Json) -> None:
        self._glue.update_partition(
            DatabaseName=database,
            TableName=table,
            PartitionValueList=values,
            PartitionInput=translation.partition_to_glue(part),
        )

    # Files

    def _make_folders(self, described: Iterable[Json]) -> None:
        """Where Spark will look: it takes a folder that is not there for an error."""
        for folder in self._folders(map(_location, described)):
            folder.mkdir(parents=True, exist_ok=True)

    def _delete(self, places: Iterable[str]) -> None:
        """The files of these folders in S3; whether the role may is asked when the run ends."""
        for folder in self._folders(places):
            shutil.rmtree(folder, ignore_errors=True)

    def _folders(self, places: Iterable[str]) -> Iterable[Path]:
        """Of the places those that are folders of a bucket here."""
        for bucket, key in map(split_uri, filter(in_s3, places)):
            if bucket in self._buckets and key.strip("/"):
                yield self._buckets[bucket] / key.strip("/")


def _readable(table: Json) -> Json:
    """For Spark. Raises Refusal for what only another of its catalogs reads."""
    kind = (table.get("Parameters") or {}).get("table_type", "").upper()
    if kind == "ICEBERG":
        raise Refusal(
            "MetaException",
            f"Unable to fetch table {table['Name']}. StorageDescriptor#InputFormat cannot be null"
            f" for table: {table['Name']}: it is an Iceberg table.",
        )
    return translation.table_to_hive(table)


def _check_place(name: str, given: Json) -> None:
    """Raises Refusal for a place that ends with the run."""
    place = _location(given)
    if not in_s3(place):
        raise Refusal(
            "MetaException",
            f"{name} would lie at {place or 'no place'}, which is not in S3: its rows would be"
            " gone with the run. Give it a path, or its database a location.",
        )


def _warn_of_provider(name: str, given: Json) -> None:
    parameters = given.get("Parameters") or {}
    provider = parameters.get(translation.PROVIDER, "hive").lower()
    if provider not in _READABLE:
        print(
            f"WARN localaws: {name} is a table of Spark's own ({provider}): the catalog does not"
            " get its columns, and Athena does not read it, as on AWS.",
            file=sys.stderr,
            flush=True,
        )


def _location(described: Json) -> str:
    return (described.get("StorageDescriptor") or {}).get("Location") or ""


def _matching(names: Iterable[str], pattern: str | None) -> list[str]:
    """Hive's patterns: `*` is anything, `|` divides alternatives."""
    wanted = [each.split("*") for each in (pattern or "*").lower().split("|")]
    return [name for name in names if any(in_order(name.lower(), each) for each in wanted)]


_ESCAPED = re.compile(r"[\x00-\x1f\"#%'*/:=?\\\x7f{\[\]^]")


def _partition_name(keys: Sequence[str], values: Sequence[str]) -> str:
    """As a path has it: special letters are escaped."""

    def escape(text: str) -> str:
        return _ESCAPED.sub(lambda found: f"%{ord(found[0]):02X}", text)

    return "/".join(
        f"{escape(key)}={escape(value)}" for key, value in zip(keys, values, strict=True)
    )

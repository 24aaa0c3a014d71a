"""Tables, partitions and databases between the Data Catalog's shapes and Hive's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

Json = dict[str, Any]
PROVIDER = "spark.sql.sources.provider"  # of a table that Spark reads by a data source of its own
VIEW = "VIRTUAL_VIEW"


def table_to_hive(table: Json) -> Json:
    found = {
        "tableName": table["Name"],
        "dbName": table["DatabaseName"],
        "owner": table.get("Owner") or "owner",
        "createTime": _seconds(table.get("CreateTime")),
        "lastAccessTime": _seconds(table.get("LastAccessTime")),
        "retention": table.get("Retention") or 0,
        "sd": _storage_to_hive(table.get("StorageDescriptor") or {}),
        "partitionKeys": _columns_to_hive(table.get("PartitionKeys") or []),
        "parameters": _texts(table.get("Parameters")),
        "tableType": table.get("TableType") or "EXTERNAL_TABLE",
    }
    if found["tableType"] == VIEW:
        found["viewOriginalText"] = table.get("ViewOriginalText") or ""
        found["viewExpandedText"] = _spark_view(table)
    if found["tableType"] == "EXTERNAL_TABLE":
        found["parameters"].setdefault("EXTERNAL", "TRUE")
    return found


def _spark_view(table: Json) -> str:
    """A view's text. Athena's is no SQL of Spark's: who asks it is told so by name."""
    parameters = table.get("Parameters") or {}
    if parameters.get("presto_view") == "true":
        name = f"{table['DatabaseName']}.{table['Name']}"
        return f"SELECT * FROM `the view {name} is Athena's, which Spark does not read`"
    return table.get("ViewExpandedText") or table.get("ViewOriginalText") or ""


def table_to_glue(table: Json, before: Json | None = None) -> Json:
    """A TableInput. What Hive knows nothing of is kept as it was before."""
    kept = {name: before[name] for name in ("Description",) if before and name in before}
    found: Json = {
        **kept,
        "Name": table["tableName"],
        "Owner": table.get("owner") or "owner",
        "Retention": table.get("retention") or 0,
        "StorageDescriptor": _storage_to_glue(table.get("sd") or {}),
        "PartitionKeys": _columns_to_glue(table.get("partitionKeys") or []),
        "TableType": table.get("tableType") or "EXTERNAL_TABLE",
        "Parameters": table.get("parameters") or {},
    }
    if found["TableType"] == VIEW:
        found["ViewOriginalText"] = table.get("viewOriginalText") or ""
        found["ViewExpandedText"] = table.get("viewExpandedText") or ""
    return found


def partition_to_hive(partition: Json) -> Json:
    return {
        "values": partition["Values"],
        "dbName": partition["DatabaseName"],
        "tableName": partition["TableName"],
        "createTime": _seconds(partition.get("CreationTime")),
        "lastAccessTime": _seconds(partition.get("LastAccessTime")),
        "sd": _storage_to_hive(partition.get("StorageDescriptor") or {}),
        "parameters": _texts(partition.get("Parameters")),
    }


def partition_to_glue(partition: Json) -> Json:
    """A PartitionInput."""
    return {
        "Values": partition["values"],
        "StorageDescriptor": _storage_to_glue(partition.get("sd") or {}),
        "Parameters": partition.get("parameters") or {},
    }


def database_to_hive(database: Json) -> Json:
    """One without a location has none for Spark either: it takes no tables without a path."""
    return {
        "name": database["Name"],
        "description": database.get("Description") or "",
        "locationUri": database.get("LocationUri") or "",
        "parameters": _texts(database.get("Parameters")),
    }


def database_to_glue(database: Json) -> Json:
    """A DatabaseInput. A place that is not in S3 is none: it would be gone with the run."""
    found: Json = {"Name": database["name"], "Parameters": database.get("parameters") or {}}
    if database.get("description"):
        found["Description"] = database["description"]
    if in_s3(database.get("locationUri")):
        found["LocationUri"] = database["locationUri"]
    return found


def in_s3(uri: str | None) -> bool:
    return (uri or "").startswith(("s3://", "s3a://", "s3n://"))


def _storage_to_hive(storage: Json) -> Json:
    serde = storage.get("SerdeInfo") or {}
    return {
        "cols": _columns_to_hive(storage.get("Columns") or []),
        "location": storage.get("Location") or None,  # of a view
        "inputFormat": storage.get("InputFormat"),
        "outputFormat": storage.get("OutputFormat"),
        "compressed": bool(storage.get("Compressed")),
        "numBuckets": storage.get("NumberOfBuckets", -1),
        "serdeInfo": {
            "name": serde.get("Name"),
            "serializationLib": serde.get("SerializationLibrary"),
            "parameters": _texts(serde.get("Parameters")),
        },
        "bucketCols": storage.get("BucketColumns") or [],
        "sortCols": [
            {"col": each["Column"], "order": each["SortOrder"]}
            for each in storage.get("SortColumns") or []
        ],
        "parameters": _texts(storage.get("Parameters")),
    }


def _storage_to_glue(storage: Json) -> Json:
    serde = storage.get("serdeInfo") or {}
    given = {
        "Columns": _columns_to_glue(storage.get("cols") or []),
        "Location": storage.get("location"),
        "InputFormat": storage.get("inputFormat"),
        "OutputFormat": storage.get("outputFormat"),
        "Compressed": bool(storage.get("compressed")),
        "NumberOfBuckets": storage.get("numBuckets", -1),
        "SerdeInfo": {
            "SerializationLibrary": serde.get("serializationLib"),
            "Parameters": serde.get("parameters") or {},
        },
        "BucketColumns": storage.get("bucketCols") or [],
        "SortColumns": [
            {"Column": each["col"], "SortOrder": each["order"]}
            for each in storage.get("sortCols") or []
        ],
        "Parameters": storage.get("parameters") or {},
        "StoredAsSubDirectories": False,
    }
    serde_info = {name: value for name, value in given["SerdeInfo"].items() if value is not None}
    return {
        name: value
        for name, value in {**given, "SerdeInfo": serde_info}.items()
        if value is not None
    }


def _columns_to_hive(columns: Sequence[Json]) -> list[Json]:
    return [
        {"name": each["Name"], "type": each.get("Type") or "string", "comment": each.get("Comment")}
        for each in columns
    ]


def _columns_to_glue(columns: Sequence[Json]) -> list[Json]:
    return [
        {"Name": each["name"], "Type": each["type"]}
        | ({"Comment": each["comment"]} if each.get("comment") else {})
        for each in columns
    ]


def _texts(given: Json | None) -> dict[str, str]:
    return {name: str(value) for name, value in (given or {}).items()}


def _seconds(moment: datetime | None) -> int:
    return int(moment.timestamp()) if moment else 0

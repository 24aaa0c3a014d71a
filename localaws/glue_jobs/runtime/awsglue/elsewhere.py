"""Tables of the catalog that no SerDe reads: of databases, and XML, as crawlers describe them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from awsglue.databases import JdbcSource
from awsglue.items import ItemSource
from awsglue.refusal import refuse
from awsglue.sources import S3Source


def source(context: Any, table: dict[str, Any], options: Mapping[str, Any], ctx: str) -> Any:
    """The source of such a table; None for any other."""
    parameters = table.get("Parameters") or {}
    location = (table.get("StorageDescriptor") or {}).get("Location") or ""
    kind = parameters.get("classification", "")
    if kind == "dynamodb":
        return ItemSource(context, {"dynamodb.input.tableName": location.rpartition("/")[2]})
    if parameters.get("rowTag") and "://" in location:
        if table.get("PartitionKeys"):
            return refuse(f"a partitioned table of XML, as {table['Name']}")
        files = S3Source(context, {"paths": [location], "recurse": True}, ctx)
        files.setFormat("xml", rowTag=parameters["rowTag"])
        return files
    if parameters.get("connectionName") and "://" not in location:
        _, _, name = location.partition(".")
        return JdbcSource(
            context,
            kind,
            {
                **options,
                "useConnectionProperties": "true",
                "connectionName": parameters["connectionName"],
                "dbtable": ".".join(_identifier(kind, part) for part in name.split(".")),
            },
            ctx,
        )
    return None


def _identifier(kind: str, name: str) -> str:
    """PostgreSQL takes a name with capitals only in quotes."""
    return name if kind != "postgresql" or name == name.lower() else f'"{name}"'

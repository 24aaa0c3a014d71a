"""Glue's catalog: an action is asked on the object and on all that it lies in.

https://docs.aws.amazon.com/glue/latest/dg/glue-specifying-resource-arns.html#data-catalog-resource-arns
"""

from __future__ import annotations

from localaws.identity.actions.asked import Asked, Place
from localaws.shapes import Json

DATABASES = {"CreateDatabase", "GetDatabase", "UpdateDatabase", "GetDatabases", "DeleteDatabase"}
TABLES = {"CreateTable", "UpdateTable", "GetTable", "GetTables", "DeleteTable", "BatchDeleteTable"}
VERSIONS = {
    *("GetTableVersion", "GetTableVersions", "DeleteTableVersion", "BatchDeleteTableVersion"),
}
PARTITIONS = {
    *("BatchCreatePartition", "BatchDeletePartition", "BatchGetPartition", "BatchUpdatePartition"),
    *("CreatePartition", "DeletePartition", "GetPartition", "GetPartitions", "UpdatePartition"),
}
CONNECTIONS = {"CreateConnection", "GetConnection", "UpdateConnection", "DeleteConnection",
               "GetConnections", "BatchDeleteConnection"}  # fmt: skip
MANY = {  # operations on named things that are asked each by itself
    "BatchGetCrawlers": ("crawler", "CrawlerNames"),
    "BatchGetJobs": ("job", "JobNames"),
}


def asked(operation: str, params: Json, place: Place) -> list[Asked] | None:
    action = f"glue:{operation}"
    if operation in MANY:
        kind, member = MANY[operation]
        return [
            Asked(action, place.arn("glue", f"{kind}/{name}")) for name in params.get(member, [])
        ]
    if operation in CONNECTIONS:
        tails = ["catalog", *(f"connection/{name}" for name in _connections(params))]
        return [Asked(action, place.arn("glue", tail)) for tail in tails]
    if operation not in DATABASES | TABLES | VERSIONS | PARTITIONS:
        return None
    tails = ["catalog"]
    if operation in DATABASES:
        given = params.get("DatabaseInput", {}).get("Name")
        database = str(params.get("Name") or given or "*").lower()
        tails.append(f"database/{database}")
        if operation == "DeleteDatabase":  # and all that lies in it
            tails += [f"table/{database}/*", f"userDefinedFunction/{database}/*"]
    else:
        database = str(params.get("DatabaseName", "*")).lower()
        tails.append(f"database/{database}")
        tails += [f"table/{database}/{table.lower()}" for table in _tables(operation, params)]
    return [Asked(action, place.arn("glue", tail)) for tail in tails]


def _connections(params: Json) -> list[str]:
    if "ConnectionNameList" in params:
        return [str(name) for name in params["ConnectionNameList"]]
    given = params.get("ConnectionInput", {}).get("Name")
    return [str(params.get("Name") or params.get("ConnectionName") or given or "*")]


def _tables(operation: str, params: Json) -> list[str]:
    if operation == "GetTables":
        return ["*"]
    if operation == "BatchDeleteTable":
        return [str(name) for name in params.get("TablesToDelete", [])]
    given = (
        params.get("TableName") or params.get("Name") or params.get("TableInput", {}).get("Name")
    )
    return [str(given or "*")]

"""The data lake: databases and tables of the Glue Data Catalog, and their first rows."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from console import queries
from console.web import Refused
from executions.paging import everything
from executions.s3 import split_uri

Json = dict[str, Any]

MOST_DATABASES = 500
PAGE_TABLES = 100
PAGE_PARTITIONS = 50
PREVIEW_ROWS = 20


def databases(glue: Any) -> list[Json]:
    """[{name, description, where}]"""
    return [
        {"name": d["Name"], "description": d.get("Description"), "where": d.get("LocationUri")}
        for d in everything(glue, "get_databases", "DatabaseList", MOST_DATABASES)
    ]


def tables(glue: Any, database: str, token: str | None) -> Json:
    """{tables: [{name, format, columns, keys, where, updated, kind}], next}"""
    given = {"NextToken": token} if token else {}
    answer = glue.get_tables(DatabaseName=database, MaxResults=PAGE_TABLES, **given)
    return {
        "tables": [_shown(table) for table in answer["TableList"]],
        "next": answer.get("NextToken"),
    }


def _shown(table: Json) -> Json:
    storage = table.get("StorageDescriptor") or {}
    parameters = table.get("Parameters") or {}
    view = table.get("TableType") == "VIRTUAL_VIEW"
    library = (storage.get("SerdeInfo") or {}).get("SerializationLibrary", "").rsplit(".", 1)[-1]
    return {
        "name": table["Name"],
        "kind": "view" if view else "table",
        "format": "view" if view else parameters.get("classification") or library,
        "columns": [
            {"name": c["Name"], "type": c.get("Type", ""), "comment": c.get("Comment")}
            for c in storage.get("Columns", [])
        ],
        "keys": [
            {"name": c["Name"], "type": c.get("Type", "")} for c in table.get("PartitionKeys", [])
        ],
        "where": storage.get("Location", ""),
        "updated": table.get("UpdateTime") or table.get("CreateTime"),
        "rows": parameters.get("recordCount"),
        "description": table.get("Description"),
    }


def partitions(glue: Any, database: str, table: str, token: str | None) -> Json:
    """{partitions: [{values, where}], next}"""
    given = {"NextToken": token} if token else {}
    answer = glue.get_partitions(
        DatabaseName=database,
        TableName=table,
        MaxResults=PAGE_PARTITIONS,
        ExcludeColumnSchema=True,
        **given,
    )
    return {
        "partitions": [
            {
                "values": partition["Values"],
                "where": partition.get("StorageDescriptor", {}).get("Location", ""),
            }
            for partition in answer["Partitions"]
        ],
        "next": answer.get("NextToken"),
    }


def preview(athena: Any, database: str, table: str) -> Json:
    """The first rows as Athena reads them (queries.run), and the work group that was used."""
    for name in (database, table):
        if not name or '"' in name:
            raise Refused(400, f"{name!r} is no name of a table.")
    group = queries.group_with_output(athena)
    sql = f'SELECT * FROM "{database}"."{table}" LIMIT {PREVIEW_ROWS}'
    return queries.run(athena, sql, PREVIEW_ROWS, WorkGroup=group) | {"group": group, "sql": sql}


def landing_places(glue: Any) -> list[Json]:
    """[{bucket, prefix, crawler}]: where crawlers look for new files."""
    places: list[Json] = []
    for crawler in everything(glue, "get_crawlers", "Crawlers"):
        for target in (crawler.get("Targets") or {}).get("S3Targets", []):
            path = target.get("Path", "")
            bucket, prefix = split_uri(path)
            if not path.startswith("s3://") or not bucket:
                continue
            if prefix and not prefix.endswith("/"):
                prefix += "/"
            places.append({"bucket": bucket, "prefix": prefix, "crawler": crawler["Name"]})
    return places


def places_with_keys(glue: Any, s3: Any) -> list[Json]:
    """The landing places, each with the first thousand `keys` that lie there, and `problem` where
    they may not be listed."""
    places = landing_places(glue)
    for place in places:
        try:
            answer = s3.list_objects_v2(Bucket=place["bucket"], Prefix=place["prefix"])
        except ClientError as error:
            place |= {"keys": [], "problem": str(error)}
            continue
        place["keys"] = [item["Key"] for item in answer.get("Contents", [])]
    return places

"""A crawl of what lies in folders that no crawl before has seen: they become partitions.

https://docs.aws.amazon.com/glue/latest/dg/incremental-crawls.html: the first crawl reads all of it;
those after it make no tables and change none, pass over what fits none, and say so in the log.
"""

from __future__ import annotations

from collections.abc import Iterable

from localaws.crawler.grouping import File, Group, fits, merged
from localaws.crawler.schema import Schema
from localaws.crawler.tables import partition_inputs
from localaws.crawler.writing import CrawlResult, behaviour, write_partitions
from localaws.shapes import Json
from localaws.tables.catalog import Catalog

NEW_FOLDERS = "CRAWL_NEW_FOLDERS_ONLY"


def add_partitions(
    catalog: Catalog,
    crawler: Json,
    settings: Json,
    files: Iterable[tuple[str, File]],
    outcome: CrawlResult,
) -> None:
    """`files`: with the buckets in which they lie."""
    policy = (settings.get("Grouping") or {}).get("TableGroupingPolicy")
    combine = policy == "CombineCompatibleSchemas"
    _, inherit = behaviour(settings)
    database = crawler["DatabaseName"]
    tables = [
        table
        for table in catalog.tables(database)
        if table.get("Parameters", {}).get("UPDATED_BY_CRAWLER") == crawler["Name"]
    ]
    taken: dict[str, list[tuple[str, File]]] = {}
    for bucket, file in files:
        table = next((one for one in tables if _takes(one, bucket, file, combine)), None)
        if table is None:
            outcome.log.append(
                f"INFO : s3://{bucket}/{file.stored.key} fits no table of database {database};"
                " it is passed over."
            )
        else:
            taken.setdefault(table["Name"], []).append((bucket, file))
    for table in tables:
        if found := taken.get(table["Name"]):
            bucket, members = found[0][0], [file for _, file in found]
            place = table["StorageDescriptor"]["Location"].removeprefix(f"s3://{bucket}/")
            group = Group(bucket, place, members, merged(members))
            inputs = partition_inputs(group, table, inherit)
            write_partitions(catalog, database, table, inputs, crawler["SchemaChangePolicy"])
            outcome.updated += 1
            outcome.log.append(f"INFO : {len(inputs)} new folders in table {table['Name']}")


def _takes(table: Json, bucket: str, file: File, combine: bool) -> bool:
    """Whether the file's folder is as deep as the table's keys, and its schema as the table's."""
    place, uri = table["StorageDescriptor"]["Location"], f"s3://{bucket}/{file.stored.key}"
    if not place.endswith("/") or not uri.startswith(place):
        return False
    depth = uri.removeprefix(place).count("/")
    return 0 < depth == len(table["PartitionKeys"]) and fits(_schema(table), file.schema, combine)


def _schema(table: Json) -> Schema:
    given = table["Parameters"]
    columns = tuple((each["Name"], each["Type"]) for each in table["StorageDescriptor"]["Columns"])
    return Schema(
        given.get("classification", ""),
        columns,
        compression=given.get("compressionType", "none"),
        delimiter=given.get("delimiter", ","),
    )

"""What a crawl has found, written into the catalog by the crawler's policies.

https://docs.aws.amazon.com/glue/latest/dg/crawler-configuration.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from localaws.crawler.grouping import Group, folder_name, table_name
from localaws.crawler.tables import partition_inputs, table_input
from localaws.shapes import Json
from localaws.tables.catalog import TABLE_INPUT, Catalog


@dataclass
class CrawlResult:
    """What a crawl did, for GetCrawlerMetrics and the log."""

    created: int = 0
    updated: int = 0
    deleted: int = 0
    log: list[str] = field(default_factory=list)
    folders: set[str] = field(default_factory=set)  # of S3 that hold its files


@dataclass(frozen=True)
class Found:
    """A table that a crawl has found: what it is called after, its TableInput without a name, and
    its files, if it lies in S3."""

    called: str
    table: Json
    group: Group | None = None

    @property
    def location(self) -> str:
        return str(self.table["StorageDescriptor"]["Location"])


def of_group(crawler: Json, group: Group) -> Found:
    return Found(folder_name(group), table_input(crawler["Name"], "", group), group)


def write(
    catalog: Catalog,
    crawler: Json,
    settings: Json,
    found: Sequence[Found],
    roots: Sequence[str],
    outcome: CrawlResult,
) -> None:
    """Tables that this crawler made below the roots and that are not found any more are gone."""
    database, name = crawler["DatabaseName"], crawler["Name"]
    policy = crawler["SchemaChangePolicy"]
    merge, inherit = behaviour(settings)
    existing = {table["Name"]: table for table in catalog.tables(database)}
    places = {
        table.get("StorageDescriptor", {}).get("Location"): table["Name"]
        for table in existing.values()
        if table.get("Parameters", {}).get("UPDATED_BY_CRAWLER") == name
    }
    seen: set[str] = set()
    for each in found:
        known = places.get(each.location)
        table = {**each.table, "Name": known or table_name(
            crawler.get("TablePrefix", ""), each.called, each.location.removeprefix("s3://"),
            {*existing, *seen},
        )}  # fmt: skip
        seen.add(table["Name"])
        if known is None:
            catalog.create_table(database, table)
            outcome.created += 1
            outcome.log.append(f"INFO : Created table {table['Name']} in database {database}")
        else:
            table = _update(catalog, database, existing[known], table, policy, merge, outcome)
        if each.group is not None:
            partitions = partition_inputs(each.group, table, inherit)
            write_partitions(catalog, database, table, partitions, policy)
    for location, gone in places.items():
        if gone not in seen and location and location.startswith(tuple(roots)):
            _gone(catalog, database, existing[gone], policy, outcome)


def behaviour(settings: Json) -> tuple[bool, bool]:
    """Whether columns are only added, and whether partitions take the table's."""
    output = settings.get("CrawlerOutput") or {}
    merge = (output.get("Tables") or {}).get("AddOrUpdateBehavior") == "MergeNewColumns"
    inherit = (output.get("Partitions") or {}).get("AddOrUpdateBehavior") == "InheritFromTable"
    return merge, inherit


def _update(
    catalog: Catalog,
    database: str,
    before: Json,
    table: Json,
    policy: Json,
    merge: bool,
    outcome: CrawlResult,
) -> Json:
    """The table as it is in the catalog afterwards. LOG keeps the schema that is there."""
    old = before["StorageDescriptor"]["Columns"]
    new = table["StorageDescriptor"]["Columns"]
    same_keys = before["PartitionKeys"] == table["PartitionKeys"]
    if merge:
        names = {column["Name"] for column in old}
        new = old + [column for column in new if column["Name"] not in names]
        table["StorageDescriptor"]["Columns"] = new
    if policy["UpdateBehavior"] == "LOG" and (old != new or not same_keys):
        outcome.log.append(f"INFO : Schema change of table {table['Name']} was logged, not applied")
        table["StorageDescriptor"]["Columns"] = old
        table["PartitionKeys"] = before["PartitionKeys"]
    elif old != new or not same_keys:
        outcome.log.append(f"INFO : Updated table {table['Name']} in database {database}")
    table["Parameters"].pop("DEPRECATED_BY_CRAWLER", None)
    outcome.updated += 1
    if not same_keys and policy["UpdateBehavior"] != "LOG":
        for partition in catalog.partitions(database, table["Name"]):
            catalog.delete_partition(database, table["Name"], partition["Values"])
    catalog.update_table(database, table)
    return table


def write_partitions(
    catalog: Catalog, database: str, table: Json, inputs: list[Json], policy: Json
) -> None:
    there = {tuple(p["Values"]): p for p in catalog.partitions(database, table["Name"])}
    for given in inputs:
        key = tuple(given["Values"])
        if len(key) != len(table["PartitionKeys"]):
            continue  # the schema change was only logged
        if key not in there:
            catalog.create_partition(database, table["Name"], given)
        elif policy["UpdateBehavior"] != "LOG":
            catalog.update_partition(database, table["Name"], list(key), given)
        there.pop(key, None)
    if policy["DeleteBehavior"] == "DELETE_FROM_DATABASE":
        for key in there:
            catalog.delete_partition(database, table["Name"], list(key))


def _gone(catalog: Catalog, database: str, table: Json, policy: Json, outcome: CrawlResult) -> None:
    """A table of this crawler whose files are gone."""
    name = table["Name"]
    if policy["DeleteBehavior"] == "DELETE_FROM_DATABASE":
        catalog.delete_table(database, name)
        outcome.deleted += 1
        outcome.log.append(f"INFO : Deleted table {name} from database {database}")
    elif policy["DeleteBehavior"] == "DEPRECATE_IN_DATABASE":
        kept = {k: v for k, v in table.items() if k in TABLE_INPUT}
        stamp = str(int(catalog.aws.clock.now().timestamp() * 1000))
        kept["Parameters"] = {**table.get("Parameters", {}), "DEPRECATED_BY_CRAWLER": stamp}
        catalog.update_table(database, kept)
        outcome.log.append(f"INFO : Deprecated table {name} in database {database}")


def write_again(
    catalog: Catalog,
    crawler: Json,
    settings: Json,
    before: Json,
    group: Group,
    outcome: CrawlResult,
) -> None:
    """What a crawl of a catalog target changes: columns and partitions of the table."""
    policy = crawler["SchemaChangePolicy"]
    table = table_input(crawler["Name"], before["Name"], group)
    if len(table["PartitionKeys"]) == len(before.get("PartitionKeys") or []):
        table["PartitionKeys"] = before.get("PartitionKeys") or []  # named by who made it
    merge, inherit = behaviour(settings)
    database = before["DatabaseName"]
    table = _update(
        catalog, database, {"PartitionKeys": [], **before}, table, policy, merge, outcome
    )
    write_partitions(catalog, database, table, partition_inputs(group, table, inherit), policy)

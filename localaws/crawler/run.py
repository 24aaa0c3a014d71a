"""One crawl: read the files below the targets and bring the catalog up to date."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field

from localaws.core.aws import LocalAws
from localaws.core.jobs.failures import OutOfMemory, WorkFailed
from localaws.core.jobs.job import Job, JobFailed
from localaws.crawler.grouping import File, Group, groups, table_name
from localaws.crawler.schema import CsvRules, Schema
from localaws.crawler.tables import partition_inputs, table_input
from localaws.s3.objects import split_uri
from localaws.shapes import Json
from localaws.tables import files as tables
from localaws.tables.acting import ActingCatalog
from localaws.tables.catalog import TABLE_INPUT, Catalog
from localaws.tables.exclusions import glob

WORK = "localaws.crawler.work:schemas"
DEFAULT_DATABASE = "default"  # https://docs.aws.amazon.com/glue/latest/dg/crawler-running.html


@dataclass
class CrawlResult:
    """What a crawl did, for GetCrawlerMetrics and the log."""

    created: int = 0
    updated: int = 0
    deleted: int = 0
    log: list[str] = field(default_factory=list)


def crawl(aws: LocalAws, crawler: Json, rules: list[CsvRules], job: Job) -> CrawlResult:
    """Raises Cancelled, and JobFailed, AwsError or OSError when the crawl fails."""
    catalog = ActingCatalog(aws)
    if crawler["Targets"]["S3Targets"]:
        if crawler["DatabaseName"] == DEFAULT_DATABASE and not _has_default(catalog):
            catalog.create_database({"Name": DEFAULT_DATABASE})
        catalog.database(crawler["DatabaseName"])
    settings = json.loads(crawler.get("Configuration") or "{}")
    grouping = settings.get("Grouping") or {}
    outcome = CrawlResult()
    found: list[Group] = []
    roots = []
    for target in crawler["Targets"]["S3Targets"]:
        bucket, prefix, root = _place(target["Path"])
        roots.append(f"s3://{bucket}/{root}")
        files = _read(
            aws, bucket, prefix, root, target.get("Exclusions") or [], rules, job, outcome
        )
        if files and not any(file.stored.key.startswith(root) for file in files):
            root = files[0].stored.key.rpartition("/")[0] + "/"  # the path is one file
        found += groups(
            bucket,
            root if root != "/" else "",
            files,
            grouping.get("TableLevelConfiguration"),
            grouping.get("TableGroupingPolicy") == "CombineCompatibleSchemas",
        )
    tables_again = [
        _again(aws, catalog, target["DatabaseName"], name, rules, job, outcome)
        for target in crawler["Targets"]["CatalogTargets"]
        for name in target["Tables"]
    ]
    job.check()
    if roots:
        _write(catalog, crawler, settings, found, roots, outcome)
    for before, group in tables_again:
        if group is not None:
            _write_again(catalog, crawler, settings, before, group, outcome)
    return outcome


def _place(uri: str) -> tuple[str, str, str]:
    """Bucket, prefix as it is given, and the prefix of what lies below it."""
    bucket, prefix = split_uri(uri)
    return bucket, prefix, prefix if prefix.endswith("/") or not prefix else prefix + "/"


def _again(
    aws: LocalAws,
    catalog: Catalog,
    database: str,
    name: str,
    rules: list[CsvRules],
    job: Job,
    outcome: CrawlResult,
) -> tuple[Json, Group | None]:
    """A table of a catalog target, and its files as one group; None where there are none.

    https://docs.aws.amazon.com/glue/latest/dg/crawler-data-stores.html: a crawl of existing tables
    makes no table, and combines schemas that are compatible. Raises JobFailed for others.
    """
    table = catalog.table(database, name)
    location = table.get("StorageDescriptor", {}).get("Location") or ""
    if not location.startswith("s3://"):
        raise JobFailed(f"Table {database}.{name} lies at {location!r}; it must be s3://...")
    bucket, prefix, root = _place(location)
    files = _read(aws, bucket, prefix, root, [], rules, job, outcome)
    found = groups(bucket, root, files, None, True)
    if len(found) > 1:
        raise JobFailed(f"Table {database}.{name} has files of schemas that are not compatible.")
    if not found:  # the only DeleteBehavior of catalog targets is LOG
        outcome.log.append(f"WARN : Table {name} in database {database} has no files.")
    return table, found[0] if found else None


def _write_again(
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
    merge, inherit = _behaviour(settings)
    database = before["DatabaseName"]
    table = _update(
        catalog, database, {"PartitionKeys": [], **before}, table, policy, merge, outcome
    )
    _write_partitions(catalog, database, table, partition_inputs(group, table, inherit), policy)


def _has_default(catalog: Catalog) -> bool:
    return any(found["Name"] == DEFAULT_DATABASE for found in catalog.databases())


def _read(
    aws: LocalAws,
    bucket: str,
    prefix: str,
    root: str,
    exclusions: list[str],
    rules: list[CsvRules],
    job: Job,
    outcome: CrawlResult,
) -> list[File]:
    patterns = [re.compile(glob(exclusion)) for exclusion in exclusions]
    listed = []
    for stored in tables.below(aws.objects, bucket, prefix, single=True):
        below = stored.key.removeprefix(root)
        if not stored.bytes or any(pattern.fullmatch(below) for pattern in patterns):
            continue
        listed.append(stored)
    request = {
        "files": [{"path": each.path, "uri": f"s3://{bucket}/{each.key}"} for each in listed],
        "rules": [asdict(rule) for rule in rules],
    }
    try:
        schemas = aws.workers.perform(job, WORK, request)
    except OutOfMemory as error:
        raise JobFailed(f"Internal Service Exception: {error.message}") from error
    except WorkFailed as failed:
        raise JobFailed(failed.message) from failed
    files = []
    for stored, schema in zip(listed, schemas, strict=True):
        if schema is None:
            outcome.log.append(
                f"WARN : s3://{bucket}/{stored.key} was not recognised by any classifier."
            )
            continue
        columns = tuple((name, kind) for name, kind in schema.pop("columns"))
        files.append(File(stored, Schema(columns=columns, **schema)))
    return files


def _write(
    catalog: Catalog,
    crawler: Json,
    settings: Json,
    found: list[Group],
    roots: list[str],
    outcome: CrawlResult,
) -> None:
    database, name = crawler["DatabaseName"], crawler["Name"]
    policy = crawler["SchemaChangePolicy"]
    merge, inherit = _behaviour(settings)
    existing = {table["Name"]: table for table in catalog.tables(database)}
    places = {
        table.get("StorageDescriptor", {}).get("Location"): table["Name"]
        for table in existing.values()
        if table.get("Parameters", {}).get("UPDATED_BY_CRAWLER") == name
    }
    seen: set[str] = set()
    for group in found:
        location = f"s3://{group.bucket}/{group.location}"
        known = places.get(location)
        table = table_input(
            name,
            known or table_name(crawler.get("TablePrefix", ""), group, {*existing, *seen}),
            group,
        )
        seen.add(table["Name"])
        if known is None:
            catalog.create_table(database, table)
            outcome.created += 1
            outcome.log.append(f"INFO : Created table {table['Name']} in database {database}")
        else:
            table = _update(catalog, database, existing[known], table, policy, merge, outcome)
        _write_partitions(catalog, database, table, partition_inputs(group, table, inherit), policy)
    for location, table_name_ in places.items():
        if table_name_ not in seen and location and location.startswith(tuple(roots)):
            _gone(catalog, database, existing[table_name_], policy, outcome)


def _behaviour(settings: Json) -> tuple[bool, bool]:
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


def _write_partitions(
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

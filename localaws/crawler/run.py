"""One crawl: read the files below the targets and bring the catalog up to date."""

from __future__ import annotations

import json
from collections import Counter

from localaws.core.aws import LocalAws
from localaws.core.jobs.failures import OutOfMemory, WorkFailed
from localaws.core.jobs.job import Job, JobFailed
from localaws.crawler import databases, iceberg, items
from localaws.crawler.grouping import File, Group, groups
from localaws.crawler.new_folders import NEW_FOLDERS, add_partitions
from localaws.crawler.schema import Rules, Schema, sent
from localaws.crawler.writing import CrawlResult, Found, of_group, write, write_again
from localaws.s3.objects import split_uri
from localaws.shapes import Json
from localaws.tables import files as tables
from localaws.tables.acting import ActingCatalog
from localaws.tables.catalog import Catalog
from localaws.tables.exclusions import BadExclusion, excluded

WORK = "localaws.crawler.work:schemas"
DEFAULT_DATABASE = "default"  # https://docs.aws.amazon.com/glue/latest/dg/crawler-running.html


def crawl(aws: LocalAws, crawler: Json, rules: list[Rules], job: Job) -> CrawlResult:
    """Raises Cancelled, and JobFailed, AwsError or OSError when the crawl fails."""
    try:
        return _crawl(aws, crawler, rules, job)
    except BadExclusion as error:
        raise JobFailed(str(error)) from error


def _crawl(aws: LocalAws, crawler: Json, rules: list[Rules], job: Job) -> CrawlResult:
    catalog, targets = ActingCatalog(aws), crawler["Targets"]
    own = any(targets[kind] for kind in targets if kind != "CatalogTargets")
    if own:
        if crawler["DatabaseName"] == DEFAULT_DATABASE and not _has_default(catalog):
            catalog.create_database({"Name": DEFAULT_DATABASE})
        catalog.database(crawler["DatabaseName"])
    settings = json.loads(crawler.get("Configuration") or "{}")
    outcome = CrawlResult()
    found: list[Found] = []
    roots: list[str] = []
    if crawler["RecrawlPolicy"]["RecrawlBehavior"] == NEW_FOLDERS and "Folders" in crawler:
        known = frozenset(crawler["Folders"])
        files = [
            (place[0], file)
            for target in targets["S3Targets"]
            for place in [_place(target["Path"])]
            for file in _read(aws, *place, target, rules, job, outcome, known)
        ]
        job.check()
        add_partitions(catalog, crawler, settings, files, outcome)
        return outcome
    for target in targets["S3Targets"]:
        found += _in_s3(aws, crawler, settings, target, rules, job, outcome, roots)
    for target in targets["JdbcTargets"]:
        found += databases.tables(aws, crawler["Name"], target)
        roots.append(databases.root(target["Path"]))
    for target in targets["DynamoDBTargets"]:
        found.append(items.table(aws, crawler["Name"], target, job))
    for target in targets["IcebergTargets"]:
        found += iceberg.tables(aws, crawler["Name"], target, job)
        roots += map(iceberg.root, target.get("Paths") or [])
    tables_again = [
        _again(aws, catalog, target["DatabaseName"], name, rules, job, outcome)
        for target in targets["CatalogTargets"]
        for name in target["Tables"]
    ]
    job.check()
    if own:
        write(catalog, crawler, settings, found, roots, outcome)
    for before, group in tables_again:
        if group is not None:
            write_again(catalog, crawler, settings, before, group, outcome)
    return outcome


def _in_s3(
    aws: LocalAws,
    crawler: Json,
    settings: Json,
    target: Json,
    rules: list[Rules],
    job: Job,
    outcome: CrawlResult,
    roots: list[str],
) -> list[Found]:
    """The tables of an S3 target, whose place joins the roots."""
    grouping = settings.get("Grouping") or {}
    bucket, prefix, root = _place(target["Path"])
    roots.append(f"s3://{bucket}/{root}")
    files = _read(aws, bucket, prefix, root, target, rules, job, outcome)
    if files and not any(file.stored.key.startswith(root) for file in files):
        root = files[0].stored.key.rpartition("/")[0] + "/"  # the path is one file
    found = groups(
        bucket,
        root if root != "/" else "",
        files,
        grouping.get("TableLevelConfiguration"),
        grouping.get("TableGroupingPolicy") == "CombineCompatibleSchemas",
    )
    return [of_group(crawler, group) for group in found]


def _place(uri: str) -> tuple[str, str, str]:
    """Bucket, prefix as it is given, and the prefix of what lies below it."""
    bucket, prefix = split_uri(uri)
    return bucket, prefix, prefix if prefix.endswith("/") or not prefix else prefix + "/"


def _again(
    aws: LocalAws,
    catalog: Catalog,
    database: str,
    name: str,
    rules: list[Rules],
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
    files = _read(aws, bucket, prefix, root, {}, rules, job, outcome)
    found = groups(bucket, root, files, None, True)
    if len(found) > 1:
        raise JobFailed(f"Table {database}.{name} has files of schemas that are not compatible.")
    if not found:  # the only DeleteBehavior of catalog targets is LOG
        outcome.log.append(f"WARN : Table {name} in database {database} has no files.")
    return table, found[0] if found else None


def _has_default(catalog: Catalog) -> bool:
    return any(found["Name"] == DEFAULT_DATABASE for found in catalog.databases())


def _read(
    aws: LocalAws,
    bucket: str,
    prefix: str,
    root: str,
    target: Json,
    rules: list[Rules],
    job: Job,
    outcome: CrawlResult,
    known: frozenset[str] = frozenset(),
) -> list[File]:
    """The files that a classifier recognises, but for those in folders that are `known`; of each
    folder no more than the target's SampleSize, the first ones. Its folders join the outcome's."""
    is_excluded = excluded(target.get("Exclusions") or [])
    most, taken = target.get("SampleSize"), Counter[str]()
    listed = []
    for stored in tables.below(aws.objects, bucket, prefix, single=True):
        below = stored.key.removeprefix(root)
        if not stored.bytes or is_excluded(below):
            continue
        folder = f"s3://{bucket}/{stored.key.rpartition('/')[0]}/"
        taken[folder] += 1
        if folder not in known and not (most and taken[folder] > most):
            listed.append(stored)
    outcome.folders |= taken.keys()
    request = {
        "files": [{"path": each.path, "uri": f"s3://{bucket}/{each.key}"} for each in listed],
        "rules": [sent(rule) for rule in rules],
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

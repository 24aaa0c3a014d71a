"""A crawler's settings, checked when they are given rather than when it runs."""

from __future__ import annotations

import json

from localaws.catalog.cron import cron
from localaws.crawler.iceberg import DEEPEST
from localaws.crawler.new_folders import NEW_FOLDERS
from localaws.crawler.run import DEFAULT_DATABASE
from localaws.errors import AwsError, NotEmulated
from localaws.s3.objects import split_uri
from localaws.shapes import Json

_TARGETS = (
    "MongoDBTargets",
    "DeltaTargets",
    "HudiTargets",
)
STORES = ("S3Targets", "JdbcTargets", "DynamoDBTargets", "IcebergTargets")
ON = "SCHEDULED"
_CHANGES = {
    "UpdateBehavior": ("UPDATE_IN_DATABASE", "LOG"),
    "DeleteBehavior": ("DEPRECATE_IN_DATABASE", "DELETE_FROM_DATABASE", "LOG"),
}


def checked(operation: str, params: Json, before: Json) -> Json:
    """The crawler as it will be stored; what it cannot do is refused now, not when it runs."""
    given = {key: value for key, value in params.items() if key != "Tags"}
    crawler = {**before, **given}
    if "Schedule" in given:
        crawler["Schedule"] = schedule(given["Schedule"])
    for kind in _TARGETS:
        if (given.get("Targets") or {}).get(kind):
            raise NotEmulated(
                "glue",
                operation,
                f"Targets.{kind}",
                "S3, JDBC, DynamoDB, Iceberg and catalog targets are.",
            )
    targets = checked_targets(crawler.get("Targets") or {})
    crawler["DatabaseName"] = crawler.get("DatabaseName") or DEFAULT_DATABASE
    recrawl = (crawler.get("RecrawlPolicy") or {}).get("RecrawlBehavior", "CRAWL_EVERYTHING")
    if recrawl not in ("CRAWL_EVERYTHING", NEW_FOLDERS):
        raise NotEmulated(
            "glue",
            operation,
            f"RecrawlPolicy.RecrawlBehavior {recrawl}",
            f"CRAWL_EVERYTHING and {NEW_FOLDERS} are.",
        )
    lineage = (crawler.get("LineageConfiguration") or {}).get("CrawlerLineageSettings", "DISABLE")
    if lineage != "DISABLE":
        raise NotEmulated("glue", operation, "LineageConfiguration ENABLE")
    policy = {
        key: "LOG" if recrawl == NEW_FOLDERS else choices[0] for key, choices in _CHANGES.items()
    } | (crawler.get("SchemaChangePolicy") or {})
    for key, choices in _CHANGES.items():
        if policy[key] not in choices:
            raise AwsError(
                "InvalidInputException",
                f"SchemaChangePolicy.{key} is {policy[key]!r}; it is one of {choices}.",
            )
    if recrawl == NEW_FOLDERS:
        _check_new_folders(targets, policy, before)
    if targets["CatalogTargets"] and policy["DeleteBehavior"] != "LOG":
        raise AwsError(
            "InvalidInputException",
            f"SchemaChangePolicy.DeleteBehavior is {policy['DeleteBehavior']!r}; it is LOG for"
            " catalog targets.",
        )
    check_configuration(operation, crawler.get("Configuration"))
    return {
        "Classifiers": [],
        "TablePrefix": "",
        "LineageConfiguration": {"CrawlerLineageSettings": "DISABLE"},
        **crawler,
        "Targets": {kind: [] for kind in _TARGETS} | targets,
        "SchemaChangePolicy": policy,
        "RecrawlPolicy": {"RecrawlBehavior": recrawl},
    }


def _check_new_folders(targets: Json, policy: Json, before: Json) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/incremental-crawls.html"""
    if set(policy.values()) != {"LOG"}:
        raise AwsError(
            "InvalidInputException",
            'The SchemaChangePolicy for "Crawl new folders only" Amazon S3 target can have only LOG'
            " DeleteBehavior value and LOG UpdateBehavior value.",
        )
    if any(targets[kind] for kind in targets if kind != "S3Targets"):
        raise AwsError(
            "InvalidInputException",
            'RecrawlBehavior "Crawl new folders only" can only apply to Amazon S3 target.',
        )
    there = (before.get("Targets") or {}).get("S3Targets")
    unchanged = (before.get("RecrawlPolicy") or {}).get("RecrawlBehavior") == NEW_FOLDERS
    if unchanged and there != targets["S3Targets"]:
        raise AwsError(
            "InvalidInputException", f"With {NEW_FOLDERS} the S3 targets cannot be changed."
        )


def checked_targets(given: Json) -> Json:
    """Stores of several kinds, or CatalogTargets alone.

    https://docs.aws.amazon.com/glue/latest/dg/define-crawler.html
    """
    targets = {kind: given.get(kind) or [] for kind in (*STORES, "CatalogTargets")}
    stores, tables = any(targets[kind] for kind in STORES), targets["CatalogTargets"]
    if stores == bool(tables):
        told = "are given with others" if stores else "and all others are empty"
        raise AwsError(
            "InvalidInputException",
            f"Targets.CatalogTargets {told}; a crawler has stores, or tables of the catalog.",
        )
    for target in targets["S3Targets"]:
        split_uri(target.get("Path", ""))
        size = target.get("SampleSize")
        if size is not None and not 1 <= size <= 249:
            raise AwsError("InvalidInputException", f"SampleSize is {size}; it is 1 to 249.")
    for target in targets["IcebergTargets"]:
        for path in target.get("Paths") or []:
            split_uri(path)
        depth = target.get("MaximumTraversalDepth")
        if depth is not None and not 1 <= depth <= DEEPEST:
            raise AwsError(
                "InvalidInputException", f"MaximumTraversalDepth is {depth}; it is 1 to {DEEPEST}."
            )
    for target in targets["JdbcTargets"]:
        if not target.get("ConnectionName") or not target.get("Path", "").strip("/%"):
            raise AwsError(
                "InvalidInputException",
                "A JDBC target has ConnectionName and a Path like database/schema/table.",
            )
    return targets


def schedule(text: str) -> Json:
    """A crawler's Schedule by its expression, on; none of an empty text."""
    if not text:
        return {}
    cron(text)
    return {"ScheduleExpression": text, "State": ON}


def check_configuration(operation: str, text: str | None) -> None:
    """Configuration is a JSON string; settings that would change the outcome unseen are refused."""
    if not text:
        return
    try:
        settings = json.loads(text)
    except ValueError as error:
        raise AwsError("InvalidInputException", f"Configuration is not JSON: {error}") from None
    known = {
        "Version": {},
        "CreatePartitionIndex": {},
        "Grouping": {"TableGroupingPolicy": {}, "TableLevelConfiguration": {}},
        "CrawlerOutput": {
            "Tables": {"AddOrUpdateBehavior": {}, "TableThreshold": None},
            "Partitions": {"AddOrUpdateBehavior": {}},
        },
    }

    def walk(given: Json, accepted: Json, path: str) -> None:
        for key, value in given.items():
            if accepted.get(key) is None:
                raise NotEmulated("glue", operation, f"Configuration.{path}{key}")
            if isinstance(value, dict):
                walk(value, accepted[key], f"{path}{key}.")

    walk(settings, known, "")
    level = (settings.get("Grouping") or {}).get("TableLevelConfiguration")
    if level is not None and (not isinstance(level, int) or level < 1):
        raise AwsError(
            "InvalidInputException",
            f"Grouping.TableLevelConfiguration is {level!r}; it is a level, from 1 (the bucket).",
        )

"""Check raw data: files are those of the plan, tables those we know, and every check of sql/checks
holds."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tasks.functions import storage
from tasks.functions.jobs import ATHENA_MINIMUM_BYTES

Json = dict[str, Any]

CHECKS = Path(__file__).resolve().parents[2] / "sql" / "checks"
POLL_SECONDS = 0.25  # four queries at a time: 16 calls a second, of the 100 that Athena allows
SAMPLE_ROWS = 5
MAX_CAUSE_CHARACTERS = 8_000

# The public Instacart files; the order of the columns is the files'.
TABLES = {
    "aisles": ["aisle_id", "aisle"],
    "departments": ["department_id", "department"],
    "products": ["product_id", "product_name", "aisle_id", "department_id"],
    "orders": [
        "order_id",
        "user_id",
        "eval_set",
        "order_number",
        "order_dow",
        "order_hour_of_day",
        "days_since_prior_order",
    ],
    "order_products": ["order_id", "product_id", "add_to_cart_order", "reordered"],
}


class RawDataCheckFailed(Exception):
    """At least one check does not hold; the text has each one's name, count and sample."""


def handler(event: Json, context: Any) -> Json:
    """`event`: {run, only_files}. Answers {as_planned, changed: up to five keys}, and, when raw/ is
    as planned and not `only_files`: checks, scanned_bytes, charged_bytes, query_execution_ids.
    Raises RawDataCheckFailed."""
    import boto3

    database = os.environ["RAW_DATABASE"]
    s3 = boto3.client("s3")
    bucket, key = event["run"]["manifest"]["uri"].removeprefix("s3://").split("/", 1)
    manifest = storage.read_json(s3, bucket, key)
    changed = changes(manifest["objects"], storage.raw_objects(s3, bucket))
    planned = {"as_planned": not changed, "changed": changed[:SAMPLE_ROWS]}
    if changed or event.get("only_files"):
        return planned
    import awswrangler as wr

    violations = [
        *check_files([entry["key"] for entry in manifest["objects"]]),
        *check_tables(boto3.client("glue"), database),
    ]
    if violations:
        raise RawDataCheckFailed(report(violations))

    def run(name: str, text: str) -> tuple[Json | None, Json]:
        frame = wr.athena.read_sql_query(
            with_count(text),
            database=database,
            workgroup=os.environ["WORK_GROUP"],
            ctas_approach=False,
            athena_query_wait_polling_delay=POLL_SECONDS,
            boto3_session=boto3.Session(),
        )
        return violation(name, frame.to_dict("records")), frame.query_metadata

    statements = read_checks(database)
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda item: run(*item), statements.items()))
    violations = [found for found, _ in results if found is not None]
    if violations:
        raise RawDataCheckFailed(report(violations))
    scanned = [metadata["Statistics"].get("DataScannedInBytes", 0) for _, metadata in results]
    return {
        **planned,
        "checks": ["raw_files_belong_to_a_table", "raw_tables_are_as_expected", *statements],
        "scanned_bytes": sum(scanned),
        "charged_bytes": sum(max(found, ATHENA_MINIMUM_BYTES) for found in scanned if found),
        "query_execution_ids": [metadata["QueryExecutionId"] for _, metadata in results],
    }


def changes(planned: list[Json], listed: Iterable[Json]) -> list[str]:
    """The keys below raw/ that are not as the manifest says: come, gone, or with other bytes."""
    before = {entry["key"]: (entry["etag"], entry["bytes"]) for entry in planned}
    now = {entry["Key"]: (entry["ETag"].strip('"'), entry["Size"]) for entry in listed}
    return sorted(key for key in before.keys() | now.keys() if before.get(key) != now.get(key))


def check_files(keys: list[str]) -> list[Json]:
    """Files that no table would read: whoever uploaded them believes that they count."""
    folders = tuple(f"{storage.RAW_PREFIX}{table}/" for table in TABLES)
    stray = [key for key in keys if not key.startswith(folders)]
    if not stray:
        return []
    sample = [{"key": key, "accepted": "below " + ", ".join(folders)} for key in stray]
    return [
        {
            "check": "raw_files_belong_to_a_table",
            "violations": len(stray),
            "sample": sample[:SAMPLE_ROWS],
        }
    ]


def check_tables(glue: Any, database: str) -> list[Json]:
    """What is missing or different among the tables that the crawler made."""
    found = {
        table["Name"]: [column["Name"] for column in table["StorageDescriptor"]["Columns"]]
        for page in glue.get_paginator("get_tables").paginate(DatabaseName=database)
        for table in page["TableList"]
    }
    sample = [
        {"table": name, "expected": columns, "found": found.get(name, "no such table")}
        for name, columns in TABLES.items()
        if found.get(name) != columns
    ]
    if not sample:
        return []
    return [{"check": "raw_tables_are_as_expected", "violations": len(sample), "sample": sample}]


def read_checks(database: str) -> dict[str, str]:
    """Check name to SQL, with the database filled in."""
    return {
        file.stem: file.read_text().replace("${RawDatabase}", database)
        for file in sorted(CHECKS.glob("*.sql"))
    }


def with_count(text: str) -> str:
    """The violating rows' sample with their whole number beside each."""
    return (
        f"SELECT count(*) OVER () AS violation_count, violations.* FROM (\n{text}\n) AS violations"
        f"\nLIMIT {SAMPLE_ROWS}"
    )


def violation(check: str, rows: list[Json]) -> Json | None:
    """What the check found: {check, violations, sample}; None when it holds."""
    if not rows:
        return None
    sample = [{k: v for k, v in row.items() if k != "violation_count"} for row in rows]
    return {"check": check, "violations": int(rows[0]["violation_count"]), "sample": sample}


def report(violations: list[Json]) -> str:
    """The cause as people read it, cut where Step Functions would cut it."""
    lines = [
        f"{found['check']}: {found['violations']} violation(s), for example "
        + json.dumps(found["sample"], default=str)
        for found in violations
    ]
    return "\n".join(lines)[:MAX_CAUSE_CHARACTERS]

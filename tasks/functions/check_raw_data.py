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

SQL = Path(__file__).resolve().parents[2] / "sql"
CHECKS = SQL / "checks"
# Written while packaging, out of CHECKS: one scan of a table for all of its checks.
STATEMENTS = SQL / "check_statements.json"
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
    changed = changes(manifest["objects"], storage.raw_objects(s3, manifest["bucket"]))
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

    def rows(text: str) -> tuple[list[Json], Json]:
        frame = wr.athena.read_sql_query(
            text.replace("${RawDatabase}", database),
            database=database,
            workgroup=os.environ["WORK_GROUP"],
            ctas_approach=False,
            athena_query_wait_polling_delay=POLL_SECONDS,
            boto3_session=boto3.Session(),
        )
        return frame.to_dict("records"), frame.query_metadata

    statements = json.loads(STATEMENTS.read_text())
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda statement: rows(statement["sql"]), statements))
        names = broken([answer for answer, _ in results])
        samples = list(pool.map(lambda name: rows(sample_of(name)), names))
    if names:
        found = zip(names, samples, strict=True)
        raise RawDataCheckFailed(report([violation(name, sample) for name, (sample, _) in found]))
    scanned = [metadata["Statistics"].get("DataScannedInBytes", 0) for _, metadata in results]
    of_tables = {check for statement in statements for check in statement["checks"]}
    return {
        **planned,
        "checks": [
            *("raw_files_belong_to_a_table", "raw_tables_are_as_expected"),
            *sorted(of_tables),
        ],
        "scanned_bytes": sum(scanned),
        "charged_bytes": sum(max(bytes_, ATHENA_MINIMUM_BYTES) for bytes_ in scanned if bytes_),
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


def broken(answers: list[list[Json]]) -> list[str]:
    """The checks that any statement found broken. Each answers one row, a boolean a check."""
    names = {check for (row,) in answers for check, is_broken in row.items() if is_broken}
    return sorted(names)


def sample_of(check: str) -> str:
    """The check's own SELECT: a sample of the rows that break it, with their whole number beside
    each."""
    text = (CHECKS / f"{check}.sql").read_text()
    return (
        f"SELECT count(*) OVER () AS violation_count, violations.* FROM (\n{text}\n) AS violations"
        f"\nLIMIT {SAMPLE_ROWS}"
    )


def violation(check: str, rows: list[Json]) -> Json:
    """What breaks the check: {check, violations, sample}."""
    sample = [{k: v for k, v in row.items() if k != "violation_count"} for row in rows]
    # No rows: somebody has mended the file since, which does not make the first answer good.
    number = int(rows[0]["violation_count"]) if rows else 0
    return {"check": check, "violations": number, "sample": sample}


def report(violations: list[Json]) -> str:
    """The cause as people read it, cut where Step Functions would cut it."""
    lines = [
        f"{found['check']}: {found['violations']} violation(s), for example "
        + json.dumps(found["sample"], default=str)
        for found in violations
    ]
    return "\n".join(lines)[:MAX_CAUSE_CHARACTERS]

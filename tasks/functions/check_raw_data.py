"""Check raw data: the files are those of the plan and can be read in one way only, the tables are
those we know and have their rows, and every check of sql/checks holds."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tasks.functions import mapped_checks, raw_checks, storage
from tasks.functions.first_look import RULES, Look
from tasks.functions.jobs import ATHENA_MINIMUM_BYTES

Json = dict[str, Any]

SQL = Path(__file__).resolve().parents[2] / "sql"
CHECKS = SQL / "checks"
# Written while packaging, out of CHECKS: one scan of a table for all of its checks.
STATEMENTS = SQL / "check_statements.json"
POLL_SECONDS = 0.25  # four queries at a time: 16 calls a second, of the 100 that Athena allows
MAX_CAUSE_CHARACTERS = 8_000
OF_FILES = (
    "raw_files_belong_to_a_table",
    *RULES,
    "raw_tables_are_as_expected",
    "athena_reads_every_row_once",
)


class RawDataCheckFailed(Exception):
    """At least one check does not hold; the text has each one's name, count and sample."""


class RowsLost(Exception):
    """What was cleaned has not the rows that were checked."""


def handler(event: Json, context: Any) -> Json:
    """`event`: {run, mapping, cleaned}. Answers {as_planned, changed: up to five keys}, and,
    when raw/ is as planned, without `cleaned`: checks, rows (of each table), scanned_bytes,
    charged_bytes, query_execution_ids; with `cleaned`, {rows (as they were checked), tables
    {table: the clean one}}: the rows of those. Raises RawDataCheckFailed, RowsLost."""
    import boto3

    s3 = boto3.client("s3")
    manifest = storage.manifest(s3, event["run"])
    mapping = event.get("mapping") or {}
    changed = [
        *changes(manifest["objects"], storage.raw_objects(s3, manifest["bucket"])),
        *mapped_checks.remapped(boto3.client("glue"), os.environ["RAW_DATABASE"], mapping),
    ]
    planned = {"as_planned": not changed, "changed": changed[: raw_checks.SAMPLE]}
    if changed:
        return planned
    if "cleaned" in event:
        return {**planned, **count_cleaned(event["cleaned"], os.environ["DATABASE"])}
    return {**planned, **check(s3, manifest["bucket"], manifest["objects"], mapping)}


def check(s3: Any, bucket: str, objects: list[Json], mapping: Json) -> Json:
    """The first look at the files, then the tables, then SQL: what is cheaper comes first. Of a
    shop's own files `Plan mapping` has taken the look."""

    database = os.environ["RAW_DATABASE"]
    mapped = bool(mapping.get("statements"))
    looks = [] if mapped else look_at(s3, bucket, objects, database)
    statements = json.loads(STATEMENTS.read_text())
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda statement: rows(statement["sql"], database), statements))
        rows_found = counted(statements, [answer for answer, _ in results])
        if mapped:
            own = mapped_checks.statements(mapping)
            answers = list(pool.map(lambda text: rows(text, database), own))
            refuse(mapped_checks.broken(mapping, [answer for answer, _ in answers]))
            results += answers
        else:
            refuse(raw_checks.unlike_rows(raw_checks.rows_of(looks), rows_found, "athena"))
        names = broken(statements, [answer for answer, _ in results[: len(statements)]])
        samples = list(pool.map(lambda name: rows(sample_of(name), database)[0], names))
    refuse(
        [
            raw_checks.violation(
                name, found, None if mapped else place(name, found, s3, bucket, objects)
            )
            for name, found in zip(names, samples, strict=True)
        ]
    )
    scanned = [metadata["Statistics"].get("DataScannedInBytes", 0) for _, metadata in results]
    of_tables = {check for statement in statements for check in statement["checks"]}
    return {
        "checks": [*(mapped_checks.names() if mapped else OF_FILES), *sorted(of_tables)],
        "rows": rows_found,
        "scanned_bytes": sum(scanned),
        "charged_bytes": sum(max(bytes_, ATHENA_MINIMUM_BYTES) for bytes_ in scanned if bytes_),
        "query_execution_ids": [metadata["QueryExecutionId"] for _, metadata in results],
    }


def look_at(s3: Any, bucket: str, objects: list[Json], database: str) -> list[Look]:
    """The first look at the files, and at the tables that the crawler made of them."""
    import boto3

    looks = raw_checks.look_at_objects(s3, bucket, objects)
    sha256 = {entry["key"]: entry["sha256"] for entry in objects}
    findings = [finding for seen in looks for finding in seen.findings]
    refuse(
        [
            *raw_checks.stray_files(entry["key"] for entry in objects),
            *raw_checks.violations([*findings, *raw_checks.among(looks, sha256)]),
        ]
    )
    raw = f"s3://{bucket}/{storage.RAW_PREFIX}"
    refuse(raw_checks.unlike_tables(boto3.client("glue"), database, raw))
    return looks


def count_cleaned(event: Json, database: str) -> Json:
    """The rows of the clean tables, which are those that were checked. Raises RowsLost."""
    counts = " UNION ALL ".join(
        f"SELECT '{name}' AS name, count(*) AS rows_found FROM {table}"
        for name, table in event["tables"].items()
    )
    found = {row["name"]: int(row["rows_found"]) for row in rows(counts, database)[0]}
    unlike = raw_checks.unlike_rows(
        {name: event["rows"][name] for name in found}, found, "databrew"
    )
    if unlike:
        raise RowsLost(report(unlike))
    return {"rows": found}


def refuse(violations: list[Json]) -> None:
    if violations:
        raise RawDataCheckFailed(report(violations))


def rows(text: str, database: str) -> tuple[list[Json], Json]:
    """The answer of an Athena statement, and what Athena says of its execution."""
    import awswrangler as wr
    import boto3

    frame = wr.athena.read_sql_query(
        text.replace("${RawDatabase}", database),
        database=database,
        workgroup=os.environ["WORK_GROUP"],
        ctas_approach=False,
        athena_query_wait_polling_delay=POLL_SECONDS,
        boto3_session=boto3.Session(),
    )
    return frame.to_dict("records"), frame.query_metadata


def changes(planned: list[Json], listed: Iterable[Json]) -> list[str]:
    """The keys below raw/ that are not as the manifest says: come, gone, or with other bytes."""
    before = {entry["key"]: (entry["etag"], entry["bytes"]) for entry in planned}
    now = {entry["Key"]: (entry["ETag"].strip('"'), entry["Size"]) for entry in listed}
    return sorted(key for key in before.keys() | now.keys() if before.get(key) != now.get(key))


def broken(statements: list[Json], answers: list[list[Json]]) -> list[str]:
    """The checks that any statement found broken. Each answers one row, a boolean a check."""
    pairs = zip(statements, answers, strict=True)
    return sorted({c for statement, (row,) in pairs for c in statement["checks"] if row[c]})


def counted(statements: list[Json], answers: list[list[Json]]) -> dict[str, int]:
    """The rows of each table that a statement scanned whole."""
    pairs = zip(statements, answers, strict=True)
    return {one["table"]: int(row["rows_found"]) for one, (row,) in pairs if one["counts"]}


def sample_of(check: str) -> str:
    """A sample of the rows that break a check of CHECKS, as SQL."""
    return raw_checks.sampled((CHECKS / f"{check}.sql").read_text())


def place(check: str, sample: list[Json], s3: Any, bucket: str, objects: list[Json]) -> str | None:
    """The file and line of the first row that breaks the check, if it can be told."""
    if not sample:
        return None
    table = table_of(check)
    files = raw_checks.opened(s3, bucket, objects, table)
    return raw_checks.place_of(sample[0], raw_checks.SHAPES[table], files)


def table_of(check: str) -> str:
    """The table whose rows a check's SELECT looks at: its first one."""
    return re.findall(r"FROM \$\{RawDatabase\}\.(\w+)", (CHECKS / f"{check}.sql").read_text())[0]


def report(violations: list[Json]) -> str:
    """The cause as people read it, cut where Step Functions would cut it."""
    lines = [
        f"{found['check']}: {found['violations']} violation(s), for example "
        + json.dumps(found["sample"], default=str)
        for found in violations
    ]
    return "\n".join(lines)[:MAX_CAUSE_CHARACTERS]

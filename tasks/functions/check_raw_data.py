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

from tasks.functions import (
    clean_data,
    increments,
    mapped_checks,
    mapped_parts,
    profiles,
    raw_checks,
    storage,
)
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


class FilesChanged(Exception):
    """What is to be read is not what was planned any more; the text has the keys."""


class RawDataCheckFailed(Exception):
    """At least one check does not hold; the text has each one's name, count and sample."""


class RowsLost(Exception):
    """What was cleaned has not the rows that were checked."""


def handler(event: Json, context: Any) -> Json:
    """`event`: {run, mapping, cleaned}, or {profiled}, which `profiles.judge` answers.

    Answers, without `cleaned`: checks, rows (of each table), scanned_bytes, charged_bytes,
    query_execution_ids; with `cleaned`, {rows (as they were checked)}: the rows of the run's clean
    tables, which are then whole, and in its ledger, and profiles (of `profiles.prepare`). Raises
    FilesChanged unless raw/ and incoming/ are as planned; RawDataCheckFailed, RowsLost,
    CleanDataUnlike."""
    import boto3

    s3, lake = boto3.client("s3"), os.environ["LAKE_BUCKET"]
    if "profiled" in event:
        return profiles.judge(s3, lake, event["profiled"])
    manifest = storage.manifest(s3, event["run"])
    increment = storage.read_json(s3, lake, increments.plan_key(event["run"]["id"]))
    mapping = event.get("mapping") or {}
    changed = [
        *changes(manifest["objects"], storage.raw_objects(s3, manifest["bucket"])),
        *changes(increment["incoming"], storage.objects(s3, lake, increments.INCOMING)),
        *mapped_checks.remapped(boto3.client("glue"), os.environ["RAW_DATABASE"], mapping),
    ]
    if changed:
        some = ", ".join(changed[: raw_checks.SAMPLE])
        raise FilesChanged(f"{len(changed)} not as planned any more, for example {some}")
    if "cleaned" in event:
        return gather(s3, event["run"], event["cleaned"]["rows"], mapping)
    run_id = event["run"]["id"]
    answer, rows_of = check(s3, manifest["bucket"], manifest["objects"], increment, mapping)
    if mapping.get("statements"):
        parts = mapped_parts.decide(in_mapped, increment)
        storage.write_json(s3, lake, mapped_parts.parts_key(run_id), parts)
    else:
        storage.write_json(s3, lake, clean_data.rows_key(run_id), rows_of)
    return answer


def in_mapped(text: str) -> list[Json]:
    return rows(text, os.environ["RAW_DATABASE"])[0]


def check(
    s3: Any, bucket: str, objects: list[Json], increment: Json, mapping: Json
) -> tuple[Json, dict[str, int]]:
    """The first look at the new files, then the tables, then SQL: what is cheaper comes first. Of
    a shop's own files `Plan mapping` has taken the look. The second answer has the rows of each
    file that was looked at."""

    database = os.environ["RAW_DATABASE"]
    mapped = bool(mapping.get("statements"))
    looks = [] if mapped else look_at(s3, bucket, objects, increment, database)
    statements = [
        {**statement, "sql": with_taken(statement["sql"], increment, mapped)}
        for statement in json.loads(STATEMENTS.read_text())
    ]
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda statement: rows(statement["sql"], database), statements))
        rows_found = counted(statements, [answer for answer, _ in results])
        if mapped:
            own = mapped_checks.statements(mapping)
            answers = list(pool.map(lambda text: rows(text, database), own))
            refuse(mapped_checks.broken(mapping, increment, [answer for answer, _ in answers]))
            results += answers
        else:
            known = raw_checks.rows_of(looks)
            for one in increment["taken"]:
                known[one["table"]] += one["rows"]
            refuse(raw_checks.unlike_rows(known, rows_found, "athena"))
        names = broken(statements, [answer for answer, _ in results[: len(statements)]])
        asked = [with_taken(sample_of(name), increment, mapped) for name in names]
        samples = list(pool.map(lambda text: rows(text, database)[0], asked))
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
    answer = {
        "checks": [*(mapped_checks.names() if mapped else OF_FILES), *sorted(of_tables)],
        "rows": rows_found,
        "scanned_bytes": sum(scanned),
        "charged_bytes": sum(max(bytes_, ATHENA_MINIMUM_BYTES) for bytes_ in scanned if bytes_),
        "query_execution_ids": [metadata["QueryExecutionId"] for _, metadata in results],
    }
    return answer, {seen.file: seen.rows for seen in looks}


def look_at(
    s3: Any, bucket: str, objects: list[Json], increment: Json, database: str
) -> list[Look]:
    """The first look at the new files, and at the tables that the crawler made of them."""
    import boto3

    new = {entry["key"] for entry in increment["new"]}
    looks = raw_checks.look_at_objects(s3, bucket, [one for one in objects if one["key"] in new])
    sha256 = {entry["key"]: entry["sha256"] for entry in objects}
    findings = [finding for seen in looks for finding in seen.findings]
    among = raw_checks.among(looks, sha256, before=increment["taken"])
    refuse(
        [
            *raw_checks.stray_files(entry["key"] for entry in objects),
            *raw_checks.violations([*findings, *among]),
        ]
    )
    incoming = f"s3://{os.environ['LAKE_BUCKET']}/{increments.INCOMING}"
    refuse(raw_checks.unlike_tables(boto3.client("glue"), database, incoming))
    return looks


def with_taken(text: str, increment: Json, mapped: bool = False) -> str:
    """A check's SQL over whole tables: new rows as the files have them, and those that are taken
    over from the last run as they were cleaned, as text again. A shop's own are mapped whole."""
    if mapped:
        return re.sub(r"(\$\{RawDatabase\}\.)(orders|order_products)\b", r"\1whole_\2", text)
    if increment["from"] is None:
        return text
    for table in increments.GROWING:
        columns = raw_checks.SHAPES[table].columns
        cleaned = ", ".join(map(_as_text, columns))
        names = ", ".join(f"'{name}'" for name in increment["dropped"])
        kept = f" WHERE object NOT IN ({names})" if names else ""
        whole = (
            f"(SELECT {', '.join(columns)} FROM ${{RawDatabase}}.{table} UNION ALL"
            f" SELECT {cleaned} FROM ${{Database}}.cleaned_{table}_{increment['from']}{kept})"
        )
        text = re.sub(rf"\$\{{RawDatabase\}}\.{table}\b", whole, text)
    return text


def _as_text(column: str) -> str:
    """A cleaned value as a file could have it: no exponent, which a double's text may have."""
    kind = "decimal(38, 9)" if column == "days_since_prior_order" else None
    value = f"CAST({column} AS {kind})" if kind else column
    return f"CAST({value} AS varchar) AS {column}"


def gather(s3: Any, run: Json, checked: dict[str, int], mapping: Json) -> Json:
    """Completes the clean tables, whose rows are those that were checked; then they are in the
    run's ledger. Raises RowsLost, CleanDataUnlike."""
    import boto3

    lake, database, run_id = os.environ["LAKE_BUCKET"], os.environ["DATABASE"], run["id"]
    mapped = bool(mapping.get("statements"))
    partitions = clean_data.gather(boto3.client, lake, database, run_id, mapped)
    counts = " UNION ALL ".join(
        f"SELECT '{name}' AS name, count(*) AS rows_found FROM cleaned_{name}_{run_id}"
        for name in increments.GROWING
    )
    found = {row["name"]: int(row["rows_found"]) for row in rows(counts, database)[0]}
    unlike = raw_checks.unlike_rows({name: checked[name] for name in found}, found, "databrew")
    if unlike:
        raise RowsLost(report(unlike))
    clean_data.write_ledger(s3, lake, run_id, run["cleaning_code"], partitions, mapping)
    return {"rows": found, "profiles": profiles.prepare(boto3.client, run)}


def refuse(violations: list[Json]) -> None:
    if violations:
        raise RawDataCheckFailed(report(violations))


def rows(text: str, database: str) -> tuple[list[Json], Json]:
    """The answer of an Athena statement, and what Athena says of its execution."""
    import awswrangler as wr
    import boto3

    frame = wr.athena.read_sql_query(
        text.replace("${RawDatabase}", database).replace("${Database}", os.environ["DATABASE"]),
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

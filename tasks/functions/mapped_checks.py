"""Checks of a deployment with a mapping: its tables are this plan's, its files' rows are all read,
and its own rules hold (configuration/mapping/checks.py)."""

from __future__ import annotations

from typing import Any

from tasks.functions import mapping_file
from tasks.functions.raw_checks import SHAPES, sampled, violation

Json = dict[str, Any]

ROWS = "athena_reads_every_row_once"


def remapped(glue: Any, database: str, mapping: Json) -> list[str]:
    """The mapped tables that are not those of this plan: another run has mapped since."""
    if not mapping.get("statements"):
        return []
    found = []
    for table in SHAPES:
        described = glue.get_table(DatabaseName=database, Name=table)["Table"]
        location = described["StorageDescriptor"]["Location"]
        if f"/{mapping['folder']}/{table}" not in location:
            found.append(f"{database}.{table}, which is at {location}")
    return found


def statements(mapping: Json) -> list[str]:
    """One for each rule, a sample of what breaks it; then one for the rows of all files."""
    deployed = mapping_file.deployed()
    counts = [
        f"SELECT '{kind}' AS kind, count(*) AS rows_found FROM ${{RawDatabase}}.staged_{kind}"
        for kind in deployed["files"]
    ]
    rules = [sampled(check["sql"]) for check in deployed["checks"]]
    return [*rules, " UNION ALL ".join(counts)]


def names() -> list[str]:
    return [check["check"] for check in mapping_file.deployed()["checks"]] + [ROWS]


def broken(mapping: Json, increment: Json, answers: list[list[Json]]) -> list[Json]:
    """[{check, violations, sample}] out of the statements' answers; a `file` is told by its key."""
    keys = {one["object"]: one["key"] for one in (*increment["new"], *increment["taken"])}
    rules = zip(names()[:-1], answers[:-1], strict=True)
    found = [
        violation(name, [_with_key(row, keys) for row in rows]) for name, rows in rules if rows
    ]
    sample = [
        {"files": row["kind"], "rows": mapping["rows"][row["kind"]], "read": row["rows_found"]}
        for row in answers[-1]
        if int(row["rows_found"]) != mapping["rows"][row["kind"]]
    ]
    if sample:
        found.append({"check": ROWS, "violations": len(sample), "sample": sample})
    return found


def _with_key(row: Json, keys: dict[str, str]) -> Json:
    return {**row, "file": keys.get(row["file"], row["file"])} if "file" in row else row

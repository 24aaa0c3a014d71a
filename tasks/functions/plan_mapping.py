"""Plan mapping: the files of the plan are those that the mapping knows, and the statements that
turn them into the five tables have the run's names."""

from __future__ import annotations

import os
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from executions.s3 import ObjectFile, body_of
from tasks.functions import clean_data, increments, mapping_file, source_files, storage

Json = dict[str, Any]

SOURCE_PREFIX = f"{storage.RAW_PREFIX}source/"


class MappingRefused(Exception):
    """Files that are not as the mapping says: each with line, column and what is there."""


def handler(event: Json, context: Any) -> Json:
    """`event`: {run}. Answers {sha256 (the mapping's), folder, rows (of each kind of file),
    statements: [{name, sql, folder, table (that it fills, or ""), dataset (its folder)}]}; without
    statements the raw files are the five tables as they are. Raises MappingRefused."""
    import boto3

    mapping = mapping_file.deployed()
    if not mapping["statements"]:
        return {"sha256": mapping["sha256"], "folder": None, "rows": {}, "statements": []}
    s3, lake, run_id = boto3.client("s3"), os.environ["LAKE_BUCKET"], event["run"]["id"]
    raw = storage.manifest(s3, event["run"])
    plan = storage.read_json(s3, lake, increments.plan_key(run_id))
    files: Json = mapping["files"]
    findings = strays([entry["key"] for entry in raw["objects"]], files)
    findings += twice(raw["objects"])
    if findings:
        raise MappingRefused(source_files.told(findings))
    rows = look_at_new(s3, raw, plan, files)
    storage.write_json(s3, lake, clean_data.rows_key(run_id), rows)
    of_kinds = dict.fromkeys(files, 0)
    for key, found in [*rows.items(), *((one["key"], one["rows"]) for one in plan["taken"])]:
        of_kinds[str(kind_of(key, files))] += found
    folder = next_folder(s3, lake, run_id)
    dataset = folder.split("/", 2)[2]
    names = {
        "RawDatabase": os.environ["RAW_DATABASE"],
        "LakeBucket": lake,
        "SourcePlace": f"{lake}/{increments.INCOMING}source",
        "folder": folder,
        "try": "<try>",  # the state fills it in (tasks/mapping.py)
        "dropped": ", ".join(f"'{one}'" for one in plan["dropped"] or [""]),
        **before(mapping["statements"], plan["mapped"], f"s3://{lake}/{folder}/nothing/"),
    }
    return {
        "sha256": mapping["sha256"],
        "folder": folder,
        "rows": of_kinds,
        "statements": [
            {
                "name": statement["name"],
                "sql": filled(statement["sql"], names),
                "folder": folder,
                "table": statement["table"],
                "dataset": statement["table"] and f"{dataset}/{statement['table']}",
            }
            for statement in mapping["statements"]
        ],
    }


def kind_of(key: str, files: Json) -> str | None:
    """Which files of the mapping an object is of: raw/source/<kind>/<name>."""
    place, _, name = key.removeprefix(SOURCE_PREFIX).partition("/")
    return place if key.startswith(SOURCE_PREFIX) and name and place in files else None


def strays(keys: list[str], files: Json) -> list[str]:
    """Objects that no table would read, and kinds of files that have none, in words."""
    accepted = ", ".join(f"{SOURCE_PREFIX}{kind}/" for kind in files)
    found = [
        f"{key}: the mapping does not know it; accepted is what lies below {accepted}"
        for key in keys
        if kind_of(key, files) is None
    ]
    there = {kind_of(key, files) for key in keys}
    return found + [
        f"{SOURCE_PREFIX}{kind}/: no file; the mapping has [files.{kind}]"
        for kind in files
        if kind not in there
    ]


def look_at_new(s3: Any, raw: Json, plan: Json, files: Json) -> dict[str, int]:
    """The rows of each file that is not taken over, by its key. Raises MappingRefused."""
    new = {one["key"] for one in plan["new"]}
    entries = [entry for entry in raw["objects"] if entry["key"] in new]
    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(lambda entry: looked_at(s3, raw["bucket"], entry, files), entries))
    findings = [finding for look in seen for finding in look.findings]
    if findings:
        raise MappingRefused(source_files.told(findings))
    return {entry["key"]: look.rows for entry, look in zip(entries, seen, strict=True)}


def before(statements: list[Json], mapped: Json | None, nothing: str) -> dict[str, str]:
    """Where the last good run's tables are: `was_<table>`; `nothing`, an empty folder, for what is
    not taken over."""
    there = {one["table"]: one["location"] for one in (mapped or {"tables": []})["tables"]}
    tables = [statement["table"] for statement in statements if statement["table"]]
    return {f"was_{table}": there.get(table, nothing) for table in tables}


def looked_at(s3: Any, bucket: str, entry: Json, files: Json) -> source_files.Seen:
    """What an object is, in the version that the manifest names."""
    key, version = entry["key"], entry.get("version_id")
    rules = files[str(kind_of(key, files))]
    if rules["format"] == "parquet":
        return source_files.look(key, ObjectFile(s3, bucket, key, entry["bytes"], version), rules)
    return source_files.look(key, body_of(s3, bucket, key, version), rules)


def twice(objects: list[Json]) -> list[str]:
    """Files with the same bytes: each of their rows would count twice."""
    first: dict[str, str] = {}
    found = []
    for entry in objects:
        same = first.setdefault(entry["sha256"], entry["key"])
        if same != entry["key"]:
            found.append(f"{entry['key']}: it has the same bytes as {same}; delete one of the two")
    return found


def next_folder(s3: Any, bucket: str, run: str) -> str:
    """Where this plan's tables go: Athena writes into an empty folder only, and a run that goes
    back to its plan maps once more."""
    prefix = f"runs/run={run}/mapped/"
    numbers = [
        int(found[1])
        for entry in storage.objects(s3, bucket, prefix)
        if (found := re.match(r"(\d+)/", entry["Key"].removeprefix(prefix)))
    ]
    return f"{prefix}{max(numbers, default=0) + 1}"


def filled(sql: str, names: dict[str, str]) -> str:
    return re.sub(r"\$\{(\w+)\}", lambda match: names[match[1]], sql)

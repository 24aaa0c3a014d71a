"""Plan mapping: the files of the plan are those that the mapping knows, and the statements that
turn them into the five tables have the run's names."""

from __future__ import annotations

import json
import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from executions.s3 import ObjectFile, body_of
from tasks.functions import source_files, storage

Json = dict[str, Any]

# Written while packaging: the mapping of this deployment, as rules and SQL.
MAPPING = Path(__file__).resolve().parents[2] / "mapping.json"
SOURCE_PREFIX = f"{storage.RAW_PREFIX}source/"


class MappingRefused(Exception):
    """Files that are not as the mapping says: each with line, column and what is there."""


def handler(event: Json, context: Any) -> Json:
    """`event`: {run}. Answers {sha256 (the mapping's), folder, rows (of each kind of file),
    statements: [{name, sql, folder, dataset (that it fills, or "")}]}; without statements the raw
    files are the five tables as they are. Raises MappingRefused."""
    import boto3

    mapping = deployed()
    if not mapping["statements"]:
        return {"sha256": mapping["sha256"], "folder": None, "rows": {}, "statements": []}
    s3 = boto3.client("s3")
    raw = storage.manifest(s3, event["run"])
    files: Json = mapping["files"]
    findings = strays([entry["key"] for entry in raw["objects"]], files)
    rows = dict.fromkeys(files, 0)
    if not findings:
        with ThreadPoolExecutor(8) as pool:
            seen = list(pool.map(lambda e: looked_at(s3, raw["bucket"], e, files), raw["objects"]))
        findings = [finding for look in seen for finding in look.findings]
        findings += twice(raw["objects"])
        for entry, look in zip(raw["objects"], seen, strict=True):
            rows[str(kind_of(entry["key"], files))] += look.rows
    if findings:
        raise MappingRefused(source_files.told(findings))
    folder = next_folder(s3, os.environ["LAKE_BUCKET"], event["run"]["id"])
    dataset = folder.split("/", 2)[2]
    names = {
        "RawDatabase": os.environ["RAW_DATABASE"],
        "LakeBucket": os.environ["LAKE_BUCKET"],
        "SourcePlace": f"{raw['bucket']}/{SOURCE_PREFIX.rstrip('/')}",
        "folder": folder,
        "try": "<try>",  # the state fills it in (tasks/mapping.py)
    }
    return {
        "sha256": mapping["sha256"],
        "folder": folder,
        "rows": rows,
        "statements": [
            {
                "name": statement["name"],
                "sql": filled(statement["sql"], names),
                "folder": folder,
                "dataset": statement["table"] and f"{dataset}/{statement['table']}",
            }
            for statement in mapping["statements"]
        ],
    }


def deployed() -> Json:
    """The deployment's mapping: {sha256, files, statements, checks}."""
    found: Json = json.loads(MAPPING.read_text())
    return found


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

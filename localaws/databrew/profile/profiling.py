"""A profile run: a sample of a dataset, its profile, and the report of its rulesets, as files."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import duckdb

from localaws.databrew import reading
from localaws.databrew.profile import report, validation
from localaws.databrew.source import Source
from localaws.shapes import Json

SAMPLE = "sampled"


def run(request: Json, folder: Path, connection: duckdb.DuckDBPyConnection) -> Json:
    """`files` (file, bucket, key), the profile first, and the state of each ruleset."""

    def query(sql: str) -> list[tuple[Any, ...]]:
        return connection.execute(sql).fetchall()

    source = Source.from_json(request["source"])
    found = reading.relation(source, (), query, folder)
    sample = request["sample"]
    limit = f" LIMIT {int(sample['Size'])}" if sample["Mode"] == "CUSTOM_ROWS" else ""
    query(f"CREATE TEMP TABLE {SAMPLE} AS {found.sql}{limit}")

    bucket, prefix = request["location"]["Bucket"], request["location"].get("Key", "")
    stem = f"{prefix}{source.name}_{request['run'].removeprefix('db_')}"
    key = f"{stem}.json"
    profile = report.profile(SAMPLE, found.columns, request, f"s3://{bucket}/{key}", query)
    files = [_write(folder / "profile.json", bucket, key, profile)]
    states = {}
    if request["rulesets"]:
        key = f"{stem}_dq-validation-report.json"
        checks = validation.validate(SAMPLE, found.columns, request, f"s3://{bucket}/{key}", query)
        files.append(_write(folder / "report.json", bucket, key, checks))
        states = {each["name"]: each["status"] for each in checks["rulesetResults"]}
    return {"files": files, "rulesets": states}


def _write(file: Path, bucket: str, key: str, document: Json) -> Json:
    file.write_text(json.dumps(_plain(document), default=str))
    return {"file": str(file), "bucket": bucket, "key": key}


def _plain(value: Any) -> Any:
    """JSON has no NaN and no infinity: they stand there as texts."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value

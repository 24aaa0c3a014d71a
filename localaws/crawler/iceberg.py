"""Iceberg targets: a table of the catalog for each folder of Iceberg's metadata below a path.

https://docs.aws.amazon.com/glue/latest/webapi/API_IcebergTarget.html; how many folders a depth
counts is GUESSED: those from the path to the folder `metadata`, that one too.
"""

from __future__ import annotations

import re

from localaws.core.aws import LocalAws
from localaws.core.jobs.failures import OutOfMemory, WorkFailed
from localaws.core.jobs.job import Job, JobFailed
from localaws.crawler.tables import crawled_parameters
from localaws.crawler.writing import Found
from localaws.s3.objects import split_uri
from localaws.shapes import Json, ObjectFile
from localaws.tables.exclusions import excluded

WORK = "localaws.crawler.iceberg_work:described"
DEEPEST = 20
DEFAULT_DEPTH = 10  # the console's
# Of a Hadoop table `v3.metadata.json`, of others `00003-<uuid>.metadata.json`.
_FILE = re.compile(r"(?:(.*)/)?metadata/v?(\d+)[^/]*\.metadata\.json")


def root(path: str) -> str:
    return f"{path.rstrip('/')}/"


def tables(aws: LocalAws, crawler: str, target: Json, job: Job) -> list[Found]:
    """Raises JobFailed for metadata that is not Iceberg's."""
    return [
        found
        for path in target.get("Paths") or []
        for found in _below(aws, crawler, root(path), target, job)
    ]


def _below(aws: LocalAws, crawler: str, path: str, target: Json, job: Job) -> list[Found]:
    bucket, prefix = split_uri(path)
    is_excluded = excluded(target.get("Exclusions") or [])
    deepest = target.get("MaximumTraversalDepth") or DEFAULT_DEPTH
    latest: dict[str, tuple[int, list[ObjectFile]]] = {}
    for stored in aws.objects.read(bucket, prefix):
        below = stored.key.removeprefix(prefix)
        named = _FILE.fullmatch(below)
        if named is None or below.count("/") > deepest:
            continue
        if is_excluded(below):
            continue
        folder, number = named[1] or "", int(named[2])
        highest, files = latest.get(folder, (-1, []))
        if number > highest:
            latest[folder] = number, [stored]
        elif number == highest:
            files.append(stored)
    request = {
        "tables": [
            [{"path": each.path, "uri": f"s3://{bucket}/{each.key}"} for each in files]
            for _, files in latest.values()
        ]
    }
    try:
        described = aws.workers.perform(job, WORK, request) if latest else []
    except (OutOfMemory, WorkFailed) as error:
        raise JobFailed(error.message) from error
    return [
        Found(f"{path}{folder}".rstrip("/").rpartition("/")[2], _table(crawler, each))
        for folder, each in zip(latest, described, strict=True)
    ]


def _table(crawler: str, described: Json) -> Json:
    """TableInput, without a name, as Iceberg's GlueCatalog has it, and the crawler's mark."""
    parameters = {"table_type": "ICEBERG", "metadata_location": described["uri"]}
    return {
        "Name": "",
        "Owner": "owner",
        "TableType": "EXTERNAL_TABLE",
        "Parameters": crawled_parameters(crawler, parameters),
        "PartitionKeys": [],
        "StorageDescriptor": {
            "Columns": described["columns"],
            "Location": described["location"].rstrip("/"),
        },
    }

"""The clean rows of a run: the partitions that it took over, and those that its recipes wrote.

Together they are the tables cleaned_orders_<run> and cleaned_order_products_<run>, and the run's
ledger, which the next run takes over from.
"""

from __future__ import annotations

from typing import Any

from tasks.functions import increments, mapped_parts, storage

Json = dict[str, Any]

MOST_AT_ONCE = 100  # partitions of a BatchCreatePartition
MOST_DELETED = 25  # of a BatchDeletePartition
PARTITION = "object="


class CleanDataUnlike(Exception):
    """The recipes wrote other partitions than those that were to be cleaned."""


def rows_key(run_id: str) -> str:
    """Where Check raw data (Plan mapping, of a shop's own files) notes the rows of each object that
    it has looked at."""
    return f"runs/run={run_id}/rows.json"


def gather(clients: Any, bucket: str, database: str, run_id: str, mapped: bool) -> list[Json]:
    """Gives the run's two tables their partitions; these, as the ledger has them. Raises
    CleanDataUnlike."""
    s3 = clients("s3")
    plan = planned(s3, bucket, run_id, mapped)
    partitions = [*plan["taken"]]
    for table in increments.GROWING:
        written = files(s3, bucket, run_id, table)
        of_table = [entry for entry in plan["new"] if entry["table"] == table]
        partitions += [
            {
                **entry,
                "run": run_id,
                "location": f"s3://{bucket}/{_folder(run_id, table)}object={entry['object']}/",
                "files": written.pop(entry["object"], []),
            }
            for entry in of_table
        ]
        if written:
            raise CleanDataUnlike(
                f"{_folder(run_id, table)} has rows of {', '.join(sorted(written)[:5])}, which are"
                " no objects of this run's plan: another run has changed incoming/ meanwhile."
            )
        own = [one for one in partitions if one["table"] == table and one["files"]]
        define(clients("glue"), database, f"cleaned_{table}_{run_id}", own)
    return partitions


def planned(s3: Any, bucket: str, run_id: str, mapped: bool) -> Json:
    """{new, taken}: what is to be cleaned, with its rows, and the partitions that are there."""
    if mapped:
        parts: Json = storage.read_json(s3, bucket, mapped_parts.parts_key(run_id))
        return parts
    plan = storage.read_json(s3, bucket, increments.plan_key(run_id))
    rows = storage.read_json(s3, bucket, rows_key(run_id))
    new = [{**entry, "rows": rows.get(entry["key"])} for entry in plan["new"]]
    return {"new": new, "taken": plan["taken"]}


def write_ledger(
    s3: Any, bucket: str, run_id: str, code: str, partitions: list[Json], mapping: Json
) -> None:
    """`mapping` as the state has it; the ledger's `mapped` is null without statements."""
    document: Json = {"run": run_id, "code": code, "partitions": partitions, "mapped": None}
    if mapping.get("statements"):
        rows = storage.read_json(s3, bucket, rows_key(run_id))
        document["mapped"] = mapped_parts.for_ledger(s3, bucket, run_id, mapping, rows)
    storage.write_json(s3, bucket, increments.ledger_key(run_id), document)


def files(s3: Any, bucket: str, run_id: str, table: str) -> dict[str, list[Json]]:
    """What the recipe wrote, by partition: [{key, etag}]."""
    found: dict[str, list[Json]] = {}
    folder = _folder(run_id, table)
    for entry in storage.objects(s3, bucket, folder):
        place, _, name = entry["Key"].removeprefix(folder).partition("/")
        if place.startswith(PARTITION) and not storage.is_hidden(name):
            file = {"key": entry["Key"], "etag": entry["ETag"].strip('"')}
            found.setdefault(place.removeprefix(PARTITION), []).append(file)
    return found


def define(glue: Any, database: str, table: str, partitions: list[Json]) -> None:
    """Makes these the table's partitions, whatever an earlier try has left."""
    place = {"DatabaseName": database, "TableName": table}
    described = glue.get_table(DatabaseName=database, Name=table)["Table"]["StorageDescriptor"]
    pages = glue.get_paginator("get_partitions").paginate(**place)
    there = {
        one["Values"][0]: one["StorageDescriptor"]["Location"]
        for page in pages
        for one in page["Partitions"]
    }
    wanted = {one["object"]: one["location"] for one in partitions}
    old = [value for value, location in there.items() if wanted.get(value) != location]
    for first in range(0, len(old), MOST_DELETED):
        some = [{"Values": [value]} for value in old[first : first + MOST_DELETED]]
        _all_done(glue.batch_delete_partition(**place, PartitionsToDelete=some))
    new = [value for value, location in wanted.items() if there.get(value) != location]
    for first in range(0, len(new), MOST_AT_ONCE):
        inputs = [
            {"Values": [value], "StorageDescriptor": {**described, "Location": wanted[value]}}
            for value in new[first : first + MOST_AT_ONCE]
        ]
        _all_done(glue.batch_create_partition(**place, PartitionInputList=inputs))


def _all_done(answer: Json) -> None:
    if answer.get("Errors"):
        raise CleanDataUnlike(f"Glue did not take every partition: {answer['Errors'][:3]}")


def _folder(run_id: str, table: str) -> str:
    return f"runs/run={run_id}/cleaned/{table}/"

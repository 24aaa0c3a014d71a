"""What a run takes over from the last good one, and what it reads anew.

Orders and their lines are checked and cleaned raw object by raw object: what became of one lies in
a partition that is named after the object's key and bytes, below the run that cleaned it. A run's
ledger lists the partitions that its tables are made of. The next run takes those over whose objects
are still there; what is new, or has other bytes now, it copies to `incoming/`, which is what the
crawler, the checks and the recipes read. Nothing of an earlier run is changed, so a run that fails
leaves everything as it was.

The other three tables are small, and read by the features as they came: they are read anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from boto3.s3.transfer import TransferConfig

from tasks.functions import storage

Json = dict[str, Any]

GROWING = ("orders", "order_products")
INCOMING = "incoming/"
MOST_DROPPED = 500  # partitions of the last run's that a check's SQL leaves out by name
COPIES_AT_ONCE = 8
# Of a recipe job: two, as Spark has a driver and a worker; DataBrew's default for half a gigabyte.
FEWEST_NODES, MOST_NODES, BYTES_A_NODE = 2, 5, 150_000_000
LARGEST_COPY = 5 * 1024**3  # of one CopyObject; what is larger is copied in parts


def table_of(key: str) -> str | None:
    """The table whose folder below raw/ the object is in; of a shop's own files source/<kind>."""
    folder, slash, rest = key.removeprefix(storage.RAW_PREFIX).partition("/")
    if folder == "source":
        kind, slash, _ = rest.partition("/")
        folder = f"source/{kind}"
    return folder if slash else None


def grows(table: str | None) -> bool:
    """Whether its objects are taken over."""
    return table is not None and (table in GROWING or table.startswith("source/"))


def object_id(entry: Json) -> str:
    """The name of the partition of a raw object as it is now. A letter first: a crawler takes what
    is all digits for a number."""
    named = f"{entry['key']}\n{entry['sha256']}"
    return "o" + hashlib.sha256(named.encode()).hexdigest()[:24]


def ledger_key(run_id: str) -> str:
    return f"runs/run={run_id}/ledger.json"


def plan_key(run_id: str) -> str:
    return f"runs/run={run_id}/increment.json"


def ledger(clients: Any, bucket: str, database: str, run_id: str, code: str) -> Json | None:
    """The ledger of a run that went well, if it was made by the code that cleans today and its
    tables are still in the catalog."""
    s3, glue, key = clients("s3"), clients("glue"), ledger_key(run_id)
    if not any(entry["Key"] == key for entry in storage.objects(s3, bucket, key)):
        return None
    found: Json = storage.read_json(s3, bucket, key)
    if found["code"] != code:
        return None
    try:
        for table in GROWING:
            glue.get_table(DatabaseName=database, Name=f"cleaned_{table}_{run_id}")
    except glue.exceptions.EntityNotFoundException:
        return None
    return found


def cleaning_code(build: bytes) -> str:
    """SHA-256 of what decides how a raw object is looked at, checked and cleaned."""
    made = json.loads(build or b"{}")
    parts = ("databrew_recipes/clean_", "sql/checks/", "sql/tables/cleaned_", "tasks/functions/")
    files = {
        path: sha256 for path, sha256 in made.get("files", {}).items() if path.startswith(parts)
    }
    decisive = {"files": files, "mapping": made.get("mapping_sql_sha256")}
    return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()


def divided(raw: Iterable[Json], partitions: Iterable[Json]) -> tuple[list[Json], list[Json]]:
    """(raw objects to read anew, partitions to take over).

    A growing table has something to read anew in any case, its smallest object: a crawler makes no
    table of nothing, and a recipe takes none.
    """
    there = {partition["object"]: partition for partition in partitions}
    new: list[Json] = []
    taken: list[Json] = []
    entries = [entry for entry in raw if table_of(entry["key"]) is not None]
    for entry in entries:
        known = grows(table_of(entry["key"])) and there.get(object_id(entry))
        (taken if known else new).append(known or entry)
    for table in GROWING:
        of_table = [entry for entry in entries if table_of(entry["key"]) == table]
        if of_table and not any(table_of(entry["key"]) == table for entry in new):
            smallest = min(of_table, key=lambda entry: (entry["bytes"], entry["key"]))
            new.append(smallest)
            taken = [one for one in taken if one["object"] != object_id(smallest)]
    return new, taken


def plan(clients: Any, buckets: Json, run_id: str, raw: list[Json], known: Json | None) -> Json:
    """Copies what is new to incoming/, and writes the run's plan_key: {from (run, or null), new
    [{object, table, key, sha256}], taken [partition; of a shop's own files {object, table, key,
    sha256, rows, run}], dropped (ids of what the run `from` has and this one does not take over),
    mapped (what of the run `from` a mapping goes on with: clean_data.write_ledger; or null),
    incoming [{key, etag, bytes}]}. Answers its figures.

    `buckets`: {raw, lake}; `known`: the ledger of the last good run, if it may be taken over."""
    s3 = clients("s3")
    mapped = known and known.get("mapped")
    before, there = known_objects(s3, buckets["lake"], known)
    new, taken = divided(raw, there)
    kept = {partition["object"] for partition in taken}
    dropped = sorted(one["object"] for one in before if one["object"] not in kept)
    if len(dropped) > MOST_DROPPED:
        new, taken = divided(raw, [])
    if not taken:
        known, mapped, dropped = None, None, []
    copy(s3, buckets, new)
    document = {
        "from": known and known["run"],
        "new": [
            {"object": object_id(one), "table": table_of(one["key"]), **_named(one)} for one in new
        ],
        "taken": taken,
        "dropped": dropped,
        "mapped": known and mapped and {"tables": mapped["tables"], "parts": known["partitions"]},
        "incoming": incoming(s3, buckets["lake"]),
    }
    written = storage.write_json(s3, buckets["lake"], plan_key(run_id), document)
    new_bytes = sum(entry["bytes"] for entry in new)
    return {
        "uri": written["uri"],
        "sha256": written["sha256"],
        "from": document["from"],
        "taken_objects": len(taken),
        "new_objects": len(new),
        "new_bytes": new_bytes,
        "nodes": min(MOST_NODES, FEWEST_NODES + new_bytes // BYTES_A_NODE),
    }


def known_objects(s3: Any, bucket: str, known: Json | None) -> tuple[list[Json], list[Json]]:
    """(what the last run is made of, what of it is there as it was). Of what was mapped, rows of
    any object may stand in any part: it is there as a whole, or none of it is."""
    if known is None:
        return [], []
    mapped = known.get("mapped") or {"tables": []}
    of_run = [*known["partitions"], *mapped["tables"]]
    there = standing(s3, bucket, of_run)
    if not known.get("mapped"):
        return of_run, there
    return (mapped["objects"], mapped["objects"]) if len(there) == len(of_run) else ([], [])


def standing(s3: Any, bucket: str, partitions: list[Json]) -> list[Json]:
    """The partitions whose files are all there as they were written."""
    runs = sorted({partition["run"] for partition in partitions})

    def files(run: str) -> dict[str, str]:
        folders = ("cleaned", "mapped")
        listed = (storage.objects(s3, bucket, f"runs/run={run}/{folder}/") for folder in folders)
        return {entry["Key"]: entry["ETag"].strip('"') for found in listed for entry in found}

    with ThreadPoolExecutor(COPIES_AT_ONCE) as pool:
        there = {key: etag for found in pool.map(files, runs) for key, etag in found.items()}
    return [
        partition
        for partition in partitions
        if all(there.get(file["key"]) == file["etag"] for file in partition["files"])
    ]


def copy(s3: Any, buckets: Json, entries: list[Json]) -> None:
    """incoming/ holds these raw objects, each in the version of the plan, and nothing else."""

    def delete(entry: Json) -> None:
        s3.delete_object(Bucket=buckets["lake"], Key=entry["Key"])

    def one(entry: Json) -> None:
        source = {"Bucket": buckets["raw"], "Key": entry["key"]}
        if entry.get("version_id"):
            source["VersionId"] = entry["version_id"]
        name = entry["key"].rpartition("/")[2]
        key = f"{INCOMING}{table_of(entry['key'])}/object={object_id(entry)}/{name}"
        config = TransferConfig(multipart_threshold=LARGEST_COPY, use_threads=False)
        s3.copy(source, buckets["lake"], key, Config=config)

    with ThreadPoolExecutor(COPIES_AT_ONCE) as pool:
        list(pool.map(delete, storage.objects(s3, buckets["lake"], INCOMING)))
        list(pool.map(one, entries))


def incoming(s3: Any, bucket: str) -> list[Json]:
    return [
        {"key": entry["Key"], "etag": entry["ETag"].strip('"'), "bytes": entry["Size"]}
        for entry in storage.objects(s3, bucket, INCOMING)
    ]


def taken_over(partitions: Iterable[Mapping[str, Any]]) -> list[Json]:
    """[{run, objects: [{key, sha256, rows}]}]: which objects were read by which earlier run."""
    by_run: dict[str, list[Json]] = {}
    for partition in partitions:
        entry = {name: partition[name] for name in ("key", "sha256", "rows")}
        by_run.setdefault(partition["run"], []).append(entry)
    return [{"run": run, "objects": found} for run, found in sorted(by_run.items())]


def _named(entry: Json) -> Json:
    return {"key": entry["key"], "sha256": entry["sha256"]}

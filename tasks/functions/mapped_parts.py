"""What of a mapped shop's orders and lines is cleaned, and what is taken over.

Mapping has named the parts (configuration/mapping/staging.py): the rows of a raw object, by a
digest of them. A part that the last good run has cleaned is taken over; so an order whose number
changes, because an earlier one came late, is cleaned anew, with its object's other rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from tasks.functions import increments, storage

Json = dict[str, Any]

MAPPED = "mapped/"


def parts_key(run_id: str) -> str:
    """{new, taken} of this run: of new ones {object, table, key, sha256, rows}, the others as the
    ledger has them."""
    return f"runs/run={run_id}/parts.json"


def decide(ask: Callable[[str], Iterable[Json]], increment: Json) -> Json:
    """{new, taken}. `ask` answers an Athena statement; `increment` is the run's plan."""
    before = (increment["mapped"] or {"parts": []})["parts"]
    known = {(part["table"], part["object"]): part for part in before}
    raw = {one["object"]: one for one in (*increment["new"], *increment["taken"])}
    selects = (
        f"SELECT '{table}' AS name, object, raw_object, rows_found, is_new"
        f" FROM ${{RawDatabase}}.parts_{table}"
        for table in increments.GROWING
    )
    new: list[Json] = []
    taken: list[Json] = []
    for row in ask(" UNION ALL ".join(selects)):
        if not row["is_new"]:
            taken.append(known[row["name"], row["object"]])
            continue
        of_file = raw[row["raw_object"]]
        part = {"object": row["object"], "table": row["name"], "rows": int(row["rows_found"])}
        new.append({**part, "key": of_file["key"], "sha256": of_file["sha256"]})
    return {"new": new, "taken": taken}


def for_ledger(s3: Any, bucket: str, run_id: str, mapping: Json, rows: dict[str, int]) -> Json:
    """{objects, tables}: the raw objects that are mapped, and the run's tables that the next one
    reads. `rows` of each new file's key."""
    plan = storage.read_json(s3, bucket, increments.plan_key(run_id))
    objects = [
        *plan["taken"],
        *({**one, "rows": rows[one["key"]], "run": run_id} for one in plan["new"]),
    ]
    tables = []
    for statement in mapping["statements"]:
        dataset = statement["dataset"]
        name = statement["table"]
        if dataset and name.startswith(("staged_", "parts_")):
            folder = f"runs/run={run_id}/{dataset}/"
            files = [
                {"key": entry["Key"], "etag": entry["ETag"].strip('"')}
                for entry in storage.objects(s3, bucket, folder)
            ]
            place = f"s3://{bucket}/{folder}"
            tables.append({"table": name, "run": run_id, "location": place, "files": files})
    return {"objects": objects, "tables": tables}

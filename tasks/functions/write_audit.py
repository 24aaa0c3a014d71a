"""Write audit record: which data, code and numbers made this run end as it did.

One JSON document an execution, under the lake's audit/; docs/audit.md describes every member.
"""

from __future__ import annotations

import json
import os
import tempfile
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from executions import hashes
from executions.clients import Clients
from executions.events import all_events
from executions.history import History, recorded
from tasks.functions import jobs, storage

Json = dict[str, Any]

SCHEMA_VERSION = 1
SPOOL_BYTES = 64 * 1024 * 1024
AUDIT_PREFIX = "audit/"
# Written while packaging: hashes of the SQL, recipes and code that this deployment consists of.
BUILD = Path(__file__).resolve().parents[2] / "build.json"
# Outputs of the run, by the folder below its prefix.
DATASETS = (
    "clean/orders",
    "clean/order_products",
    "features/order_products_prior",
    "features/user_features",
    "features/user_product_features",
    "features/product_features",
    "sets/training",
    "sets/validation",
    "sets/holdout",
    "sets/scoring",
    "evaluation",
)


def handler(event: Json, context: Any) -> Json:
    """`event`: {execution ($$.Execution), state_machine, state}. Answers {uri, sha256, bytes}."""
    clients = Clients()
    bucket = os.environ["LAKE_BUCKET"]
    s3 = clients("s3")
    record = assemble(event, clients, bucket, datetime.now(timezone.utc))
    record["previous"] = previous(s3, bucket)
    run = record["run"] or {"id": hashes.of_text(event["execution"]["Id"])}
    started = record["execution"]["started_at"].replace(":", "").replace("-", "")[:15]
    return storage.write_json(s3, bucket, f"{AUDIT_PREFIX}{started}_{run['id']}.json", record)


def assemble(event: Json, clients: Any, bucket: str, now: datetime) -> Json:
    """The record, without its link to the one before."""
    state = event["state"] if isinstance(event["state"], dict) else {}
    run = state.get("run")
    arn = event["execution"]["Id"]
    step_functions = clients("stepfunctions")
    events = list(all_events(step_functions, arn))
    history = History(events)
    visited = [recorded(visit) for visit in history.visits]
    for visit in visited:
        if visit["job"] is not None:
            visit["figures"] = _figures(clients, visit)
    failure = state.get("failure")
    checks = (state.get("checks") or {}).get("answer")
    s3 = clients("s3")
    prefix = f"runs/run={run['id']}/" if run else None
    evaluation = _evaluation(s3, bucket, prefix) if prefix else None
    return {
        "schema_version": SCHEMA_VERSION,
        "written_at": now.isoformat(timespec="milliseconds"),
        "status": "FAILED" if failure else "SUCCEEDED",
        "outcome": outcome(state),
        "error": (failure or {}).get("Error"),
        "cause": (failure or {}).get("Cause"),
        "failed_state": _failed_state(visited, failure) if failure else None,
        "execution": _execution(step_functions, arn, event, events),
        "run": run,
        "trigger": run["trigger"] if run else None,
        "inputs": _inputs(s3, bucket, prefix) if run else [],
        "checks": checks,
        "states": visited,
        "outputs": outputs(s3, bucket, prefix) if prefix else [],
        "code": json.loads(BUILD.read_text()) if BUILD.exists() else None,
        "hyperparameters": (evaluation or {}).get("hyperparameters"),
        "versions": (evaluation or {}).get("versions"),
        "metrics": evaluation and {k: evaluation[k] for k in ("challenger", "champion")},
        "gate": (state.get("judgement") or {}).get("answer"),
        "model": _model(s3, state),
        "endpoint": _endpoint(clients, state),
        "smoke_test": (state.get("smoke_test") or {}).get("answer"),
        "cost_inputs": jobs.cost_inputs(visited, checks, history.transitions),
    }


def outcome(state: Json) -> str:
    """What came of the run, in words: one of five."""
    run = state.get("run") or {}
    if state.get("failure"):
        return "failed"
    if run.get("nothing_new"):
        return "nothing new"
    judgement = (state.get("judgement") or {}).get("answer")
    if judgement is None:
        return "features only"  # the input said not to train
    return "published" if judgement["publish"] else "not better"


def _execution(step_functions: Any, arn: str, event: Json, events: list[Json]) -> Json:
    deployed = step_functions.describe_state_machine_for_execution(executionArn=arn)
    started = events[0].get("executionStartedEventDetails", {})
    return {
        "arn": arn,
        "name": event["execution"]["Name"],
        "started_at": event["execution"]["StartTime"],
        "input": event["execution"]["Input"],
        "state_machine": event["state_machine"]["Id"],
        "state_machine_version": started.get("stateMachineVersionArn"),
        "state_machine_alias": started.get("stateMachineAliasArn"),
        # As written in the repository, and as this account runs it with its names filled in.
        "definition_sha256": os.environ.get("DEFINITION_SHA256"),
        "deployed_definition_sha256": hashes.of_text(deployed["definition"]),
    }


def _figures(clients: Any, visit: Json) -> Json:
    """The job's figures; `look_up_error` instead when its service does not know it any more."""
    from botocore.exceptions import ClientError

    try:
        return jobs.look_up(clients, visit["job"], visit["request"])
    except ClientError as error:
        return {"look_up_error": str(error)}


def _failed_state(visited: list[Json], failure: Json) -> str | None:
    """The state whose last attempt ended in this failure, or the last one before the audit: a
    state that noted the failure itself, without an attempt.

    Other states may have failed attempts too: those whose failure was expected and dealt with.
    """
    for visit in reversed(visited):
        last = visit["attempts"][-1] if visit["attempts"] else {}
        if last.get("status") == "timed out" and failure.get("Error") == "States.Timeout":
            return str(visit["state"])
        if last.get("status") == "failed" and (last["error"], last["cause"]) == (
            failure.get("Error"),
            failure.get("Cause"),
        ):
            return str(visit["state"])
    before_audit = [visit["state"] for visit in visited if visit["state"] != "Write audit record"]
    return before_audit[-1] if before_audit else None


def _inputs(s3: Any, bucket: str, prefix: str | None) -> list[Json]:
    found: list[Json] = storage.read_json(s3, bucket, f"{prefix}manifest.json")["objects"]
    return found


def outputs(s3: Any, bucket: str, prefix: str) -> list[Json]:
    """Per dataset: {dataset, rows (Parquet only), bytes, objects: [{key, rows, bytes, etag,
    version_id, sha256}]}; datasets that this run did not reach are left out."""
    found = []
    for dataset in DATASETS:
        entries = [
            _output(s3, bucket, entry)
            for entry in storage.objects(s3, bucket, f"{prefix}{dataset}/")
            if not entry["Key"].rsplit("/", 1)[1].startswith((".", "_"))
        ]
        if entries:
            rows = [entry["rows"] for entry in entries if entry["rows"] is not None]
            found.append(
                {
                    "dataset": dataset,
                    "rows": sum(rows) if rows else None,
                    "bytes": sum(entry["bytes"] for entry in entries),
                    "objects": entries,
                }
            )
    return found


def _output(s3: Any, bucket: str, entry: Json) -> Json:
    """Reads the object once: hashed as it streams, its Parquet footer looked at afterwards."""
    answer = s3.get_object(Bucket=bucket, Key=entry["Key"])
    rows = None
    with tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES) as copy:
        parquet = entry["Key"].endswith(".parquet") or "features/" in entry["Key"]
        sha256 = hashes.of_body(answer["Body"], copy)
        if parquet:
            from pyarrow import parquet as pq

            copy.seek(0)
            rows = pq.ParquetFile(copy).metadata.num_rows
    return {
        "key": entry["Key"],
        "version_id": answer.get("VersionId"),
        "etag": entry["ETag"].strip('"'),
        "bytes": entry["Size"],
        "rows": rows,
        "sha256": sha256,
    }


def _evaluation(s3: Any, bucket: str, prefix: str) -> Json | None:
    """evaluation.json, if the run got that far."""
    key = f"{prefix}evaluation/evaluation.json"
    if not any(entry["Key"] == key for entry in storage.objects(s3, bucket, key)):
        return None
    found: Json = storage.read_json(s3, bucket, key)
    return found


def _model(s3: Any, state: Json) -> Json | None:
    uri = (state.get("training") or {}).get("model_uri")
    if uri is None:
        return None
    bucket, key = uri.removeprefix("s3://").split("/", 1)
    if key not in (entry["Key"] for entry in storage.objects(s3, bucket, key)):
        unknown = dict.fromkeys(("version_id", "etag", "bytes", "sha256"))
        return {"uri": uri, "key": key, **unknown}  # it was there, and is gone
    return {"uri": uri, **storage.describe(s3, bucket, key)}


def _endpoint(clients: Any, state: Json) -> Json | None:
    """The configuration and model behind the endpoint before the run and now."""
    before = (state.get("live") or {}).get("answer")
    if before is None:
        return None
    from tasks.functions.pin_live_model import find

    name = os.environ["ENDPOINT_NAME"]
    return {"name": name, "before": before, "after": find(clients("sagemaker"), name)}


def previous(s3: Any, bucket: str) -> Json | None:
    """The newest record so far: {key, sha256}. Each record so seals the one before it."""
    newest = max(
        storage.objects(s3, bucket, AUDIT_PREFIX),
        key=lambda entry: (entry["LastModified"], entry["Key"]),
        default=None,
    )
    if newest is None:
        return None
    return {
        "key": newest["Key"],
        "sha256": storage.describe(s3, bucket, newest["Key"])["sha256"],
    }

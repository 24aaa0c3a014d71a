"""Write audit record: which data, code and numbers made a run end as it did.

One JSON document for each end of an execution, under the lake's audit/; docs/audit.md describes
every member. The last state of a run that goes well calls this, and the event of every other end:
what failed, ran out of time or was stopped can call nothing any more. Both ways everything comes
from the execution's history.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from executions import hashes, releases
from executions.clients import Clients
from executions.events import all_events
from executions.history import History, recorded
from executions.s3 import split_uri
from tasks.functions import increments, jobs, storage, tries

Json = dict[str, Any]

SCHEMA_VERSION = 2
FOOTER_BYTES = 64 * 1024 * 1024  # of a Parquet file at most; those of runs have some kilobytes
# Written while packaging: hashes of the SQL, recipes and code that this deployment consists of.
BUILD = Path(__file__).resolve().parents[2] / "build.json"
# Outputs of the run, by the folder below its prefix.
DATASETS = (
    "cleaned/orders",
    "cleaned/order_products",
    "clean/orders",
    "clean/order_products",
    "features/order_products_prior",
    "features/product_history",
    "features/user_features",
    "features/user_product_features",
    "features/product_features",
    "features/products",
    "sets/set=training",
    "sets/set=validation",
    "sets/set=holdout",
    "sets/set=scoring",
    "evaluation",  # with the next baskets
)


def handler(event: Json, context: Any) -> Json:
    """`event`: {execution_arn}, from the last state; or EventBridge's "Step Functions Execution
    Status Change". Answers {uri, sha256, bytes}.

    However often it is called for an end, the record is written once: later calls find it there.
    """
    clients = Clients()
    bucket = os.environ["LAKE_BUCKET"]
    s3 = clients("s3")
    arn, redrives = asked(event)
    record = assemble(arn, redrives, clients, bucket, datetime.now(timezone.utc))
    record["previous"] = previous(s3, bucket)
    return storage.write_json_once(s3, bucket, key_of(record), record)


def asked(event: Json) -> tuple[str, int | None]:
    """(execution's ARN, how many redrives there were before its end); None: it is just ending."""
    if "detail" in event:
        return event["detail"]["executionArn"], event["detail"].get("redriveCount") or 0
    return event["execution_arn"], None


def key_of(record: Json) -> str:
    """Of the same end always the same: `audit/<started>_<run>.json`, then `..._2.json`."""
    execution = record["execution"]
    run = record["run"] or {"id": hashes.of_text(execution["arn"])}
    started = execution["started_at"].replace(":", "").replace("-", "")[:15]
    number = len(record["tries"])
    suffix = "" if number == 1 else f"_{number}"
    return f"{storage.AUDIT_PREFIX}{started}_{run['id']}{suffix}.json"


class Gathering:
    """Looks for what belongs into a record. After a failure anything may be gone: the record is
    written then, and says what it lacks. A run that went well has everything, or its record fails
    it (`all_or_nothing`)."""

    def __init__(self, *, all_or_nothing: bool) -> None:
        self.gaps: list[Json] = []
        self._all_or_nothing = all_or_nothing

    def __call__(self, member: str, look: Callable[[], Any]) -> Any:
        """What `look` finds; None for a gap."""
        try:
            return look()
        except (ClientError, ValueError, KeyError) as error:
            if self._all_or_nothing:
                raise
            self.gaps.append({"member": member, "error": f"{type(error).__name__}: {error}"})
            return None


def assemble(arn: str, redrives: int | None, clients: Any, bucket: str, now: datetime) -> Json:
    """The record of the end after so many redrives (None: of the one that is about to come), but
    for its link to the record before."""
    step_functions = clients("stepfunctions")
    all_tries = tries.tries_of(list(all_events(step_functions, arn)))
    made = all_tries if redrives is None else all_tries[: redrives + 1]
    last = made[-1]
    events = last.events
    told = [_try(entry) for entry in made]
    if redrives is None:
        told[-1]["status"] = "SUCCEEDED"
    state = tries.data_of(events)
    run = state.get("run")
    history = History(events)
    visited = [recorded(visit) for visit in history.visits]
    for visit in visited:
        if visit["job"] is not None:
            visit["figures"] = figures(clients, visit, ended_well=redrives is None)
    checks = (state.get("checks") or {}).get("answer")
    s3 = clients("s3")
    planned = run is not None and "manifest" in run
    prefix = f"runs/run={run['id']}/" if run else None
    reached = Gathering(all_or_nothing=redrives is None)
    execution, definition = _execution(step_functions, arn, events)
    evaluation = reached("metrics", lambda: prefix and _evaluation(s3, bucket, prefix))
    return {
        "schema_version": SCHEMA_VERSION,
        "written_at": now.isoformat(timespec="milliseconds"),
        "status": told[-1]["status"],
        "outcome": outcome(told[-1]["status"], state),
        "error": told[-1]["error"],
        "cause": told[-1]["cause"],
        "failed_state": told[-1]["failed_state"],
        "failed_item": told[-1]["failed_item"],
        "tries": told,
        "execution": execution,
        "run": run,
        "trigger": run["trigger"] if run else None,
        "inputs": reached("inputs", lambda: _inputs(s3, bucket, prefix) if planned else []) or [],
        "taken_over": reached("taken_over", lambda: _taken_over(s3, bucket, run) if run else []),
        "mapping": state.get("mapping"),
        "profiles": state.get("profiles"),
        "checks": checks,
        "states": visited,
        "outputs": reached(
            "outputs", lambda: outputs(s3, bucket, prefix, datasets(state)) if prefix else []
        )
        or [],
        "code": json.loads(BUILD.read_text()) if BUILD.exists() else None,
        "amendments": reached("amendments", lambda: _amendments(s3, definition)) or [],
        "hyperparameters": (evaluation or {}).get("hyperparameters"),
        "tuning": state.get("tuning"),
        "versions": (evaluation or {}).get("versions"),
        "metrics": evaluation and {k: evaluation[k] for k in ("challenger", "champion")},
        "gate": (state.get("judgement") or {}).get("answer"),
        "model": reached("model", lambda: _model(s3, state)),
        "endpoint": reached("endpoint", lambda: _endpoint(clients, state)),
        "smoke_test": (state.get("smoke_test") or {}).get("answer"),
        "cost_inputs": jobs.cost_inputs(visited, checks, run, history.transitions),
        "gaps": reached.gaps,
    }


def _try(entry: tries.Try) -> Json:
    """{number, began_at, ended_at, status, error, cause, failed_state, failed_item} of a try."""
    well = entry.status in ("SUCCEEDED", "RUNNING")
    failed = None if well else tries.failed_visit(entry)
    return {
        "number": entry.number,
        "began_at": entry.began_at.isoformat(timespec="milliseconds"),
        "ended_at": entry.ended_at.isoformat(timespec="milliseconds") if entry.ended_at else None,
        "status": entry.status,
        "error": entry.error,
        "cause": entry.cause,
        "failed_state": failed and failed.state,
        "failed_item": failed and failed.item,
    }


def outcome(status: str, state: Json) -> str:
    """What came of the run, in words: one of seven."""
    if status != "SUCCEEDED":
        return {"FAILED": "failed", "TIMED_OUT": "timed out", "ABORTED": "stopped"}[status]
    if (state.get("run") or {}).get("nothing_new"):
        return "nothing new"
    judgement = (state.get("judgement") or {}).get("answer")
    if judgement is None:
        return "features only"  # the input said not to train
    return "published" if judgement["publish"] else "not better"


def _execution(step_functions: Any, arn: str, events: list[Json]) -> tuple[Json, str]:
    """The member, and the definition's text."""
    deployed = step_functions.describe_state_machine_for_execution(executionArn=arn)
    definition = str(deployed["definition"])
    described = step_functions.describe_execution(executionArn=arn)
    started = events[0].get("executionStartedEventDetails", {})
    began = described["startDate"].astimezone(timezone.utc)
    version = started.get("stateMachineVersionArn")
    member = {
        "arn": arn,
        "name": described["name"],
        "started_at": began.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "input": json.loads(started.get("input") or "null"),
        "state_machine": described["stateMachineArn"],
        "state_machine_version": version,
        "state_machine_alias": started.get("stateMachineAliasArn"),
        # As written in the repository, and as this account runs it with its names filled in.
        "definition_sha256": _as_written(step_functions, version),
        "deployed_definition_sha256": hashes.of_text(definition),
    }
    return member, definition


def _as_written(step_functions: Any, version: str | None) -> str | None:
    """The hash that is the description of the execution's version: this function may be of a later
    deployment, whose own it is told. None where there is no version (any more)."""
    if version is None:
        return os.environ.get("DEFINITION_SHA256")
    try:
        described = step_functions.describe_state_machine(stateMachineArn=version)
    except step_functions.exceptions.StateMachineDoesNotExist:
        return None
    return described.get("description")


def _amendments(s3: Any, definition: str) -> list[Json]:
    release = releases.of_definition(definition, os.environ["CODE_BUCKET"])
    return [] if release is None else releases.amendments(s3, release)


def figures(clients: Any, visit: Json, *, ended_well: bool) -> Json:
    """The job's figures; `look_up_error` instead when its service does not know it any more, or
    after a failure does not tell. Raises ClientError when a run that went well may not look."""
    try:
        return jobs.look_up(clients, visit["job"], visit["request"])
    except ClientError as error:
        if ended_well and error.response["Error"]["Code"].startswith("AccessDenied"):
            raise
        return {"look_up_error": str(error)}


def _inputs(s3: Any, bucket: str, prefix: str | None) -> list[Json]:
    manifest = storage.read_json(s3, bucket, f"{prefix}manifest.json")
    return [{"bucket": manifest["bucket"], **entry} for entry in manifest["objects"]]


def _taken_over(s3: Any, bucket: str, run: Json) -> list[Json]:
    if "increment" not in run:  # it waited, or found nothing new
        return []
    plan = storage.read_json(s3, bucket, increments.plan_key(run["id"]))
    return increments.taken_over(plan["taken"])


def datasets(state: Json) -> tuple[str, ...]:
    """The folders of the run's outputs: a statement that was run again after a redrive has made
    another one than DATASETS says."""
    made = {
        "clean/orders": state.get("orders"),
        "clean/order_products": state.get("order_lines"),
        "features/order_products_prior": state.get("prior"),
        "features/product_history": state.get("history"),
        **{f"features/{name}": of for name, of in (state.get("features") or {}).items()},
    }
    moved = {dataset: (figures or {}).get("folder") for dataset, figures in made.items()}
    mapped = [one["dataset"] for one in (state.get("mapping") or {}).get("statements", [])]
    return (*filter(None, mapped), *(moved.get(dataset) or dataset for dataset in DATASETS))


def outputs(s3: Any, bucket: str, prefix: str, folders: tuple[str, ...]) -> list[Json]:
    """Per dataset: {dataset, rows (Parquet only), bytes, objects: [{key, rows, bytes, etag,
    version_id, sha256}]}; datasets that this run did not reach are left out."""
    found = []
    for dataset in folders:
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


class End:
    """Keeps the last bytes of what is written: all that a reader of a Parquet footer looks at."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept = bytearray()

    def write(self, data: bytes) -> None:
        self._kept += data
        if len(self._kept) > 2 * self._most:
            del self._kept[: -self._most]

    def content(self) -> bytes:
        return bytes(self._kept[-self._most :])


def _output(s3: Any, bucket: str, entry: Json) -> Json:
    """Reads the object once, whatever its size: hashed as it streams, its end kept for the rows."""
    answer = s3.get_object(Bucket=bucket, Key=entry["Key"])
    rows = None
    parquet = any(part in entry["Key"] for part in (".parquet", "/clean/", "features/", "/mapped/"))
    end = End(FOOTER_BYTES)
    sha256 = hashes.of_body(answer["Body"], end if parquet else None)
    if parquet:
        from pyarrow import parquet as pq

        with suppress(ValueError):  # half a file, which a failed try has left
            rows = pq.ParquetFile(io.BytesIO(end.content())).metadata.num_rows
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
    bucket, key = split_uri(uri)
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
        storage.objects(s3, bucket, storage.AUDIT_PREFIX),
        key=lambda entry: (entry["LastModified"], entry["Key"]),
        default=None,
    )
    if newest is None:
        return None
    return {
        "key": newest["Key"],
        "sha256": storage.describe(s3, bucket, newest["Key"])["sha256"],
    }

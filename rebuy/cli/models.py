"""The models of all runs side by side, who is live and since when, approval, and the way back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table

from configuration.connection import Connection
from configuration.errors import InputError, RunError
from tasks.functions import endpoint_changes, published_views, scaling, storage

FIGURES = ("auc", "logloss", "average_precision", "mean_f1", "mean_f1_of_baskets")
SHOWN = {"AUC": "auc", "logloss": "logloss", "F1": "mean_f1", "F1 of baskets": "mean_f1_of_baskets"}
POLL_SECONDS = 2.0
Json = dict[str, Any]


def listed(connection: Connection, outputs: dict[str, str], most: int) -> list[Json]:
    """The newest judged models, the newest first: {run, started_at, outcome, reason, live,
    live_since, version, approval, gain, drift, figures {FIGURES}}. `live_since` is when the run
    ended that published what is live; `drift` is judge_model's, from what was live before."""
    live = endpoint_changes.look(connection.client("sagemaker"), outputs["EndpointName"]).config
    approvals = _approvals(connection)
    found = []
    records = storage.audit_records(connection.client("s3"), outputs["LakeBucket"])
    for _, record in records:
        gate = record.get("gate")
        if gate is None:
            continue
        after = ((record.get("endpoint") or {}).get("after") or {}).get("endpoint_config")
        is_live = live is not None and record["outcome"] == "published" and after == live
        version = gate.get("version")
        found.append(
            {
                "run": record["run"]["name"],
                "started_at": record["execution"]["started_at"],
                "outcome": record["outcome"],
                "reason": gate["reason"],
                "live": is_live,
                "live_since": record["written_at"] if is_live else None,
                "version": version,
                "approval": approvals.get(version, gate.get("approval")),
                "gain": gate.get("gain"),
                "drift": gate.get("drift"),
                "figures": {n: gate["challenger"][n] for n in FIGURES if n in gate["challenger"]},
            }
        )
        if len(found) == most:
            break
    return found


def show(found: list[Json], console: Console) -> None:
    table = Table(title="Models", title_justify="left")
    for column in ("run", "version", *SHOWN, "gain in AUC", "drift, asked", ""):
        table.add_column(column, justify="left" if column in ("run", "") else "right")
    for model in found:
        figures, gain = model["figures"], model["gain"]
        state = f"live since {model['live_since'][:16]}" if model["live"] else model["outcome"]
        if model["approval"] == "PendingManualApproval":
            state = "waits for approval"
        table.add_row(
            model["run"],
            (model["version"] or "").rpartition("/")[2],
            *(f"{figures[name]:.4f}" if name in figures else "" for name in SHOWN.values()),
            f"{gain['gain']:+.4f} ({gain['low']:+.4f} to {gain['high']:+.4f})" if gain else "",
            " ".join(_moved(model["drift"] or {})),
            state,
        )
    console.print(table)


def _moved(drift: Json) -> Iterator[str]:
    """The largest PSI of a feature in the run's holdout, then in what the endpoint was asked."""
    for what in ("holdout", "asked"):
        if told := drift.get(what):
            yield f"{told['psi']:.3f}"


def decide(connection: Connection, version: str, status: str, because: str | None) -> str:
    """Approves or rejects a version that waits for it; the version's ARN. InputError for one that
    is not there, or does not wait."""
    sagemaker = connection.client("sagemaker")
    group = connection.settings.stack_name
    waiting = {
        entry["ModelPackageArn"].rpartition("/")[2]: entry["ModelPackageArn"]
        for entry in _versions(connection)
        if entry.get("ModelApprovalStatus") == "PendingManualApproval"
    }
    if version not in waiting:
        those = ", ".join(waiting) or "none"
        raise InputError(f"Version {version} of {group} does not wait for approval; do: {those}.")
    said = {"ApprovalDescription": because} if because else {}
    sagemaker.update_model_package(
        ModelPackageArn=waiting[version], ModelApprovalStatus=status, **said
    )
    return waiting[version]


def roll_back(connection: Connection, outputs: dict[str, str], wait_seconds: float) -> Json:
    """Has the endpoint and the views show what they showed before the run that is live; {run,
    endpoint_config}. InputError when nothing was live before, or a run is in progress; RunError
    when the endpoint does not change, which leaves everything as it is."""
    _no_run(connection, outputs)
    s3, sagemaker = connection.client("s3"), connection.client("sagemaker")
    name = outputs["EndpointName"]
    live = endpoint_changes.look(sagemaker, name).config
    record = next(
        (
            found
            for _, found in storage.audit_records(s3, outputs["LakeBucket"])
            if found["outcome"] == "published"
            and found["endpoint"]["after"]["endpoint_config"] == live
        ),
        None,
    )
    if record is None:
        raise InputError(f"No audit record says what published {live or 'a model'}.")
    before = record["endpoint"]["before"]["endpoint_config"]
    if before is None:
        raise InputError(f"Nothing was live before {record['run']['name']}.")
    run_id = record["run"]["id"]
    views = storage.read_json(s3, outputs["LakeBucket"], published_views.key(run_id))
    given = connection.settings.endpoint_scaling
    scaled = scaling.Bounds(*given) if given else None
    endpoint_changes.call(connection.client, name, "update", before, scaled)
    deadline = time.monotonic() + wait_seconds
    while (now := endpoint_changes.look(sagemaker, name)).status in endpoint_changes.CHANGING:
        if time.monotonic() > deadline:
            raise RunError(f"Endpoint {name} {now} after {wait_seconds:.0f} s; the views stay.")
        time.sleep(POLL_SECONDS)
    if (now.status, now.config) != ("InService", before):
        raise RunError(f"Endpoint {name} {now}; nothing else was changed.")
    endpoint_changes.call(connection.client, name, "done", before, scaled)
    published_views.put_back(connection.client("glue"), outputs["Database"], views, run_id)
    return {"run": record["run"]["name"], "endpoint_config": before}


def _no_run(connection: Connection, outputs: dict[str, str]) -> None:
    running = connection.client("stepfunctions").list_executions(
        stateMachineArn=outputs["StateMachineArn"], statusFilter="RUNNING"
    )["executions"]
    if running:
        raise InputError(f"{running[0]['name']} is in progress, and may publish: wait or stop it.")


def _versions(connection: Connection) -> list[Json]:
    """The registry's summaries; none before the first model."""
    sagemaker = connection.client("sagemaker")
    pages = sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=connection.settings.stack_name
    )
    try:
        return [entry for page in pages for entry in page["ModelPackageSummaryList"]]
    except sagemaker.exceptions.ClientError as error:
        # ListModelPackages models no error of its own for a group that is not there.
        if "does not exist" in error.response["Error"]["Message"]:
            return []
        raise


def _approvals(connection: Connection) -> dict[str, str]:
    return {
        entry["ModelPackageArn"]: entry["ModelApprovalStatus"]
        for entry in _versions(connection)
        if "ModelApprovalStatus" in entry
    }

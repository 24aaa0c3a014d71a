"""Audit records on the terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

from configuration.connection import Connection
from configuration.errors import RunError
from executions import audit
from executions.audit import Finding, Record
from executions.events import all_events
from executions.history import label
from rebuy.cli import runs


def find(connection: Connection, arn: str) -> Record:
    """The record of an execution; RunError when it has none (yet)."""
    description = runs.describe(connection, arn)
    events = list(all_events(connection.client("stepfunctions"), arn))
    record = audit.find(connection.clients, description, events)
    if record is None:
        raise RunError(f"No audit record of {arn} is there; it is written at the end.")
    return record


def show_findings(findings: list[Finding], console: Console) -> None:
    """How many hashes of each kind are the same, and every one that is not."""
    table = Table(title="Verification", title_justify="left")
    for column in ("what", "same", "differ", "not reached"):
        table.add_column(column, justify="left" if column == "what" else "right")
    for kind in dict.fromkeys(finding.kind for finding in findings):
        of_kind = [finding.ok for finding in findings if finding.kind == kind]
        table.add_row(kind, *(str(of_kind.count(ok)) for ok in (True, False, None)))
    console.print(table)
    for finding in findings:
        if finding.ok is not True:
            mark = "DIFFERS" if finding.ok is False else "not reached"
            console.print(
                f"{mark}: {finding.kind} {finding.what} {finding.detail}",
                style="red" if finding.ok is False else "yellow",
                markup=False,
                soft_wrap=True,
            )


def show(record: dict[str, Any], console: Console) -> None:
    """The record for people: how it ended, what went in, what each state did, what came out."""
    good = record["status"] == "SUCCEEDED"
    console.print(
        f"[bold {'green' if good else 'red'}]{record['status']}[/]  "
        f"{record['execution']['name']}  [dim]{record['execution']['arn']}[/]"
    )
    if not good:
        where = label(record["failed_state"], record.get("failed_item"))
        console.print(f"at [bold]{where}[/]: {record['error']}")
        console.print(str(record["cause"]), style="red", markup=False)
    trigger = record["trigger"] or {}
    console.print(f"Trigger: {trigger.get('kind', 'not recognised')}")
    if record.get("outcome"):
        same = (record["run"] or {}).get("same_as") if record["outcome"] == "nothing new" else None
        more = f": the same as {same['execution']}" if same else ""
        console.print(f"Outcome: {record['outcome']}{more}", soft_wrap=True)
    console.print(f"Definition: {record['execution']['definition_sha256']}")
    for amendment in record.get("amendments") or []:
        what = ", ".join(change["what"] for change in amendment["changes"])
        console.print(f"Amended {amendment['at']}: {what}", soft_wrap=True)
    console.print(_inputs(record))
    console.print(_states(record))
    if record["outputs"]:
        console.print(_outputs(record))
    if record.get("profiles"):
        show_profiles(record["profiles"], console)
    if record["gate"]:
        console.print(_scores(record))
        verdict = "published" if record["gate"]["publish"] else "not published"
        console.print(f"Gate: [bold]{verdict}[/]. {record['gate']['reason']}")
    if record["endpoint"]:
        before = record["endpoint"]["before"]["endpoint_config"] or "nothing"
        after = record["endpoint"]["after"]["endpoint_config"] or "nothing"
        console.print(f"Endpoint {record['endpoint']['name']}: {before} before, {after} now")
    console.print(
        "Cost inputs: " + ", ".join(f"{k} {v:,}" for k, v in record["cost_inputs"].items())
    )


def _inputs(record: dict[str, Any]) -> Table:
    table = Table(title="Raw files", title_justify="left")
    for column in ("key", "bytes", "version", "SHA-256"):
        table.add_column(column, justify="right" if column == "bytes" else "left")
    for entry in record["inputs"]:
        table.add_row(
            entry["key"],
            f"{entry['bytes']:,}",
            str(entry["version_id"] or "")[:12],
            entry["sha256"][:16],
        )
    return table


def _states(record: dict[str, Any]) -> Table:
    table = Table(title="States", title_justify="left")
    for column in ("state", "seconds", "tries", "status"):
        table.add_column(column, justify="right" if column in ("seconds", "tries") else "left")
    for visit in record["states"]:
        if visit["type"] in ("Choice", "Pass", "Wait") and not visit["attempts"]:
            continue
        attempts = visit["attempts"]
        table.add_row(
            label(visit["state"], visit.get("item")),
            "" if visit["seconds"] is None else f"{visit['seconds']:.1f}",
            str(len(attempts) or ""),
            attempts[-1]["status"] if attempts else "",
        )
    return table


def _outputs(record: dict[str, Any]) -> Table:
    table = Table(title="Outputs", title_justify="left")
    for column in ("dataset", "rows", "bytes", "files"):
        table.add_column(column, justify="left" if column == "dataset" else "right")
    for entry in record["outputs"]:
        rows = "" if entry["rows"] is None else f"{entry['rows']:,}"
        table.add_row(entry["dataset"], rows, f"{entry['bytes']:,}", str(len(entry["objects"])))
    return table


def show_profiles(profiles: list[dict[str, Any]], console: Console) -> None:
    """Each table's figures, and what is not as in the last good run that was profiled."""
    table = Table(title="Profiles", title_justify="left")
    for column in ("table", "rows", "columns", "rows twice", "rules that hold"):
        table.add_column(column, justify="left" if column == "table" else "right")
    drift = Table(title="Drift", title_justify="left")
    for column in ("table", "column", "figure", "before", "now"):
        drift.add_column(column, justify="right" if column in ("before", "now") else "left")
    for of in profiles:
        figures = (of["rows"], of["columns"], of["duplicate_rows"] or 0, len(of["rules"]))
        table.add_row(of["name"], *(f"{figure:,}" for figure in figures))
        for one in of["drift"]:
            drift.add_row(of["name"], *(one[name] for name in ("column", "what", "before", "now")))
    console.print(table)
    before = sorted({of["compared_with"] for of in profiles if of["compared_with"]})
    if drift.rows:
        console.print(drift)
    elif before:
        console.print(f"No table has drifted since {', '.join(before)}.")


def _scores(record: dict[str, Any]) -> Table:
    table = Table(title="On this run's holdout", title_justify="left")
    table.add_column("score")
    table.add_column("challenger", justify="right")
    table.add_column("live model", justify="right")
    gate = record["gate"]
    for name, value in gate["challenger"].items():
        live = gate["champion"][name] if gate["champion"] else None
        table.add_row(name, f"{value:.4f}", "" if live is None else f"{live:.4f}")
    return table

"""Audit records: found, shown, and every hash in them computed again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from rebuy.connection import Connection
from rebuy.errors import RunError

PREFIX = "audit/"
CHUNK_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True)
class Finding:
    """One recomputed hash: `ok` True or False, or None when the thing cannot be reached."""

    kind: str
    what: str
    ok: bool | None
    detail: str = ""


def find(connection: Connection, lake: str, execution_arn: str) -> tuple[str, dict[str, Any]]:
    """(key, record) of an execution; RunError when it has none (yet)."""
    s3 = connection.client("s3")
    # Newest first: people mostly ask for what has just happened.
    keys = sorted((entry["Key"] for entry in _objects(s3, lake, PREFIX)), reverse=True)
    for key in keys:
        record = json.loads(s3.get_object(Bucket=lake, Key=key)["Body"].read())
        if record["execution"]["arn"] == execution_arn:
            return key, record
    raise RunError(
        f"No audit record of {execution_arn} in s3://{lake}/{PREFIX}; it is written at the end."
    )


def verify(connection: Connection, lake: str, record: dict[str, Any]) -> Iterator[Finding]:
    """Recomputes what the record claims: raw files and outputs (in the recorded versions), the
    model, SQL texts, recipes, the definition, and the record before."""
    s3 = connection.client("s3")
    for entry in record["inputs"]:
        yield _object(s3, lake, entry, "raw file")
    for dataset in record["outputs"]:
        for entry in dataset["objects"]:
            yield _object(s3, lake, entry, dataset["dataset"])
    model = record.get("model")
    if model:
        yield _object(s3, model["uri"].split("/")[2], model, "model")
    if record.get("previous"):
        yield _object(s3, lake, record["previous"], "previous audit record")
    yield from _definition(connection, record)
    for visit in record["states"]:
        yield from _job(connection, visit)


def _object(s3: Any, bucket: str, entry: dict[str, Any], kind: str) -> Finding:
    version = {"VersionId": entry["version_id"]} if entry.get("version_id") else {}
    what = entry["key"]
    try:
        body = s3.get_object(Bucket=bucket, Key=entry["key"], **version)["Body"]
    except s3.exceptions.ClientError as error:
        return Finding(kind, what, None, error.response["Error"]["Code"])
    digest = hashlib.sha256()
    for chunk in body.iter_chunks(CHUNK_BYTES):
        digest.update(chunk)
    return _compare(kind, what, digest.hexdigest(), entry["sha256"])


def _definition(connection: Connection, record: dict[str, Any]) -> Iterator[Finding]:
    execution = record["execution"]
    yield _reached(
        "definition",
        execution["state_machine"],
        execution["deployed_definition_sha256"],
        lambda: connection.client("stepfunctions").describe_state_machine_for_execution(
            executionArn=execution["arn"]
        )["definition"],
    )


def _job(connection: Connection, visit: dict[str, Any]) -> Iterator[Finding]:
    figures = visit.get("figures") or {}
    if "sql_sha256" in figures:
        yield _reached(
            "SQL",
            visit["state"],
            figures["sql_sha256"],
            lambda: connection.client("athena").get_query_execution(
                QueryExecutionId=figures["query_execution_id"]
            )["QueryExecution"]["Query"],
        )
    if "recipe_sha256" in figures:
        yield _reached(
            "recipe",
            f"{figures['recipe']} {figures['recipe_version']}",
            figures["recipe_sha256"],
            lambda: json.dumps(
                connection.client("databrew").describe_recipe(
                    Name=figures["recipe"], RecipeVersion=figures["recipe_version"]
                )["Steps"],
                sort_keys=True,
                separators=(",", ":"),
                ensure_ascii=False,
            ),
        )


def _reached(kind: str, what: str, recorded: str, text: Callable[[], str]) -> Finding:
    """The hash of a text that a service still has, or that it is out of reach."""
    from botocore.exceptions import ClientError

    try:
        actual = hashlib.sha256(text().encode()).hexdigest()
    except ClientError as error:
        return Finding(kind, what, None, error.response["Error"]["Code"])
    return _compare(kind, what, actual, recorded)


def _compare(kind: str, what: str, actual: str, recorded: str) -> Finding:
    if actual == recorded:
        return Finding(kind, what, True)
    return Finding(kind, what, False, f"is {actual[:16]}..., recorded {recorded[:16]}...")


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
        console.print(f"at [bold]{record['failed_state']}[/]: {record['error']}")
        console.print(str(record["cause"]), style="red", markup=False)
    trigger = record["trigger"] or {}
    console.print(f"Trigger: {trigger.get('kind', 'not recognised')}")
    if record.get("outcome"):
        same = (record["run"] or {}).get("same_as") if record["outcome"] == "nothing new" else None
        more = f": the same as {same['execution']}" if same else ""
        console.print(f"Outcome: {record['outcome']}{more}", soft_wrap=True)
    console.print(f"Definition: {record['execution']['definition_sha256']}")
    console.print(_inputs(record))
    console.print(_states(record))
    if record["outputs"]:
        console.print(_outputs(record))
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
            visit["state"],
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


def _objects(s3: Any, bucket: str, prefix: str) -> Iterator[dict[str, Any]]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        yield from page.get("Contents", [])

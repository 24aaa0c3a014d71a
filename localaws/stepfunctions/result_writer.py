"""Where a Distributed Map puts its children's results: files on S3 and their manifest.

https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from localaws.shapes import Json
from localaws.stepfunctions import timestamps
from localaws.stepfunctions.errors import RESULT_WRITER_FAILED, StateError
from localaws.stepfunctions.integrations import failures
from localaws.stepfunctions.integrations.runtime import Integrations
from localaws.stepfunctions.journal import Journal
from localaws.stepfunctions.language import Language, Scope
from localaws.stepfunctions.records import Execution

SUCCEEDED = "Execution is SUCCEEDED and cannot be redriven"


@dataclass(frozen=True)
class Plan:
    """`bucket` None: the results are the state's output. `form` is the Transformation."""

    bucket: str | None
    prefix: str
    form: str
    output_type: str


def plan(language: Language, scope: Scope, writer: Json) -> Plan:
    """Evaluates the ResultWriter. Raises StateError."""
    config = writer.get("WriterConfig", {})
    output_type = config.get("OutputType", "JSON")
    if "Resource" not in writer:
        return Plan(None, "", config.get("Transformation", "COMPACT"), output_type)
    given = language.template(scope, writer.get("Parameters", writer.get("Arguments", {})))
    prefix = given.get("Prefix", "").strip("/")
    return Plan(given["Bucket"], prefix, config.get("Transformation", "NONE"), output_type)


def write(integrations: Integrations, journal: Journal, plan: Plan, arn: str) -> Any:
    """The state's result. With a bucket, writes SUCCEEDED_0, FAILED_0 and manifest.json there."""
    rows = list(reversed(journal.executions(map_run_arn=arn)))
    rows.sort(key=lambda row: int(row.about["parent"][2]))
    good = [row for row in rows if row.status == "SUCCEEDED"]
    if plan.bucket is None:
        return _results(good, plan.form)
    folder = "/".join(part for part in (plan.prefix, arn.rsplit(":", 1)[1]) if part)
    client = integrations.client("s3")
    files: dict[str, list[Json]] = {"FAILED": [], "PENDING": [], "SUCCEEDED": []}
    bad = [_shown(row) for row in rows if row.status != "SUCCEEDED"]
    ending = "jsonl" if plan.output_type == "JSONL" else "json"
    try:
        for kind, results in (("SUCCEEDED", _results(good, plan.form)), ("FAILED", bad)):
            if not results:
                continue
            key = f"{folder}/{kind}_0.{ending}"
            data = _file(results, plan.output_type).encode()
            client.put_object(Bucket=plan.bucket, Key=key, Body=data)
            files[kind].append({"Key": key, "Size": len(data)})
        manifest = {"DestinationBucket": plan.bucket, "MapRunArn": arn, "ResultFiles": files}
        key = f"{folder}/manifest.json"
        client.put_object(Bucket=plan.bucket, Key=key, Body=json.dumps(manifest).encode())
    except Exception as error:
        raise StateError(RESULT_WRITER_FAILED, failures.s3_cause(error)) from error
    return {"MapRunArn": arn, "ResultWriterDetails": {"Bucket": plan.bucket, "Key": key}}


def _file(results: list[Any], output_type: str) -> str:
    if output_type == "JSONL":
        return "".join(json.dumps(result) + "\n" for result in results)
    return json.dumps(results)


def _results(rows: list[Execution], form: str) -> list[Any]:
    """What the children that succeeded gave: as records (NONE), their outputs alone (COMPACT), or
    those with arrays opened (FLATTEN)."""
    if form == "NONE":
        return [_shown(row) for row in rows]
    outputs = [json.loads(row.output or "null") for row in rows]
    if form == "COMPACT":
        return outputs
    return [
        item for output in outputs for item in (output if isinstance(output, list) else [output])
    ]


def _shown(row: Execution) -> Json:
    succeeded = row.status == "SUCCEEDED"
    redrivable: str | None = "NOT_REDRIVABLE" if succeeded else "REDRIVABLE_BY_MAP_RUN"
    if row.express:
        redrivable = None
    shown = {
        "Cause": row.cause,
        "Error": row.error,
        "ExecutionArn": row.arn,
        "Input": row.input,
        "InputDetails": {"Included": True},
        "Name": row.name,
        "Output": row.output,
        "OutputDetails": {"Included": True},
        "RedriveCount": row.redrive_count,
        "RedriveStatus": redrivable,
        "RedriveStatusReason": SUCCEEDED if succeeded and redrivable else None,
        "StartDate": timestamps.iso(timestamps.from_epoch(row.started)),
        "StateMachineArn": row.machine_arn,
        "Status": row.status,
        "StopDate": timestamps.iso(timestamps.from_epoch(row.stopped or row.started)),
    }
    return {key: value for key, value in shown.items() if value is not None}

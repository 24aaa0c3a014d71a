"""Where a Distributed Map puts its children's results: files on S3 and their manifest.

https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from localaws.stepfunctions import timestamps
from localaws.stepfunctions.errors import NOT_EMULATED, RESULT_WRITER_FAILED, StateError
from localaws.stepfunctions.integrations import failures
from localaws.stepfunctions.integrations.runtime import Integrations
from localaws.stepfunctions.journal import Journal
from localaws.stepfunctions.language import Language, Scope
from localaws.stepfunctions.records import Execution

Json = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    bucket: str
    prefix: str


def plan(language: Language, scope: Scope, writer: Json) -> Plan:
    """Evaluates the ResultWriter. Raises StateError."""
    if writer.get("Resource") != "arn:aws:states:::s3:putObject" or "WriterConfig" in writer:
        raise StateError(NOT_EMULATED, "localaws does not emulate this ResultWriter: it takes"
                         " arn:aws:states:::s3:putObject without WriterConfig.")  # fmt: skip
    given = language.template(scope, writer.get("Parameters", writer.get("Arguments", {})))
    return Plan(given["Bucket"], given.get("Prefix", "").strip("/"))


def write(integrations: Integrations, journal: Journal, plan: Plan, arn: str) -> Json:
    """Writes SUCCEEDED_0.json, FAILED_0.json and manifest.json; the state's result."""
    folder = "/".join(part for part in (plan.prefix, arn.rsplit(":", 1)[1]) if part)
    client = integrations.client("s3")
    files: dict[str, list[Json]] = {"FAILED": [], "PENDING": [], "SUCCEEDED": []}
    try:
        for kind in ("SUCCEEDED", "FAILED"):
            rows = [
                row
                for row in reversed(journal.executions(map_run_arn=arn))
                if (row.status == "SUCCEEDED") == (kind == "SUCCEEDED")
            ]
            if not rows:
                continue
            key = f"{folder}/{kind}_0.json"
            data = json.dumps([_shown(row) for row in rows]).encode()
            client.put_object(Bucket=plan.bucket, Key=key, Body=data)
            files[kind].append({"Key": key, "Size": len(data)})
        manifest = {"DestinationBucket": plan.bucket, "MapRunArn": arn, "ResultFiles": files}
        key = f"{folder}/manifest.json"
        client.put_object(Bucket=plan.bucket, Key=key, Body=json.dumps(manifest).encode())
    except Exception as error:
        raise StateError(RESULT_WRITER_FAILED, failures.s3_cause(error)) from error
    return {"MapRunArn": arn, "ResultWriterDetails": {"Bucket": plan.bucket, "Key": key}}


def _shown(row: Execution) -> Json:
    shown = {
        "Cause": row.cause,
        "Error": row.error,
        "ExecutionArn": row.arn,
        "Input": row.input,
        "InputDetails": {"Included": True},
        "Name": row.name,
        "Output": row.output,
        "OutputDetails": {"Included": True} if row.output is not None else None,
        "StartDate": timestamps.iso(timestamps.from_epoch(row.started)),
        "StateMachineArn": row.machine_arn,
        "Status": row.status,
        "StopDate": timestamps.iso(timestamps.from_epoch(row.stopped or row.started)),
    }
    return {key: value for key, value in shown.items() if value is not None}

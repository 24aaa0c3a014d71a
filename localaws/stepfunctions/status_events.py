"""The EventBridge event of an execution's status change."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from localaws.core import signals
from localaws.stepfunctions.records import Execution


def _milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)


def event(execution: Execution, now: datetime, region: str, account: str) -> dict[str, Any]:
    """`Step Functions Execution Status Change`, with the detail of the execution as it is now.

    https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
    """
    included = {"included": True}
    return signals.event(
        "aws.states",
        "Step Functions Execution Status Change",
        {
            "executionArn": execution.arn,
            "stateMachineArn": execution.machine_arn,
            "stateMachineVersionArn": execution.about.get("version_arn"),
            "stateMachineAliasArn": execution.about.get("alias_arn"),
            "name": execution.name,
            "status": execution.status,
            "startDate": _milliseconds(execution.started),
            "stopDate": _milliseconds(execution.stopped),
            "input": execution.input,
            "output": execution.output,
            "inputDetails": included,
            "outputDetails": included if execution.output is not None else None,
            "error": execution.error,
            "cause": execution.cause,
            "redriveCount": execution.redrive_count,
            "redriveDate": _milliseconds(execution.redriven),
            **_redrive(execution.status),
        },
        account=account,
        region=region,
        time=now,
        resources=[execution.arn],
    )


def _redrive(status: str) -> dict[str, str | None]:
    if status in ("RUNNING", "SUCCEEDED"):
        reason = f"Execution is {status} and cannot be redriven"
        return {"redriveStatus": "NOT_REDRIVABLE", "redriveStatusReason": reason}
    return {"redriveStatus": "REDRIVABLE", "redriveStatusReason": None}

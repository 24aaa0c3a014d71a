"""The context object (`$$`, `$states.context`) of a state."""

from __future__ import annotations

from typing import Any

from localaws.shapes import Json
from localaws.stepfunctions import timestamps
from localaws.stepfunctions.records import Execution


def execution_context(execution: Execution, value: Any) -> Json:
    """The part that every state of an execution shares. `value` is the execution's input."""
    about: Json = {
        "Id": execution.arn,
        "Input": value,
        "StartTime": timestamps.iso(timestamps.from_epoch(execution.started)),
        "Name": execution.name,
        "RoleArn": execution.about["role_arn"],
        "RedriveCount": execution.redrive_count,
    }
    if execution.about.get("synchronous"):
        del about["RedriveCount"]
    if execution.redriven is not None:
        about["RedriveTime"] = timestamps.iso(timestamps.from_epoch(execution.redriven))
    machine = {
        "Id": execution.machine_arn,
        "Name": execution.machine_arn.rsplit(":", 1)[1].split("/")[0],
    }
    return {"Execution": about, "StateMachine": machine}


def state_context(
    shared: Json,
    name: str,
    entered: float,
    *,
    retry_count: int | None = None,
    token: str | None = None,
    item: tuple[int, Any] | None = None,
) -> Json:
    """The context of one visit of a state; `item` is (index, value) inside a Map."""
    state: Json = {"Name": name, "EnteredTime": timestamps.iso(timestamps.from_epoch(entered))}
    if retry_count is not None:
        state["RetryCount"] = retry_count
    context = {**shared, "State": state}
    if token is not None:
        context["Task"] = {"Token": token}
    if item is not None:
        context["Map"] = {"Item": {"Index": item[0], "Value": item[1]}}
    return context

"""Roll back: what was live is live again, then the run fails as it was going to.

A redrive of the execution begins at this state. It then has nothing to put back, and sends the run
on to publishing again.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import datetime
from typing import Any

from tasks.functions import endpoint_changes as changes
from tasks.functions import published_views, scaling, storage

Json = dict[str, Any]


def handler(event: Json, context: Any) -> Json:
    """`event`: {state, execution ($$.Execution), entered_at ($$.State.EnteredTime)}. Answers
    `Round.answer`, while the endpoint is changing, and not as one of rolling back after a redrive;
    else raises the error that stands at state.failure, by its name, with its message.
    """
    import boto3

    now, state = changes.utc_now(), event["state"]
    sagemaker, name = boto3.client("sagemaker"), os.environ["ENDPOINT_NAME"]
    endpoint = changes.look(sagemaker, name)
    turn = changes.current_round(state, event["execution"], now, rolling_back=True)
    if redriven(event["execution"], event["entered_at"]):
        again = replace(turn, rolling_back=False, asked=False)
        return again.answer(endpoint, settled=False, asked=False) | {"wait_seconds": 0}
    run_id = state["run"]["id"]
    before = storage.read_json(
        boto3.client("s3"), os.environ["LAKE_BUCKET"], published_views.key(run_id)
    )
    published_views.put_back(boto3.client("glue"), os.environ["DATABASE"], before, run_id)
    live = state["live"]["answer"]["endpoint_config"]
    step = changes.next_call_back(endpoint, state["endpoint_config"]["name"], live, turn.asked)
    if step == "failed" or (step == "wait" and changes.out_of_time(now, turn.began_at)):
        raise failure(state["failure"], f"Rolling back: endpoint {name} {endpoint}")
    if step == "done":
        if endpoint.status == "InService":
            changes.call(boto3.client, name, step, None, scaling.wanted())
        raise failure(state["failure"])
    changes.call(boto3.client, name, step, live, scaling.wanted())
    return turn.answer(endpoint, settled=False, asked=step in ("update", "delete"))


def redriven(execution: Json, entered_at: str) -> bool:
    """Whether the execution was redriven since the state was entered: a redrive keeps that time."""
    if execution.get("RedriveTime") is None:
        return False
    redrive, entered = (
        datetime.fromisoformat(text.replace("Z", "+00:00"))
        for text in (execution["RedriveTime"], entered_at)
    )
    return redrive >= entered


def failure(caught: Json, problem: str | None = None) -> Exception:
    """The error as it was caught: its name is the exception's, as Step Functions takes it from
    there. `problem` is what went wrong in rolling back."""
    kind = type(caught["Error"], (Exception,), {})
    lines = [message_of(caught["Cause"]), *([problem] if problem else [])]
    found: Exception = kind("\n".join(lines))
    return found


def message_of(cause: str) -> str:
    """A function's own message, out of what Lambda wraps around it; any other cause as it is."""
    try:
        told = json.loads(cause)
    except ValueError:
        return cause
    return str(told["errorMessage"]) if isinstance(told, dict) and "errorMessage" in told else cause

"""Roll back: what was live is live again, then the run fails as it was going to.

A redrive of the execution begins at this state. It then has nothing to put back, and sends the run
on to publishing again.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from datetime import datetime
from typing import Any

from tasks.functions import endpoint_changes as changes
from tasks.functions import published_views, storage

Json = dict[str, Any]


def handler(event: Json, context: Any) -> Json:
    """`event`: {state, execution ($$.Execution), entered_at ($$.State.EnteredTime)}. Answers
    {settled, redrive_count, began_at, asked}: false while the endpoint is changing, true after a
    redrive; and else raises the error that stands at state.failure, by its name, with its message.
    """
    import boto3

    now = changes.utc_now()
    if redriven(event["execution"], event["entered_at"]):
        return {"settled": True, **asdict(changes.current_round(None, event["execution"], now))}
    state = event["state"]
    run_id = state["run"]["id"]
    before = storage.read_json(
        boto3.client("s3"), os.environ["LAKE_BUCKET"], published_views.key(run_id)
    )
    published_views.put_back(boto3.client("glue"), os.environ["DATABASE"], before, run_id)

    sagemaker = boto3.client("sagemaker")
    name = os.environ["ENDPOINT_NAME"]
    earlier = (state.get("rolled_back") or {}).get("answer")
    turn = changes.current_round(earlier, event["execution"], now)
    endpoint = changes.look(sagemaker, name)
    live = state["live"]["answer"]["endpoint_config"]
    step = changes.next_call_back(endpoint, state["endpoint_config"]["name"], live, turn.asked)
    if step == "failed" or (step == "wait" and changes.out_of_time(now, turn.began_at)):
        raise failure(state["failure"], f"Rolling back: endpoint {name} {endpoint}")
    if step == "done":
        raise failure(state["failure"])
    changes.call(sagemaker, name, step, live)
    asked = turn.asked or step in ("update", "delete")
    return {
        "settled": False,
        "status": endpoint.status,
        "config": endpoint.config,
        **asdict(changes.Round(turn.redrive_count, turn.began_at, asked)),
    }


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

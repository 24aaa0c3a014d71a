"""Put model live: has the endpoint serve the run's configuration, or looks how far that is."""

from __future__ import annotations

import os
from typing import Any

from tasks.functions import canary, scaling
from tasks.functions import endpoint_changes as changes

Json = dict[str, Any]


class EndpointDidNotChange(Exception):
    """The endpoint does not serve what it was asked to; the text has its state and reason."""


class LiveModelChanged(Exception):
    """Since this run compared itself with the live model, another one has gone live."""


def handler(event: Json, context: Any) -> Json:
    """`event`: {state, execution ($$.Execution), ...}. Answers `Round.answer`."""
    import boto3

    sagemaker = boto3.client("sagemaker")
    name = os.environ["ENDPOINT_NAME"]
    state = event["state"]
    config = state["endpoint_config"]["name"]
    now = changes.utc_now()
    turn = changes.current_round(state, event["execution"], now, rolling_back=False)
    endpoint = changes.look(sagemaker, name)
    step, guard = changes.next_call(endpoint, config, turn.asked), canary.wanted(config)
    if step == "update":
        require_compared(name, endpoint, state["live"]["answer"]["endpoint_config"], config)
    if step == "failed" or (step == "wait" and changes.out_of_time(now, turn.began_at, guard)):
        raise EndpointDidNotChange(f"Endpoint {name} {endpoint}{canary.watched(guard)}")
    if step == "update" and guard is not None:
        canary.watch(boto3.client("cloudwatch"), name, config)
    changes.call(
        *(boto3.client, name, step, config, scaling.wanted()),
        guard=guard,
        machines=endpoint.machines,
    )
    return turn.answer(endpoint, settled=step == "done", asked=step in ("create", "update"))


def require_compared(name: str, endpoint: changes.Endpoint, compared: str | None, own: str) -> None:
    """What is live is what the gate compared with (or this run's own): LiveModelChanged if not."""
    if endpoint.config not in (compared, own):
        raise LiveModelChanged(
            f"Endpoint {name} serves {endpoint.config}; this run compared its model with"
            f" {compared or 'nothing'}. Start a new run, which compares with what is live now."
        )

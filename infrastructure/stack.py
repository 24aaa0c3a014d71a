"""A deployed stack: found, waited for, asked for its outputs. Quick to load: every command that
looks something up needs this, and only deploying needs the packages."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from configuration.connection import Connection
from configuration.errors import DeploymentError
from infrastructure.stack_states import GOOD, STATES, Way, way_out

POLL_SECONDS = 2.0
LOCAL_POLL_SECONDS = 0.1
Say = Callable[[str], None]


def wait(cloudformation: Any, name: str, seen: str | None, say: Say) -> None:
    """Follows the stack until it is settled; DeploymentError when it did not go well."""
    status, failures = follow(cloudformation, name, seen, say)
    if status not in (None, *GOOD):
        short = name.split("/")[1] if name.startswith("arn:") else name
        lines = [f"Stack {short} is {status}.", *(f"  {line}" for line in failures)]
        raise DeploymentError("\n".join([*lines, *filter(None, [way_out(status or "", short)])]))


def follow(
    cloudformation: Any, name: str, seen: str | None, say: Say
) -> tuple[str | None, list[str]]:
    """Tells the stack's events until it is settled: (status, what failed and why, the root cause
    first); the status is None when it is gone."""
    failures: list[str] = []
    done = 0
    local = is_local(cloudformation)
    while True:
        stack = find_stack(cloudformation, name)
        status = str(stack["StackStatus"]) if stack else "DELETE_COMPLETE"
        ended = not status.endswith("_IN_PROGRESS")
        # Locally nothing is said of single resources, so the events are read once, at the end.
        told = stack is not None and (ended or not local)
        for event in new_events(cloudformation, name, seen) if told else []:
            seen = event["EventId"]
            reason = event.get("ResourceStatusReason", "")
            if event["ResourceStatus"].endswith("_FAILED"):
                failures.append(
                    f"{event['LogicalResourceId']} ({event.get('ResourceType', '')}): {reason}"
                )
            if not event["ResourceStatus"].endswith("_IN_PROGRESS"):
                done += 1
                if not local:
                    say(f"{event['ResourceStatus'].lower():<28} {event['LogicalResourceId']}")
        if stack is None or status == "DELETE_COMPLETE":
            return None, failures
        if ended:
            if status in GOOD:
                say(f"stack {stack['StackName']} is {status.lower()} after {done} changes")
            return status, failures
        time.sleep(poll_seconds(cloudformation))


def is_local(client: Any) -> bool:
    """Whether it takes seconds there, and no dollars."""
    return "amazonaws" not in client.meta.endpoint_url


def poll_seconds(client: Any) -> float:
    return LOCAL_POLL_SECONDS if is_local(client) else POLL_SECONDS


def find_stack(cloudformation: Any, name: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        return found
    except cloudformation.exceptions.ClientError as error:
        if "does not exist" in error.response["Error"]["Message"]:
            return None
        raise


def newest_event(cloudformation: Any, name: str) -> str | None:
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    return events[0]["EventId"] if events else None


def new_events(cloudformation: Any, name: str, seen: str | None) -> list[dict[str, Any]]:
    """Events after `seen`, oldest first."""
    found: list[dict[str, Any]] = []
    pages = cloudformation.get_paginator("describe_stack_events").paginate(StackName=name)
    for page in pages:
        for event in page["StackEvents"]:
            if event["EventId"] == seen:
                return found[::-1]
            found.append(event)
    return found[::-1]


def stack_outputs(connection: Connection) -> dict[str, str]:
    """The outputs by name; DeploymentError when the stack is not there, or not as a whole."""
    outputs = _deployed(connection).get("Outputs", [])
    return {entry["OutputKey"]: entry["OutputValue"] for entry in outputs}


def deployed_parameters(connection: Connection) -> dict[str, str]:
    """The template's parameters as deployed; DeploymentError as above."""
    given = _deployed(connection)["Parameters"]
    return {entry["ParameterKey"]: entry["ParameterValue"] for entry in given}


def _deployed(connection: Connection) -> dict[str, Any]:
    name = connection.settings.stack_name
    stack = find_stack(connection.client("cloudformation"), name)
    if stack is None:
        raise missing(connection)
    if not stack.get("Outputs"):  # which every stack of ours has, once it was there as a whole
        status = stack["StackStatus"]
        state = STATES[status]
        goes_on = "wait for its end" if state.way is Way.FOLLOW else "`rebuy deploy` goes on"
        raise DeploymentError(
            f"Stack {name} at {connection.where} is {status}: {state.words}; {goes_on}."
        )
    return stack


def missing(connection: Connection) -> DeploymentError:
    name = connection.settings.stack_name
    return DeploymentError(
        f"There is no stack {name} at {connection.where}; `rebuy deploy` makes it."
    )

"""The context object of TestState: the caller's, checked, or one as an execution would have."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from localaws.errors import AwsError
from localaws.shapes import Json
from localaws.stepfunctions import timestamps
from localaws.stepfunctions.definition import State
from localaws.stepfunctions.integrations.resources import RR, TOKEN, Resource

STATE_NAME = "StateName"  # AWS gives every tested state this name
COUNTED = ("Task", "Parallel", "Map")  # the types whose context has a RetryCount
TEXT, NUMBER, ANY = "a string", "a number", "anything"
MEMBERS: dict[str, dict[str, str]] = {
    "Execution": {
        "Id": TEXT,
        "Input": ANY,
        "Name": TEXT,
        "RoleArn": TEXT,
        "StartTime": TEXT,
        "RedriveCount": NUMBER,
        "RedriveTime": TEXT,
    },
    "State": {"EnteredTime": TEXT, "Name": TEXT, "RetryCount": NUMBER},
    "StateMachine": {"Id": TEXT, "Name": TEXT},
    "Task": {"Token": TEXT},
}


def usual(
    state: State, value: Any, role: str | None, now: datetime, region: str, account: str
) -> Json:
    """What `$$` holds when the caller gives no context."""
    machine, execution = str(uuid.uuid4()), str(uuid.uuid4())
    time = timestamps.iso(now)
    prefix = f"arn:aws:states:{region}:{account}"
    about: Json = {"Name": STATE_NAME, "EnteredTime": time}
    if state.type in COUNTED:
        about["RetryCount"] = 0
    context: Json = {
        "Execution": {
            "Id": f"{prefix}:express:{machine}:{execution}",
            "Input": value,
            "Name": execution,
            "RoleArn": role,
            "StartTime": time,
        },
        "StateMachine": {"Id": f"{prefix}:stateMachine:{machine}", "Name": machine},
        "State": about,
    }
    if _pattern(state) == TOKEN:
        context["Task"] = {"Token": uuid.uuid4().hex}
    return context


def check(state: State, given: Json) -> None:
    """Raises ValidationException for a context that no execution has."""
    for name, members in given.items():
        if name == "Map":
            raise _invalid("'Map' field is not supported when mocking a Context object")
        if name not in MEMBERS:
            raise _invalid(f"Field '{name}' is not allowed")
        if not isinstance(members, dict):
            raise _invalid(f"{name} must be an object")
        for member, value in members.items():
            kind = MEMBERS[name].get(member)
            if kind is None:
                raise _invalid(f"Field '{member}' is not allowed")
            fits = {TEXT: isinstance(value, str), NUMBER: isinstance(value, int | float)}
            if not fits.get(kind, True):
                raise _invalid(f"{name}.{member} must be {kind}")
    if "Task" in given and _pattern(state) == RR:
        raise _invalid(
            "Context object contains 'Task' when state is not a Task state with a '.sync' or"
            " '.waitForTaskToken' service integration pattern"
        )


def _pattern(state: State) -> str:
    return Resource.parse(state.body["Resource"]).pattern if state.type == "Task" else RR


def _invalid(problem: str) -> AwsError:
    return AwsError("ValidationException", f"Invalid Context object provided: {problem}")

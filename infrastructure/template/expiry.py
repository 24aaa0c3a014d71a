"""What runs left goes after as many days as the settings say, if nobody needs it any more."""

from __future__ import annotations

from infrastructure import roles
from infrastructure.names import DATABASE, EXPIRE, EXPIRE_RUNS, MADE
from infrastructure.template import schedules
from infrastructure.words import Json, attribute, ref, sub, when


def parameters() -> Json:
    return {
        "KeepRunsDays": {
            "Type": "Number",
            "Description": "Days after which a run that nobody needs goes; 0: none does",
            "MinValue": 0,
        }
    }


def conditions() -> Json:
    return {"HasExpiry": {"Fn::Not": [{"Fn::Equals": [ref("KeepRunsDays"), "0"]}]}}


def environment() -> Json:
    """Of the function that looks (tasks/functions/expire_runs.py)."""
    return {
        "LAKE_BUCKET": ref("Lake"),
        "DATABASE": sub(DATABASE),
        "MADE_PREFIX": sub(MADE),
        "KEEP_RUNS_DAYS": ref("KeepRunsDays"),
        "STATE_MACHINE": ref("StateMachine"),
    }


def expiry() -> Json:
    return {
        "ExpireRole": roles.calling_role(EXPIRE_RUNS),
        "ExpireSchedule": schedules.look(
            EXPIRE,
            "Takes away what old runs left and nobody needs",
            state=when("HasExpiry", "ENABLED", "DISABLED"),
            rate="rate(1 day)",
            function=attribute("ExpireRuns", "Arn"),
            role="ExpireRole",
            late_seconds=3600,
        ),
    }

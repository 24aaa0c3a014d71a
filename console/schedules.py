"""What starts things by itself: schedules and rules of EventBridge, and their switches."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from console.times import next_times
from console.web import Refused, told
from executions.paging import everything

Json = dict[str, Any]

MOST = 300
ASKED_AT_ONCE = 8
# What GetSchedule tells and UpdateSchedule does not take.
READ_ONLY = ("Arn", "CreationDate", "LastModificationDate", "ResponseMetadata")


def all_of(clients: Any) -> Json:
    """{schedules, rules, problems}: what may not be read is a problem, the rest is there."""
    found: Json = {"schedules": [], "rules": [], "problems": []}
    for kind, read in (("schedules", _schedules), ("rules", _rules)):
        try:
            found[kind] = read(clients)
        except (ClientError, BotoCoreError) as error:
            found["problems"].append({"of": kind, **told(error)})
    return found


def _schedules(clients: Any) -> list[Json]:
    scheduler = clients("scheduler")
    listed = everything(scheduler, "list_schedules", "Schedules", MOST)
    now = datetime.now(UTC)

    def ask(entry: Json) -> Json:
        given = scheduler.get_schedule(Name=entry["Name"], GroupName=entry["GroupName"])
        return shown(given, now)

    with ThreadPoolExecutor(ASKED_AT_ONCE) as pool:
        return list(pool.map(ask, listed))


def shown(given: Json, now: datetime) -> Json:
    """A schedule as the page shows it, with its next five times."""
    target = given["Target"]
    window = given.get("FlexibleTimeWindow") or {}
    zone = given.get("ScheduleExpressionTimezone") or "UTC"
    anchor = given.get("StartDate") or given.get("LastModificationDate") or now
    found = {
        "kind": "schedule",
        "name": given["Name"],
        "group": given.get("GroupName", "default"),
        "description": given.get("Description"),
        "expression": given["ScheduleExpression"],
        "zone": zone,
        "window_minutes": window.get("MaximumWindowInMinutes"),
        "state": given["State"],
        "target": target["Arn"],
        "input": target.get("Input"),
        "dead_letters": (target.get("DeadLetterConfig") or {}).get("Arn"),
        "retry": target.get("RetryPolicy"),
        "start": given.get("StartDate"),
        "end": given.get("EndDate"),
        "about": given["ScheduleExpression"].startswith("rate(") and "StartDate" not in given,
    }
    after = max(now, given["StartDate"]) if given.get("StartDate") else now
    try:
        times = next_times(given["ScheduleExpression"], after, zone, anchor=anchor)
    except (ValueError, KeyError) as error:
        return found | {"next": [], "problem": f"Its next times are not known: {error}"}
    end = given.get("EndDate")
    return found | {"next": [moment for moment in times if end is None or moment <= end]}


def _rules(clients: Any) -> list[Json]:
    """Those that start a state machine first."""
    events = clients("events")

    def ask(rule: Json) -> Json:
        bus = {"EventBusName": rule["EventBusName"]} if rule.get("EventBusName") else {}
        targets = events.list_targets_by_rule(Rule=rule["Name"], **bus)["Targets"]
        return {
            "kind": "rule",
            "name": rule["Name"],
            "group": rule.get("EventBusName", "default"),
            "description": rule.get("Description"),
            "pattern": rule.get("EventPattern"),
            "expression": rule.get("ScheduleExpression"),
            "state": rule["State"],
            "managed_by": rule.get("ManagedBy"),
            "targets": [target["Arn"] for target in targets],
        }

    with ThreadPoolExecutor(ASKED_AT_ONCE) as pool:
        found = list(pool.map(ask, everything(events, "list_rules", "Rules", MOST)))
    return sorted(found, key=lambda r: not any(":stateMachine:" in arn for arn in r["targets"]))


def switch(clients: Any, given: Json) -> Json:
    """Turns one on or off: {kind, name, group, on}. Nothing else of it changes."""
    on, name, group = given["on"], given["name"], given["group"]
    if given["kind"] == "rule":
        events = clients("events")
        act = events.enable_rule if on else events.disable_rule
        act(Name=name, EventBusName=group)
        return {}
    if given["kind"] != "schedule":
        raise Refused(400, f"{given['kind']!r} is neither a schedule nor a rule.")
    scheduler = clients("scheduler")
    known = scheduler.get_schedule(Name=name, GroupName=group)
    kept = {key: value for key, value in known.items() if key not in READ_ONLY}
    scheduler.update_schedule(**kept | {"State": "ENABLED" if on else "DISABLED"})
    return {}

"""A workflow as nodes and edges, and a run's counts. Pure.

https://docs.aws.amazon.com/glue/latest/dg/workflows_api_concepts.html
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from localaws.glue_workflows.triggers import shown
from localaws.shapes import Json

# The state of an action to the count that it is in.
COUNTS = {
    "SUCCEEDED": "SucceededActions",
    "FAILED": "FailedActions",
    "TIMEOUT": "TimeoutActions",
    "STOPPED": "StoppedActions",
    "CANCELLED": "StoppedActions",
    "ERROR": "ErroredActions",
    "WAITING": "WaitingActions",
}


def statistics(triggers: Sequence[Json], states: Sequence[str]) -> Json:
    """Of a run: all actions of the workflow's triggers, and those that were started by state."""
    counts = dict.fromkeys(
        ("TotalActions", "TimeoutActions", "FailedActions", "StoppedActions", "SucceededActions",
         "RunningActions", "ErroredActions", "WaitingActions"), 0)  # fmt: skip
    counts["TotalActions"] = sum(len(trigger["Actions"]) for trigger in triggers)
    for state in states:
        counts[COUNTS.get(state, "RunningActions")] += 1
    return counts


def graph(workflow: str, triggers: Sequence[Json], runs: dict[tuple[str, str], list[Json]]) -> Json:
    """`runs` of jobs and crawls by (JOB or CRAWLER, name), as the API shows them."""
    nodes: dict[str, Json] = {}
    edges: list[Json] = []

    def node(kind: str, name: str, details: Json) -> str:
        text = f"{workflow}/{kind}/{name}"
        unique = "wnode_" + hashlib.sha256(text.encode()).hexdigest()
        nodes.setdefault(unique, {"Type": kind, "Name": name, "UniqueId": unique, **details})
        return unique

    def worker(given: Json) -> str:
        if "JobName" in given:
            found = runs.get(("JOB", given["JobName"]), [])
            return node("JOB", given["JobName"], {"JobDetails": {"JobRuns": found}})
        found = runs.get(("CRAWLER", given["CrawlerName"]), [])
        return node("CRAWLER", given["CrawlerName"], {"CrawlerDetails": {"Crawls": found}})

    for trigger in triggers:
        at = node("TRIGGER", trigger["Name"], {"TriggerDetails": {"Trigger": shown(trigger)}})
        for condition in trigger.get("Predicate", {}).get("Conditions", []):
            edges.append({"SourceId": worker(condition), "DestinationId": at})
        for action in trigger["Actions"]:
            edges.append({"SourceId": at, "DestinationId": worker(action)})
    return {"Nodes": list(nodes.values()), "Edges": edges}

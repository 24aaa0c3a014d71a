"""Whether a trigger's conditions hold, by what has ended. Pure.

https://docs.aws.amazon.com/glue/latest/webapi/API_Predicate.html
"""

from __future__ import annotations

from collections.abc import Sequence

from localaws.shapes import Json


def holds(predicate: Json, actions: Sequence[Json]) -> bool:
    """`actions` ({Type, Name, State}) are what triggers have started, the oldest first."""
    found = [_met(condition, actions) is not None for condition in predicate["Conditions"]]
    return any(found) if predicate.get("Logical") == "ANY" else all(found)


def satisfying(predicate: Json, actions: Sequence[Json]) -> list[Json]:
    """The actions that meet a condition."""
    found = (_met(condition, actions) for condition in predicate["Conditions"])
    return [action for action in found if action is not None]


def _met(condition: Json, actions: Sequence[Json]) -> Json | None:
    """The last action of the condition's name, if it has ended as the condition says."""
    if "JobName" in condition:
        wanted, state = ("JOB", condition["JobName"]), condition["State"]
    else:
        wanted, state = ("CRAWLER", condition["CrawlerName"]), condition["CrawlState"]
    of_it = [action for action in actions if (action["Type"], action["Name"]) == wanted]
    return of_it[-1] if of_it and of_it[-1]["State"] == state else None

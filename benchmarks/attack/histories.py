"""What is missing in an execution's history, or twice in it."""

from __future__ import annotations

import collections
from collections.abc import Iterator
from typing import Any

from tasks.states import every_state

Json = dict[str, Any]


def history_problems(events: list[Json], definition: Json) -> Iterator[str]:
    """What is missing in a history or twice in it."""
    ids = [event["id"] for event in events]
    if ids != list(range(1, len(ids) + 1)):
        yield f"event ids are not consecutive: {ids}"
    for event in events:
        if not 0 <= event["previousEventId"] < event["id"]:
            yield f"event {event['id']} follows {event['previousEventId']}"
    if any(event["type"] == "ExecutionRedriven" for event in events):
        return  # what failed before was entered, and not left
    entered: collections.Counter[str] = collections.Counter()
    exited: collections.Counter[str] = collections.Counter()
    for event in events:
        if "stateEnteredEventDetails" in event:
            entered[event["stateEnteredEventDetails"]["name"]] += 1
        if "stateExitedEventDetails" in event:
            exited[event["stateExitedEventDetails"]["name"]] += 1
    if entered != exited:
        yield f"entered and not left: {entered - exited}; left and not entered: {exited - entered}"
    again = {name for name, times in entered.items() if times > 1}
    items = collections.Counter(
        event["mapIterationStartedEventDetails"]["name"]
        for event in events
        if "mapIterationStartedEventDetails" in event
    )
    within = {name: items[each] for name, each in of_maps(definition).items()}
    again = {name for name in again if entered[name] > within.get(name, 1)}
    if once := again - loops(definition):
        yield f"entered more than once without a loop: {sorted(once)}"
    types = collections.Counter(event["type"] for event in events)
    ends = types["TaskSucceeded"] + types["TaskFailed"] + types["TaskTimedOut"]
    if not types["TaskScheduled"] == types["TaskStarted"] == ends:
        yield f"tasks scheduled, started and ended differ: {dict(types)}"
    tasks = types["TaskStateEntered"]
    retries = types["TaskFailed"] + types["TaskTimedOut"]  # at most: a failure may be caught
    if not tasks <= types["TaskScheduled"] <= tasks + retries:
        yield f"{types['TaskScheduled']} tasks were scheduled for {tasks} task states"


def of_maps(definition: Json) -> dict[str, str]:
    """The states that are entered once an item, with the Map that they are of."""
    return {
        inner: name
        for name, state in every_state(definition["States"])
        if state["Type"] == "Map"
        for inner, _ in every_state(state["ItemProcessor"]["States"])
    }


def loops(definition: Json) -> set[str]:
    """The states that a definition's transitions lead back to."""
    states = definition["States"]
    next_ = {name: set(targets(state)) for name, state in states.items()}
    found = set()
    for name in states:
        reached, todo = set[str](), list(next_[name])
        while todo:
            target = todo.pop()
            if target not in reached:
                reached.add(target)
                todo += next_[target]
        if name in reached:
            found.add(name)
    return found


def targets(state: Json) -> Iterator[str]:
    for block in (state, *state.get("Choices", ()), *state.get("Catch", ())):
        if "Next" in block:
            yield block["Next"]
    if "Default" in state:
        yield state["Default"]

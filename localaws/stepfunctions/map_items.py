"""What a Map iterates over: batches of items, and how many failures it bears."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from localaws.stepfunctions.errors import runtime_error
from localaws.stepfunctions.item_formats import Entry
from localaws.stepfunctions.language import Language, Scope
from localaws.stepfunctions.payload import dumps

TOLERANCE_CAUSE = "The specified tolerated failure threshold was exceeded"


STATE_DATA = "STATE_DATA"  # the source of items that come from no file


def batches(
    language: Language, scope: Scope, items: list[Any], sources: Sequence[str] | None = None
) -> list[Any]:
    """The items, or `{"BatchInput": ..., "Items": [...]}` objects where there is an ItemBatcher.

    With an ItemBatcher the ItemSelector applies to each item before batching. `sources` as in
    `iteration_input`.
    """
    body = scope.state.body
    batcher = body.get("ItemBatcher")
    if batcher is None:
        return items
    inputs = selected(language, scope, items, sources)
    bounds = replace(scope, state=replace(scope.state, body=body | batcher))
    most = language.number(bounds, "MaxItemsPerBatch")
    most_bytes = language.number(bounds, "MaxInputBytesPerBatch")
    shared: dict[str, Any] = {}
    if "BatchInput" in batcher:
        shared["BatchInput"] = language.template(scope, batcher["BatchInput"])
    made: list[Any] = []
    current: list[Any] = []
    size = 0
    for item in inputs:
        item_bytes = len(dumps(item).encode())
        full = (most is not None and len(current) >= most) or (
            most_bytes is not None and current and size + item_bytes > most_bytes
        )
        if full:
            made.append({**shared, "Items": current})
            current, size = [], 0
        current.append(item)
        size += item_bytes
    if current:
        made.append({**shared, "Items": current})
    return made


def selected(
    language: Language, scope: Scope, items: list[Any], sources: Sequence[str] | None = None
) -> list[Any]:
    """What the ItemSelector makes of each item."""
    return [_selected(language, scope, index, item, sources) for index, item in enumerate(items)]


def _selected(
    language: Language, scope: Scope, index: int, item: Any, sources: Sequence[str] | None
) -> Any:
    """https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html"""
    told = {"Index": index, "Value": item}
    if isinstance(item, Entry):
        told = {"Index": index, **item}
    if sources is not None:
        told["Source"] = sources[index] if sources else STATE_DATA
    context = {**scope.context, "Map": {"Item": told}}
    return language.item_input(Scope(scope.state, scope.input, context, scope.variables), item)


def iteration_input(
    language: Language, scope: Scope, index: int, item: Any, sources: Sequence[str] | None = None
) -> Any:
    """The input of iteration `index`: the item, or what ItemSelector makes of it. A batch is made
    of selected items already. `sources`: where a Map Run's items are from; empty for the state's
    own data, None in an inline Map."""
    if "ItemBatcher" in scope.state.body:
        return item
    return _selected(language, scope, index, item, sources)


def tolerance(
    language: Language, scope: Scope, total: int, changed: dict[str, Any] | None = None
) -> int | None:
    """How many items may fail: the lower of count and percentage; None when neither is given.
    `changed` holds what an UpdateMapRun has put in the definition's place."""
    count, percentage = limits(language, scope)
    changed = changed or {}
    count = changed.get("toleratedFailureCount", count)
    percentage = changed.get("toleratedFailurePercentage", percentage)
    borne = []
    if count is not None:
        borne.append(int(count))
    if percentage is not None:
        borne.append(int(total * percentage / 100))
    return min(borne) if borne else None


def limits(language: Language, scope: Scope) -> tuple[int | None, float | None]:
    """(ToleratedFailureCount, ToleratedFailurePercentage); None where not given."""
    count = language.number(scope, "ToleratedFailureCount")
    if count is not None and count < 0:
        raise runtime_error("ToleratedFailureCount cannot be negative.")
    percentage = language.number(scope, "ToleratedFailurePercentage")
    if percentage is not None and not 0 <= percentage <= 100:
        raise runtime_error("ToleratedFailurePercentage must be between 0 and 100.")
    return None if count is None else int(count), percentage


def concurrency(language: Language, scope: Scope) -> int:
    """MaxConcurrency; 0 is no limit."""
    limit = int(language.number(scope, "MaxConcurrency") or 0)
    if limit < 0:
        raise runtime_error(
            f"Expected non-negative integer for MaxConcurrency, got '{limit}' instead."
        )
    return limit

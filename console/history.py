"""The histories of the executions looked at last, and events as a page takes them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

from executions.events import Events
from executions.history import mapping

Json = dict[str, Any]

KEPT_EXECUTIONS = 8
PAYLOADS = ("input", "output", "parameters")
PREVIEW_CHARACTERS = 160
CAUSE_CHARACTERS = 2000
ITEM_CHARACTERS = 65_536  # of an input that is read for its name


class Histories:
    """The executions looked at last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, Events] = OrderedDict()

    def of(self, step_functions: Any, arn: str) -> Events:
        with self._lock:
            events = self._kept.pop(arn, None) or Events(step_functions, arn)
            self._kept[arn] = events
            while len(self._kept) > KEPT_EXECUTIONS:
                self._kept.popitem(last=False)
            return events


def preview(event: Json) -> Json:
    """The event with its payloads cut to a preview: {text, characters, name}, where they were cut.

    A history of 10,000 events may hold hundreds of megabytes; a page shows a few of them. `name` is
    the member of a state's input that a Map's item is called by.
    """
    shown: Json = {}
    for name, value in event.items():
        if isinstance(value, dict):
            shown[name] = {key: _cut(key, text) for key, text in value.items()}
        else:
            shown[name] = value
    return shown


def _cut(key: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    most = PREVIEW_CHARACTERS if key in PAYLOADS else CAUSE_CHARACTERS
    if len(value) <= most:
        return value
    cut = {"text": value[:most], "characters": len(value)}
    name = mapping(value).get("name") if key == "input" and len(value) <= ITEM_CHARACTERS else None
    return {**cut, "name": name} if isinstance(name, str) else cut

"""Paths into JSON, as Glue's jsonPath and its JSON classifiers have them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_STEP = re.compile(r"\.([A-Za-z_][\w-]*)|\[\s*(\*)\s*\]|\[\s*'([^']+)'\s*\]|\.(\*)")


def json_path(written: str) -> list[str] | None:
    """The steps of a path like $, $.a.b, $.items[*]: names, and `*` for every element; None for
    one that says more."""
    if not written.startswith("$"):
        return None
    at, steps = 1, []
    while at < len(written):
        match = _STEP.match(written, at)
        if match is None:
            return None
        steps.append(next(group for group in match.groups() if group is not None))
        at = match.end()
    return steps


def at_path(value: Any, steps: list[str]) -> Iterator[Any]:
    """What is at the path in a value: with `*` one for each element or member."""
    if not steps:
        yield value
    elif steps[0] == "*":
        each = value.values() if isinstance(value, dict) else value
        for inner in each if isinstance(value, dict | list) else []:
            yield from at_path(inner, steps[1:])
    elif isinstance(value, dict) and steps[0] in value:
        yield from at_path(value[steps[0]], steps[1:])

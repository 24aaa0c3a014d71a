"""Which workflow variables each JSONPath state of a definition reads.

DescribeStateMachine lists them; the references of JSONata expressions are not in that list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from localaws.stepfunctions.definition import JSONPATH, parse

LITERALS = {"Result", "Comment", "Branches", "ItemProcessor", "Iterator"}
QUOTED = re.compile(r"'(?:\\.|[^'\\])*'")
VARIABLE = re.compile(r"(?<![\w$.\]])\$([A-Za-z_]\w*)")


@lru_cache(maxsize=256)
def variable_references(definition: str) -> dict[str, list[str]]:
    """State name to the names it reads; states that read none are left out."""
    found: dict[str, list[str]] = {}
    for group in parse(definition).groups.values():
        for state in group.states.values():
            names = set(_read(state.body)) if state.language == JSONPATH else set()
            if names:
                found[state.name] = sorted(names)
    return found


def _read(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _read(item)
    if not isinstance(value, dict):
        return
    for key, item in value.items():
        if isinstance(item, str) and (key.endswith((".$", "Path")) or key == "Variable"):
            yield from VARIABLE.findall(QUOTED.sub("''", item))
        elif key not in LITERALS:
            yield from _read(item)

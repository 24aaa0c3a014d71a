"""The ten stages that a person sees: every state's Comment begins `Stage N, Title: `."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

TITLES = {
    1: "Receive trigger",
    2: "Crawl raw data",
    3: "Check raw data",
    4: "Clean with DataBrew",
    5: "Build features",
    6: "Join features",
    7: "Train",
    8: "Better than the live model?",
    9: "Publish",
    10: "Write audit record",
}
COMMENT = re.compile(r"^Stage (\d+), ([^:]+): ")

# The states of each stage at the top level; those of a branch belong to the stage of their
# Parallel state. What is not listed is of stage 9.
STATES = {
    1: ("Note the input", "Receive trigger", "Plan the run", "Anything new?"),
    2: (
        *("Start crawler", "Wait for crawler", "Look at crawler", "Crawler finished?"),
        *("Let files settle", "Crawl failed", "Crawl took too long"),
    ),
    3: ("Check raw data",),
    4: ("Clean with DataBrew", "Define clean tables"),
    5: ("Join prior order lines", "Build features"),
    6: ("Join features", "Train a model?"),
    7: ("Pin live model", "Train"),
    8: ("Judge model", "Better than the live model?"),
    10: (
        *("Write audit record", "Did it go well?", "Run done", "Nothing new", "Run failed"),
        "Audit record not written",
    ),
}


def stage_of(name: str) -> int:
    return next((number for number, names in STATES.items() if name in names), 9)


def comment(states: dict[str, Any], number: int | None = None) -> None:
    """Puts the stage before the comment of each state, in branches too."""
    for name, state in states.items():
        stage = number or stage_of(name)
        sentence = state.get("Comment") or f"{name}."
        state["Comment"] = f"Stage {stage}, {TITLES[stage]}: {sentence}"
        for branch in state.get("Branches", ()):
            comment(branch["States"], stage)


def every_state(states: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and body of every state, in branches too."""
    for name, state in states.items():
        yield name, state
        for branch in state.get("Branches", ()):
            yield from every_state(branch["States"])

"""The ten stages that a person sees: every state's Comment begins `Stage N, Title: `."""

from __future__ import annotations

import re

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


def comment(number: int, sentence: str) -> str:
    """A state's Comment: its stage, as the console reads it, and what the state does."""
    return f"Stage {number}, {TITLES[number]}: {sentence}"

"""Topics of a home that was made when moto kept them."""

from __future__ import annotations

from pathlib import Path

from localaws.core import moto_state
from localaws.documents import Documents
from localaws.sns.topics import DEDUPLICATION, FIFO, KIND


def adopt(file: Path, documents: Documents) -> None:
    """Takes them over, once: the file is put aside under another name, not deleted.

    Raises UnreadableState; nothing is changed then.
    """
    if not file.exists():
        return
    states = moto_state.load("sns", file.read_bytes())
    with documents.transaction():
        for state in states.values():
            for arn, topic in state["topics"].items():
                flags = {
                    FIFO: topic.fifo_topic in (True, "true"),
                    DEDUPLICATION: topic.content_based_deduplication in (True, "true"),
                }
                attributes = {
                    "Policy": topic.policy,
                    "DisplayName": topic.display_name or "",
                    **{name: "true" for name, given in flags.items() if given},
                }
                kept = {"attributes": attributes, "tags": dict(topic._tags)}
                documents.insert(KIND, arn, {**kept, "sequence": 0, "recent": {}})
    file.rename(file.with_suffix(".adopted"))

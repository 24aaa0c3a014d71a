"""Two kits compared: what only one has, and what both have in different forms."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rebuy.parity.kit import Kit

PARENT = re.compile(r"(.*)(?:\.[^.\[\]:]*|\[\]|:)")


@dataclass(frozen=True)
class Difference:
    """`here` and `there`: the forms; None where the field is not."""

    path: str
    here: list[str] | None
    there: list[str] | None

    def __str__(self) -> str:
        return f"{self.path}\n  here   {_words(self.here)}\n  there  {_words(self.there)}"


def compare(here: Kit, there: Kit) -> Iterator[Difference]:
    """In the order of paths; of what is missing as a whole only the whole."""
    if here.status != there.status:
        yield Difference("status of the run", [here.status], [there.status])
    told: set[str] = set()
    for path in sorted({*here.facts, *there.facts}):
        one, other = here.facts.get(path), there.facts.get(path)
        if one == other:
            continue
        if (one is None or other is None) and _within(path, told):
            continue
        if one is None or other is None:
            told.add(path)
        yield Difference(path, one, other)


def _within(path: str, told: set[str]) -> bool:
    """Whether something that holds this was told to be missing."""
    while (found := PARENT.fullmatch(path)) is not None:
        path = found[1]
        if path in told:
            return True
    return False


def _words(forms: list[str] | None) -> str:
    return "not there" if forms is None else " | ".join(forms)

"""Java's syntax of regular expressions, as Trino's default library (Joni) reads it.

https://trino.io/docs/current/functions/regexp.html
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import regex  # type: ignore[import-untyped]

from localaws.trino.errors import invalid

SECONDS = 10.0  # for one match: a pattern that backtracks for ever must not hold the query


@lru_cache(maxsize=512)
def compiled(pattern: str) -> Any:
    try:
        return regex.compile(_java(pattern), regex.VERSION1)
    except (regex.error, ValueError, OverflowError) as error:
        raise invalid(f"{error}: /{pattern}/") from None


def _java(pattern: str) -> str:
    """Java's escapes that are written otherwise here."""
    out, place = [], 0
    while place < len(pattern):
        if pattern[place] == "\\" and place + 1 < len(pattern):
            letter = pattern[place + 1]
            out.append({"z": r"\Z", "Z": r"(?=\n?\Z)", "h": r"[ \t]"}.get(letter, "\\" + letter))
            place += 2
        elif pattern[place] == "$":
            out.append(r"(?=\n?\Z)")
            place += 1
        elif pattern[place] == "[":
            end = _set_end(pattern, place)
            out.append(pattern[place:end])
            place = end
        else:
            out.append(pattern[place])
            place += 1
    return "".join(out)


def _set_end(pattern: str, start: int) -> int:
    depth, place = 0, start
    while place < len(pattern):
        if pattern[place] == "\\":
            place += 1
        elif pattern[place] == "[":
            depth += 1
        elif pattern[place] == "]" and place > start + 1:
            depth -= 1
            if not depth:
                return place + 1
        place += 1
    return place

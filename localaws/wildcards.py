"""Texts with places for any characters, matched without ever going back.

A regular expression with `.*` for each star tries every place for every piece: of twenty stars
that takes longer than anybody lives. The earliest place of a piece leaves the most for those after
it, so no other has to be tried.
"""

from __future__ import annotations

import re
from collections.abc import Sequence


def in_order(text: str, pieces: Sequence[str]) -> bool:
    """Whether the text is the pieces, one after the other with any characters between."""
    first, *between = pieces
    if not between:
        return text == first
    last = between.pop()
    if len(text) < len(first) + len(last) or not text.startswith(first):
        return False
    position = len(first)
    for piece in between:
        found = text.find(piece, position, len(text) - len(last))
        if found < 0:
            return False
        position = found + len(piece)
    return text.endswith(last)


def starred(text: str, pattern: str) -> bool:
    r"""Whether the whole text fits: `*` is any run of characters, `\*` a star, `\\` a backslash."""
    pieces = [""]
    for part in re.findall(r"\\[*\\]|\*|[^*\\]+|\\", pattern):
        if part == "*":
            pieces.append("")
        else:
            pieces[-1] += part[1] if part in ("\\*", "\\\\") else part
    return in_order(text, pieces)


def like(text: str, pattern: str) -> bool:
    """Whether the whole text fits: `*` is any run of characters, `?` is one, as in IAM."""
    return re.fullmatch(expression(pieces(pattern)), text, re.DOTALL) is not None


def pieces(pattern: str) -> list[str]:
    """The expressions of what stands between the stars of such a pattern."""
    return [re.escape(piece).replace(r"\?", ".") for piece in pattern.split("*")]


def expression(parts: Sequence[str]) -> str:
    """`in_order` as a regular expression, of pieces that are expressions of a fixed length (a text,
    `.`). To be compiled with re.DOTALL and asked by `fullmatch`."""
    first, *between = parts
    if not between:
        return first
    last = between.pop()
    return first + "".join(f"(?>.*?{piece})" for piece in between if piece) + ".*" + last

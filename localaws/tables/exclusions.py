"""Exclude patterns of crawlers and of Glue's S3 sources."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from localaws.expressions import BadExpression, Expression


class BadExclusion(ValueError):
    """An exclude pattern that cannot be read, or takes too long; the message says which."""


def excluded(patterns: Sequence[str]) -> Callable[[str], bool]:
    """Whether one of the exclude patterns means a name. Raises BadExclusion, as its answer does."""
    try:
        expressions = [Expression(glob(pattern)) for pattern in patterns]
    except BadExpression as error:
        raise BadExclusion(f"Exclude pattern: {error}") from None

    def is_excluded(name: str) -> bool:
        try:
            return any(each.fullmatch(name) is not None for each in expressions)
        except BadExpression as error:
            raise BadExclusion(f"Exclude pattern: {error}") from None

    return is_excluded


def glob(pattern: str) -> str:
    """The regular expression of an exclude pattern: `*` stays within a folder, `**` does not.

    https://docs.aws.amazon.com/glue/latest/dg/define-crawler-choose-data-sources.html
    """
    out, at = "", 0
    while at < len(pattern):
        if pattern.startswith("**", at):
            out, at = out + ".*", at + 2
            continue
        letter = pattern[at]
        if letter == "[" and "]" in pattern[at:]:
            end = pattern.index("]", at)
            inside = pattern[at + 1 : end]
            out += "[" + ("^" + inside[1:] if inside.startswith("!") else inside) + "]"
            at = end + 1
            continue
        plain = {"*": "[^/]*", "?": "[^/]", "{": "(?:", "}": ")", ",": "|"}
        inside_braces = pattern[:at].count("{") > pattern[:at].count("}")
        out += (
            plain[letter]
            if letter in plain and (letter != "," or inside_braces)
            else re.escape(letter)
        )
        at += 1
    return out

"""Regular expressions (between the signs %) and quoted texts of filter patterns.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

from __future__ import annotations

import re
from collections.abc import Callable

import regex  # type: ignore[import-untyped]

from localaws.logs.errors import invalid

Matches = Callable[[str], bool]
SECONDS = 1.0  # for one message
ALLOWED = re.compile(r"[\w\s:#=@/;,^$?\[\]{}|\\*+.-]*", re.ASCII)


def expression(text: str) -> Matches:
    """Whether a message has what a regular expression (between the signs %) describes."""
    if not ALLOWED.fullmatch(text):
        raise invalid(f"Invalid filter pattern: %{text}% has characters that are not supported")
    try:
        program = regex.compile(text, regex.ASCII)
    except regex.error as error:
        raise invalid(f"Invalid filter pattern: %{text}%: {error}") from None

    def matches(message: str) -> bool:
        try:
            return program.search(message, timeout=SECONDS) is not None
        except TimeoutError:
            raise invalid(f"Invalid filter pattern: %{text}% takes too long") from None

    return matches


def unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)

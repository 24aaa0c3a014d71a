"""Regular expressions (between the signs %) and quoted texts of filter patterns.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

from __future__ import annotations

import re
from collections.abc import Callable

from localaws.expressions import ASCII, BadExpression, Expression
from localaws.logs.errors import invalid

Matches = Callable[[str], bool]
ALLOWED = re.compile(r"[\w\s:#=@/;,^$?\[\]{}|\\*+.-]*", re.ASCII)


def expression(text: str) -> Matches:
    """Whether a message has what a regular expression (between the signs %) describes."""
    if not ALLOWED.fullmatch(text):
        raise invalid(f"Invalid filter pattern: %{text}% has characters that are not supported")
    try:
        program = Expression(text, ASCII)
    except BadExpression as error:
        raise invalid(f"Invalid filter pattern: %{text}%: {error}") from None

    def matches(message: str) -> bool:
        try:
            return program.found_in(message)
        except BadExpression as error:
            raise invalid(f"Invalid filter pattern: %{text}%: {error}") from None

    return matches


def unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)

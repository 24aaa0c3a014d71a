"""Filter patterns: which messages one matches.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

from __future__ import annotations

from localaws.errors import NotEmulated
from localaws.logs import json_patterns, terms
from localaws.logs.expressions import Matches


def compiled(pattern: str) -> Matches:
    """Raises InvalidParameterException, and NotEmulated for words by their place."""
    text = pattern.strip()
    if text.startswith("["):
        raise NotEmulated(
            "logs", "FilterLogEvents", "filterPattern", "It has terms and JSON, no [words]."
        )
    return json_patterns.compiled(text) if text.startswith("{") else terms.compiled(text)

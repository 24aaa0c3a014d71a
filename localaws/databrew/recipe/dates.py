"""DataBrew's date layouts as strftime formats.

Tokens: yyyy, yy, mm (month), month (its name), dd, HH, MM (minutes), SS; `*` stands for a blank in
exported recipes. Without HH before it, MM is read as the month, as a Java-style export has it.
"""

from __future__ import annotations

import re

from localaws.databrew.recipe.steps import Step

DEFAULT = "yyyy-mm-dd HH:MM:SS"
UNITS = {
    "YEARS": "year",
    "QUARTERS": "quarter",
    "MONTHS": "month",
    "WEEKS": "week",
    "DAYS": "day",
    "HOURS": "hour",
    "MINUTES": "minute",
    "SECONDS": "second",
    "MILLISECONDS": "millisecond",
    "MICROSECONDS": "microsecond",
}
_TOKENS = {
    "yyyy": "%Y",
    "yy": "%y",
    "month": "%B",
    "mm": "%m",
    "dd": "%d",
    "HH": "%H",
    "SS": "%S",
}
_TOKEN = re.compile(r"yyyy|yy|month|mm|dd|HH|MM|SS|[-/ .,:*]|.")


def strftime(step: Step, layout: str) -> str:
    """The strftime format; an unknown token fails the step, named."""
    written = ""
    hours = False
    for token in _TOKEN.findall(layout):
        if token == "MM":
            written += "%M" if hours else "%m"
        elif token == "*":
            written += " "
        elif token in "-/ .,:":
            written += token
        elif token in _TOKENS:
            hours = hours or token == "HH"
            written += _TOKENS[token]
        else:
            step.fail(f"the date layout {layout!r} has the unknown token {token!r}.")
    return written

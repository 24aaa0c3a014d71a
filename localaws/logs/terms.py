"""Filter patterns of plain messages: terms are parts of a message, with their case.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html, "unstructured
log events"
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from localaws.logs.errors import invalid
from localaws.logs.expressions import Matches, expression, unquoted

TERM = re.compile(r'\s*([?-]?)(?:"((?:[^"\\]|\\.)*)"|%([^%]*)%|([^\s"%?-][^\s"]*))(?=\s|$)')


@dataclass(frozen=True)
class _Term:
    sign: str
    matches: Matches


def compiled(text: str) -> Matches:
    terms = list(_terms(text))
    # Beside other terms, those with a question mark have no effect.
    needed = [term.matches for term in terms if term.sign == ""]
    excluded = [term.matches for term in terms if term.sign == "-"]
    optional = [term.matches for term in terms if term.sign == "?"]
    if optional and not needed and not excluded:
        return lambda message: any(one(message) for one in optional)
    return lambda message: (
        all(one(message) for one in needed) and not any(one(message) for one in excluded)
    )


def _terms(text: str) -> list[_Term]:
    found, place = [], 0
    while place < len(text):
        term = TERM.match(text, place)
        if term is None:
            raise invalid(f"Invalid filter pattern: {text[place:].strip()!r} is no term")
        sign, phrase, program, word = term.groups()
        if program is not None:
            found.append(_Term(sign, expression(program)))
        else:
            found.append(_Term(sign, _part(word if phrase is None else unquoted(phrase))))
        place = term.end()
    return found


def _part(part: str) -> Matches:
    return lambda message: part in message or part == " "  # " " is documented to match everything

"""Answers as facts: a path for every field, and the forms that its values had.

A form is the value itself where it matters (a status, an error's name, a message, true or false),
without what is another one in every run: ids, times, hashes, account, region, the run's own name.
Of a number it is how it was written: `#`, `#.#`, `#.#E-#`, `# ms` for milliseconds since 1970.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

Facts = dict[str, set[str]]

LONGEST = 400  # characters of a text that are compared
EPOCH_MILLISECONDS = re.compile(r"1[5-9]\d{11}")
# In texts, the longer before the shorter; then what is left of digits.
MASKS = tuple(
    (re.compile(pattern), name)
    for pattern, name in (
        (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( ?UTC|Z|[+-]\d\d:?\d\d)?", "<time>"),
        (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<uuid>"),
        (r"\b\d{8}T\d{6}Z?\b", "<time>"),
        (r"\b(?=[0-9A-Za-z]*\d)[0-9A-Za-z]{12,}\b|\b[0-9A-Z]{12}\b", "<id>"),
        (r"(?<![0-9a-z])(?=[a-f]*\d)[0-9a-f]{8,}(?![0-9a-z])", "<id>"),
        (r"\d+\.\d{3,}(?:[eE][-+]?\d+)?", "<number>"),
        (r"\d{3,}", "<number>"),
    )
)
# Numbers that say what happened, not how much.
KEPT = {"HTTPStatusCode", "HttpStatusCode", "StatusCode", "OriginalStatusCode", "statusCode"}
LEFT_OUT = {"RequestId", "HTTPHeaders", "RetryAttempts", "HostId", "x-amzn-requestid"}


class Forms:
    """Forms of one run; `own` names are replaced by what they stand for, the longest first."""

    def __init__(self, own: Mapping[str, str]) -> None:
        self._own = sorted(own.items(), key=lambda pair: -len(pair[0]))
        self.facts: Facts = {}

    def add(self, path: str, value: Any) -> None:
        """Every field of the value, below the path."""
        for field, form in self._walk(path, value):
            self.facts.setdefault(field, set()).add(form)

    def text(self, text: str) -> str:
        for own, name in self._own:
            text = text.replace(own, name)
        for pattern, name in MASKS:
            text = pattern.sub(name, text)
        return text if len(text) <= LONGEST else f"{text[:LONGEST]} ..."

    def _walk(self, path: str, value: Any) -> Iterator[tuple[str, str]]:
        if isinstance(value, dict):
            yield path, "{}"
            for name, member in value.items():
                if name not in LEFT_OUT:
                    yield from self._member(f"{path}.{self.text(name)}", name, member)
        elif isinstance(value, list | tuple):
            yield path, "[]"
            for member in value:
                yield from self._walk(f"{path}[]", member)
        elif isinstance(value, str) and (inner := parsed(value)) is not None:
            yield path, "JSON as text"
            yield from self._walk(f"{path}:", inner)
        else:
            yield path, self._scalar(value)

    def _member(self, path: str, name: str, member: Any) -> Iterator[tuple[str, str]]:
        if name in KEPT and not isinstance(member, dict | list):
            yield path, str(member)
        else:
            yield from self._walk(path, member)

    def _scalar(self, value: Any) -> str:
        for kind, form in SCALARS:
            if isinstance(value, kind):
                return form(value)
        return f'"{self.text(str(value))}"'


class Written(str):
    """A number as JSON has it."""


def parsed(text: str) -> Any:
    """What the text holds when it is a JSON object or list, numbers as Written; else None."""
    if not text.startswith(("{", "[")):
        return None
    try:
        return json.loads(text, parse_int=Written, parse_float=Written)
    except ValueError:
        return None


def number(text: str) -> str:
    if EPOCH_MILLISECONDS.fullmatch(text):
        return "# ms"
    return re.sub(r"\d+", "#", text.lstrip("-"))


SCALARS: tuple[tuple[type, Callable[[Any], str]], ...] = (
    (bool, lambda value: "true" if value else "false"),
    (type(None), lambda value: "null"),
    (datetime, lambda value: "time"),
    (Written, number),
    (int, lambda value: number(str(value))),
    (float, lambda value: number(repr(value))),
    (bytes, lambda value: "bytes"),
)

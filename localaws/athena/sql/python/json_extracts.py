"""json_extract, json_extract_scalar and json_size: a document is read up to what the path names.

What follows there may be broken, and of a key that comes twice the first one counts. Paths are
those of Trino's JsonPathTokenizer: $.name, $[1], $["any name"].
https://trino.io/docs/current/functions/json.html
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any

from localaws.trino.errors import invalid

from .json_values import Number, canonical, dump, refuse
from .registry import python

_SPACE = re.compile(r"[ \t\r\n]*")
_QUOTED = re.compile(r'\["((?:[^"\\]|\\["\\])*)"\]')
_BEYOND_INTEGER = 1 << 31


def _object(pairs: list[tuple[str, Any]]) -> Number:
    """An object as its text, with its keys in their order and as often as they come."""
    return Number("{" + ",".join(f"{dump(key)}:{dump(value)}" for key, value in pairs) + "}")


def _fraction(written: str) -> Number:
    return Number(canonical(Number(written)))


_copy = json.JSONDecoder(
    parse_int=Number, parse_float=_fraction, parse_constant=refuse, object_pairs_hook=_object
).raw_decode
_name: Any = json.decoder.scanstring  # type: ignore[attr-defined]
_read = json.JSONDecoder(
    parse_int=Number, parse_float=Number, parse_constant=refuse, object_pairs_hook=list
).raw_decode


@lru_cache(maxsize=512)
def steps(path: str) -> tuple[str, ...]:
    """The steps of $.a[0]["b c"]. Raises Fault for what is no path."""
    wrong = invalid(f"Invalid JSON path: '{path}'")
    if not path.startswith("$"):
        raise wrong
    found, place = [], 1
    while place < len(path):
        mark, quoted = path[place], _QUOTED.match(path, place)
        if quoted:
            found.append(re.sub(r"\\(.)", r"\1", quoted[1]))
            place = quoted.end()
            continue
        end = place + 1
        while end < len(path) and _is_plain(path[end], also=":" if mark == "." else ""):
            end += 1
        step = path[place + 1 : end]
        if mark == "[" and path[end : end + 1] == "]":
            end += 1
        elif mark != ".":
            raise wrong
        if not step:
            raise wrong
        found.append(step)
        place = end
    return tuple(found)


def _is_plain(letter: str, also: str) -> bool:
    if letter > "\uffff":  # Java looks at halves of it
        return False
    return letter == "_" or letter in also or letter.isalpha() or letter.isdecimal()


def _find(document: str, path: str) -> int | None:
    """Where the value begins, or None. Raises ValueError where the document breaks before it."""
    at = _next(document, 0)
    for step in steps(path):
        mark = document[at : at + 1]
        if mark == "{":
            found = _member(document, at, step)
        elif mark == "[":
            found = _element(document, at, step)
        else:
            return None
        if found is None:
            return None
        at = found
    return at


def _next(document: str, at: int) -> int:
    found = _SPACE.match(document, at)
    return found.end() if found else at


def _member(document: str, at: int, key: str) -> int | None:
    """Where the value of the first such key begins, in the object that begins at `at`."""
    at = _next(document, at + 1)
    while document[at : at + 1] != "}":
        if document[at : at + 1] != '"':
            raise ValueError("a name is missing")
        name, at = _name(document, at + 1)
        at = _next(document, _after(document, at, ":"))
        if name == key:
            return at
        _, at = _read(document, at)
        at = _following(document, at, "}")
    return None


def _element(document: str, at: int, step: str) -> int | None:
    wanted = int(step) if re.fullmatch(r"[+-]?\d+", step) else -1
    at = _next(document, at + 1)
    place = 0
    while document[at : at + 1] != "]":
        if place == wanted < _BEYOND_INTEGER:
            return at
        _, at = _read(document, at)
        at = _following(document, at, "]")
        place += 1
    return None


def _after(document: str, at: int, mark: str) -> int:
    at = _next(document, at)
    if document[at : at + 1] != mark:
        raise ValueError(f"{mark} is missing")
    return at + 1


def _following(document: str, at: int, end: str) -> int:
    """Where the next item begins, or the end of the object or array is."""
    at = _next(document, at)
    if document[at : at + 1] == end:
        return at
    at = _next(document, _after(document, at, ","))
    if document[at : at + 1] == end:
        raise ValueError("an item is missing")
    return at


@python("VARCHAR, VARCHAR -> VARCHAR")
def json_extract_text(document: str, path: str) -> str | None:
    steps(path)
    try:
        at = _find(document, path)
        return None if at is None else dump(_copy(document, at)[0], ordered=False)
    except (ValueError, RecursionError):
        return None


@python("VARCHAR, VARCHAR -> VARCHAR")
def json_scalar(document: str, path: str) -> str | None:
    steps(path)
    try:
        at = _find(document, path)
        if at is None or document[at : at + 1] in ("{", "["):
            return None
        found = _read(document, at)[0]
    except (ValueError, RecursionError):
        return None
    return str(found) if isinstance(found, str) else None if found is None else dump(found)


@python("VARCHAR, VARCHAR -> BIGINT")
def json_size(document: str, path: str) -> int | None:
    steps(path)
    try:
        at = _find(document, path)
        found = None if at is None else _read(document, at)[0]
    except (ValueError, RecursionError):
        return None
    if at is None:
        return None
    return len(found) if isinstance(found, list) else 0

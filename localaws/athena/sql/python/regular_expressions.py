"""Trino's functions of regular expressions.

https://trino.io/docs/current/functions/regexp.html
"""

from __future__ import annotations

from typing import Any

from localaws.trino.errors import Fault, invalid
from localaws.trino.regular_expressions import SECONDS, compiled

from .registry import python


def _late(error: TimeoutError) -> Fault:
    return Fault(
        f"GENERIC_INTERNAL_ERROR: a regular expression took over {SECONDS:.0f} s ({error})"
    )


@python("VARCHAR, VARCHAR -> BOOLEAN")
def regexp_like(text: str, pattern: str) -> bool:
    try:
        return compiled(pattern).search(text, timeout=SECONDS) is not None
    except TimeoutError as error:
        raise _late(error) from None


def _matches(text: str, pattern: str, start: int = 0) -> list[Any]:
    try:
        return list(compiled(pattern).finditer(text, start, timeout=SECONDS))
    except TimeoutError as error:
        raise _late(error) from None


def _group(pattern: str, number: int) -> None:
    groups = compiled(pattern).groups
    if not 0 <= number <= groups:
        raise invalid(f"Pattern has {groups} groups. Cannot access group {number}")


@python("VARCHAR, VARCHAR, BIGINT -> VARCHAR")
def regexp_extract(text: str, pattern: str, number: int) -> str | None:
    _group(pattern, number)
    try:
        found = compiled(pattern).search(text, timeout=SECONDS)
    except TimeoutError as error:
        raise _late(error) from None
    return found[number] if found else None


@python("VARCHAR, VARCHAR, BIGINT -> VARCHAR[]")
def regexp_extract_all(text: str, pattern: str, number: int) -> list[str | None]:
    _group(pattern, number)
    return [found[number] for found in _matches(text, pattern)]


@python("VARCHAR, VARCHAR -> BIGINT")
def regexp_count(text: str, pattern: str) -> int:
    return len(_matches(text, pattern))


@python("VARCHAR, VARCHAR, BIGINT, BIGINT -> INTEGER")
def regexp_position(text: str, pattern: str, start: int, occurrence: int) -> int:
    if start < 1:
        raise invalid("start position cannot be smaller than 1")
    if occurrence < 1:
        raise invalid("occurrence cannot be smaller than 1")
    if start > len(text) + 1:
        return -1
    found = [match.start() for match in _matches(text, pattern, start - 1)]
    return found[occurrence - 1] + 1 if len(found) >= occurrence else -1


@python("VARCHAR, VARCHAR -> VARCHAR[]")
def regexp_split(text: str, pattern: str) -> list[str]:
    parts, place = [], 0
    for found in _matches(text, pattern):
        parts.append(text[place : found.start()])
        place = found.end()
    return [*parts, text[place:]]


@python("VARCHAR, VARCHAR -> STRUCT(between VARCHAR[], groups VARCHAR[][])")
def regexp_matches(text: str, pattern: str) -> dict[str, Any]:
    """The groups of every match, and the texts before, between and after the matches."""
    matches = _matches(text, pattern)
    ends = [0, *(found.end() for found in matches)]
    starts = [*(found.start() for found in matches), len(text)]
    between = [text[end:start] for end, start in zip(ends, starts, strict=True)]
    return {"between": between, "groups": [list(found.groups()) for found in matches]}


@python("VARCHAR[], VARCHAR[] -> VARCHAR")
def regexp_joined(between: list[str], new: list[str | None]) -> str | None:
    """The texts with what stands between them now; NULL if a piece of that is."""
    if None in new:
        return None
    return between[0] + "".join(f"{a}{b}" for a, b in zip(new, between[1:], strict=True))


@python("VARCHAR, VARCHAR, VARCHAR -> VARCHAR")
def regexp_replace(text: str, pattern: str, replacement: str) -> str:
    program, parts, place = compiled(pattern), [], 0
    pieces = _replacement(program, replacement)
    for found in _matches(text, pattern):
        parts.append(text[place : found.start()])
        parts += [piece if isinstance(piece, str) else found[piece[0]] or "" for piece in pieces]
        place = found.end()
    return "".join([*parts, text[place:]])


def _replacement(program: Any, written: str) -> list[str | tuple[Any]]:
    """Texts and groups of `$1`, `${name}`, `\\$`."""
    pieces: list[str | tuple[Any]] = []
    place = 0
    while place < len(written):
        letter = written[place]
        if letter == "\\":
            if place + 1 == len(written) or written[place + 1] not in "\\$":
                raise invalid(f"Illegal replacement sequence: {written}")
            pieces.append(written[place + 1])
            place += 2
        elif letter == "$":
            place = _reference(program, written, place + 1, pieces)
        else:
            pieces.append(letter)
            place += 1
    return pieces


def _reference(program: Any, written: str, place: int, pieces: list[str | tuple[Any]]) -> int:
    wrong = invalid(f"Illegal replacement sequence: {written}")
    if written[place : place + 1] == "{":
        end = written.find("}", place)
        name = written[place + 1 : end]
        if end < 0 or name not in program.groupindex:
            raise invalid(f"Illegal replacement sequence: unknown group {{ {name} }}")
        pieces.append((name,))
        return end + 1
    if not written[place : place + 1].isdigit():
        raise wrong
    number = int(written[place])
    if number > program.groups:
        raise invalid(f"Illegal replacement sequence: unknown group {number}")
    place += 1
    while written[place : place + 1].isdigit():
        longer = number * 10 + int(written[place])
        if longer > program.groups:
            break
        number, place = longer, place + 1
    pieces.append((number,))
    return place

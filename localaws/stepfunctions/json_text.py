"""Reading JSON of users', and what is wrong with it, as AWS's parser (Jackson) words it."""

from __future__ import annotations

import json
import math
from typing import Any

SHOWN = 500  # characters of the text that a location repeats


def read_json(text: str) -> Any:
    """Raises ValueError for what is no JSON, has a number that no double holds (it would be written
    as `Infinity`, which nobody reads), or is nested too deeply."""
    try:
        return json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except RecursionError:
        raise json.JSONDecodeError("It is nested too deeply", text, 0) from None


def _refuse(constant: str) -> None:
    raise json.JSONDecodeError(f"{constant} is not JSON", constant, 0)


def _finite(text: str) -> float:
    if math.isinf(number := float(text)):
        raise json.JSONDecodeError(f"{text} is too large", text, 0)
    return number


def json_problem(text: str, error: ValueError) -> str:
    """The problem without its place."""
    rest = text[getattr(error, "pos", 0) :].lstrip()
    if not rest:
        return "Unexpected end-of-input"
    if word := _word(rest):
        return (
            f"Unrecognized token '{word}': was expecting (JSON String, Number, Array, Object or"
            " token 'null', 'true' or 'false')"
        )
    expected = "double-quote to start field name" if "property name" in str(error) else "a value"
    return f"Unexpected character ('{rest[0]}' (code {ord(rest[0])})): was expecting {expected}"


def json_location(text: str, error: ValueError) -> str:
    """The source and the place right behind what the parser stumbled over."""
    start = getattr(error, "pos", 0)
    rest = text[start:].lstrip()
    read = text[: len(text) - len(rest) + (len(_word(rest)) or 1)]
    line, column = read.count("\n") + 1, len(read) - read.rfind("\n")
    cut = f"[truncated {len(text) - SHOWN} chars]" if len(text) > SHOWN else ""
    return f'[Source: (String)"{text[:SHOWN]}"{cut}; line: {line}, column: {column}]'


def _word(rest: str) -> str:
    word = rest.split()[0].rstrip(",:{}[]\"'") if rest.split() else ""
    return word if word.isalpha() else ""

"""Reads JSON files: records that say themselves of what types they are."""

from __future__ import annotations

import bz2
import gzip
import json
import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import IO, Any, cast

from awsglue.records import Outcome, error_of
from awsglue.refusal import refuse

Place = tuple[str, str]  # the file that Python opens, and the URI that Spark knows
_STEP = re.compile(r"\.([A-Za-z_][\w-]*)|\[\s*(\*)\s*\]|\[\s*'([^']+)'\s*\]|\.(\*)")
_SPACE = re.compile(r"\s*")


def opened(path: str, compression: str) -> IO[bytes]:
    """The file's bytes, unpacked as its name or the option says."""
    if compression == "gzip" or path.endswith(".gz"):
        return cast(IO[bytes], gzip.open(path))
    if compression in ("bzip", "bzip2") or path.endswith(".bz2"):
        return bz2.open(path)
    return Path(path).open("rb")


def json_reader(path: str | None, multi_line: bool, compression: str) -> Callable[..., Any]:
    """A function of places that gives their outcomes; a record that is no JSON is an error."""
    return partial(_json, json_path(path) if path else None, multi_line, compression)


def json_path(written: str) -> list[str]:
    """The steps of a JSON path: names, and `*` for every element."""
    at, steps = 1, []
    while at < len(written):
        match = _STEP.match(written, at)
        if match is None or not written.startswith("$"):
            return refuse(f"the jsonPath {written}", "It takes paths like $, $.a.b, $.items[*].")
        steps.append(next(group for group in match.groups() if group is not None))
        at = match.end()
    return steps


def _json(
    steps: list[str] | None, multi_line: bool, compression: str, places: Iterable[Place]
) -> Iterator[Outcome]:
    for path, uri in places:
        with opened(path, compression) as file:
            if steps is not None or multi_line:
                found = _values(file.read().decode("utf-8-sig"))
            else:
                found = _lines(file)
            for value, error in found:
                if error is not None:
                    yield value, error
                    continue
                for record in at_path(value, steps) if steps else [value]:
                    if isinstance(record, dict):
                        yield {**record, "__file": uri}, None
                    elif steps:
                        yield {"record": record, "__file": uri}, None
                    else:
                        yield error_of(ValueError("A record is a JSON object."), record)


def _lines(file: IO[bytes]) -> Iterator[Outcome]:
    """A record a line; a file whose first line is not one has records over several lines."""
    first = True
    for number, line in enumerate(file):
        text = line.decode("utf-8-sig" if not number else "utf-8", "replace")
        if not text.strip():
            continue
        try:
            yield json.loads(text), None
        except ValueError as error:
            if first:
                yield from _values(text + file.read().decode("utf-8", "replace"))
                return
            yield error_of(error, text)
        first = False


def _values(text: str) -> Iterator[Outcome]:
    """One JSON value after another."""
    decoder, at = json.JSONDecoder(), 0
    while (at := _after_space(text, at)) < len(text):
        try:
            value, at = decoder.raw_decode(text, at)
        except ValueError as error:
            yield error_of(error, text[at : at + 1000])
            return
        yield value, None


def _after_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def at_path(value: Any, steps: list[str]) -> Iterator[Any]:
    """What is at the path in a value: with `*` one for each element or member."""
    if not steps:
        yield value
    elif steps[0] == "*":
        each = value.values() if isinstance(value, dict) else value
        for inner in each if isinstance(value, dict | list) else []:
            yield from at_path(inner, steps[1:])
    elif isinstance(value, dict) and steps[0] in value:
        yield from at_path(value[steps[0]], steps[1:])


def begins_with_array(path: str, compression: str) -> bool:
    """Whether a file is one JSON array."""
    with opened(path, compression) as file:
        return file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")

"""Reads JSON and XML files: records that say themselves of what types they are."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import IO, Any, cast
from xml.parsers.expat import ExpatError

from awsglue.records import Outcome, error_of
from awsglue.refusal import refuse
from localaws.tables import snappy_files, xml_records
from localaws.tables.json_paths import at_path, json_path

Place = tuple[str, str]  # the file that Python opens, and the URI that Spark knows
_SPACE = re.compile(r"\s*")


def opened(path: str, compression: str) -> IO[bytes]:
    """The file's bytes, unpacked as its name or the option says."""
    if compression == "gzip" or path.endswith(".gz"):
        return cast(IO[bytes], gzip.open(path))
    if compression in ("bzip", "bzip2") or path.endswith(".bz2"):
        return bz2.open(path)
    if compression == "snappy" or path.endswith(".snappy"):
        return io.BytesIO(snappy_files.unpacked(Path(path)))
    return Path(path).open("rb")


def json_reader(path: str | None, multi_line: bool, compression: str) -> Callable[..., Any]:
    """A function of places that gives their outcomes; a record that is no JSON is an error."""
    return partial(_json, _steps(path) if path else None, multi_line, compression)


def xml_reader(rules: xml_records.Rules, compression: str) -> Callable[..., Any]:
    """The same for XML; a file that is none ends in an error."""
    return partial(_xml, rules, compression)


def _xml(rules: xml_records.Rules, compression: str, places: Iterable[Place]) -> Iterator[Outcome]:
    for path, uri in places:
        with opened(path, compression) as file:
            try:
                for value in xml_records.records(file, rules):
                    fields = value if isinstance(value, dict) else {rules.value: value}
                    yield {**fields, "__file": uri}, None
            except ExpatError as error:
                yield error_of(error, uri)


def _steps(written: str) -> list[str]:
    steps = json_path(written)
    if steps is None:
        return refuse(f"the jsonPath {written}", "It takes paths like $, $.a.b, $.items[*].")
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


def begins_with_array(path: str, compression: str) -> bool:
    """Whether a file is one JSON array."""
    with opened(path, compression) as file:
        return file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")

"""Records of XML: the elements of one name, as Python values.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-format-xml-home.html
An attribute is a field with a prefix, the text beside attributes or elements has a name of its own,
elements of one name in another are an array. GUESSED: numbers are those of JSON.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Any
from xml.parsers import expat

_INTEGER = re.compile(r"[+-]?\d{1,19}")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True)
class Rules:
    """The format's options; `row` is rowTag."""

    row: str
    encoding: str | None = None
    attributes: bool = True
    prefix: str = "_"
    value: str = "_VALUE"
    null_if_empty: bool = False
    strip: bool = False


@dataclass
class _Element:
    name: str
    fields: dict[str, Any] = field(default_factory=dict)
    text: list[str] = field(default_factory=list)


def records(stream: IO[bytes], rules: Rules) -> Iterator[Any]:
    """A dictionary for each element, or a scalar where it holds text alone. Raises ExpatError."""
    found: list[Any] = []
    parser = _parser(rules, found)
    while block := stream.read(1 << 20):
        parser.Parse(block, False)
        yield from found
        found.clear()
    parser.Parse(b"", True)
    yield from found


def _parser(rules: Rules, found: list[Any]) -> Any:
    """It adds each whole record to `found`."""
    parser = expat.ParserCreate(rules.encoding)
    parser.buffer_text = True
    open_elements: list[_Element] = []  # from the record's own down

    def start(name: str, attributes: dict[str, str]) -> None:
        if not open_elements and name != rules.row:
            return
        made = _Element(name)
        if rules.attributes:
            for key, text in attributes.items():
                made.fields[f"{rules.prefix}{key}"] = _scalar(rules, text)
        open_elements.append(made)

    def text(data: str) -> None:
        if open_elements:
            open_elements[-1].text.append(data)

    def end(name: str) -> None:
        if not open_elements:
            return
        done = open_elements.pop()
        value = _value(rules, done)
        if not open_elements:
            found.append(value)
            return
        fields = open_elements[-1].fields
        if name not in fields:
            fields[name] = value
        elif isinstance(fields[name], _Many):
            fields[name].append(value)
        else:
            fields[name] = _Many([fields[name], value])

    parser.StartElementHandler = start
    parser.CharacterDataHandler = text
    parser.EndElementHandler = end
    return parser


class _Many(list[Any]):
    """Elements of one name."""


def _value(rules: Rules, element: _Element) -> Any:
    text = "".join(element.text)
    if not element.fields:
        return _scalar(rules, text)
    fields = {
        name: list(each) if isinstance(each, _Many) else each
        for name, each in element.fields.items()
    }
    return {**fields, rules.value: _scalar(rules, text)} if text.strip() else fields


def _scalar(rules: Rules, text: str) -> Any:
    bare = text.strip()
    if not bare:
        return None if rules.null_if_empty else text if not rules.strip else ""
    if _INTEGER.fullmatch(bare):
        return int(bare)
    if _NUMBER.fullmatch(bare):
        return float(bare)
    if bare.lower() in ("true", "false"):
        return bare.lower() == "true"
    return bare if rules.strip else text

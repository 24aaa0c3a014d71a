"""What a crawl says of a file, and what a custom classifier says of how to read it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Schema:
    """A file's classification (csv, parquet, json), columns and what a SerDe needs to know."""

    classification: str
    columns: tuple[tuple[str, str], ...]  # (name, Hive type)
    compression: str = "none"
    rows: int = 0
    delimiter: str = ","
    quote: str | None = None
    header: bool = False
    serde: str = "LazySimpleSerDe"
    pattern: str = ""  # Grok's, the path of JSON, the element that is a record of XML
    patterns: str = ""  # Grok's own ones

    @property
    def kind(self) -> tuple[str, str]:
        return self.classification, self.compression


@dataclass(frozen=True)
class CsvRules:
    """A custom CSV classifier, as CreateClassifier takes it."""

    delimiter: str | None = None
    quote: str | None = None
    contains_header: str = "UNKNOWN"
    header: tuple[str, ...] = ()
    trim: bool = True
    single_column: bool = False
    serde: str | None = None
    types: tuple[str, ...] = field(default=())  # Hive types allowed; empty: the built-in ones


@dataclass(frozen=True)
class XmlRules:
    """A custom XML classifier; `tag` is its RowTag."""

    tag: str
    classification: str = "xml"


@dataclass(frozen=True)
class JsonRules:
    """A custom JSON classifier."""

    path: str


@dataclass(frozen=True)
class GrokRules:
    """A custom Grok classifier, and the built-in ones of logs."""

    classification: str
    pattern: str
    custom: str = ""


Rules = CsvRules | XmlRules | JsonRules | GrokRules
KINDS: dict[str, Callable[..., Rules]] = {
    kind.__name__: kind for kind in (CsvRules, XmlRules, JsonRules, GrokRules)
}


def sent(rule: Rules) -> dict[str, Any]:
    """As a worker is told of it."""
    return {"kind": type(rule).__name__, **asdict(rule)}


def received(given: dict[str, Any]) -> Rules:
    """What was sent, whose tuples are lists by now."""
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in given.items() if k != "kind"}
    return KINDS[given["kind"]](**values)

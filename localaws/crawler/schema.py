"""What a crawl says of a file, and what a custom classifier says of how to read it."""

from __future__ import annotations

from dataclasses import dataclass, field


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

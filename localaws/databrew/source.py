"""A dataset with its files found: what a worker needs to read it."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from localaws.shapes import Json
from localaws.tables.snapshot import DataFile, TableSnapshot


class InputError(Exception):
    """The dataset cannot be read; the message says which and why."""


@dataclass(frozen=True)
class Relation:
    """A SELECT that gives the dataset's rows, and its columns with their DuckDB types."""

    sql: str
    columns: dict[str, str]


@dataclass(frozen=True)
class Source:
    """A dataset with its files found: `table` for one of the Data Catalog, else `files` in
    `format` with the dataset's FormatOptions; `path_columns` are what a file's key says."""

    name: str
    format: str
    options: Json
    files: tuple[DataFile, ...] = ()
    table: TableSnapshot | None = None
    path_columns: tuple[tuple[tuple[str, str], ...], ...] = ()  # of each file: name, text

    def to_json(self) -> Json:
        return asdict(self)

    @classmethod
    def from_json(cls, given: Json) -> Source:
        table = given["table"] and TableSnapshot.from_json(given["table"])
        files = tuple(DataFile(**file) for file in given["files"])
        columns = tuple(
            tuple((name, text) for name, text in each) for each in given.get("path_columns", ())
        )
        return cls(**{**given, "files": files, "table": table, "path_columns": columns})

"""What the server asks a worker to read, and what comes back: plain enough to go over a pipe."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from localaws.athena.iceberg.source import IcebergScan
from localaws.shapes import Json
from localaws.tables.snapshot import Columns, TableSnapshot

EXPLAIN, ANALYZE = "EXPLAIN", "EXPLAIN (ANALYZE, FORMAT JSON)"
BYTE_LIMIT = "BYTE_LIMIT"  # the failure of a query that would read more than it may


@dataclass(frozen=True)
class ScanPlan:
    """A table that the query names `relation`, and the columns it reads of it."""

    relation: str
    table: TableSnapshot | IcebergScan
    columns_read: frozenset[str]

    def to_json(self) -> Json:
        return {
            "relation": self.relation,
            "table": self.table.to_json(),
            "columns": sorted(self.columns_read),
            "iceberg": isinstance(self.table, IcebergScan),
        }

    @classmethod
    def from_json(cls, given: Json) -> ScanPlan:
        kind = IcebergScan if given["iceberg"] else TableSnapshot
        return cls(given["relation"], kind.from_json(given["table"]), frozenset(given["columns"]))


@dataclass(frozen=True)
class ReadPlan:
    """`select` is DuckDB's text over the scans; its result goes into files as `copy` (options of
    DuckDB's COPY) says, or comes back as rows where it says nothing. `keys` are partition keys,
    the last columns: then a file or more for each of their values."""

    select: str
    scans: tuple[ScanPlan, ...]
    folder: str  # for files, and for what is written on the way
    byte_limit: int | None = None
    copy: str | None = None
    keys: tuple[str, ...] = ()
    explain: str = ""  # EXPLAIN or ANALYZE: the rows are DuckDB's plan, that of a run perhaps

    def to_json(self) -> Json:
        return {**self.__dict__, "scans": [scan.to_json() for scan in self.scans]}

    @classmethod
    def from_json(cls, given: Json) -> ReadPlan:
        scans = tuple(ScanPlan.from_json(scan) for scan in given["scans"])
        return cls(**{**given, "scans": scans, "keys": tuple(given["keys"])})


@dataclass(frozen=True)
class WrittenFile:
    """A file of the result and its values of the partition keys."""

    path: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReadResult:
    """`rows` is their number where files were written, `values` the rows where none were."""

    scanned_bytes: int = 0
    rows: int = 0
    files: tuple[WrittenFile, ...] = ()
    values: list[list[Any]] = field(default_factory=list)

    @classmethod
    def from_json(cls, given: Json) -> ReadResult:
        files = (WrittenFile(file["path"], tuple(file["values"])) for file in given["files"])
        return cls(**{**given, "files": tuple(files)})


@dataclass(frozen=True)
class PrunePlan:
    """Partitions by their values, and conditions over them as DuckDB's text, in which `alias` is
    the table."""

    keys: Columns
    values: tuple[tuple[str, ...], ...]
    alias: str
    conditions: tuple[str, ...]

    def to_json(self) -> Json:
        return asdict(self)

    @classmethod
    def from_json(cls, given: Json) -> PrunePlan:
        return cls(
            tuple((name, kind) for name, kind in given["keys"]),
            tuple(tuple(values) for values in given["values"]),
            given["alias"],
            tuple(given["conditions"]),
        )

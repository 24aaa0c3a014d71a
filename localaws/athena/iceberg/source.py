"""What the server tells a worker of an Iceberg table: plain enough to go over a pipe."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from localaws.shapes import Json
from localaws.tables.snapshot import DataFile
from localaws.trino.types import Type

ROWS = "rows"  # what is read of a table: its rows, or one of its metadata tables
DELETE, UPDATE, INSERT = 1, 2, 3  # what is done with a row: `action` of a change's SELECT
POSITION = "$pos"  # the hidden column with a row's place in its file, for what changes rows


@dataclass(frozen=True)
class IcebergScan:
    """One reading, for a worker: the metadata file, the objects that its table may have, and the
    snapshot (None: the table has none). `filters` are conditions that every row must satisfy, as
    (column, operator, DuckDB's text of the constants): files without such rows need not be read."""

    name: str
    metadata: DataFile
    files: tuple[DataFile, ...]
    kind: str = ROWS
    snapshot_id: int | None = None
    filters: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
    columns: tuple[tuple[str, Type], ...] = ()  # of a metadata table

    def to_json(self) -> Json:
        return asdict(self)

    @classmethod
    def from_json(cls, given: Json) -> IcebergScan:
        return cls(
            **{
                **given,
                "metadata": DataFile(**given["metadata"]),
                "files": tuple(DataFile(**file) for file in given["files"]),
                "columns": tuple((label, _type(kind)) for label, kind in given["columns"]),
                "filters": tuple(
                    (label, operator, tuple(constants))
                    for label, operator, constants in given["filters"]
                ),
            }
        )


def _type(given: Json) -> Type:
    items = tuple(_type(item) for item in given["items"])
    return Type(given["name"], tuple(given["numbers"]), items, tuple(given["names"]))

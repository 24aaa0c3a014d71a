"""A table as one reading of it needs it: frozen, and plain enough to be sent to a worker."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from localaws.shapes import Json
from localaws.tables.storage import Storage

Columns = tuple[tuple[str, str], ...]  # (name, Hive type)


@dataclass(frozen=True)
class DataFile:
    """An object's file as it was when the snapshot was taken."""

    uri: str  # s3://bucket/key
    path: str  # where the bytes lie
    bytes: int
    etag: str
    modified: float  # seconds since 1970

    @property
    def version(self) -> tuple[str, int, str, float]:
        """What is kept of the file's content counts as long as this is the same."""
        return self.path, self.bytes, self.etag, self.modified


@dataclass(frozen=True)
class Partition:
    """Files that are read in one way, and their values of the table's partition keys. A table
    without keys has one, without values. `columns` are the partition's own."""

    values: tuple[str, ...]
    storage: Storage
    columns: Columns
    files: tuple[DataFile, ...]


@dataclass(frozen=True)
class TableSnapshot:
    """Columns in files, partition keys, and the partitions that are read."""

    database: str
    name: str
    columns: Columns
    keys: Columns
    partitions: tuple[Partition, ...]

    @property
    def files(self) -> tuple[DataFile, ...]:
        return tuple(file for partition in self.partitions for file in partition.files)

    def to_json(self) -> Json:
        return asdict(self)

    @classmethod
    def from_json(cls, given: Json) -> TableSnapshot:
        """The snapshot of what `to_json` gave, also after it has been JSON text."""
        return cls(
            given["database"],
            given["name"],
            _pairs(given["columns"]),
            _pairs(given["keys"]),
            tuple(
                Partition(
                    tuple(partition["values"]),
                    Storage(
                        **{
                            **partition["storage"],
                            "mapping": _pairs(partition["storage"]["mapping"]),
                        }
                    ),
                    _pairs(partition["columns"]),
                    tuple(DataFile(**file) for file in partition["files"]),
                )
                for partition in given["partitions"]
            ),
        )


def _pairs(given: Any) -> Columns:
    return tuple((first, second) for first, second in given)

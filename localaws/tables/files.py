"""From a table of the catalog to the files that hold its rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from localaws.errors import AwsError
from localaws.s3.names import split_uri
from localaws.shapes import Json, ObjectFile
from localaws.tables.errors import TableError
from localaws.tables.snapshot import Columns, DataFile, Partition, TableSnapshot
from localaws.tables.storage import storage


class ReadableObjects(Protocol):
    """Where a caller's objects are found to be read: the server's store, or a child's folders.

    Raises AwsError.
    """

    def read(self, bucket: str, prefix: str = "") -> Sequence[ObjectFile]: ...


def is_hidden(key: str) -> bool:
    """Whether a key below a table's location is no data: a part of it begins with `_` or `.`.

    Also a folder's part (Trino, HiveFileIterator.isHiddenOrWithinHiddenParentDirectory), and
    https://docs.aws.amazon.com/athena/latest/ug/tables-location-format.html.
    """
    return any(part.startswith(("_", ".")) for part in key.split("/"))


def below(
    objects: ReadableObjects, bucket: str, key: str, *, single: bool = False
) -> Sequence[ObjectFile]:
    """The objects with data in the folder `key`, in all its folders; with `single`, `key` may
    also be an object's. What is hidden, and keys that end in `/`, are left out."""
    folder = key if not key or key.endswith("/") else key + "/"
    return [
        item
        for item in objects.read(bucket, key if single else folder)
        if (single and item.key == key and not key.endswith("/"))
        or (
            item.key.startswith(folder)
            and not item.key.endswith("/")
            and not is_hidden(item.key[len(folder) :])
        )
    ]


def data_files(
    objects: ReadableObjects, location: str, *, single: bool = False
) -> tuple[DataFile, ...]:
    """The files at a location that have bytes. Raises TableError (HIVE_FILESYSTEM_ERROR)."""
    try:
        found = below(objects, *split_uri(location), single=single)
    except (AwsError, ValueError) as error:
        if isinstance(error, AwsError) and error.is_refusal:
            raise TableError(
                "PERMISSION_DENIED", f"Permission denied on S3 path: {location}"
            ) from error
        message = error.message if isinstance(error, AwsError) else str(error)
        raise TableError("HIVE_FILESYSTEM_ERROR", f"{location}: {message}") from None
    return tuple(data_file(item) for item in found if item.bytes)


def data_file(item: ObjectFile) -> DataFile:
    return DataFile(
        f"s3://{item.bucket}/{item.key}",
        str(item.path),
        item.bytes,
        item.etag,
        item.last_modified.timestamp(),
    )


def take(
    table: Json, partitions: Iterable[Json], objects: ReadableObjects, *, single: bool = False
) -> TableSnapshot:
    """The snapshot of a table, of `partitions` where it has partition keys.

    Raises TableError: for a SerDe that is not read, a location that cannot be listed.
    """
    place, parameters = table.get("StorageDescriptor") or {}, table.get("Parameters") or {}
    name = f"{table['DatabaseName']}.{table['Name']}"
    keys = _columns(table.get("PartitionKeys"))
    columns = _columns(place.get("Columns"))
    described = [((), place)] if not keys else [(p["Values"], _own(p, place)) for p in partitions]
    return TableSnapshot(
        table["DatabaseName"],
        table["Name"],
        columns,
        keys,
        tuple(
            Partition(
                tuple(values),
                storage(own, parameters, name),
                _columns(own.get("Columns")) if keys else columns,
                data_files(objects, own.get("Location") or "", single=single),
            )
            for values, own in described
        ),
    )


def _own(partition: Json, table: Json) -> Json:
    """A partition's StorageDescriptor; one that names no SerDe is read as its table is."""
    own = partition.get("StorageDescriptor") or {}
    if not (own.get("SerdeInfo") or {}).get("SerializationLibrary"):
        own = {**table, **{key: own[key] for key in ("Location", "Columns") if own.get(key)}}
    return own


def _columns(listed: list[Json] | None) -> Columns:
    return tuple((c["Name"].lower(), c.get("Type") or "string") for c in listed or [])

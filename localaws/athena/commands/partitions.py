"""Partitions of a table: added, moved, renamed, dropped, found in its folders."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from localaws.athena.commands.result import (
    NOTHING,
    CommandResult,
    changed,
    failed,
    partition_keys,
    table_of,
)
from localaws.athena.commands.tables import altered
from localaws.athena.grammar import statements as s
from localaws.athena.session import Change, Session, change
from localaws.errors import AwsError
from localaws.s3.objects import split_uri
from localaws.shapes import Json
from localaws.tables import partitions
from localaws.tables.catalog import Catalog
from localaws.tables.files import is_hidden


def _values(table: Json, values: dict[str, str]) -> list[str]:
    keys = partition_keys(table)
    if sorted(values) != sorted(keys):
        raise failed(
            f"partition spec {values} doesn't contain all (or only) partition columns: {keys}"
        )
    return [values[key] for key in keys]


def add_partitions(session: Session, statement: s.AddPartitions) -> CommandResult:
    table = table_of(session, statement)
    there = _partitions(session, table)
    changes = []
    for values, location in statement.partitions:
        listed = _values(table, values)
        if tuple(listed) in there:
            if statement.if_not_exists:
                continue
            raise failed("Partition already exists.")
        there.add(tuple(listed))
        root = table["StorageDescriptor"]["Location"].rstrip("/")
        place = location or f"{root}/{partitions.folder(partition_keys(table), listed)}"
        changes.append(_new_partition(table, listed, place))
    return changed(*changes)


def _partitions(session: Session, table: Json) -> set[tuple[str, ...]]:
    found = session.catalog.partitions(table["DatabaseName"], table["Name"])
    return {tuple(partition["Values"]) for partition in found}


def _new_partition(table: Json, values: list[str], location: str) -> Change:
    return change(
        Catalog.create_partition,
        table["DatabaseName"],
        table["Name"],
        {
            "Values": values,
            "StorageDescriptor": {**table["StorageDescriptor"], "Location": location},
            "Parameters": {},
        },
    )


def drop_partitions(session: Session, statement: s.DropPartitions) -> CommandResult:
    table = table_of(session, statement)
    there = _partitions(session, table)
    changes = []
    for values in statement.partitions:
        listed = _values(table, values)
        if tuple(listed) not in there:
            if statement.if_exists:
                continue
            raise failed(f"Partition not found ({values})")
        there.discard(tuple(listed))
        changes.append(
            change(Catalog.delete_partition, table["DatabaseName"], table["Name"], listed)
        )
    return changed(*changes)


def _one_partition(session: Session, statement: Any, values: s.Pairs) -> tuple[Json, Json]:
    table = table_of(session, statement)
    try:
        found = session.catalog.partition(
            table["DatabaseName"], table["Name"], _values(table, values)
        )
    except AwsError:
        raise failed(f"Partition not found ({values})") from None
    return table, found


def _partition_updated(table: Json, old: Json, new: Json) -> CommandResult:
    given = {key: new[key] for key in ("Values", "StorageDescriptor", "Parameters") if key in new}
    place = (table["DatabaseName"], table["Name"], old["Values"])
    return changed(change(Catalog.update_partition, *place, given))


def rename_partition(session: Session, statement: s.RenamePartition) -> CommandResult:
    """The partition's values change; its location stays, as the table is EXTERNAL."""
    table, partition = _one_partition(session, statement, statement.old)
    values = _values(table, statement.new)
    if tuple(values) in _partitions(session, table):
        raise failed("Partition already exists.")
    return _partition_updated(table, partition, {**partition, "Values": values})


def repair_table(session: Session, statement: s.RepairTable) -> CommandResult:
    """Adds the partitions of folders named k=v, in the order of the keys. It drops none."""
    table = table_of(session, statement)
    keys = partition_keys(table)
    if not keys:
        return NOTHING
    location = table["StorageDescriptor"]["Location"].rstrip("/") + "/"
    bucket, prefix = split_uri(location)
    there = _partitions(session, table)
    found: dict[tuple[str, ...], str] = {}
    for stored in session.aws.objects.list(bucket, prefix):
        parts = stored.key[len(prefix) :].split("/")
        names = [part.partition("=")[0].lower() for part in parts[: len(keys)]]
        if names == keys and len(parts) > len(keys) and not is_hidden("/".join(parts[: len(keys)])):
            values = tuple(unquote(part.partition("=")[2]) for part in parts[: len(keys)])
            found.setdefault(values, f"{location}{'/'.join(parts[: len(keys)])}/")
    new = {values: place for values, place in found.items() if values not in there}
    specs = ["/".join(f"{k}={v}" for k, v in zip(keys, values, strict=True)) for values in new]
    lines = []
    if new:
        shown = "\t".join(f"{table['Name']}:{spec}" for spec in specs)
        lines.append(f"Partitions not in metastore:\t{shown}")
    lines += [f"Repair: Added partition to metastore {table['Name']}:{spec}" for spec in specs]
    changes = [_new_partition(table, list(values), place) for values, place in new.items()]
    return CommandResult(lines, [], changes)


def set_location(session: Session, statement: s.SetLocation) -> CommandResult:
    split_uri(statement.location)
    if statement.partition is None:
        return altered(
            session,
            statement,
            lambda table: table["StorageDescriptor"].update(Location=statement.location),
        )
    table, partition = _one_partition(session, statement, statement.partition)
    place = {**partition["StorageDescriptor"], "Location": statement.location}
    return _partition_updated(table, partition, {**partition, "StorageDescriptor": place})

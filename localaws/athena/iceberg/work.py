"""What statements over Iceberg tables do in a worker: files in, files and the new metadata out.

Every function takes a request and gives a Written as JSON: the server adopts the files and puts
the metadata's location into the catalog, if nobody did meanwhile.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pyiceberg.catalog.glue import _to_columns
from pyiceberg.exceptions import ValidationError
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table import Table, Transaction
from pyiceberg.table.metadata import TableMetadata, new_table_metadata
from pyiceberg.table.sorting import UNSORTED_SORT_ORDER
from pyiceberg.table.update import RemovePropertiesUpdate, SetPropertiesUpdate
from pyiceberg.transforms import TimeTransform, parse_transform
from pyiceberg.types import IcebergType

from localaws.athena.iceberg import upkeep
from localaws.athena.iceberg.commit import Commit
from localaws.athena.iceberg.files import LocalFiles, opened, place
from localaws.athena.iceberg.reading import planned, rows
from localaws.athena.iceberg.source import DELETE, INSERT, UPDATE, IcebergScan
from localaws.athena.iceberg.writing import Writer
from localaws.athena.read_plan import ReadPlan
from localaws.athena.work import Work, working
from localaws.core.jobs.failures import WorkFailed
from localaws.core.jobs.limits import Limits
from localaws.shapes import Json
from localaws.trino.errors import QueryError


@dataclass
class Written:
    """New objects (URI to local path), the metadata's location (None: nothing changed), the
    catalog's columns, and the objects that nothing needs once this is the table."""

    files: dict[str, str] = field(default_factory=dict)
    metadata: str | None = None
    columns: list[Json] = field(default_factory=list)
    rows: int = 0
    scanned_bytes: int = 0
    garbage: list[str] = field(default_factory=list)


def create(request: Json, limits: Limits) -> Json:
    """A new table of `schema` and `spec` ([transform, column, name]), with the rows of `plan`."""
    folder = Path(request["folder"])
    schema = Schema.model_validate(request["schema"])
    spec = PartitionSpec(
        *(
            _partition_field(schema, 1000 + number, *given)
            for number, given in enumerate(request["spec"])
        )
    )
    _check_redundant(spec)
    metadata = _checked(
        lambda: new_table_metadata(
            schema, spec, UNSORTED_SORT_ORDER, request["location"], dict(request["properties"])
        )
    )
    files = LocalFiles((), folder / "iceberg")
    metadata = metadata.model_copy(update={"last_updated_ms": request["now"] - 1})
    commit, done = _commit(metadata, None, files, request), Written()
    if request["plan"] is None:
        commit.written()
        return _written(commit, done)
    with _at_work(folder, limits) as work:
        source = _changes(work, request, done)
        added = Writer(metadata, files, work.run, request["execution"]).data(source)
        done.rows = _count(work)
        if added:
            commit.rows(added)
        else:
            commit.written()
        return _written(commit, done)


def change(request: Json, limits: Limits) -> Json:
    """Rows added, changed and taken away, in one snapshot."""
    with _at_work(Path(request["folder"]), limits) as work:
        table, files = _open(request)
        done = Written()
        source = _changes(work, request, done)
        _check_matches(work)
        writer = Writer(table.metadata, files, work.run, request["execution"])
        gone = f"SELECT path, pos FROM _changed WHERE action IN ({DELETE}, {UPDATE})"
        deletes = []
        if work.run(f"{gone} LIMIT 1"):
            deletes = writer.deletes(gone, planned(table, table.metadata.current_snapshot_id))
        added = writer.data(source)
        done.rows = _count(work)
        if not added and not deletes:
            return asdict(done)
        commit = _commit(table.metadata, table.metadata_location, files, request)
        commit.rows(added, deletes)
        return _written(commit, done)


def alter(request: Json, limits: Limits) -> Json:
    """The schema or the properties changed, by the steps of `changes`."""
    with _at_work(Path(request["folder"]), limits):
        table, files = _open(request)
        commit = _commit(table.metadata, table.metadata_location, files, request)
        transaction = Transaction(table)
        _checked(lambda: _alter_schema(transaction, request["changes"]))
        updates = list(transaction._updates)
        for step in request["changes"]:
            if step["kind"] == "set":
                updates.append(SetPropertiesUpdate(updates=step["properties"]))
            elif step["kind"] == "unset":
                there = [key for key in step["keys"] if key in table.properties]
                if there:
                    updates.append(RemovePropertiesUpdate(removals=there))
        if not updates:
            return asdict(Written())
        commit.updates(*updates)
        return _written(commit, Written())


def _alter_schema(transaction: Transaction, changes: Sequence[Json]) -> None:
    with transaction.update_schema() as schema:
        for step in changes:
            kind, column = step["kind"], str(step.get("column"))
            if kind == "add":
                schema.add_column(column, _iceberg(step["type"]), step.get("comment"))
            elif kind == "drop":
                schema.delete_column(column)
            elif kind == "change":
                if step.get("type") is not None:
                    schema.update_column(column, field_type=_iceberg(step["type"]))
                if step.get("comment") is not None:
                    schema.update_column(column, doc=step["comment"])
                if step.get("first"):
                    schema.move_first(column)
                elif step.get("after"):
                    schema.move_after(column, step["after"])
                if step["name"] != column:
                    schema.rename_column(column, step["name"])


def _partition_field(
    schema: Schema, number: int, transform: str, column: str, label: str
) -> PartitionField:
    field, made = schema.find_field(column), parse_transform(transform)
    if not made.can_transform(field.field_type):
        raise WorkFailed(
            "INVALID_ARGUMENTS",
            f"Invalid source type {field.field_type} for transform: {transform}",
        )
    return PartitionField(field.field_id, number, made, label)


def _check_redundant(spec: PartitionSpec) -> None:
    """Year, month, day and hour of one column are one too many."""
    of_time: dict[int, PartitionField] = {}
    for part in spec.fields:
        if isinstance(part.transform, TimeTransform):
            other = of_time.setdefault(part.source_id, part)
            if other is not part:
                raise WorkFailed(
                    "INVALID_ARGUMENTS",
                    "Cannot add redundant partition: "
                    f"{other.name}: {other.transform} conflicts with {part.transform}",
                )


def _iceberg(kind: Any) -> IcebergType:
    made = Schema.model_validate(
        {
            "type": "struct",
            "fields": [{"id": 1, "name": "a", "required": False, "type": kind}],
        }
    )
    return made.fields[0].field_type


def optimize(request: Json, limits: Limits) -> Json:
    """Small and worn files rewritten, of all partitions or of those with one of `paths`."""
    with _at_work(Path(request["folder"]), limits) as work:
        table, files = _open(request)
        scan = IcebergScan.from_json(request["table"])
        tasks = planned(table, scan.snapshot_id)
        if request["paths"] is not None:
            named = set(request["paths"])
            parts = {upkeep.partition(task) for task in tasks if task.file.file_path in named}
            gone = [task for task in tasks if upkeep.partition(task) in parts]
        else:
            gone = tasks
        gone = upkeep.rewritten(gone, table.properties)
        if not gone:
            return asdict(Written())
        schema = table.schema()
        read = {f.name.lower() for f in schema.fields}
        reading = rows(table, scan, read, work.run, tasks=gone)
        labels = [f'"{f.name.lower()}" AS c{place}' for place, f in enumerate(schema.fields)]
        writer = Writer(table.metadata, files, work.run, request["execution"])
        added = writer.data(f"SELECT {', '.join(labels)} FROM ({reading.sql})")
        replaced = [task.file for task in gone] + upkeep.released(gone, tasks)
        commit = _commit(table.metadata, table.metadata_location, files, request)
        commit.rows(added, (), replaced)
        return _written(commit, Written(scanned_bytes=reading.scanned_bytes))


def vacuum(request: Json, limits: Limits) -> Json:
    """Old snapshots forgotten; the files that only they named are garbage."""
    with _at_work(Path(request["folder"]), limits):
        table, files = _open(request)
        old = upkeep.expired(table.metadata, request["now"])
        before = upkeep.referenced(table, table.metadata)
        keep_files = int(table.properties.get("vacuum_max_metadata_files_to_keep", 100))
        metadata = table.metadata
        log = metadata.metadata_log
        if len(log) > keep_files:
            metadata = metadata.model_copy(update={"metadata_log": log[-keep_files:]})
        if not old and metadata is table.metadata:
            return asdict(Written())
        commit = _commit(metadata, table.metadata_location, files, request)
        commit.updates(*upkeep.expiry(metadata, old))
        after = upkeep.referenced(table, commit.metadata, live=True)
        after[place(table.metadata_location)] = table.metadata_location
        garbage = [uri for key, uri in before.items() if key not in after and key in files.known]
        return _written(commit, Written(garbage=garbage))


def contents(request: Json, limits: Limits) -> Json:
    """All objects that the table has: garbage once it is dropped."""
    with _at_work(Path(request["folder"]), limits):
        table, files = _open(request)
        found = upkeep.referenced(table, table.metadata)
        found[place(table.metadata_location)] = table.metadata_location
        return asdict(Written(garbage=[uri for key, uri in found.items() if key in files.known]))


# What they share


def _at_work(folder: Path, limits: Limits) -> Any:
    logging.getLogger("pyiceberg").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="pyiceberg")
    return working(folder.parent, limits)


def _open(request: Json) -> tuple[Table, LocalFiles]:
    table = opened(IcebergScan.from_json(request["table"]), Path(request["folder"]) / "iceberg")
    files: Any = table.io
    return table, files


def _commit(
    metadata: TableMetadata, location: str | None, files: LocalFiles, request: Json
) -> Commit:
    return Commit(metadata, location, files, request["execution"], request["now"])


def _changes(work: Work, request: Json, done: Written) -> str:
    """Runs the change's SELECT into the table _changed; the rows to write, as a SELECT."""
    plan = ReadPlan.from_json(request["plan"])
    prepared = work.prepare(plan)
    done.scanned_bytes = prepared.scanned_bytes
    work.run(f"CREATE OR REPLACE TEMP TABLE _changed AS {prepared.sql}", prepared.names)
    return (
        f"SELECT * EXCLUDE (action, path, pos) FROM _changed WHERE action IN ({UPDATE}, {INSERT})"
    )


def _check_matches(work: Work) -> None:
    twice = "SELECT 1 FROM _changed WHERE path IS NOT NULL GROUP BY path, pos HAVING count(*) > 1"
    if work.run(f"{twice} LIMIT 1"):
        raise QueryError(
            "MERGE_TARGET_ROW_MULTIPLE_MATCHES",
            "One MERGE target table row matched more than one source row",
        )


def _count(work: Work) -> int:
    return int(work.run("SELECT count(*) FROM _changed")[0][0])


def _written(commit: Commit, done: Written) -> Json:
    done.files = {uri: str(path) for uri, path in commit.files.written.items()}
    done.metadata = commit.made
    done.columns = _to_columns(commit.metadata)
    return asdict(done)


def _checked(act: Any) -> Any:
    """What pyiceberg refuses of a schema or a partition spec, as Athena's error."""
    try:
        return act()
    except (ValueError, ValidationError, TypeError) as error:
        raise QueryError("INVALID_ARGUMENTS", str(error)) from None

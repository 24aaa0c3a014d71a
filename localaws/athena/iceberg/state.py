"""The state of an Iceberg table, as its metadata file tells it."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from localaws.athena.iceberg import types
from localaws.athena.iceberg.source import ROWS, IcebergScan
from localaws.core.aws import LocalAws
from localaws.errors import AwsError
from localaws.s3.names import split_uri
from localaws.shapes import Json
from localaws.tables.files import data_file
from localaws.tables.snapshot import DataFile
from localaws.trino.errors import QueryError, not_emulated
from localaws.trino.types import Type

LARGEST_BYTES = 256 << 20  # of a metadata file, which is read whole
METADATA = "metadata_location"


def is_iceberg(document: Json) -> bool:
    """Whether the catalog's entry is that of an Iceberg table."""
    return str((document.get("Parameters") or {}).get("table_type", "")).upper() == "ICEBERG"


@dataclass(frozen=True)
class IcebergTable:
    """A table as it is at one version of the catalog's entry, for who asks for it through `aws`."""

    aws: LocalAws
    entry: Json
    metadata: DataFile
    document: Json

    @property
    def name(self) -> str:
        return f"{self.entry['DatabaseName']}.{self.entry['Name']}"

    @property
    def location(self) -> str:
        return str(self.document["location"]).rstrip("/")

    @property
    def properties(self) -> dict[str, str]:
        return self.document.get("properties") or {}

    @property
    def snapshots(self) -> list[Json]:
        return self.document.get("snapshots") or []

    @property
    def current(self) -> int | None:
        found = self.document.get("current-snapshot-id")
        return None if found in (None, -1) else int(found)

    def snapshot(self, snapshot_id: int) -> Json:
        for found in self.snapshots:
            if found["snapshot-id"] == snapshot_id:
                return found
        raise QueryError("INVALID_ARGUMENTS", f"Iceberg snapshot ID does not exists: {snapshot_id}")

    def at(self, milliseconds: int) -> int:
        """The snapshot that was current then."""
        log = self.document.get("snapshot-log") or []
        there = [one["snapshot-id"] for one in log if one["timestamp-ms"] <= milliseconds]
        if not there:
            raise QueryError(
                "INVALID_ARGUMENTS",
                f"No version history table {self.name} at or before {_moment(milliseconds)}",
            )
        return int(there[-1])

    def ref(self, label: str) -> int:
        """The snapshot of a tag or branch."""
        found = (self.document.get("refs") or {}).get(label)
        if found is None:
            raise QueryError(
                "INVALID_ARGUMENTS", f"Cannot find snapshot with reference name: {label}"
            )
        return int(found["snapshot-id"])

    def fields(self, snapshot_id: int | None = None) -> list[Json]:
        """The schema's fields; those of an older snapshot are its own."""
        wanted = self.document["current-schema-id"]
        if snapshot_id is not None and snapshot_id != self.current:
            wanted = self.snapshot(snapshot_id).get("schema-id", wanted)
        schema = next(s for s in self.document["schemas"] if s["schema-id"] == wanted)
        return list(schema["fields"])

    def columns(self, snapshot_id: int | None = None) -> tuple[tuple[str, Type], ...]:
        return tuple((f["name"].lower(), types.trino(f["type"])) for f in self.fields(snapshot_id))

    def spec(self) -> list[tuple[Json, str]]:
        """The fields of the current partition spec, each with its source column's name."""
        wanted = self.document["default-spec-id"]
        spec = next(s for s in self.document["partition-specs"] if s["spec-id"] == wanted)
        names = {
            field["id"]: field["name"]
            for schema in self.document["schemas"]
            for field in schema["fields"]
        }
        names |= {f["id"]: f["name"] for f in self.fields()}
        return [(f, names.get(f["source-id"], str(f["source-id"]))) for f in spec["fields"]]

    def scan(self, kind: str = ROWS, snapshot_id: int | None = None, **more: Any) -> IcebergScan:
        """Raises AwsError if the caller may not read the table's objects."""
        return IcebergScan(self.name, self.metadata, self._files, kind, snapshot_id, **more)

    @cached_property
    def _files(self) -> tuple[DataFile, ...]:
        """Listed once: this version of the table names none that came later. Asked for as Athena
        asks: the caller must be allowed to read the table's objects."""
        found: dict[str, DataFile] = {}
        for place in {self.location, *self._places()}:
            bucket, key = split_uri(f"{place}/")
            for item in self.aws.objects.read(bucket, key):
                found[f"{bucket}/{item.key}"] = data_file(item)
        return tuple(found.values())

    def _places(self) -> list[str]:
        """Where writers were told to put files that do not lie below the location."""
        keys = ("write.data.path", "write.metadata.path", "write.object-storage.path")
        given = [self.properties[key].rstrip("/") for key in keys if self.properties.get(key)]
        return [place for place in given if not f"{place}/".startswith(f"{self.location}/")]


def load(aws: LocalAws, entry: Json) -> IcebergTable:
    """Raises QueryError for a metadata file that is not there or that is not understood."""
    name = f"{entry['DatabaseName']}.{entry['Name']}"
    uri = (entry.get("Parameters") or {}).get(METADATA)
    if not uri:
        raise QueryError(
            "ICEBERG_INVALID_METADATA", f"Table {name} is missing [metadata_location] property"
        )
    try:
        bucket, key = split_uri(uri)
        item = aws.objects.head(bucket, key)
    except (AwsError, ValueError) as error:
        if isinstance(error, AwsError) and error.is_refusal:
            raise
        raise QueryError(
            "ICEBERG_MISSING_METADATA", f"Metadata not found in metadata location for table {name}"
        ) from None
    if item.bytes > LARGEST_BYTES:
        raise not_emulated(f"an Iceberg metadata file above {LARGEST_BYTES} bytes")
    raw = item.path.read_bytes()
    try:
        document = json.loads(gzip.decompress(raw) if key.endswith(".gz.metadata.json") else raw)
        version = document["format-version"]
    except (ValueError, OSError, KeyError, TypeError):
        raise QueryError(
            "ICEBERG_INVALID_METADATA", f"Invalid metadata file for table {name}"
        ) from None
    if version not in (1, 2):
        raise not_emulated(f"tables of Iceberg's format version {version}")
    if version == 1 and "schemas" not in document:
        document["schemas"] = [{**document["schema"], "schema-id": 0}]
        document.setdefault("current-schema-id", 0)
        document.setdefault(
            "partition-specs", [{"spec-id": 0, "fields": document.get("partition-spec") or []}]
        )
        document.setdefault("default-spec-id", 0)
    return IcebergTable(aws, entry, data_file(item), document)


def _moment(milliseconds: int) -> str:
    at = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")

"""The Data Catalog's part of the Glue API: databases, tables, partitions, connections, tags."""

from __future__ import annotations

from localaws.catalog.connections import Connections
from localaws.catalog.indexes import PartitionIndexes
from localaws.catalog.partitions import Partitions
from localaws.catalog.tables import Databases, Tables
from localaws.catalog.tags import Tags
from localaws.catalog.versions import TableVersions
from localaws.core.aws import LocalAws
from localaws.core.service import Service
from localaws.tables.catalog import Catalog


def register(service: Service, aws: LocalAws) -> None:
    catalog = Catalog(aws)
    for part in (
        *(Databases(catalog), Tables(catalog), TableVersions(catalog), Partitions(catalog)),
        PartitionIndexes(catalog),
        *(Connections(aws), Tags(aws)),
    ):
        part.register(service)

"""What a scan of an Iceberg table is to a query: its rows, or those of a metadata table."""

from __future__ import annotations

from pathlib import Path

from localaws.athena.iceberg import inspecting
from localaws.athena.iceberg.files import opened
from localaws.athena.iceberg.reading import Run, rows
from localaws.athena.iceberg.source import ROWS, IcebergScan


def relation(
    scan: IcebergScan, read: set[str], run: Run, folder: Path
) -> tuple[str, int, dict[str, str]]:
    """DuckDB's text, the bytes that it reads, and the URIs of local files by path.

    Raises TableError.
    """
    table = opened(scan, folder)
    if scan.kind != ROWS:
        return inspecting.relation(table, scan, folder), 0, {}
    found = rows(table, scan, read, run)
    return found.sql, found.scanned_bytes, found.names

"""Whether the bytes of the objects that the index tells of are there at all."""

from __future__ import annotations

from pathlib import Path

from localaws.core.home import LostStore
from localaws.s3.index import Index


def check_bytes(index: Index, root: Path) -> None:
    """Raises LostStore where no bucket that holds objects has its folder: somebody may delete files
    or a folder, and then they are deleted, but all of them are gone by an accident."""
    rows = index.rows(
        "SELECT bucket, count(*) AS objects FROM objects"
        " WHERE marker = 0 AND path LIKE bucket || '/%' GROUP BY bucket"
    )
    if rows and not any((root / row["bucket"]).exists() for row in rows):
        count = sum(row["objects"] for row in rows)
        raise LostStore(
            f"{root} is empty, and this home had kept {count:,} objects in it. Put a copy from a"
            f" backup in its place, or make the folder {root / rows[0]['bucket']} to go on without"
            " them; everything else in the home stays."
        )

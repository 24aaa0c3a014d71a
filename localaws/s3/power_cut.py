"""After a power cut: objects that the index tells of and whose bytes did not get to the disk."""

from __future__ import annotations

import logging
from pathlib import Path

from localaws.s3.index import Index
from localaws.s3.stored import StoredObject, etag_of

logger = logging.getLogger(__name__)

TORN = ".torn"  # beside the buckets' folders; no bucket has such a name


def take_out_torn(index: Index, root: Path, doubt_seconds: float) -> list[StoredObject]:
    """Versions whose bytes are not those that were acknowledged; the index forgets them.

    Looked at are those of the last `doubt_seconds` before the newest one: older ones were forced to
    the disk. What is left of their bytes goes to `.torn/`, for a person to look at.
    """
    rows = index.rows(
        "SELECT * FROM objects WHERE marker = 0"
        " AND modified >= (SELECT max(modified) FROM objects) - ?",
        doubt_seconds,
    )
    torn = []
    for row in rows:
        stored = StoredObject.of(row, root)
        if _is_whole(stored):
            continue
        torn.append(stored)
        index.run("DELETE FROM objects WHERE id = ?", row["id"])
        if stored.path.is_file():
            aside = root / TORN / f"{row['id']}-{stored.path.name[-100:]}"
            aside.parent.mkdir(exist_ok=True)
            stored.path.replace(aside)
        logger.error(
            "s3://%s/%s was written just before the power was cut, and its %d bytes did not get to"
            " the disk: it is no object any more. Write it again.",
            *(stored.bucket, stored.key, stored.bytes),
        )
    return torn


def _is_whole(stored: StoredObject) -> bool:
    try:
        return stored.path.stat().st_size == stored.bytes and stored.etag == etag_of(
            stored.path, stored.part_bytes
        )
    except (FileNotFoundError, NotADirectoryError):
        return True  # deleted by another program, or never renamed: found missing when asked for

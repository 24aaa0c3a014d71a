"""Raw order files: generated, and put into their bucket, with a line for each step."""

from __future__ import annotations

import time
from pathlib import Path

from rebuy.cli.console import say, seconds
from rebuy.connection import Connection
from rebuy.data import generate as generator
from rebuy.data import upload as uploads


def generate(users: int, folder: Path) -> Path:
    """A folder of generated files for so many users; one that is there already is used again."""
    if (folder / "orders.csv").exists():
        say(f"{folder} is there already")
        return folder
    began = time.monotonic()
    size = generator.generate(users, folder)
    say(f"generated {users:,} users, {size.orders:,} orders in {seconds(time.monotonic() - began)}")
    return folder


def upload(
    connection: Connection, folder: Path, bucket: str, *, allow_partial: bool = False
) -> list[uploads.Uploaded]:
    files = uploads.upload(folder, bucket, connection.client("s3"), allow_partial=allow_partial)
    for file in files:
        say(f"{'unchanged' if file.unchanged else 'uploaded '} {file.uri} ({file.bytes:,} bytes)")
    return files

"""Raw order files: generated, and put into their bucket, with a line for each step."""

from __future__ import annotations

import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

from configuration.connection import Connection
from configuration.errors import InputError
from configuration.mapping.sources import matching
from configuration.settings import Settings
from rebuy.cli.console import say, seconds
from rebuy.data import days as day_files
from rebuy.data import generate as generator
from rebuy.data import sources
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


def generate_days(users: int, out: Path, seed: int, days: int) -> None:
    """A shop of so many users, up to yesterday."""
    with tempfile.TemporaryDirectory() as folder:
        generator.generate(users, Path(folder), seed)
        made = day_files.split(Path(folder), out, days, date.today() - timedelta(days=1))
    print(f"{'files':<12} {len(made.files):>12,}")
    print(f"{'days':<12} {made.days[0]} to {made.days[-1]}")


def check_deployed(connection: Connection, parameters: dict[str, str]) -> None:
    """Raises InputError when the files would not be read: the deployment has another mapping."""
    mapped = parameters.get("FiveTables") == "mapped"
    if mapped and connection.settings.source is None:
        raise InputError(
            "This deployment reads files by a mapping; give it with --mapping, or as [source] of"
            " rebuy.toml."
        )
    if not mapped and connection.settings.source is not None:
        raise InputError("This deployment has no mapping; `rebuy deploy --mapping FILE` first.")


def check_there(settings: Settings, folder: Path) -> None:
    """Raises InputError when a file that is wanted is not there; `upload` looks into them."""
    if settings.source is None:
        uploads.files_of(folder)
    else:
        matching(settings.source, folder)


def upload(
    connection: Connection, folder: Path, bucket: str, *, allow_partial: bool = False
) -> list[uploads.Uploaded]:
    mapping, client = connection.settings.source, connection.client("s3")
    if mapping is None:
        files = uploads.upload(folder, bucket, client, allow_partial=allow_partial)
    else:
        files = sources.upload(mapping, folder, bucket, client)
    for file in files:
        say(f"{'unchanged' if file.unchanged else 'uploaded '} {file.uri} ({file.bytes:,} bytes)")
    return files

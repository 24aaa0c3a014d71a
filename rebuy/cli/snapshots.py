"""`rebuy local save` and `load`: a home in one file, for another machine."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

from configuration.errors import InputError
from localaws.core import snapshot
from rebuy.cli import local
from rebuy.cli.local_env import option

NO_KEY = "the key of the home is not in it"


def save(home: Path, file: Path) -> str:
    """Writes the file; a sentence about it. Raises InputError."""
    if file.exists():
        raise InputError(f"{file} is there already; name a new one.")
    if not file.parent.is_dir():
        raise InputError(f"{file.parent} is no folder.")
    refused = f"The local AWS of {home} runs; `rebuy local down{option(home)}` first."
    if local.describe(home)["running"]:
        raise InputError(refused)
    try:
        head = snapshot.save(home, file, metadata.version("rebuy"))
    except snapshot.NotASnapshot as error:
        raise InputError(str(error)) from error
    except BlockingIOError:
        raise InputError(refused) from None
    packed = file.stat().st_size
    return f"{file}: {head.files:,} files, {head.bytes:,} bytes in {packed:,}; {NO_KEY}"


def load(file: Path, home: Path) -> str:
    """Makes the home; a sentence about it. Raises InputError."""
    if not file.is_file():
        raise InputError(f"{file} is no file.")
    try:
        head = snapshot.load(file, home, metadata.version("rebuy"))
    except snapshot.NotASnapshot as error:
        raise InputError(str(error)) from error
    start = f"rebuy local up{option(home)}"
    return f"{home}: {head.files:,} files; `{start}` starts it, with a key of its own"

"""Short-lived folders for sockets and temporary files of child processes."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from localaws.core.home import Home

# A Unix socket's path may have about 104 characters (macOS) or 108 (Linux).
LONGEST_BASE = 70


def make(home: Home, kind: str) -> Path:
    """A new folder below home, or in the system's temporary folder where home's path is long."""
    base = home.directory("run")
    short = len(str(base)) <= LONGEST_BASE
    prefix = f"{kind}-" if short else f"localaws-{kind}-"
    return Path(tempfile.mkdtemp(prefix=prefix, dir=base if short else None))


def sweep(home: Home, kind: str) -> None:
    """Removes what a killed server left below home; before anything is started."""
    for folder in home.directory("run").glob(f"{kind}-*"):
        shutil.rmtree(folder, ignore_errors=True)

"""Which code a server runs: its files may change while it goes on running."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]


@cache
def loaded() -> str:
    """The fingerprint when this process first asked: of the code that it runs."""
    return fingerprint()


def fingerprint() -> str:
    """SHA-256 of localaws' modules as they are on disk now."""
    found = hashlib.sha256()
    for file in sorted(ROOT.rglob("*.py")):
        found.update(f"{file.relative_to(ROOT)}\n".encode())
        found.update(hashlib.sha256(file.read_bytes()).digest())
    return found.hexdigest()

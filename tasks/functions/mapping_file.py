"""The deployment's mapping, as packaging has written it (configuration/mapping/compiled.py)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Json = dict[str, Any]

FILE = Path(__file__).resolve().parents[2] / "mapping.json"


def deployed() -> Json:
    """{sha256, files, statements, checks}; without statements the raw files are the five tables."""
    found: Json = json.loads(FILE.read_text())
    return found

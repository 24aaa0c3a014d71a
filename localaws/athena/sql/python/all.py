"""Every Python function: imported for what the files register."""

from __future__ import annotations

from . import (  # noqa: F401
    distributions,
    hashes,
    java_formats,
    json_extracts,
    json_values,
    numbers,
    regular_expressions,
    sql_json,
    texts,
    time_patterns,
    times,
)
from .registry import register

__all__ = ["register"]

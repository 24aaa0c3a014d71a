"""Every Python function: imported for what the files register."""

from __future__ import annotations

from . import json_values, numbers, regular_expressions, sql_json, texts, times  # noqa: F401
from .registry import register

__all__ = ["register"]

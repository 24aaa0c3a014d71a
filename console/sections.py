"""The pieces that the page draws of a task's work: {title, kind, ...}.

Kinds: facts, code, table, log, note, and those that only one service has: model, sample,
plan, latency.
"""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
Section = dict[str, Any]


def note(text: str) -> Section:
    return {"title": "", "kind": "note", "text": text}


def facts(title: str, rows: Json, units: dict[str, str] | None = None) -> Section:
    """Names and values; what is empty is left out. Units: bytes, ms, s, time, or a word."""
    kept = {name: value for name, value in rows.items() if value not in (None, "", [], {})}
    return {"title": title, "kind": "facts", "rows": kept, "units": units or {}}


def table(title: str, columns: list[str], rows: list[list[Any]]) -> Section:
    return {"title": title, "kind": "table", "columns": columns, "rows": rows}

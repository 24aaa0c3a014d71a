"""The pieces that the page draws of a task's work: {kind, title, ...}, by kind:

* facts: `rows` {name: value}, `units` {name: bytes, ms, s, time, or a word};
* table: `columns`, `rows`;
* code: `text`;
* log: `group`, `lines` [{time, text}];
* note: `text`, why something is not shown;
* plan: `query`, the id of a query that can be explained;
* model (console/evaluation.py), sample (console/samples.py), latency (console/latency.py).

console/static/sections.js draws each of them.
"""

from __future__ import annotations

from typing import Any, Literal

Json = dict[str, Any]
Section = dict[str, Any]
Kind = Literal["facts", "table", "code", "log", "note", "plan", "model", "sample", "latency"]


def section(kind: Kind, title: str, **members: Any) -> Section:
    return {"kind": kind, "title": title, **members}


def note(text: str) -> Section:
    return section("note", "", text=text)


def facts(title: str, rows: Json, units: dict[str, str] | None = None) -> Section:
    """Names and values; what is empty is left out."""
    kept = {name: value for name, value in rows.items() if value not in (None, "", [], {})}
    return section("facts", title, rows=kept, units=units or {})


def table(title: str, columns: list[str], rows: list[list[Any]]) -> Section:
    return section("table", title, columns=columns, rows=rows)

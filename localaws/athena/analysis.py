"""EXPLAIN ANALYZE: the plan of a run, with what DuckDB measured of it."""

from __future__ import annotations

from collections.abc import Iterator

from localaws.shapes import Json

# Guesses before the run, and paths of this machine.
_LEFT_OUT = ("Estimated Cardinality", "Filename(s)")


def lines(profile: Json, scanned_bytes: int) -> list[str]:
    """DuckDB's profile as text: the run in a line, then every operator below the one that takes
    its rows, with the rows it gave, their bytes and its own time of processor."""
    query = profile["query"]
    shown = [
        f"Total: {_milliseconds(query['total_time'])}, CPU: {_milliseconds(query['cpu_time'])}, "
        f"rows read: {query['total_rows_scanned']}, data scanned: {scanned_bytes} B, "
        f"peak memory: {profile['system']['peak_buffer_memory']} B"
    ]
    tops = profile["operator"]
    while len(tops) == 1 and tops[0]["type"] in ("RESULT_COLLECTOR", "EXPLAIN_ANALYZE"):
        tops = tops[0]["children"]
    for top in tops:
        shown += _operator(top, 0)
    return shown


def _operator(node: Json, depth: int) -> Iterator[str]:
    before = "    " * depth
    yield (
        f"{before}{node['type']} [{node['intermediate_rows']} rows, "
        f"{node['intermediate_size_bytes']} B, {_milliseconds(node['timing'])}]"
    )
    for name, value in node["extra_info"].items():
        if name not in _LEFT_OUT:
            told = ", ".join(value) if isinstance(value, list) else str(value)
            yield f"{before}  {name}: {' '.join(told.split())}"
    for child in node.get("children") or []:
        yield from _operator(child, depth + 1)


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.2f} ms"

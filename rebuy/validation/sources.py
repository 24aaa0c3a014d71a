"""Python sources, parsed once however many checks read them."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import lru_cache


@lru_cache(maxsize=512)
def tree(text: str) -> ast.Module | None:
    """None for what is no Python; `scripts.py` says so."""
    try:
        return ast.parse(text)
    except SyntaxError:
        return None


def reached(files: Mapping[str, str], path: str) -> list[str]:
    """The file and those of ours that it imports, also within its functions."""
    seen: dict[str, None] = {}
    waiting = [path]
    while waiting:
        current = waiting.pop()
        if current in seen or current not in files:
            continue
        seen[current] = None
        waiting += _imported(files[current])
    return list(seen)


@lru_cache(maxsize=512)
def _imported(text: str) -> tuple[str, ...]:
    """Files that a source may import."""
    found: list[str] = []
    parsed = tree(text)
    for node in ast.walk(parsed) if parsed else ():
        if isinstance(node, ast.ImportFrom) and node.module:
            base = node.module.replace(".", "/")
            found += [f"{base}.py", *(f"{base}/{alias.name}.py" for alias in node.names)]
    return tuple(found)

"""Five shops whose files are not Instacart's: mappings, files, and what their tables must hold.

`rows` are by hand, in the order of the columns; `#text` stands for the number of that text.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from configuration.mapping import Mapping, columns, load
from configuration.mapping.sources import matching
from rebuy.data.sources import as_utf8

SHOPS = Path(__file__).parent / "shops"
NAMES = sorted(folder.name for folder in SHOPS.iterdir())
KINDS = {
    "orders": ("order_id", "user_id"),
    "order_products": ("order_id", "product_id"),
    "products": ("product_id", "", "aisle_id", "department_id"),
    "aisles": ("aisle_id",),
    "departments": ("department_id",),
    "dictionary": ("", ""),
}


def mapping(name: str) -> Mapping:
    return load(SHOPS / name / "mapping.toml")


def uploaded(name: str) -> dict[str, bytes]:
    """The shop's files as they lie in the lake: key below the source's place to bytes."""
    found = {}
    for file in matching(mapping(name), SHOPS / name):
        with as_utf8(file) as path:
            found[f"{file.kind}/{file.path.name}"] = path.read_bytes()
    return found


def expected(name: str) -> dict[str, list[list[str | None]]]:
    """The rows of `expected.json`, sorted."""
    given: dict[str, Any] = json.loads((SHOPS / name / "expected.json").read_text())
    return {
        table: sorted(
            ([_filled(table, at, cell) for at, cell in enumerate(row)] for row in rows), key=str
        )
        for table, rows in given.items()
    }


def _filled(table: str, at: int, cell: str | None) -> str | None:
    kinds = KINDS[table]
    written = re.fullmatch(r"#(?:(\w+):)?(.*)", cell or "")
    if written is None:
        return cell
    return str(columns.number(written[1] or kinds[at], written[2]))

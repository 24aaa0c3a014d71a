"""`rebuy diff`: two runs side by side on the terminal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.table import Table

from executions.comparison import Row

HASH_SHOWN = 12


def show(names: tuple[str, str], rows: Iterable[Row], console: Console, *, every: bool) -> None:
    """What differs, by section; `every`: also what is the same. A section all of which is the same
    is one line."""
    found = list(rows)
    table = Table(title_justify="left")
    for column in ("", "what", *names):
        table.add_column(column, overflow="fold")
    for section in dict.fromkeys(row.section for row in found):
        of_section = [row for row in found if row.section == section]
        shown = [row for row in of_section if every or not row.same]
        if not shown:
            table.add_row(section, f"the same in both ({len(of_section)})", style="dim")
        for number, row in enumerate(shown):
            table.add_row(
                section if number == 0 else "",
                row.what,
                _text(row.one),
                _text(row.other),
                style="dim" if row.same else None,
            )
    console.print(table)


def _text(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    text = str(value)
    return text[:HASH_SHOWN] if len(text) == 64 and text.isalnum() else text

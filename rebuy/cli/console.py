"""What the terminal shows: words on standard error, results on standard output."""

from __future__ import annotations

from typing import Any

from rich.console import Console

err = Console(stderr=True, highlight=False)
out = Console(highlight=False)


def say(text: str) -> None:
    """A step of work, dimmed: it is for whoever watches."""
    err.print(f"  {text}", style="dim", markup=False, soft_wrap=True)


def heading(text: str) -> None:
    err.print(text, style="bold", markup=False, soft_wrap=True)


def number(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def seconds(value: float) -> str:
    if value < 60:
        return f"{value:.1f} s"
    return f"{int(value // 60)} min {int(value % 60):02d} s"

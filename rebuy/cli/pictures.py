"""Pictures of a definition for people: the same as the console draws."""

from __future__ import annotations

from pathlib import Path

from rebuy.errors import InputError

IMAGE = Path(__file__).resolve().parents[2] / "docs" / "images" / "purchase_prediction.svg"


def draw(definition: bytes, form: str) -> str:
    """`form`: "svg", "mermaid" or "dot". InputError for what cannot be drawn."""
    from console import drawing

    write = {"svg": drawing.svg, "mermaid": drawing.mermaid, "dot": drawing.dot}[form]
    try:
        return write(definition.decode())
    except (drawing.DrawingError, UnicodeDecodeError) as error:
        raise InputError(str(error)) from error

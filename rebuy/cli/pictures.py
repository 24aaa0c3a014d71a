"""Pictures of a definition, and reports of an execution: the same as the console draws."""

from __future__ import annotations

from pathlib import Path

from configuration.connection import Connection
from configuration.errors import InputError
from executions.audit import Finding
from rebuy.cli import runs

IMAGE = Path(__file__).resolve().parents[2] / "docs" / "images" / "purchase_prediction.svg"


def draw(definition: bytes, form: str, *, states: bool = False) -> str:
    """`form`: "svg", "mermaid" or "dot"; an SVG is of the stages, where there are some, or with
    `states` of every state. InputError for what cannot be drawn."""
    from console import drawing

    try:
        if form == "svg":
            return drawing.svg(definition.decode(), states=states)
        write = {"mermaid": drawing.mermaid, "dot": drawing.dot}[form]
        return write(definition.decode())
    except (drawing.DrawingError, UnicodeDecodeError) as error:
        raise InputError(str(error)) from error


def write_report(connection: Connection, arn: str, file: Path) -> list[Finding]:
    """Writes the report of an execution, whether it runs or has ended; the hashes of its audit
    record as they were verified for it."""
    from console import drawing, report

    runs.describe(connection, arn)
    try:
        document = report.report(connection.clients, arn)
        file.write_text(document.text)
    except drawing.DrawingError as error:
        raise InputError(str(error)) from error
    except OSError as error:
        raise InputError(f"{file} cannot be written: {error.strerror}") from error
    return document.findings

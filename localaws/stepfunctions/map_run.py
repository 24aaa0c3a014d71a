"""Distributed Map: a map run whose iterations are child executions of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localaws.stepfunctions.errors import NOT_EMULATED, StateError
from localaws.stepfunctions.frames import Frame

if TYPE_CHECKING:
    from localaws.stepfunctions.run import Run


def start(run: Run, frame: Frame) -> None:
    raise StateError(NOT_EMULATED, "localaws does not emulate Distributed Map.")


def cancel(run: Run, frame: Frame) -> None:
    """Nothing to stop."""


def resume(run: Run, frame: Frame) -> None:
    """Nothing to take up."""

"""How work in a worker fails; the names cross the pipe."""

from __future__ import annotations

MEMORY = "MEMORY"


class WorkFailed(Exception):
    """The work cannot be done. `code` is the service's name for why; empty for a fault of ours."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class WorkerDied(WorkFailed):
    """The worker ended in the middle of the work, and not for want of memory."""

    def __init__(self, code: int | None) -> None:
        super().__init__("", f"the worker ended with code {code}")


class OutOfMemory(WorkFailed):
    """The work needs more memory than one job may have."""

    def __init__(self, message: str = "The job needs more memory than it may have.") -> None:
        super().__init__(MEMORY, message)

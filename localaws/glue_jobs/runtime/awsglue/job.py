"""Job: the frame of a Glue script. Bookmarks are refused before the script starts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Job:
    """`init` and `commit` frame the script; without bookmarks there is nothing to keep."""

    def __init__(self, glue_context: Any) -> None:
        self._glue_context = glue_context
        self._name: str | None = None

    def init(self, job_name: str, args: Mapping[str, str] | None = None) -> None:
        self._name = job_name

    def isInitialized(self) -> bool:  # noqa: N802
        return self._name is not None

    def commit(self) -> None:
        """Raises RuntimeError without `init`, as a script that forgot it fails on Glue."""
        if self._name is None:
            raise RuntimeError("Job is not initialized: call job.init(args['JOB_NAME'], args).")

    def reset(self) -> None:
        """Forgets a bookmark; there is none."""

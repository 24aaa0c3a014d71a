"""Job: the frame of a Glue script, and the moment at which its bookmarks move."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from awsglue.bookmarks import BOOKMARK


class Job:
    """`init` and `commit` frame the script."""

    def __init__(self, glue_context: Any) -> None:
        self._glue_context = glue_context
        self._name: str | None = None

    def init(self, job_name: str, args: Mapping[str, str] | None = None) -> None:
        """`args` are those of getResolvedOptions, which say whether bookmarks are on."""
        self._name = job_name
        BOOKMARK.begin((args or {}).get("job_bookmark_option") or "")

    def isInitialized(self) -> bool:
        return self._name is not None

    def commit(self) -> None:
        """Raises RuntimeError without `init`, as a script that forgot it fails on Glue."""
        if self._name is None:
            raise RuntimeError("Job is not initialized: call job.init(args['JOB_NAME'], args).")
        BOOKMARK.commit()

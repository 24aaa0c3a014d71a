"""Job bookmarks, as a run sees them: which objects earlier runs have read already.

The server leaves what is known in a file before the run, and takes up what `Job.commit` leaves
there. https://docs.aws.amazon.com/glue/latest/dg/monitor-continuations.html
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from awsglue.objects import ListedFile

VARIABLE = "LOCALAWS_GLUE_BOOKMARK"  # the folder of both files
GIVEN, COMMITTED = "bookmark.json", "bookmark-committed.json"
ENABLED, PAUSED = "job-bookmark-enable", "job-bookmark-pause"


class Bookmark:
    """Of one run. Each `transformation_ctx` has its own objects: URI and when it was written. An
    object that was changed is new again."""

    def __init__(self) -> None:
        self._option = ""
        self._known: dict[str, dict[str, Any]] = {}
        self._read: dict[str, dict[str, Any]] = {}

    def begin(self, option: str) -> None:
        """From `Job.init` on, reads are incremental."""
        self._option = option
        self._read = {}
        file = Path(os.environ.get(VARIABLE, "."), GIVEN)
        self._known = json.loads(file.read_text()) if self.active and file.exists() else {}

    @property
    def active(self) -> bool:
        return self._option in (ENABLED, PAUSED)

    def fresh(
        self, context: str, files: Sequence[ListedFile], options: Mapping[str, Any]
    ) -> list[ListedFile]:
        """The objects that no committed run has read for this context, oldest first; of those no
        more than the options `boundedFiles` or `boundedSize` say."""
        if not self.active or not context:
            return _bounded(files, options)
        known = self._known.get(context, {})
        new = [file for file in files if known.get(file.uri) != file.modified_ns]
        taken = _bounded(sorted(new, key=lambda file: file.modified_ns), options)
        self._read.setdefault(context, {}).update({file.uri: file.modified_ns for file in taken})
        return taken

    def largest(self, context: str) -> Any:
        """The last key that a committed run has read of a database's table."""
        return self._known.get(context, {}).get("key") if self.active and context else None

    def keep(self, context: str, key: Any) -> None:
        if self.active and context and key is not None:
            self._read.setdefault(context, {})["key"] = key

    def commit(self) -> None:
        """Leaves what was read since `begin` for the runs to come; all of it or nothing."""
        if self._option != ENABLED:
            return
        both = {
            context: self._known.get(context, {}) | self._read.get(context, {})
            for context in {**self._known, **self._read}
        }
        target = Path(os.environ[VARIABLE], COMMITTED)
        fresh = target.with_suffix(".new")
        fresh.write_text(json.dumps(both))
        fresh.replace(target)


def _bounded(files: Sequence[ListedFile], options: Mapping[str, Any]) -> list[ListedFile]:
    if options.get("boundedFiles"):
        return list(files[: int(options["boundedFiles"])])
    if not options.get("boundedSize"):
        return list(files)
    left = int(options["boundedSize"])
    taken: list[ListedFile] = []
    for file in files:
        if taken and file.bytes > left:
            break
        taken.append(file)
        left -= file.bytes
    return taken


BOOKMARK = Bookmark()

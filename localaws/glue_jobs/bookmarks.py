"""Job bookmarks: what earlier runs of a job have read, kept between them.

A run finds what is known in its folder and leaves there what its `Job.commit` makes of it
(`runtime/awsglue/bookmarks.py`). A reset forgets, or goes back to what was known after one run.
https://docs.aws.amazon.com/glue/latest/dg/monitor-continuations.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from localaws.core.aws import LocalAws
from localaws.core.jobs.job import JobFailed
from localaws.core.service import Call, Service
from localaws.errors import AwsError
from localaws.shapes import Json

OPTION = "--job-bookmark-option"
VARIABLE = "LOCALAWS_GLUE_BOOKMARK"
GIVEN, COMMITTED = "bookmark.json", "bookmark-committed.json"
_ON = ("job-bookmark-enable", "job-bookmark-pause")
_KIND = "glue-bookmark"  # job name -> JobBookmarkEntry
_AFTER = "glue-bookmark-after"  # job name/run id -> the JobBookmark after that run


class Bookmarks:
    """Those of all jobs of this account."""

    def __init__(self, aws: LocalAws) -> None:
        self._aws = aws

    def register(self, service: Service) -> None:
        service.operation("GetJobBookmark", "JobName")(self.describe)
        service.operation("ResetJobBookmark", "JobName", "RunId")(self.reset)

    def describe(self, call: Call) -> Json:
        entry = self._aws.documents.get(_KIND, call.params["JobName"])
        if entry is None:
            raise _not_found(call.params["JobName"])
        return {"JobBookmarkEntry": entry}

    def reset(self, call: Call) -> Json:
        """Without RunId everything is new again; with it, what came after that run."""
        name, run_id = call.params["JobName"], call.params.get("RunId")
        known: Any = "{}"
        if run_id is not None:
            after = self._aws.documents.get(_AFTER, f"{name}/{run_id}")
            if after is None:
                raise AwsError("EntityNotFoundException", f"No bookmark of job run {run_id}.")
            known = after["JobBookmark"]
        with self._aws.documents.changing(_KIND, name, _not_found(name)) as entry:
            entry |= {"JobBookmark": known, "Version": entry["Version"] + 1, "Run": 0}
        return {"JobBookmarkEntry": entry}

    def give(self, job: str, arguments: Mapping[str, str], folder: Path) -> int | None:
        """Leaves what is known in the run's folder; its version, None if bookmarks are off."""
        if arguments.get(OPTION) not in _ON:
            return None
        entry = self._aws.documents.get(_KIND, job) or {"Version": 0, "JobBookmark": "{}"}
        (folder / GIVEN).write_text(entry["JobBookmark"])
        return int(entry["Version"])

    def take(self, run: Json, version: int | None, folder: Path) -> None:
        """Keeps what the run has committed, if it has. Raises JobFailed if another run, or a
        reset, came between."""
        committed = folder / COMMITTED
        if version is None or not committed.exists():
            return
        job, run_id = run["JobName"], run["Id"]
        text = committed.read_text()
        json.loads(text)
        with self._aws.documents.transaction():
            before = self._aws.documents.get(_KIND, job) or {"Version": 0, "Run": 0, "RunId": None}
            if before["Version"] != version:
                raise JobFailed(
                    "GLUE_JOB_BOOKMARK_VERSION_MISMATCH_ERROR: the bookmark was at version"
                    f" {version} when the run began and is at {before['Version']}."
                )
            entry = {
                "JobName": job,
                "Version": version + 1,
                "Run": before["Run"] + 1,
                "Attempt": run["Attempt"],
                "RunId": run_id,
                "JobBookmark": text,
                **({"PreviousRunId": before["RunId"]} if before["RunId"] else {}),
            }
            self._aws.documents.put(_KIND, job, entry)
            self._aws.documents.put(_AFTER, f"{job}/{run_id}", {"JobBookmark": text})

    def forget(self, job: str) -> None:
        """A job's bookmark goes with it."""
        with self._aws.documents.transaction():
            self._aws.documents.delete(_KIND, job)
            for key, _ in self._aws.documents.items(_AFTER):
                if key.startswith(f"{job}/"):
                    self._aws.documents.delete(_AFTER, key)


def _not_found(job: str) -> AwsError:
    return AwsError("EntityNotFoundException", f"Continuation for job {job} not found")

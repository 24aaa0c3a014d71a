"""The job operations of Glue, added to the Glue service."""

from __future__ import annotations

from localaws.core.aws import LocalAws
from localaws.core.service import Service
from localaws.glue_jobs.bookmarks import Bookmarks
from localaws.glue_jobs.jobs import Jobs
from localaws.glue_jobs.runs import JobRuns


def register(service: Service, aws: LocalAws) -> JobRuns:
    """Adds jobs and job runs to the Glue service; returns the runs, for triggers."""
    bookmarks = Bookmarks(aws)
    jobs = Jobs(aws, bookmarks)
    runs = JobRuns(aws, jobs, bookmarks)
    bookmarks.register(service)
    jobs.register(service)
    runs.register(service)
    return runs

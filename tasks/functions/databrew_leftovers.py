"""The DataBrew jobs and datasets that runs made: those of the newest stay, to be looked at and
redriven; an account has room for 100 of each."""

from __future__ import annotations

from typing import Any

KEPT_RUNS = 15
JOBS_OF_A_RUN, DATASETS_OF_A_RUN = 3, 1


def clear(databrew: Any, prefix: str, kept_runs: int = KEPT_RUNS) -> list[str]:
    """Deletes what runs made and is not among the newest; the names. What runs made begins with
    `prefix` (`<stack>--`). Jobs go first: a dataset that a job has cannot be deleted."""
    deleted = []
    for name in _old(databrew, "list_jobs", "Jobs", prefix, kept_runs * JOBS_OF_A_RUN):
        databrew.delete_job(Name=name)
        deleted.append(name)
    for name in _old(databrew, "list_datasets", "Datasets", prefix, kept_runs * DATASETS_OF_A_RUN):
        try:
            databrew.delete_dataset(Name=name)
        except databrew.exceptions.ConflictException:  # a job that was kept has it
            continue
        deleted.append(name)
    return deleted


def _old(databrew: Any, operation: str, member: str, prefix: str, kept: int) -> list[str]:
    pages = databrew.get_paginator(operation).paginate()
    made = [
        (entry["CreateDate"], entry["Name"])
        for page in pages
        for entry in page[member]
        if entry["Name"].startswith(prefix)
    ]
    return [name for _, name in sorted(made, reverse=True)[kept:]]

"""The DataBrew jobs, datasets and rulesets that runs made: those of the newest stay, to be looked
at and redriven; an account has room for 100 of each."""

from __future__ import annotations

from typing import Any

KEPT_RUNS = 15
JOBS_OF_A_RUN, DATASETS_OF_A_RUN = 3, 1
PROFILES = "profile-"  # after the prefix: what belongs to profiles
KEPT_PROFILED_RUNS = 5  # which have these besides
PROFILES_OF_A_RUN, PROFILED_DATASETS_OF_A_RUN = 4, 2


def clear(databrew: Any, prefix: str, kept_runs: int = KEPT_RUNS) -> list[str]:
    """Deletes what runs made and is not among the newest; the names. What runs made begins with
    `prefix` (`<stack>--`). Jobs go first: a dataset or ruleset that a job has cannot be deleted."""
    profiled = min(kept_runs, KEPT_PROFILED_RUNS)
    deleted = []
    for kind, member, own, of_profiles in (
        ("job", "Jobs", JOBS_OF_A_RUN, PROFILES_OF_A_RUN),
        ("ruleset", "Rulesets", 0, PROFILED_DATASETS_OF_A_RUN),
        ("dataset", "Datasets", DATASETS_OF_A_RUN, PROFILED_DATASETS_OF_A_RUN),
    ):
        made = _made(databrew, f"list_{kind}s", member, prefix)
        profiles = [name for name in made if name.startswith(prefix + PROFILES)]
        others = [name for name in made if name not in profiles]
        old = [*others[kept_runs * own :], *profiles[profiled * of_profiles :]]
        for name in old:
            try:
                getattr(databrew, f"delete_{kind}")(Name=name)
            except databrew.exceptions.ConflictException:  # a job that was kept has it
                continue
            deleted.append(name)
    return deleted


def _made(databrew: Any, operation: str, member: str, prefix: str) -> list[str]:
    """Names that begin with `prefix`, the newest first."""
    pages = databrew.get_paginator(operation).paginate()
    made = [
        (entry["CreateDate"], entry["Name"])
        for page in pages
        for entry in page[member]
        if entry["Name"].startswith(prefix)
    ]
    return [name for _, name in sorted(made, reverse=True)]

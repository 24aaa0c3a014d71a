"""Every kind of job there is, a row each. The document about what persists quotes this table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from localaws.shapes import Json


@dataclass(frozen=True)
class JobKind:
    """What the runner must know of a kind of job.

    `documents` and `state`: where a job's document is, and the path to the state in it. A job is
    not over in the states of `active`. At most `slots` jobs are at work, the others wait in the
    order they came; None: as many as come. A job that `attempts` servers have died under is
    FAILED at the next start; after fewer deaths it is done again from its beginning.
    """

    name: str
    service: str  # of the signal "job ended"
    title: str  # "a Glue job": what the documentation calls one
    documents: str
    state: tuple[str, ...]
    active: frozenset[str]
    slots: int | None
    attempts: int = 2

    def state_of(self, document: Json) -> str:
        value: Any = document
        for name in self.state:
            value = value[name]
        return str(value)


GLUE_RUN = JobKind(
    name="glue-job-run",
    service="glue",
    title="a Glue job",
    documents="glue-job-run",
    state=("JobRunState",),
    active=frozenset({"WAITING", "STARTING", "RUNNING", "STOPPING"}),
    slots=2,  # most are a JVM each
)
TRAINING = JobKind(
    name="training-job",
    service="sagemaker",
    title="a training job",
    documents="sagemaker-training-job",
    state=("describe", "TrainingJobStatus"),
    active=frozenset({"InProgress", "Stopping"}),
    slots=None,
)
TUNING = JobKind(
    name="tuning-job",
    service="sagemaker",
    title="a tuning job",
    documents="sagemaker-tuning-job",
    state=("describe", "HyperParameterTuningJobStatus"),
    active=frozenset({"InProgress", "Stopping"}),
    slots=None,
)
TRANSFORM = JobKind(
    name="transform-job",
    service="sagemaker",
    title="a batch transform",
    documents="sagemaker-transform-job",
    state=("describe", "TransformJobStatus"),
    active=frozenset({"InProgress", "Stopping"}),
    slots=2,  # each is a process of its own
)
RECIPE_RUN = JobKind(
    name="databrew-run",
    service="databrew",
    title="a recipe job",
    documents="databrew-run",
    state=("State",),
    active=frozenset({"STARTING", "RUNNING", "STOPPING"}),
    slots=2,  # each may use both cores
)
CRAWL = JobKind(
    name="crawl",
    service="glue-crawler",
    title="a crawl",
    documents="glue-crawlers",
    state=("State",),
    active=frozenset({"RUNNING", "STOPPING"}),
    slots=None,
)
QUERY = JobKind(
    name="query",
    service="athena",
    title="a query",
    documents="athena-executions",
    state=("Status", "State"),
    active=frozenset({"QUEUED", "RUNNING"}),
    slots=2,
)
KINDS = (QUERY, GLUE_RUN, RECIPE_RUN, CRAWL, TRAINING, TUNING, TRANSFORM)


def recovery() -> str:
    """What becomes of jobs when the server dies, as a sentence."""
    (attempts,) = {kind.attempts for kind in KINDS}
    titles = [kind.title for kind in KINDS]
    number = {2: "two", 3: "three"}[attempts]
    return (
        f"What was at work when the server ended ({', '.join(titles[:-1])} or {titles[-1]}) is done"
        f" again from its beginning by the next server; what was at work when {number} servers died"
        " is failed, not tried once more. A stop that was answered holds."
    )

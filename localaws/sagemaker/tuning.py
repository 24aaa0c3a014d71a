"""Hyperparameter tuning jobs: each starts training jobs, and learns from their objective."""

from __future__ import annotations

import hashlib
import os
import threading
from dataclasses import dataclass
from typing import Any

from localaws.core.aws import LocalAws
from localaws.core.jobs.job import POLL_SECONDS, Cancelled, Job, JobFailed
from localaws.core.jobs.kind import TUNING
from localaws.core.jobs.runner import Ending, JobRunner, Outcome
from localaws.core.signals import JobEnded
from localaws.sagemaker import ranges, strategies
from localaws.sagemaker.layout import TUNING_OBJECTIVE
from localaws.sagemaker.names import TRAINING_JOB, TUNING_JOB, arn, changing, find, insert
from localaws.sagemaker.strategies import Trial
from localaws.sagemaker.training import TrainingRuns
from localaws.sagemaker.training_api import new_document
from localaws.shapes import Json

STATUS = "HyperParameterTuningJobStatus"
STATES = {
    Outcome.SUCCEEDED: "Completed",
    Outcome.FAILED: "Failed",
    Outcome.STOPPED: "Stopped",
    Outcome.TIMED_OUT: "Stopped",
}
RUNNING = ("InProgress", "Stopping")
HOPELESS_AFTER = 5  # training jobs without one that succeeded
# Of a definition, what a training job's own request has.
SAME = (
    *("RoleArn", "InputDataConfig", "OutputDataConfig", "StoppingCondition", "CheckpointConfig"),
    *("Environment", "RetryStrategy", "EnableNetworkIsolation", "VpcConfig"),
    *("EnableInterContainerTrafficEncryption", "EnableManagedSpotTraining"),
)
RESOURCES = ("ResourceConfig", "HyperParameterTuningResourceConfig")


@dataclass(frozen=True)
class Child:
    """A training job of a tuning job; `describe` is None before it was started."""

    name: str
    places: strategies.Places
    values: dict[str, str]
    describe: Json | None

    @property
    def over(self) -> bool:
        return self.describe is not None and self.describe["TrainingJobStatus"] not in RUNNING

    def measured(self, metric: str) -> float | None:
        """The objective of one that came to its end."""
        if not self.over or self.describe is None or self.describe["TrainingJobStatus"] == "Failed":
            return None
        found = self.describe.get("FinalMetricDataList", [])
        return next((float(m["Value"]) for m in found if m["MetricName"] == metric), None)


class TuningRuns:
    """Starts, watches and stops tuning jobs. A job's document has `request`, `describe`, `seed`,
    and `trials`: [{name, places, values}] of the training jobs that were decided upon."""

    def __init__(self, aws: LocalAws, trainings: TrainingRuns) -> None:
        self._aws = aws
        self._trainings = trainings
        self._runner = JobRunner(aws, TUNING, self)

    def start(self, name: str, document: Json) -> None:
        self._runner.start(name, {}, lambda: insert(self._aws, TUNING_JOB, name, document))

    def recover(self) -> None:
        self._runner.recover()

    def close(self) -> None:
        self._runner.close()

    def stop(self, name: str) -> None:
        """Stops it and its training jobs; nothing is done about one that is over."""
        find(self._aws, TUNING_JOB, name)
        self._runner.stop(name, lambda: self._note(name, {STATUS: "Stopping"}))

    def children(self, document: Json) -> list[Child]:
        """The training jobs that were decided upon, in their order."""
        found = []
        for trial in document["trials"]:
            job = self._aws.documents.get(TRAINING_JOB, trial["name"])
            found.append(Child(**trial, describe=job and job["describe"]))
        return found

    # -- one job's life ------------------------------------------------------------------------

    def begin(self, job: Job) -> None:
        return None

    def work(self, job: Job) -> None:
        woken = threading.Event()

        def wake(_: JobEnded) -> None:
            woken.set()

        unsubscribe = self._aws.signals.subscribe(JobEnded, wake)
        try:
            while not self._advance(job.id):
                while not woken.wait(POLL_SECONDS):
                    job.check()
                woken.clear()
        except Cancelled:
            if not job.closing:
                self._stop_children(job)
            raise
        finally:
            unsubscribe()

    def end(self, job_id: str, ending: Ending) -> None:
        now = self._aws.clock.now()
        told = {STATUS: STATES[ending.outcome], "HyperParameterTuningEndTime": now}
        if ending.reason is not None:
            told["FailureReason"] = ending.reason
        self._note(job_id, told)

    def event(self, job_id: str) -> Json | None:
        return None

    def clear(self, job_id: str) -> None:
        return None

    # -- its training jobs ---------------------------------------------------------------------

    def _advance(self, name: str) -> bool:
        """Starts what can be started now; whether all is done. Raises JobFailed where nothing came
        of it."""
        document = find(self._aws, TUNING_JOB, name)
        search = Search.of(document)
        children = self.children(document)
        for child in children:
            if child.describe is None:  # decided upon by a server that died
                self._start(document, child.name, child.values)
        over = [child for child in children if child.over]
        successes = [child for child in over if child.measured(search.metric) is not None]
        hopeless = len(over) >= HOPELESS_AFTER and not successes
        if len(over) == len(children) and (len(over) == search.most or hopeless):
            if not successes:
                raise JobFailed(
                    f"No training job succeeded after {len(over)} attempts. Please take a look at"
                    " the training job failures to get more details."
                )
            return True
        while not hopeless and len(children) - len(over) < search.parallel:
            places = search.next(children)
            if places is None:
                break
            child = _child(name, len(children), places, search)
            with changing(self._aws, TUNING_JOB, name) as stored:
                trial = {"name": child.name, "places": places, "values": child.values}
                stored["trials"].append(trial)
            self._start(document, child.name, child.values)
            children.append(child)
        return False

    def _start(self, document: Json, name: str, values: dict[str, str]) -> None:
        request = training_request(document["request"], name, values)
        started = new_document(self._aws, request, document["tags"])
        tuning = document["request"]["HyperParameterTuningJobName"]
        started["describe"]["TuningJobArn"] = arn(self._aws, TUNING_JOB, tuning)
        self._trainings.start(name, started)

    def _stop_children(self, job: Job) -> None:
        """Returns when all have ended, or this server does."""
        document = find(self._aws, TUNING_JOB, job.id)
        for child in self.children(document):
            if child.describe and child.describe["TrainingJobStatus"] == "InProgress":
                self._trainings.stop(child.name)
        pause = threading.Event()
        while not job.closing and any(
            child.describe and not child.over for child in self.children(document)
        ):
            pause.wait(POLL_SECONDS)

    def _note(self, name: str, members: Json) -> None:
        with changing(self._aws, TUNING_JOB, name) as document:
            document["describe"] |= members | {"LastModifiedTime": self._aws.clock.now()}


@dataclass(frozen=True)
class Search:
    """How a tuning job goes about it."""

    ranges: list[ranges.Range]
    strategy: str
    metric: str
    sign: int  # of the objective, for what is the more the better
    most: int  # training jobs
    parallel: int
    seed: int

    @classmethod
    def of(cls, document: Json) -> Search:
        config = document["request"]["HyperParameterTuningJobConfig"]
        found = ranges.read(config)
        limits, objective = config["ResourceLimits"], config["HyperParameterTuningJobObjective"]
        return cls(
            ranges=found,
            strategy=config["Strategy"],
            metric=objective["MetricName"],
            sign=1 if objective["Type"] == "Maximize" else -1,
            most=limits.get("MaxNumberOfTrainingJobs", strategies.combinations(found)),
            # Each training job may use every core: half as many at once as there are cores.
            parallel=min(limits["MaxParallelTrainingJobs"], max(1, (os.cpu_count() or 1) // 2)),
            seed=document["seed"],
        )

    def next(self, children: list[Child]) -> strategies.Places | None:
        """What to try next; None when all was tried, or a result that it depends on is not there.

        A Bayesian proposal stands on the results of all trials but the last `parallel` - 1, so that
        it does not depend on which of those ended first.
        """
        number = len(children)
        if number >= self.most:
            return None
        if self.strategy == "Grid":
            return strategies.grid(self.ranges, number)
        tried = [child.places for child in children]
        if self.strategy == "Random":
            return strategies.random(self.ranges, self.seed, tried)
        waited_for = children[: max(0, number - self.parallel + 1)]
        if not all(child.over for child in waited_for):
            return None
        known = [Trial(child.places, self.good(child)) for child in waited_for]
        return strategies.bayesian(self.ranges, self.seed, tried, known)

    def good(self, child: Child) -> float | None:
        """The objective, the more the better."""
        value = child.measured(self.metric)
        return None if value is None else self.sign * value

    def best(self, children: list[Child]) -> Child | None:
        """Of equally good ones the first."""
        found = [child for child in children if self.good(child) is not None]
        return max(found, key=lambda child: self.good(child) or 0.0, default=None)


def _child(tuning: str, number: int, places: strategies.Places, search: Search) -> Child:
    name = f"{tuning}-{number + 1:03d}"
    digest = hashlib.sha256(f"{name} {search.seed}".encode()).hexdigest()[:8]
    return Child(f"{name}-{digest}", places, strategies.values(search.ranges, places), None)


def training_request(request: Json, name: str, values: dict[str, str]) -> dict[str, Any]:
    """CreateTrainingJob's request of one trial."""
    definition = request["TrainingJobDefinition"]
    objective = request["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
    return {
        "TrainingJobName": name,
        "HyperParameters": {
            **definition.get("StaticHyperParameters", {}),
            **values,
            TUNING_OBJECTIVE: objective["MetricName"],
        },
        "AlgorithmSpecification": dict(definition["AlgorithmSpecification"]),
        "ResourceConfig": next(dict(definition[m]) for m in RESOURCES if m in definition),
        **{member: definition[member] for member in SAME if member in definition},
    }

"""Job runs: one process each, followed to a truthful end.

Where a job has as many runs as it allows, one more is refused, or WAITING if it may be queued; a
run that FAILED is tried again as a run of its own, as often as the job's MaxRetries says. One that
came to its timeout is not: docs.aws.amazon.com/glue/latest/dg/add-job.html.

A run SUCCEEDED only when its script's process ended with exit code 0. Whether the script called
`Job.commit` does not matter, as on AWS, where commit only moves bookmarks.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from localaws.catalog.lists import page_of_jobs
from localaws.core.aws import LocalAws
from localaws.core.jobs.job import Job, JobFailed
from localaws.core.jobs.kind import GLUE_RUN
from localaws.core.jobs.runner import Ending, JobRunner, Outcome
from localaws.core.service import Call, Service
from localaws.errors import AwsError
from localaws.glue_jobs import arguments, logs, store
from localaws.glue_jobs.bookmarks import Bookmarks
from localaws.glue_jobs.jobs import Jobs
from localaws.glue_jobs.settings import CAPACITY, run_settings
from localaws.glue_jobs.work import Work
from localaws.shapes import Json

KIND = GLUE_RUN.documents
STATES = {
    Outcome.SUCCEEDED: "SUCCEEDED",
    Outcome.FAILED: "FAILED",
    Outcome.STOPPED: "STOPPED",
    Outcome.TIMED_OUT: "TIMEOUT",
}
ATTEMPT = "_attempt_"  # in the id of a run that tries another's work again, with its number
OF_THE_END = ("CompletedOn", "DPUSeconds", "ErrorMessage")


def most_at_once(job: Json) -> int:
    return int(job["ExecutionProperty"].get("MaxConcurrentRuns", 1))


def _has_a_place(job: Job, working: Sequence[Job]) -> bool:
    """Whether the run's job allows it beside those of its runs that are at work."""
    definition = job.request.get("job")
    if definition is None:
        return True
    mates = [each for each in working if each.request.get("job", {}).get("Name")
             == definition["Name"]]  # fmt: skip
    return len(mates) < most_at_once(definition)


class JobRuns:
    """Starts, follows, stops and remembers runs."""

    minute_seconds = 60.0  # a job's Timeout is in minutes

    def __init__(self, aws: LocalAws, jobs: Jobs, bookmarks: Bookmarks) -> None:
        self._aws = aws
        self._jobs = jobs
        self._runner = JobRunner(aws, GLUE_RUN, self, _has_a_place)
        self._running_since: dict[str, datetime] = {}
        self._work = Work(aws, bookmarks, self._runner.alone, self._running)

    def register(self, service: Service) -> None:
        service.operation(
            *("StartJobRun", "JobName", "Arguments", "Timeout", *CAPACITY, "ExecutionClass"),
            *("NotificationProperty", "JobRunQueuingEnabled"),
        )(self.start)
        service.operation("GetJobRun", "JobName", "RunId", "PredecessorsIncluded")(self.describe)
        service.operation("GetJobRuns", "JobName", "NextToken", "MaxResults")(self.describe_all)
        service.operation("BatchStopJobRun", "JobName", "JobRunIds")(self.batch_stop)
        service.on_start(self.recover)
        service.on_stop(self.close)

    # Operations

    def start(self, call: Call) -> Json:
        """Raises EntityNotFound-, ConcurrentRunsExceeded- and InvalidInputException."""
        run_id = "jr_" + secrets.token_hex(32)
        self.start_run(call.operation, call.params, {"Id": run_id})
        return {"JobRunId": run_id}

    def start_run(self, operation: str, params: Json, members: Json) -> None:
        """As StartJobRun with these parameters; `members` are the run's own, its Id among them."""
        job = self._jobs.get(params["JobName"])
        given = dict(params.get("Arguments") or {})
        arguments.check(operation, job["Command"]["Name"], given)
        arguments.resolve(job["Name"], "jr_check", arguments.merged(job, given))
        run = {
            **self.new(job["Name"], given),
            "LogGroupName": logs.GROUPS[job["Command"]["Name"]],
            **run_settings(job, params),
            **members,
        }

        def store_run() -> None:
            states = [each["JobRunState"] for each in self._of_job(job["Name"])]
            under_way = sum(state in GLUE_RUN.active for state in states)
            if under_way >= most_at_once(job):
                reason = f"Concurrent runs exceeded for {job['Name']}"
                if not run.get("JobRunQueuingEnabled"):
                    raise AwsError("ConcurrentRunsExceededException", reason)
                run.update(JobRunState="WAITING", StateDetail=reason)
            self._aws.documents.put(KIND, run["Id"], run)

        self._runner.start(run["Id"], {"job": job, "given": given}, store_run)

    def new(self, job: str, given: Json) -> Json:
        """What every run has from its beginning, but for its Id."""
        now = self._aws.clock.now()
        return {
            "Attempt": 0,
            "JobName": job,
            "JobMode": "SCRIPT",
            "StartedOn": now,
            "LastModifiedOn": now,
            "JobRunState": "STARTING",
            "Arguments": given,
            "PredecessorRuns": [],
            "ExecutionTime": 0,
        }

    def describe(self, call: Call) -> Json:
        run = self._get(call.params["JobName"], call.params["RunId"])
        if not call.params.get("PredecessorsIncluded"):
            run["PredecessorRuns"] = []
        return {"JobRun": run}

    def describe_all(self, call: Call) -> Json:
        """The job's runs, newest first."""
        self._jobs.get(call.params["JobName"])
        runs = (
            ((run["StartedOn"], run["Id"]), run) for run in self._of_job(call.params["JobName"])
        )
        found, token = page_of_jobs(runs, call.params, newest_first=True)
        return {"JobRuns": found, **token}

    def batch_stop(self, call: Call) -> Json:
        name = call.params["JobName"]
        stopped, errors = [], []
        for run_id in call.params["JobRunIds"]:
            try:
                self.stop(name, run_id)
            except AwsError as error:
                detail = {"ErrorCode": error.code, "ErrorMessage": error.message}
                errors.append({"JobName": name, "JobRunId": run_id, "ErrorDetail": detail})
            else:
                stopped.append({"JobName": name, "JobRunId": run_id})
        return {"SuccessfulSubmissions": stopped, "Errors": errors}

    def stop(self, job_name: str, run_id: str) -> None:
        """Asks a run to stop. Raises InvalidInputException for one that is over."""
        run = self._get(job_name, run_id)
        if run["JobRunState"] not in GLUE_RUN.active:
            raise AwsError(
                "InvalidInputException", f"Job Run {run_id} is {run['JobRunState']} already."
            )
        self._runner.stop(run_id, lambda: self._change(run_id, JobRunState="STOPPING"))

    def recover(self) -> None:
        """Their processes are gone, and so is what these had not committed."""
        if any(run["JobRunState"] in GLUE_RUN.active for run in self._all()):
            store.remove_scratch(store.mounts(self._aws.object_store))
        self._runner.recover()

    def close(self) -> None:
        """Ends every run's process; the next start of the server starts the runs again."""
        self._work.close()
        self._runner.close()

    # Documents

    def _all(self) -> list[Json]:
        return [run for _, run in self._aws.documents.items(KIND)]

    def _of_job(self, name: str) -> list[Json]:
        return [run for run in self._all() if run["JobName"] == name]

    def _get(self, job_name: str, run_id: str) -> Json:
        """The run. Raises EntityNotFoundException."""
        run = self._aws.documents.get(KIND, run_id)
        if run is None or run["JobName"] != job_name:
            raise AwsError("EntityNotFoundException", f"Job Run {run_id} not found.")
        return run

    def _change(self, run_id: str, **members: object) -> None:
        with self._aws.documents.changing(KIND, run_id) as run:
            run |= members | {"LastModifiedOn": self._aws.clock.now()}

    def folder(self, run_id: str) -> Path:
        """Where the run's script, settings and logs are."""
        return self._work.folder(run_id)

    # One run's life

    def begin(self, job: Job) -> None:
        """It is RUNNING from the start of its process on."""
        shutil.rmtree(self.folder(job.id), ignore_errors=True)
        with self._aws.documents.changing(KIND, job.id) as run:
            run |= {"JobRunState": "STARTING", "LastModifiedOn": self._aws.clock.now()}
            run.pop("StateDetail", None)

    def work(self, job: Job) -> None:
        if not job.request:
            raise JobFailed("What the run was started with is not known any more.")
        self._work.do(job, self._get(job.request["job"]["Name"], job.id))

    def _running(self, job: Job, record: Json) -> None:
        """Its process begins now, and so does its time."""
        self._running_since[job.id] = self._aws.clock.now()
        with self._aws.documents.changing(KIND, job.id) as run:
            if run["JobRunState"] == "STARTING":
                run |= {"JobRunState": "RUNNING", "LastModifiedOn": self._aws.clock.now()}
        job.limit(record["Timeout"] * self.minute_seconds)

    def end(self, job_id: str, ending: Ending) -> str | None:
        now = self._aws.clock.now()
        with self._aws.documents.changing(KIND, job_id) as run:
            run |= {
                "JobRunState": STATES[ending.outcome],
                "CompletedOn": now,
                "LastModifiedOn": now,
            }
            if since := self._running_since.pop(job_id, None):
                seconds = (now - since).total_seconds()
                run["ExecutionTime"] = round(seconds)
                run["DPUSeconds"] = round(seconds * float(run.get("MaxCapacity", 0)), 1)
            if ending.outcome is Outcome.TIMED_OUT:
                run["ErrorMessage"] = f"Job run exceeded its timeout of {run['Timeout']} minutes."
            elif ending.reason is not None:
                run["ErrorMessage"] = ending.reason
            run.pop("StateDetail", None)
        return self._next_attempt(run) if ending.outcome is Outcome.FAILED else None

    def _next_attempt(self, failed: Json) -> str | None:
        """The run that tries once more what one has failed at, if its job has retries left."""
        job = self._jobs.find(failed["JobName"])
        if job is None or failed["Attempt"] >= job["MaxRetries"]:
            return None
        now, attempt = self._aws.clock.now(), failed["Attempt"] + 1
        first = failed["Id"].partition(ATTEMPT)[0]
        run = {name: value for name, value in failed.items() if name not in OF_THE_END} | {
            "Id": f"{first}{ATTEMPT}{attempt}",
            "Attempt": attempt,
            "PreviousRunId": failed["Id"],
            "StartedOn": now,
            "LastModifiedOn": now,
            "JobRunState": "STARTING",
            "ExecutionTime": 0,
        }
        self._aws.documents.put(KIND, run["Id"], run)
        return str(run["Id"])

    def event(self, job_id: str) -> Json:
        run = self._aws.documents.get(KIND, job_id) or {}
        state = run["JobRunState"]
        detail = {
            "jobName": run["JobName"],
            "severity": "INFO" if state == "SUCCEEDED" else "ERROR",
            "state": state,
            "jobRunId": run["Id"],
            "message": run.get("ErrorMessage") or "Job run succeeded",
        }
        return self._aws.event("aws.glue", "Glue Job State Change", detail)

    def clear(self, job_id: str) -> None:
        self._work.clear(job_id)

"""Job runs: one process each, followed to a truthful end.

Where a job has as many runs as it allows, one more is refused, or WAITING if it may be queued; a
run that FAILED is tried again as a run of its own, as often as the job's MaxRetries says. One that
came to its timeout is not: docs.aws.amazon.com/glue/latest/dg/add-job.html.

A run SUCCEEDED only when its script's process ended with exit code 0. Whether the script called
`Job.commit` does not matter, as on AWS, where commit only moves bookmarks.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import shutil
import threading
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from localaws.catalog.lists import page_of_jobs
from localaws.core.aws import LocalAws
from localaws.core.jobs.job import Job, JobFailed
from localaws.core.jobs.kind import SPARK_RUN
from localaws.core.jobs.runner import Ending, JobRunner, Outcome
from localaws.core.processes import told
from localaws.core.service import Call, Service
from localaws.errors import AwsError
from localaws.glue_jobs import arguments, logs, spark, store
from localaws.glue_jobs.archive import ClassArchive
from localaws.glue_jobs.bookmarks import Bookmarks
from localaws.glue_jobs.java import NoJava, java_home
from localaws.glue_jobs.jobs import CAPACITY, SparkJobs, run_settings, warning
from localaws.identity.authorization import Mode
from localaws.s3.objects import split_uri
from localaws.shapes import Json

KIND = SPARK_RUN.documents
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

    def __init__(self, aws: LocalAws, jobs: SparkJobs, bookmarks: Bookmarks) -> None:
        self._aws = aws
        self._jobs = jobs
        self._bookmarks = bookmarks
        self._runner = JobRunner(aws, SPARK_RUN, self, _has_a_place)
        self._running_since: dict[str, datetime] = {}
        self._working: dict[str, tuple[LocalAws, list[LocalAws]]] = {}  # a role, and the others'
        self._working_lock = threading.Lock()
        self.archive = ClassArchive(aws)

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
        job = self._jobs.get(call.params["JobName"])
        given = dict(call.params.get("Arguments") or {})
        arguments.check(call.operation, given)
        arguments.resolve(job["Name"], "jr_check", arguments.merged(job, given))
        now = self._aws.clock.now()
        run = {
            "Id": "jr_" + secrets.token_hex(32),
            "Attempt": 0,
            "JobName": job["Name"],
            "JobMode": "SCRIPT",
            "StartedOn": now,
            "LastModifiedOn": now,
            "JobRunState": "STARTING",
            "Arguments": given,
            "PredecessorRuns": [],
            "ExecutionTime": 0,
            "LogGroupName": logs.GROUP,
            **run_settings(job, call.params),
        }

        def store_run() -> None:
            states = [each["JobRunState"] for each in self._of_job(job["Name"])]
            under_way = sum(state in SPARK_RUN.active for state in states)
            if under_way >= most_at_once(job):
                reason = f"Concurrent runs exceeded for {job['Name']}"
                if not run.get("JobRunQueuingEnabled"):
                    raise AwsError("ConcurrentRunsExceededException", reason)
                run.update(JobRunState="WAITING", StateDetail=reason)
            self._aws.documents.put(KIND, run["Id"], run)

        self._runner.start(run["Id"], {"job": job, "given": given}, store_run)
        return {"JobRunId": run["Id"]}

    def describe(self, call: Call) -> Json:
        return {"JobRun": self._get(call.params["JobName"], call.params["RunId"])}

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
                self._stop(name, run_id)
            except AwsError as error:
                detail = {"ErrorCode": error.code, "ErrorMessage": error.message}
                errors.append({"JobName": name, "JobRunId": run_id, "ErrorDetail": detail})
            else:
                stopped.append({"JobName": name, "JobRunId": run_id})
        return {"SuccessfulSubmissions": stopped, "Errors": errors}

    def _stop(self, job_name: str, run_id: str) -> None:
        """Asks a run to stop. Raises InvalidInputException for one that is over."""
        run = self._get(job_name, run_id)
        if run["JobRunState"] not in SPARK_RUN.active:
            raise AwsError(
                "InvalidInputException", f"Job Run {run_id} is {run['JobRunState']} already."
            )
        self._runner.stop(run_id, lambda: self._change(run_id, JobRunState="STOPPING"))

    def recover(self) -> None:
        """Their processes are gone, and so is what these had not committed."""
        if any(run["JobRunState"] in SPARK_RUN.active for run in self._all()):
            store.remove_scratch(store.mounts(self._aws.object_store))
        self._runner.recover()

    def close(self) -> None:
        """Ends every run's process; the next start of the server starts the runs again."""
        self.archive.close()
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
        return self._aws.home.directory("glue-runs") / run_id

    def _role(self, job: Json) -> LocalAws:
        """The AWS as the job's role sees it, in the session that Glue opens for it."""
        arn = f"arn:aws:glue:{self._aws.region}:{self._aws.account}:job/{job['Name']}"
        session = "GlueJobRunnerSession"
        return self._aws.acting_as_role(job["Role"], session, "glue.amazonaws.com", arn)

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
        try:
            role = self._role(job.request["job"])
            run = self._prepare(role, job.id, job.request["job"], job.request["given"])
            given = arguments.merged(job.request["job"], job.request["given"])
            bookmark = self._bookmarks.give(job.request["job"]["Name"], given, run.folder)
            environment = role.child_environment(spark.variables(run, java_home()))
            if self._aws.authorize.mode is not Mode.OFF:
                environment["LOCALAWS_POLICIES"] = self._aws.authorize.mode.value
        except NoJava as error:
            raise JobFailed(f"LAUNCH ERROR | {error}") from error
        job.check()
        output, errors = run.folder / "output.log", run.folder / "error.log"
        record = self._get(job.request["job"]["Name"], job.id)
        self._running_since[job.id] = self._aws.clock.now()
        if record["JobRunState"] == "STARTING":
            self._change(job.id, JobRunState="RUNNING")
        job.limit(record["Timeout"] * self.minute_seconds)
        with self._at_work(job.id, role) as others, self._aws.object_store.watched() as called:
            before = store.snapshot(run.buckets)
            with output.open("ab") as stdout:
                process = self._aws.processes.start(
                    f"glue job {record['JobName']}",
                    spark.command(run),
                    env=environment,
                    cwd=run.folder / "tmp",
                    log=errors,
                    stdout=stdout,
                )
            try:
                code = job.watch(process, grace_seconds=1.0)
            finally:
                # What a failed run wrote stays, as on AWS; what it had not committed goes.
                if self._runner.alone():
                    store.remove_scratch(run.buckets)
                refused = store.register(role, run.buckets, before, called, others)
                logs.publish(role, job.id, output, errors)
                if run.event_logs is not None:
                    logs.publish_events(role, given["--spark-event-logs-path"], run.event_logs)
                if refused is None:
                    self._bookmarks.take(record, bookmark, run.folder)
        if refused is not None:
            raise JobFailed(
                f"An error occurred while calling o1.save. {refused.message} (Service: Amazon S3;"
                f" Status Code: {refused.status}; Error Code: {refused.code})"
            )
        if code != 0:
            raise JobFailed(_failure(run, code))

    @contextlib.contextmanager
    def _at_work(self, run_id: str, role: LocalAws) -> Iterator[list[LocalAws]]:
        """The roles of the runs that write to the buckets at the same time as this one."""
        with self._working_lock:
            others = [each for each, _ in self._working.values()]
            for _, theirs in self._working.values():
                theirs.append(role)
            self._working[run_id] = role, others
        try:
            yield others
        finally:
            with self._working_lock:
                del self._working[run_id]

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
        shutil.rmtree(self.folder(job_id) / "tmp", ignore_errors=True)
        self.archive.consider(idle=self._runner.alone())

    def _prepare(
        self, aws: LocalAws, run_id: str, job: Json, given: dict[str, str]
    ) -> spark.SparkRun:
        """Copies the script (later changes to it are not this run's) and writes the settings."""
        folder = self.folder(run_id)
        folder.mkdir(parents=True, exist_ok=True)
        resolved = arguments.resolve(job["Name"], run_id, arguments.merged(job, given))
        properties = dict(resolved.properties)
        run = spark.SparkRun(
            folder=folder,
            script=self._fetch(
                aws, resolved.script or job["Command"]["ScriptLocation"], folder / "script"
            ),
            arguments=resolved.argv,
            buckets=store.mounts(self._aws.object_store),
            java_options=properties.pop("spark.driver.extraJavaOptions", ""),
            properties=properties,
            python_files=tuple(
                self._python_path(aws, uri, folder / "modules") for uri in resolved.python_files
            ),
            jars=tuple(self._fetch(aws, uri, folder / "jars") for uri in resolved.jars),
            event_logs=folder / "events" if resolved.event_logs else None,
            class_archive=self.archive.file(),
        )
        spark.write(run)
        if run.event_logs is not None:
            run.event_logs.mkdir(exist_ok=True)
        if line := warning(job["GlueVersion"]):
            (folder / "error.log").write_text(f"{line}\n")
        return run

    def _fetch(self, aws: LocalAws, uri: str, folder: Path) -> Path:
        try:
            bucket, key = split_uri(uri)
            source = aws.objects.path(bucket, key)
        except ValueError as error:
            raise JobFailed(f"LAUNCH ERROR | {error}") from error
        except AwsError as error:
            message = f"File not found in S3: {uri} ({error.code})"
            raise JobFailed(f"LAUNCH ERROR | {message}") from error
        folder.mkdir(exist_ok=True)
        target = folder / key.rpartition("/")[2]
        shutil.copyfile(source, target)
        return target

    def _python_path(self, aws: LocalAws, uri: str, folder: Path) -> Path:
        """What must be on the module path for one of --extra-py-files (.py, .zip, .egg, .whl)."""
        file = self._fetch(aws, uri, folder)
        return folder if file.suffix == ".py" else file


def _failure(run: spark.SparkRun, code: int) -> str:
    """The exception that ended the script, else the exit code."""
    if run.result.exists():
        return str(json.loads(run.result.read_text())["message"])
    return f"Command failed with exit code {told(code)}"

"""Job runs: one process each, followed to a truthful end.

A run SUCCEEDED only when its script's process ended with exit code 0. Whether the script called
`Job.commit` does not matter, as on AWS, where commit only moves bookmarks.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import threading
from datetime import datetime
from pathlib import Path
from typing import Any

from localaws.core.aws import LocalAws
from localaws.core.errors import AwsError
from localaws.core.processes import ManagedProcess
from localaws.core.signals import EVENTS, JOB_ENDED
from localaws.glue_jobs import arguments, logs, spark, store
from localaws.glue_jobs.archive import ClassArchive
from localaws.glue_jobs.java import NoJava, java_home
from localaws.glue_jobs.jobs import Jobs
from localaws.s3.objects import split_uri

Json = dict[str, Any]

KIND = "glue-job-run"
REQUEST = "glue-job-run-request"  # what a run was started with, to start it again
ACTIVE = ("STARTING", "RUNNING", "STOPPING")
MOST_AT_ONCE = 2  # more wait as STARTING: each is a JVM
POLL_SECONDS = 0.1


class Runs:
    """Starts, follows, stops and remembers runs."""

    minute_seconds = 60.0  # a job's Timeout is in minutes

    def __init__(self, aws: LocalAws, jobs: Jobs) -> None:
        self._aws = aws
        self._jobs = jobs
        self._lock = threading.RLock()
        self._slots = threading.Semaphore(MOST_AT_ONCE)
        self._stop: dict[str, threading.Event] = {}
        self._threads: dict[str, threading.Thread] = {}
        self._closing = threading.Event()
        self._working = 0
        self.archive = ClassArchive(aws)

    # Documents

    def get(self, job_name: str, run_id: str) -> Json:
        """The run. Raises EntityNotFoundException."""
        run = self._aws.documents.get(KIND, run_id)
        if run is None or run["JobName"] != job_name:
            raise AwsError("EntityNotFoundException", f"Job Run {run_id} not found.")
        return run

    def of_job(self, job_name: str) -> list[Json]:
        """The job's runs, newest first."""
        runs = [run for _, run in self._aws.documents.items(KIND) if run["JobName"] == job_name]
        return runs[::-1]

    def folder(self, run_id: str) -> Path:
        """Where the run's script, settings and logs are."""
        return self._aws.home.directory("glue-runs") / run_id

    def _change(self, run_id: str, **members: object) -> Json:
        with self._lock:
            run = self._aws.documents.get(KIND, run_id) or {}
            run |= members | {"LastModifiedOn": self._aws.clock.now()}
            self._aws.documents.put(KIND, run_id, run)
        if "JobRunState" in members:
            self._tell(run)
        return run

    def _tell(self, run: Json) -> None:
        """The EventBridge event of a state change that AWS announces."""
        state = run["JobRunState"]
        if state not in ("SUCCEEDED", "FAILED", "TIMEOUT", "STOPPED"):
            return
        message = run.get("ErrorMessage") or "Job run succeeded"
        event = {
            "version": "0",
            "id": secrets.token_hex(16),
            "detail-type": "Glue Job State Change",
            "source": "aws.glue",
            "account": self._aws.account,
            "time": self._aws.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": self._aws.region,
            "resources": [],
            "detail": {
                "jobName": run["JobName"],
                "severity": "INFO" if state == "SUCCEEDED" else "ERROR",
                "state": state,
                "jobRunId": run["Id"],
                "message": message,
            },
        }
        self._aws.signals.publish(EVENTS, event)

    # Starting and stopping

    def start(self, job: Json, settings: Json, given: dict[str, str]) -> str:
        """Starts a run and returns its id.

        Raises ConcurrentRunsExceededException when the job's MaxConcurrentRuns are under way.
        """
        run_id = "jr_" + secrets.token_hex(32)
        now = self._aws.clock.now()
        run = {
            "Id": run_id,
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
            **settings,
        }
        with self._lock:
            under_way = [r for r in self.of_job(job["Name"]) if r["JobRunState"] in ACTIVE]
            allowed = job["ExecutionProperty"].get("MaxConcurrentRuns", 1)
            if len(under_way) >= allowed:
                raise AwsError(
                    "ConcurrentRunsExceededException",
                    f"Concurrent runs exceeded for {job['Name']}",
                )
            self._aws.documents.put(REQUEST, run_id, {"job": job, "given": given})
            self._aws.documents.put(KIND, run_id, run)
            self._begin(run_id, job, given)
        return run_id

    def _begin(self, run_id: str, job: Json, given: dict[str, str]) -> None:
        with self._lock:
            self._stop[run_id] = threading.Event()
            thread = threading.Thread(
                target=self._follow, args=(run_id, job, given), name=run_id, daemon=True
            )
            self._threads[run_id] = thread
        thread.start()

    def stop(self, job_name: str, run_id: str) -> None:
        """Asks a run to stop. Raises InvalidInputException for one that is over."""
        with self._lock:
            run = self.get(job_name, run_id)
            if run["JobRunState"] not in ACTIVE:
                raise AwsError(
                    "InvalidInputException", f"Job Run {run_id} is {run['JobRunState']} already."
                )
            self._change(run_id, JobRunState="STOPPING")
            self._stop[run_id].set()

    def recover(self) -> None:
        """Starts the runs again that an earlier server left under way: on AWS they would have
        gone on. Their processes are gone, and so is what these had not committed."""
        interrupted = {
            run_id: run
            for run_id, run in self._aws.documents.items(KIND)
            if run["JobRunState"] in ACTIVE
        }
        if interrupted:
            store.remove_scratch(store.mounts(self._aws))
        for run_id, run in interrupted.items():
            shutil.rmtree(self.folder(run_id), ignore_errors=True)
            request = self._aws.documents.get(REQUEST, run_id)
            if run["JobRunState"] == "STOPPING" or request is None:
                self._finish(run_id, "STOPPED", None)
                continue
            self._change(run_id, JobRunState="STARTING")
            self._begin(run_id, request["job"], request["given"])

    def close(self) -> None:
        """Ends every run's process; the next start of the server starts the runs again."""
        self._closing.set()
        self.archive.close()
        for event in list(self._stop.values()):
            event.set()
        for thread in list(self._threads.values()):
            thread.join(timeout=10)

    # One run

    def _follow(self, run_id: str, job: Json, given: dict[str, str]) -> None:
        stop = self._stop[run_id]
        while not self._slots.acquire(timeout=POLL_SECONDS):
            if stop.is_set():
                break
        else:
            try:
                self._work(run_id, job, given, stop)
            except Exception as error:
                self._finish(run_id, "FAILED", f"localaws failed: {error!r}")
            finally:
                self._slots.release()
        if stop.is_set() and self._state(run_id) in ACTIVE:
            self._finish_stopped(run_id)
        with self._lock:
            self._stop.pop(run_id, None)
            self._threads.pop(run_id, None)
        self.archive.consider(idle=not self._threads)

    def _state(self, run_id: str) -> str:
        return str((self._aws.documents.get(KIND, run_id) or {}).get("JobRunState"))

    def _finish_stopped(self, run_id: str) -> None:
        if not self._closing.is_set():
            self._finish(run_id, "STOPPED", None)

    def _work(self, run_id: str, job: Json, given: dict[str, str], stop: threading.Event) -> None:
        try:
            run = self._prepare(run_id, job, given)
            environment = self._aws.processes.environment(spark.variables(run, java_home()))
        except (_LaunchError, NoJava) as error:
            self._finish(run_id, "FAILED", f"LAUNCH ERROR | {error}")
            return
        with self._lock:
            self._working += 1
        try:
            if not stop.is_set():
                self._execute(run_id, run, environment, stop)
        finally:
            with self._lock:
                self._working -= 1
            shutil.rmtree(run.folder / "tmp", ignore_errors=True)

    def _execute(
        self,
        run_id: str,
        run: spark.SparkRun,
        environment: dict[str, str],
        stop: threading.Event,
    ) -> None:
        before = store.snapshot(run.buckets)
        output, errors = run.folder / "output.log", run.folder / "error.log"
        record = self._change(run_id, JobRunState="RUNNING")
        started = record["LastModifiedOn"]
        with output.open("ab") as stdout:
            process = self._aws.processes.start(
                f"glue job {record['JobName']}",
                spark.command(run),
                env=environment,
                cwd=run.folder / "tmp",
                log=errors,
                stdout=stdout,
            )
        code = self._wait(process, record["Timeout"] * self.minute_seconds, stop)
        # What a failed run wrote stays, as on AWS; what its committer had not committed goes.
        with self._lock:
            if self._working == 1:
                store.remove_scratch(run.buckets)
        store.register(self._aws, run.buckets, before)
        logs.publish(self._aws, run_id, output, errors)
        self._judge(run_id, run, code, stop, started)

    def _wait(self, process: ManagedProcess, seconds: float, stop: threading.Event) -> int | None:
        """The exit code; None when the run was stopped or ran out of time and is killed."""
        deadline = self._aws.clock.monotonic() + seconds
        code = None
        while code is None and not stop.is_set() and self._aws.clock.monotonic() < deadline:
            code = process.wait(POLL_SECONDS)
        if code is None:
            process.stop(grace_seconds=1.0)
        # Spark's JVM is a grandchild: it must not outlive the script, whatever it is doing.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        return code

    def _judge(
        self,
        run_id: str,
        run: spark.SparkRun,
        code: int | None,
        stop: threading.Event,
        started: datetime,
    ) -> None:
        seconds = (self._aws.clock.now() - started).total_seconds()
        record = self._aws.documents.get(KIND, run_id) or {}
        used = {
            "ExecutionTime": round(seconds),
            "DPUSeconds": round(seconds * float(record.get("MaxCapacity", 0)), 1),
        }
        if code == 0:
            self._finish(run_id, "SUCCEEDED", None, **used)
        elif code is not None:
            self._finish(run_id, "FAILED", _failure(run, code), **used)
        elif stop.is_set():
            self._change(run_id, **used)
            self._finish_stopped(run_id)
        else:
            message = f"Job run exceeded its timeout of {record['Timeout']} minutes."
            self._finish(run_id, "TIMEOUT", message, **used)

    def _finish(self, run_id: str, state: str, message: str | None, **members: object) -> None:
        if message is not None:
            members["ErrorMessage"] = message
        self._change(run_id, JobRunState=state, CompletedOn=self._aws.clock.now(), **members)
        self._aws.documents.delete(REQUEST, run_id)
        self._aws.signals.publish(JOB_ENDED, {"service": "glue", "id": run_id})

    def _prepare(self, run_id: str, job: Json, given: dict[str, str]) -> spark.SparkRun:
        """Copies the script (later changes to it are not this run's) and writes the settings."""
        folder = self.folder(run_id)
        folder.mkdir(parents=True, exist_ok=True)
        resolved = arguments.resolve(job["Name"], run_id, arguments.merged(job, given))
        properties = dict(resolved.properties)
        run = spark.SparkRun(
            folder=folder,
            script=self._fetch(job["Command"]["ScriptLocation"], folder / "script"),
            arguments=resolved.argv,
            buckets=store.mounts(self._aws),
            java_options=properties.pop("spark.driver.extraJavaOptions", ""),
            properties=properties,
            python_files=tuple(
                self._python_path(uri, folder / "modules") for uri in resolved.python_files
            ),
            class_archive=self.archive.file(),
        )
        spark.write(run)
        return run

    def _fetch(self, uri: str, folder: Path) -> Path:
        try:
            bucket, key = split_uri(uri)
            source = self._aws.objects.path(bucket, key)
        except ValueError as error:
            raise _LaunchError(str(error)) from error
        except AwsError as error:
            raise _LaunchError(f"File not found in S3: {uri} ({error.code})") from error
        folder.mkdir(exist_ok=True)
        target = folder / key.rpartition("/")[2]
        shutil.copyfile(source, target)
        return target

    def _python_path(self, uri: str, folder: Path) -> Path:
        """What must be on the module path for one of --extra-py-files (.py, .zip, .egg, .whl)."""
        file = self._fetch(uri, folder)
        return folder if file.suffix == ".py" else file


class _LaunchError(Exception):
    """The script could not be started."""


def _failure(run: spark.SparkRun, code: int) -> str:
    """The exception that ended the script, else the exit code."""
    if run.result.exists():
        return str(json.loads(run.result.read_text())["message"])
    return f"Command failed with exit code {code}"

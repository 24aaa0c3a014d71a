"""Job runs: the recipe compiled and run by DuckDB over the objects in place."""

from __future__ import annotations

import contextlib
import secrets
import shutil
import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from localaws.core.aws import LocalAws
from localaws.core.errors import AwsError
from localaws.core.service import Call, Service
from localaws.core.signals import EventSent, JobEnded
from localaws.databrew import inputs, outputs, reading
from localaws.databrew.datasets import Datasets
from localaws.databrew.documents import conflict, not_found, page, user
from localaws.databrew.jobs import Jobs
from localaws.databrew.recipe.compiler import compile_steps, parse
from localaws.databrew.recipe.errors import RecipeError
from localaws.databrew.recipe.sql import ident
from localaws.databrew.recipe.table import Context, Table
from localaws.databrew.recipes import Recipes

Json = dict[str, Any]

DATABREW = "databrew.amazonaws.com"
SESSION = "DataBrew"  # AWS's name for it is not documented
KIND = "databrew-run"
REQUEST = "databrew-run-request"  # what a run was started with, to start it again
ACTIVE = ("STARTING", "RUNNING", "STOPPING")
MOST_AT_ONCE = 2  # more wait as STARTING: each may use both cores
MEMORY_LIMIT = "2GB"  # of one run; beyond it DuckDB works on disk
THREADS = 2
POLL_SECONDS = 0.1
LOG_GROUP = "/aws-glue-databrew/jobs"


class Stopped(Exception):
    """The run was told to stop, or ran out of time."""


class Runs:
    minute_seconds = 60.0  # a job's Timeout is in minutes

    def __init__(self, aws: LocalAws, datasets: Datasets, recipes: Recipes, jobs: Jobs) -> None:
        self._aws = aws
        self._datasets = datasets
        self._recipes = recipes
        self._jobs = jobs
        self._lock = threading.RLock()
        self._slots = threading.Semaphore(MOST_AT_ONCE)
        self._under_way: dict[str, _Worker] = {}
        self._closing = False

    def register(self, service: Service) -> None:
        service.operation("StartJobRun", "Name")(self.start)
        service.operation("DescribeJobRun", "Name", "RunId")(
            lambda call: self.get(call.params["Name"], call.params["RunId"])
        )
        service.operation("ListJobRuns", "Name", "MaxResults", "NextToken")(self.list)
        service.operation("StopJobRun", "Name", "RunId")(self.stop)
        service.on_start(self.recover)
        service.on_stop(self.close)

    # Documents

    def get(self, job: str, run_id: str) -> Json:
        """The run. Raises ResourceNotFoundException."""
        run = self._aws.documents.get(KIND, run_id)
        if run is None or run["JobName"] != job:
            raise not_found("Job run", run_id)
        return run

    def _of_job(self, job: str) -> list[Json]:
        """Newest first."""
        return [run for _, run in self._aws.documents.items(KIND) if run["JobName"] == job][::-1]

    def list(self, call: Call) -> Json:
        self._jobs.get(call.params["Name"])
        found = self._of_job(call.params["Name"])
        keyed = (((run["StartedOn"], run["RunId"]), run) for run in found)
        runs, token = page(keyed, call.params, newest_first=True)
        return {"JobRuns": runs, **token}

    def change(self, run_id: str, **members: object) -> Json:
        with self._lock:
            run = (self._aws.documents.get(KIND, run_id) or {}) | members
            self._aws.documents.put(KIND, run_id, run)
            return run

    def finish(self, run_id: str, state: str, message: str | None = None) -> None:
        """The run's end: stored first, then told to whoever waits."""
        now = self._aws.clock.now()
        run = self._aws.documents.get(KIND, run_id) or {}
        started = run.get("StartedOn", now)
        members: Json = {
            "State": state,
            "CompletedOn": now,
            "ExecutionTime": max(1, round((now - started).total_seconds())),
        }
        if message is not None:
            members["ErrorMessage"] = message
        run = self.change(run_id, **members)
        self._aws.signals.publish(EventSent(self._event(run)))
        self._aws.documents.delete(REQUEST, run_id)
        self._aws.signals.publish(JobEnded("databrew", run_id))

    def _event(self, run: Json) -> Json:
        detail = {
            "jobName": run["JobName"],
            "state": run["State"],
            "jobRunId": run["RunId"],
            "message": run.get("ErrorMessage", ""),
        }
        return self._aws.event("aws.databrew", "DataBrew Job State Change", detail)

    # Starting and stopping

    def start(self, call: Call) -> Json:
        """Starts a run of the job as it is now; later changes to it are not this run's.

        Raises ConflictException while the job has a run under way.
        """
        with self._lock:
            job = self._jobs.get(call.params["Name"])
            reference = job["RecipeReference"]
            recipe = self._recipes.get(reference["Name"], reference["RecipeVersion"])
            dataset = self._datasets.get(job["DatasetName"])
            for run in self._of_job(job["Name"]):
                if run["State"] in ACTIVE:
                    raise conflict(f"Job {job['Name']} has the run {run['RunId']} under way.")
            run_id = "db_" + secrets.token_hex(32)
            now = self._aws.clock.now()
            request = {"job": job, "dataset": dataset, "recipe": recipe, "when": now}
            self._aws.documents.put(REQUEST, run_id, request)
            self._aws.documents.put(
                KIND,
                run_id,
                {
                    "RunId": run_id,
                    "JobName": job["Name"],
                    "Attempt": 0,
                    "DatasetName": job["DatasetName"],
                    "RecipeReference": {
                        "Name": reference["Name"],
                        "RecipeVersion": recipe["RecipeVersion"],
                    },
                    "Outputs": job["Outputs"],
                    "State": "STARTING",
                    "StartedOn": now,
                    "StartedBy": user(self._aws),
                    "ExecutionTime": 0,
                    "LogSubscription": job["LogSubscription"],
                    "LogGroupName": LOG_GROUP,
                },
            )
            self._launch(run_id, request)
        return {"RunId": run_id}

    def _launch(self, run_id: str, request: Json) -> None:
        role = self._aws.acting_as_role(request["job"]["RoleArn"], SESSION, DATABREW)
        worker = _Worker(role, run_id, request, self._datasets)
        with self._lock:
            self._under_way[run_id] = worker
        threading.Thread(target=self._follow, args=(worker,), name=run_id, daemon=True).start()

    def stop(self, call: Call) -> Json:
        """Raises ValidationException for a run that is over."""
        run_id = call.params["RunId"]
        with self._lock:
            run = self.get(call.params["Name"], run_id)
            worker = self._under_way.get(run_id)
            if run["State"] not in ACTIVE or worker is None:
                raise AwsError("ValidationException", f"Run {run_id} is {run['State']} already.")
            self.change(run_id, State="STOPPING")
        worker.stop()
        return {"RunId": run_id}

    def recover(self) -> None:
        """Starts the runs again that an earlier server left under way: on AWS they would have
        gone on. Their files have the same names, so that nothing can be there twice."""
        for run_id, run in self._aws.documents.items(KIND):
            if run["State"] not in ACTIVE:
                continue
            shutil.rmtree(self._scratch(run_id), ignore_errors=True)
            request = self._aws.documents.get(REQUEST, run_id)
            if run["State"] == "STOPPING" or request is None:
                self.finish(run_id, "STOPPED")
                continue
            self.change(run_id, State="STARTING")
            self._launch(run_id, request)

    def close(self) -> None:
        """Ends every run's work; the next start of the server starts the runs again."""
        self._closing = True
        workers = list(self._under_way.values())
        for worker in workers:
            worker.stop()
        for worker in workers:
            worker.over.wait(timeout=10)

    def _scratch(self, run_id: str) -> Path:
        return self._aws.home.directory("databrew-runs") / run_id

    def _follow(self, worker: _Worker) -> None:
        run_id = worker.run_id
        timer: threading.Timer | None = None
        try:
            with self._slot(worker):
                self._begin(worker)
                timer = threading.Timer(
                    worker.job["Timeout"] * self.minute_seconds, worker.stop, kwargs={"late": True}
                )
                timer.daemon = True
                timer.start()
                worker.work(self._scratch(run_id))
            self.finish(run_id, "SUCCEEDED")
        except Stopped:
            self._finish_stopped(worker)
        except (RecipeError, reading.InputError, LookupError) as error:
            self.finish(run_id, "FAILED", str(error))
        except AwsError as error:
            self.finish(run_id, "FAILED", error.message)
        except duckdb.Error as error:
            self.finish(run_id, "FAILED", str(error).splitlines()[0])
        except Exception as error:
            self.finish(run_id, "FAILED", f"localaws failed: {error!r}")
        finally:
            if timer is not None:
                timer.cancel()
            shutil.rmtree(self._scratch(run_id), ignore_errors=True)
            with self._lock:
                self._under_way.pop(run_id, None)
            worker.over.set()

    @contextlib.contextmanager
    def _slot(self, worker: _Worker) -> Iterator[None]:
        """A place among those at work; a run may be stopped while it waits for one."""
        while not self._slots.acquire(timeout=POLL_SECONDS):
            worker.check()
        try:
            yield
        finally:
            self._slots.release()

    def _begin(self, worker: _Worker) -> None:
        with self._lock:
            worker.check()
            self.change(worker.run_id, State="RUNNING")

    def _finish_stopped(self, worker: _Worker) -> None:
        if self._closing:
            return
        if worker.late:
            minutes = worker.job["Timeout"]
            self.finish(worker.run_id, "TIMEOUT", f"The run exceeded its {minutes} minutes.")
        else:
            self.finish(worker.run_id, "STOPPED")


class _Worker:
    """One run's work, which can be stopped from another thread."""

    def __init__(
        self,
        aws: LocalAws,
        run_id: str,
        request: Json,
        datasets: Datasets,
    ) -> None:
        self._aws = aws
        self.run_id = run_id
        self.job: Json = request["job"]
        self._dataset: Json = request["dataset"]
        self._recipe: Json = request["recipe"]
        self._when: datetime = request["when"]  # names the files
        self._datasets = datasets
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._stopping = False
        self.late = False
        self.over = threading.Event()

    def stop(self, late: bool = False) -> None:
        self.late = late
        self._stopping = True
        connection = self._connection
        if connection is not None:
            with contextlib.suppress(duckdb.ConnectionException):  # its work is done already
                connection.interrupt()

    def check(self) -> None:
        if self._stopping:
            raise Stopped

    def work(self, scratch: Path) -> None:
        """Reads, transforms, writes; the objects appear only when all of it is done."""
        steps = parse(self._recipe["Steps"])
        (scratch / "spill").mkdir(parents=True, exist_ok=True)
        with contextlib.closing(duckdb.connect(config=_settings(scratch))) as connection:
            self._connection = connection
            connection.execute("SET TimeZone = 'UTC'")
            # Costs nothing measurable; the same input gives the same bytes where rows stay rows.
            connection.execute("SET preserve_insertion_order = true")
            raw = reading.raw_columns(steps)
            source = self._view("input", self._dataset, raw, scratch)
            compiled = compile_steps(
                steps,
                source,
                Context(
                    dataset=lambda name: self._view(
                        ident(f"dataset {name}"), self._datasets.get(name), raw, scratch
                    ),
                    now=self._aws.clock.now(),
                ),
                self._query,
            )
            written = [
                outputs.write(
                    output,
                    compiled.sql,
                    compiled.columns,
                    self.job["Name"],
                    self._when,
                    scratch / f"output-{number}",
                    self._query,
                )
                for number, output in enumerate(self.job["Outputs"])
            ]
            self.check()
        for output, files in zip(self.job["Outputs"], written, strict=True):
            outputs.publish(self._aws, output, files)

    def _view(self, name: str, dataset: Json, raw: set[str], scratch: Path) -> Table:
        source = inputs.resolve(self._aws, dataset)
        found = reading.relation(source, raw, self._query, scratch)
        self._query(f"CREATE OR REPLACE TEMP VIEW {name} AS {found.sql}")
        return Table(found.columns, name)

    def _query(self, sql: str) -> list[tuple[Any, ...]]:
        self.check()
        assert self._connection is not None
        try:
            return self._connection.execute(sql).fetchall()
        except duckdb.InterruptException as error:
            raise Stopped from error


def _settings(scratch: Path) -> dict[str, str | bool | int | float | list[str]]:
    return {
        "threads": THREADS,
        "memory_limit": MEMORY_LIMIT,
        "temp_directory": str(scratch / "spill"),
        "autoinstall_known_extensions": False,
    }

"""Job runs: recipes and profiles, by DuckDB in a worker, over the objects in place."""

from __future__ import annotations

import secrets as random
import shutil
from collections.abc import Sequence
from pathlib import Path

from localaws.core.aws import LocalAws
from localaws.core.jobs.failures import OutOfMemory, WorkFailed
from localaws.core.jobs.job import Job, JobFailed
from localaws.core.jobs.kind import RECIPE_RUN
from localaws.core.jobs.runner import Ending, JobRunner, Outcome
from localaws.core.service import Call, Service
from localaws.core.signals import EventSent
from localaws.databrew import inputs, outputs, secrets, targets
from localaws.databrew.datasets import KIND as DATASET
from localaws.databrew.datasets import Datasets
from localaws.databrew.documents import conflict, not_found, page
from localaws.databrew.jobs import OUTPUTS, RecipeJobs
from localaws.databrew.recipe.compiler import datasets_of, parse
from localaws.databrew.recipe.errors import RecipeError
from localaws.databrew.recipe.privacy import secrets_of
from localaws.databrew.recipes import Recipes
from localaws.databrew.rulesets import Rulesets
from localaws.databrew.source import InputError
from localaws.databrew.writing import Written
from localaws.errors import AwsError
from localaws.s3.names import split_uri
from localaws.shapes import Json

KIND = RECIPE_RUN.documents
WORK = "localaws.databrew.work:run"
PROFILE_WORK = "localaws.databrew.work:profile"
LOG_GROUP = "/aws-glue-databrew/jobs"
DATABREW = "databrew.amazonaws.com"
# GUESSED: the name of the session in which DataBrew takes a role on.
SESSION = "DataBrew"
STATES = {
    Outcome.SUCCEEDED: "SUCCEEDED",
    Outcome.FAILED: "FAILED",
    Outcome.STOPPED: "STOPPED",
    Outcome.TIMED_OUT: "TIMEOUT",
}


class JobRuns:
    minute_seconds = 60.0  # a job's Timeout is in minutes

    def __init__(
        self,
        aws: LocalAws,
        datasets: Datasets,
        recipes: Recipes,
        jobs: RecipeJobs,
        rulesets: Rulesets,
    ) -> None:
        self._aws = aws
        self._datasets = datasets
        self._recipes = recipes
        self._jobs = jobs
        self._rulesets = rulesets
        self._runner = JobRunner(aws, RECIPE_RUN, self)

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

    def start(self, call: Call) -> Json:
        return self.start_job(call.params["Name"], call.caller.arn)

    def start_job(self, name: str, started_by: str) -> Json:
        """Starts a run of the job as it is now; later changes to it are not this run's.

        `started_by` is an ARN: a caller's, or a schedule's. Raises ConflictException while the job
        has a run under way.
        """
        job = self._jobs.get(name)
        dataset = self._datasets.get(job["DatasetName"])
        kept, of_run = self._of_kind(job, dataset)
        run_id = "db_" + random.token_hex(32)
        now = self._aws.clock.now()
        document = {
            "RunId": run_id,
            "JobName": job["Name"],
            "Attempt": 0,
            "DatasetName": job["DatasetName"],
            **of_run,
            **{member: job[member] for member in OUTPUTS if member in job},
            "State": "STARTING",
            "StartedOn": now,
            "StartedBy": started_by,
            "ExecutionTime": 0,
            "LogSubscription": job["LogSubscription"],
            "LogGroupName": LOG_GROUP,
        }

        def store() -> None:
            for run in self._of_job(job["Name"]):
                if run["State"] in RECIPE_RUN.active:
                    raise conflict(f"Job {job['Name']} has the run {run['RunId']} under way.")
            self._aws.documents.put(KIND, run_id, document)

        request = {"job": job, "dataset": dataset, "when": now, **kept}
        self._runner.start(run_id, request, store)
        return {"RunId": run_id}

    def _of_kind(self, job: Json, dataset: Json) -> tuple[Json, Json]:
        """What a run of a recipe or of a profile keeps of its job's definitions as they are now,
        and the members of its document."""
        if job["Type"] == "PROFILE":
            named = [each["RulesetArn"] for each in job["ValidationConfigurations"]]
            rulesets = [self._rulesets.of_arn(each, dataset["ResourceArn"]) for each in named]
            members = ("ProfileConfiguration", "JobSample", "ValidationConfigurations")
            return {"rulesets": rulesets}, {member: job[member] for member in members}
        reference = job["RecipeReference"]
        recipe = self._recipes.get(reference["Name"], reference["RecipeVersion"])
        shown = {"Name": reference["Name"], "RecipeVersion": recipe["RecipeVersion"]}
        return {"recipe": recipe}, {"RecipeReference": shown}

    def stop(self, call: Call) -> Json:
        """Raises ValidationException for a run that is over."""
        run_id = call.params["RunId"]
        run = self.get(call.params["Name"], run_id)
        if run["State"] not in RECIPE_RUN.active:
            raise AwsError("ValidationException", f"Run {run_id} is {run['State']} already.")
        self._runner.stop(run_id, lambda: self._change(run_id, State="STOPPING"))
        return {"RunId": run_id}

    def recover(self) -> None:
        """A run's files have the same names again: nothing can be there twice."""
        self._runner.recover()

    def close(self) -> None:
        self._runner.close()

    # One run's life

    def _change(self, run_id: str, **members: object) -> None:
        with self._aws.documents.changing(KIND, run_id) as run:
            run |= members

    def begin(self, job: Job) -> None:
        self._change(job.id, State="RUNNING")

    def work(self, job: Job) -> None:
        """Reads, transforms, writes; the objects appear only when all of it is done."""
        if not job.request:
            raise JobFailed("What the run was started with is not known any more.")
        given: Json = job.request["job"]
        arn = f"arn:aws:databrew:{self._aws.region}:{self._aws.account}:job/{given['Name']}"
        aws = self._aws.acting_as_role(given["RoleArn"], SESSION, DATABREW, arn)
        job.limit(given["Timeout"] * self.minute_seconds)
        try:
            if given["Type"] == "PROFILE":
                self._profile(job, aws)
                return
            request = self._request(job, aws)
            written = aws.workers.perform(job, WORK, request)
            job.check()
            for output, result in zip(request["outputs"], written, strict=True):
                files = [Written(**file) for file in result["files"]]
                if "Location" in output:
                    outputs.publish(aws, output, files)
                if output.get("New"):
                    targets.define(aws, output, result["columns"])
                self._say(job, aws, output, result["rows"], len(files))
        except OutOfMemory:
            most = self._aws.workers.limits.memory_bytes >> 20
            raise JobFailed(
                f"OutOfMemoryError: the job run needs more memory than it may have, {most} MiB."
            ) from None
        except WorkFailed as failed:
            raise JobFailed(failed.message) from failed
        except AwsError as error:
            raise JobFailed(error.message) from error
        except (RecipeError, InputError) as error:
            raise JobFailed(str(error)) from error

    def _profile(self, job: Job, aws: LocalAws) -> None:
        """The profile, and the report of its rulesets, which may fail without failing the run."""
        given = job.request["job"]
        place = given["Outputs"][0]["Location"]
        request = {
            "source": inputs.resolve(aws, job.request["dataset"]).to_json(),
            "sample": given["JobSample"],
            "configuration": given["ProfileConfiguration"],
            "rulesets": job.request["rulesets"],
            "location": place,
            "job": given["Name"],
            "run": job.id,
            "when": job.request["when"],
            "now": self._aws.clock.now(),
            "folder": self._scratch(job.id),
        }
        result = aws.workers.perform(job, PROFILE_WORK, request)
        job.check()
        written = []
        for file in result["files"]:
            aws.objects.adopt(file["bucket"], file["key"], Path(file["file"]))
            written.append({"Location": {"Bucket": file["bucket"], "Key": file["key"]}})
        self._change(job.id, Outputs=written)
        for name, state in result["rulesets"].items():
            detail = {
                "datasetName": given["DatasetName"],
                "jobName": given["Name"],
                "jobRunId": job.id,
                "rulesetName": name,
                "validationState": state,
                "validationReportLocation": f"s3://{place['Bucket']}/{result['files'][-1]['key']}",
            }
            event = self._aws.event("aws.databrew", "DataBrew Ruleset Validation Result", detail)
            self._aws.signals.publish(EventSent(event))

    def _say(self, job: Job, aws: LocalAws, output: Json, rows: int, files: int) -> None:
        """A line in the run's log: a result without rows is a success that should not surprise."""
        if "Database" in output:
            table, connection = output["Database"]["table"], output["Connection"]
            line = f"Wrote {rows} rows to the table {table} of the connection {connection}"
        else:
            place = output["Location"]
            place = f"s3://{place['Bucket']}/{place.get('Key', '')}"
            line = f"Wrote {rows} rows in {files} files to {place}"
        if job.request["job"]["LogSubscription"] == "ENABLE":
            name = job.request["job"]["Name"]
            self._aws.logs.send(aws.caller, LOG_GROUP, f"{name}/{job.id}", [line])

    def _request(self, job: Job, aws: LocalAws) -> Json:
        """What the worker gets: every file that it is to read is found here."""
        given = job.request["job"]
        steps = job.request["recipe"]["Steps"]
        return {
            "steps": steps,
            "source": inputs.resolve(aws, job.request["dataset"]).to_json(),
            **self.others(aws, steps),
            "outputs": targets.resolve(aws, given, job.request["when"]),
            "job": given["Name"],
            "when": job.request["when"],
            "now": self._aws.clock.now(),
            "folder": self._scratch(job.id),
        }

    def others(self, aws: LocalAws, steps: Sequence[Json]) -> Json:
        """What steps need besides the data: other datasets, keys of their cryptography."""
        return {
            "datasets": {
                name or place: inputs.resolve(aws, self._second(name, place)).to_json()
                for name, place in sorted(datasets_of(steps))
            },
            "secrets": secrets.resolve(aws, secrets_of(parse(steps))),
        }

    def _second(self, name: str, place: str) -> Json:
        """A dataset that a step reads: by its name, or by its location where none has that name."""
        found = self._aws.documents.get(DATASET, name) if name else None
        if found is not None:
            return found
        if not place:
            raise InputError(f"There is no dataset {name!r}.")
        bucket, key = split_uri(place)
        return {
            "Name": name or place,
            "Input": {"S3InputDefinition": {"Bucket": bucket, "Key": key}},
        }

    def end(self, job_id: str, ending: Ending) -> None:
        now = self._aws.clock.now()
        with self._aws.documents.changing(KIND, job_id) as run:
            run["State"] = STATES[ending.outcome]
            run["CompletedOn"] = now
            run["ExecutionTime"] = max(1, round((now - run["StartedOn"]).total_seconds()))
            if ending.outcome is Outcome.TIMED_OUT:
                run["ErrorMessage"] = "The run exceeded the Timeout of its job."
            elif ending.reason is not None:
                run["ErrorMessage"] = ending.reason

    def event(self, job_id: str) -> Json:
        run = self._aws.documents.get(KIND, job_id) or {}
        detail = {
            "jobName": run["JobName"],
            "state": run["State"],
            "jobRunId": run["RunId"],
            "message": run.get("ErrorMessage", ""),
        }
        return self._aws.event("aws.databrew", "DataBrew Job State Change", detail)

    def clear(self, job_id: str) -> None:
        shutil.rmtree(self._scratch(job_id), ignore_errors=True)

    def _scratch(self, run_id: str) -> Path:
        return self._aws.home.directory("databrew-runs") / run_id

"""The job operations of Glue, added to the Glue service."""

from __future__ import annotations

from typing import Any

from localaws.core.aws import LocalAws
from localaws.core.errors import AwsError, NotEmulated
from localaws.core.service import Call, Service
from localaws.glue_jobs import arguments
from localaws.glue_jobs.jobs import SETTINGS, Jobs, capacity, checked_timeout
from localaws.glue_jobs.pages import page
from localaws.glue_jobs.runs import Runs

Json = dict[str, Any]

CAPACITY = ("WorkerType", "NumberOfWorkers", "MaxCapacity", "AllocatedCapacity")


def register(service: Service, aws: LocalAws) -> Runs:
    """Adds jobs and job runs to the Glue service; returns the runs, for tests."""
    jobs = Jobs(aws)
    runs = Runs(aws, jobs)
    service.on_start(runs.recover)
    service.on_stop(runs.close)
    _register_jobs(service, jobs)

    @service.operation(
        "StartJobRun", "JobName", "Arguments", "Timeout", *CAPACITY, "ExecutionClass",
        "NotificationProperty", "JobRunQueuingEnabled",
    )  # fmt: skip
    def start_job_run(call: Call) -> Json:
        """Raises EntityNotFound-, ConcurrentRunsExceeded- and InvalidInputException."""
        job = jobs.get(call.params["JobName"])
        given = dict(call.params.get("Arguments") or {})
        arguments.check(call.operation, given)
        arguments.resolve(job["Name"], "jr_check", arguments.merged(job, given))
        if call.params.get("JobRunQueuingEnabled"):
            raise NotEmulated("glue", call.operation, "JobRunQueuingEnabled")
        return {"JobRunId": runs.start(job, _run_settings(job, call.params), given)}

    @service.operation("GetJobRun", "JobName", "RunId", "PredecessorsIncluded")
    def get_job_run(call: Call) -> Json:
        return {"JobRun": runs.get(call.params["JobName"], call.params["RunId"])}

    @service.operation("GetJobRuns", "JobName", "NextToken", "MaxResults")
    def get_job_runs(call: Call) -> Json:
        jobs.get(call.params["JobName"])
        found, token = page(
            (((run["StartedOn"], run["Id"]), run) for run in runs.of_job(call.params["JobName"])),
            call.params,
            newest_first=True,
        )
        return {"JobRuns": found, **token}

    @service.operation("BatchStopJobRun", "JobName", "JobRunIds")
    def batch_stop_job_run(call: Call) -> Json:
        name = call.params["JobName"]
        stopped, errors = [], []
        for run_id in call.params["JobRunIds"]:
            try:
                runs.stop(name, run_id)
            except AwsError as error:
                detail = {"ErrorCode": error.code, "ErrorMessage": error.message}
                errors.append({"JobName": name, "JobRunId": run_id, "ErrorDetail": detail})
            else:
                stopped.append({"JobName": name, "JobRunId": run_id})
        return {"SuccessfulSubmissions": stopped, "Errors": errors}

    return runs


def _register_jobs(service: Service, jobs: Jobs) -> None:
    service.operation("CreateJob", "Name", "Tags", *SETTINGS)(jobs.create)
    service.operation(
        "UpdateJob", "JobName", *(f"JobUpdate.{name}" for name in SETTINGS)
    )(jobs.update)  # fmt: skip
    service.operation("GetJob", "JobName")(jobs.describe)
    service.operation("GetJobs", "NextToken", "MaxResults")(jobs.describe_all)
    service.operation("ListJobs", "NextToken", "MaxResults")(jobs.list)
    service.operation("DeleteJob", "JobName")(jobs.delete)


def _run_settings(job: Json, params: Json) -> Json:
    """What a run takes from its call, else from its job."""
    source = params if any(name in params for name in CAPACITY) else job
    if source is params and "WorkerType" not in params and "NumberOfWorkers" in params:
        source = {"WorkerType": job.get("WorkerType", "G.1X")} | params
    if source is job:
        settings = {name: job[name] for name in CAPACITY if name in job}
    else:
        settings = capacity(source)
    settings |= {
        "GlueVersion": job["GlueVersion"],
        "Timeout": checked_timeout(params["Timeout"] if "Timeout" in params else job["Timeout"]),
        "ExecutionClass": params.get("ExecutionClass", job["ExecutionClass"]),
    }
    for name in ("NotificationProperty",):
        if name in params or name in job:
            settings[name] = params.get(name, job.get(name))
    return settings

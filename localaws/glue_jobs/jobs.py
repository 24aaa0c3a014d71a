"""Job definitions: checked, kept, and given back as Glue does."""

from __future__ import annotations

from datetime import datetime

from localaws.catalog.lists import page_of_jobs
from localaws.core.aws import LocalAws
from localaws.core.service import Call, Service
from localaws.errors import AwsError, NotEmulated
from localaws.glue_jobs import arguments
from localaws.glue_jobs.bookmarks import Bookmarks
from localaws.shapes import Json

KIND = "glue-job"
# What AWS runs a version on; here all run on one Spark 3.5.6, and runs of the older ones say so.
# https://docs.aws.amazon.com/glue/latest/dg/release-notes.html
VERSIONS = {
    "3.0": "Spark 3.1.1, Python 3.7",
    "4.0": "Spark 3.3.0, Python 3.10",
    "5.0": "Spark 3.5.4, Python 3.11",
    "5.1": "Spark 3.5.6, Python 3.11",
}
DEFAULT_VERSION = "5.1"
OLDER = ("3.0", "4.0")
MAXIMUM_TIMEOUT_MINUTES = 10_080
MOST_RETRIES = 10  # docs.aws.amazon.com/glue/latest/dg/add-job.html
DPUS = {
    "Standard": 1.0,
    "G.025X": 0.25,
    **{f"G.{size}X": float(size) for size in (1, 2, 4, 8, 12, 16)},
    **{f"R.{size}X": float(size) for size in (1, 2, 4, 8)},
    "Z.2X": 2.0,
}
# Members of CreateJob and of JobUpdate.
SETTINGS = (
    "AllocatedCapacity", "Command", "DefaultArguments", "Description", "ExecutionClass",
    "ExecutionProperty", "GlueVersion", "JobMode", "LogUri", "MaxCapacity", "MaxRetries",
    "NonOverridableArguments", "NotificationProperty", "NumberOfWorkers", "Role", "Timeout",
    "WorkerType", "JobRunQueuingEnabled",
)  # fmt: skip


CAPACITY = ("WorkerType", "NumberOfWorkers", "MaxCapacity", "AllocatedCapacity")


def not_found(name: str) -> AwsError:
    return AwsError("EntityNotFoundException", f"Job {name} not found.")


def checked(operation: str, given: Json) -> Json:
    """A whole job definition from what was given, with Glue's defaults.

    Raises InvalidInputException for what Glue refuses too, NotEmulated for what only we lack.
    """
    command = given.get("Command") or {}
    kind = command.get("Name", "glueetl")
    if kind != "glueetl":
        raise NotEmulated("glue", operation, f"Command.Name={kind}", "It has glueetl.")
    if command.get("PythonVersion", "3") != "3":
        raise NotEmulated("glue", operation, f"Command.PythonVersion={command['PythonVersion']}")
    if not str(command.get("ScriptLocation", "")).startswith("s3://"):
        raise AwsError(
            "InvalidInputException",
            f"Command.ScriptLocation is {command.get('ScriptLocation')!r}; it must be s3://...",
        )
    if not given.get("Role"):
        raise AwsError("InvalidInputException", "Role is missing.")
    version = given.get("GlueVersion", DEFAULT_VERSION)
    if version not in VERSIONS:
        raise NotEmulated(
            "glue", operation, f"GlueVersion={version}", f"It has {', '.join(VERSIONS)}."
        )
    if not 0 <= given.get("MaxRetries", 0) <= MOST_RETRIES:
        raise AwsError(
            "InvalidInputException",
            f"MaxRetries is {given['MaxRetries']}; it is 0 to {MOST_RETRIES}.",
        )
    if given.get("JobMode", "SCRIPT") != "SCRIPT":
        raise NotEmulated("glue", operation, f"JobMode={given['JobMode']}", "It has SCRIPT.")
    for name in ("DefaultArguments", "NonOverridableArguments"):
        arguments.check(operation, given.get(name) or {})
    return {
        "JobMode": "SCRIPT",
        "ExecutionProperty": {"MaxConcurrentRuns": 1},
        "MaxRetries": 0,
        "ExecutionClass": "STANDARD",
        "DefaultArguments": {},
        **{name: given[name] for name in SETTINGS if name in given},
        "Command": {"Name": "glueetl", "PythonVersion": "3", **command},
        "GlueVersion": version,
        "Timeout": checked_timeout(given.get("Timeout", default_timeout(version))),
        **capacity(given),
    }


def default_timeout(version: str) -> int:
    """Minutes: two days before Glue 5.0, eight hours since."""
    return 2_880 if version in OLDER else 480


def warning(version: str) -> str | None:
    """What a run's error log begins with, where AWS has another Spark than this machine."""
    if version not in OLDER:
        return None
    return (
        f"WARN localaws: Glue {version} is {VERSIONS[version]} on AWS; this run has those of Glue"
        f" {DEFAULT_VERSION}, {VERSIONS[DEFAULT_VERSION]}."
    )


def checked_timeout(minutes: int) -> int:
    if not 1 <= minutes <= MAXIMUM_TIMEOUT_MINUTES:
        raise AwsError(
            "InvalidInputException",
            f"Timeout is {minutes} minutes; it must be 1 to {MAXIMUM_TIMEOUT_MINUTES}.",
        )
    return minutes


def capacity(given: Json) -> Json:
    """WorkerType and NumberOfWorkers, with the DPUs that they make."""
    worker = given.get("WorkerType", "G.1X")
    if worker not in DPUS:
        raise AwsError(
            "InvalidInputException",
            f"WorkerType is {worker!r}; it must be one of {', '.join(DPUS)}.",
        )
    if "MaxCapacity" in given and "WorkerType" in given:
        raise AwsError(
            "InvalidInputException", "Please set only Worker Type and Number Of Workers, or only"
            " Max Capacity."
        )  # fmt: skip
    workers = given.get("NumberOfWorkers", 10)
    total = float(given.get("MaxCapacity", DPUS[worker] * workers))
    found: Json = {"MaxCapacity": total, "AllocatedCapacity": int(total)}
    if "MaxCapacity" not in given:
        found |= {"WorkerType": worker, "NumberOfWorkers": workers}
    return found


def run_settings(job: Json, params: Json) -> Json:
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
    for name in ("NotificationProperty", "JobRunQueuingEnabled"):
        if name in params or name in job:
            settings[name] = params.get(name, job.get(name))
    return settings


class SparkJobs:
    """The jobs of this account."""

    def __init__(self, aws: LocalAws, bookmarks: Bookmarks) -> None:
        self._aws, self._bookmarks = aws, bookmarks

    def register(self, service: Service) -> None:
        service.operation("CreateJob", "Name", "Tags", *SETTINGS)(self.create)
        changes = (f"JobUpdate.{name}" for name in SETTINGS)
        service.operation("UpdateJob", "JobName", *changes)(self.update)
        service.operation("GetJob", "JobName")(self.describe)
        service.operation("GetJobs", "NextToken", "MaxResults")(self.describe_all)
        service.operation("BatchGetJobs", "JobNames")(self.describe_some)
        service.operation("ListJobs", "NextToken", "MaxResults")(self.list)
        service.operation("DeleteJob", "JobName")(self.delete)

    def find(self, name: str) -> Json | None:
        return self._aws.documents.get(KIND, name)

    def get(self, name: str) -> Json:
        """The job. Raises EntityNotFoundException."""
        found = self.find(name)
        if found is None:
            raise not_found(name)
        return found

    def create(self, call: Call) -> Json:
        now = self._aws.clock.now()
        name = call.params["Name"]
        job = self._document(name, checked(call.operation, call.params), now, now)
        if not self._aws.documents.insert(KIND, name, job):
            raise AwsError("AlreadyExistsException", f"Job {name} already exists.")
        return {"Name": name}

    def update(self, call: Call) -> Json:
        """Replaces the whole definition, as UpdateJob does."""
        name = call.params["JobName"]
        with self._aws.documents.changing(KIND, name, not_found(name)) as job:
            settings = checked(call.operation, call.params["JobUpdate"])
            created = job["CreatedOn"]
            job.clear()
            job |= self._document(name, settings, created, self._aws.clock.now())
        return {"JobName": name}

    @staticmethod
    def _document(name: str, settings: Json, created: datetime, modified: datetime) -> Json:
        return {"Name": name, "CreatedOn": created, "LastModifiedOn": modified, **settings}

    def describe(self, call: Call) -> Json:
        return {"Job": self.get(call.params["JobName"])}

    def describe_all(self, call: Call) -> Json:
        jobs, token = page_of_jobs(self._aws.documents.items(KIND), call.params)
        return {"Jobs": jobs, **token}

    def describe_some(self, call: Call) -> Json:
        """The named jobs, in the order of the names; a name without a job is no error."""
        known = dict(self._aws.documents.items(KIND))
        names = call.params["JobNames"]
        return {
            "Jobs": [known[name] for name in names if name in known],
            "JobsNotFound": [name for name in names if name not in known],
        }

    def list(self, call: Call) -> Json:
        names, token = page_of_jobs(
            ((name, name) for name, _ in self._aws.documents.items(KIND)), call.params
        )
        return {"JobNames": names, **token}

    def delete(self, call: Call) -> Json:
        """A job that is not there is deleted already, as on AWS; its runs stay readable."""
        self._aws.documents.delete(KIND, call.params["JobName"])
        self._bookmarks.forget(call.params["JobName"])
        return {"JobName": call.params["JobName"]}

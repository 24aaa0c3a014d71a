"""What a job is defined with, checked; and what a run takes of it."""

from __future__ import annotations

from localaws.errors import AwsError, NotEmulated
from localaws.glue_jobs import arguments, shell
from localaws.shapes import Json

# What AWS runs a version on; here all run on one Spark 3.5.6, and runs of the older ones say so.
# https://docs.aws.amazon.com/glue/latest/dg/release-notes.html
VERSIONS = {
    "3.0": "Spark 3.1.1, Python 3.7",
    "4.0": "Spark 3.3.0, Python 3.10",
    "5.0": "Spark 3.5.4, Python 3.11",
    "5.1": "Spark 3.5.6, Python 3.11",
}
DEFAULT_VERSION = "5.1"
SPARK, SHELL = "glueetl", "pythonshell"  # Command.Name
PYTHONS = {SPARK: "3", SHELL: "3.9"}  # Command.PythonVersion
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
    "WorkerType", "JobRunQueuingEnabled", "Connections",
)  # fmt: skip
CAPACITY = ("WorkerType", "NumberOfWorkers", "MaxCapacity", "AllocatedCapacity")


def checked(operation: str, given: Json) -> Json:
    """A whole job definition from what was given, with Glue's defaults.

    Raises InvalidInputException for what Glue refuses too, NotEmulated for what only we lack.
    """
    command = _command(operation, given.get("Command") or {})
    version = _version(operation, command["Name"], given.get("GlueVersion"))
    if not given.get("Role"):
        raise AwsError("InvalidInputException", "Role is missing.")
    if not 0 <= given.get("MaxRetries", 0) <= MOST_RETRIES:
        raise AwsError(
            "InvalidInputException",
            f"MaxRetries is {given['MaxRetries']}; it is 0 to {MOST_RETRIES}.",
        )
    if given.get("JobMode", "SCRIPT") != "SCRIPT":
        raise NotEmulated("glue", operation, f"JobMode={given['JobMode']}", "It has SCRIPT.")
    for name in ("DefaultArguments", "NonOverridableArguments"):
        arguments.check(operation, command["Name"], given.get(name) or {})
    return {
        "JobMode": "SCRIPT",
        "ExecutionProperty": {"MaxConcurrentRuns": 1},
        "MaxRetries": 0,
        "ExecutionClass": "STANDARD",
        "DefaultArguments": {},
        **{name: given[name] for name in SETTINGS if name in given},
        "Command": command,
        "GlueVersion": version,
        "Timeout": checked_timeout(given.get("Timeout", default_timeout(version))),
        **capacity(command["Name"], given),
    }


def _command(operation: str, given: Json) -> Json:
    kind = given.get("Name", SPARK)
    if kind not in PYTHONS:
        raise NotEmulated(
            "glue", operation, f"Command.Name={kind}", f"It has {' and '.join(PYTHONS)}."
        )
    # A Spark job's version follows from Glue's; a shell job without one has one whose support has
    # ended: docs.aws.amazon.com/glue/latest/dg/add-job-python.html
    python = given.get("PythonVersion", "3")
    if python != PYTHONS[kind]:
        named = f"Command.PythonVersion={given.get('PythonVersion', 'none')} of {kind}"
        raise NotEmulated("glue", operation, named, f"It has {PYTHONS[kind]}.")
    if not str(given.get("ScriptLocation", "")).startswith("s3://"):
        raise AwsError(
            "InvalidInputException",
            f"Command.ScriptLocation is {given.get('ScriptLocation')!r}; it must be s3://...",
        )
    return {"Name": kind, "PythonVersion": python, **given}


def _version(operation: str, kind: str, given: str | None) -> str:
    """Of a shell job it says nothing: its Python is its own."""
    if kind == SHELL:
        accepted, default = ("1.0", "2.0", *VERSIONS), shell.GLUE_VERSION
    else:
        accepted, default = tuple(VERSIONS), DEFAULT_VERSION
    version = given or default
    if version not in accepted:
        raise NotEmulated(
            "glue", operation, f"GlueVersion={version}", f"It has {', '.join(accepted)}."
        )
    return version


def default_timeout(version: str) -> int:
    """Minutes: two days before Glue 5.0, eight hours since."""
    return 480 if version in ("5.0", "5.1") else 2_880


def warning(job: Json) -> str | None:
    """What a Spark run's error log begins with, where AWS has another than this machine."""
    version = job["GlueVersion"]
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


def capacity(kind: str, given: Json) -> Json:
    """WorkerType and NumberOfWorkers, with the DPUs that they make; of a shell job DPUs alone."""
    return _shell_capacity(given) if kind == SHELL else _spark_capacity(given)


def _shell_capacity(given: Json) -> Json:
    named = [name for name in CAPACITY if name in given and name != "MaxCapacity"]
    total = float(given.get("MaxCapacity", min(shell.DPUS)))
    if named or total not in shell.DPUS:
        told = f"{named[0]} is given" if named else f"MaxCapacity is {total:g}"
        raise AwsError(
            "InvalidInputException",
            f"{told}; a Python shell job has MaxCapacity alone, of"
            f" {' or '.join(f'{dpus:g}' for dpus in shell.DPUS)}.",
        )
    return {"MaxCapacity": total, "AllocatedCapacity": int(total)}


def _spark_capacity(given: Json) -> Json:
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
    kind = job["Command"]["Name"]
    source = params if any(name in params for name in CAPACITY) else job
    if (
        source is params
        and kind == SPARK
        and "WorkerType" not in params
        and "NumberOfWorkers" in params
    ):
        source = {"WorkerType": job.get("WorkerType", "G.1X")} | params
    if source is job:
        settings = {name: job[name] for name in CAPACITY if name in job}
    else:
        settings = capacity(kind, source)
    settings |= {
        "GlueVersion": job["GlueVersion"],
        "Timeout": checked_timeout(params["Timeout"] if "Timeout" in params else job["Timeout"]),
        "ExecutionClass": params.get("ExecutionClass", job["ExecutionClass"]),
    }
    for name in ("NotificationProperty", "JobRunQueuingEnabled"):
        if name in params or name in job:
            settings[name] = params.get(name, job.get(name))
    return settings

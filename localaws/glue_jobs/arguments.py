"""Job arguments: which count, which are the service's own, what the script sees in sys.argv.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-arguments.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from localaws.errors import AwsError, NotEmulated
from localaws.glue_jobs import iceberg

MAXIMUM_BYTES = 260 * 1024

# Fine with these values, refused with any other. What is in neither table goes to the script; those
# of Glue's own that only observe or scale (--enable-metrics, --TempDir, ...) change no result.
ONLY = {
    "--job-language": ("python",),
    "--job-bookmark-option": (
        "job-bookmark-enable",
        "job-bookmark-disable",
        "job-bookmark-pause",
    ),
    "--enable-glue-datacatalog": ("", "true", "false"),
    "--enable-spark-ui": ("false", "true"),
    "--enable-s3-parquet-optimized-committer": ("true",),
    "--library-set": ("analytics", "none"),
}
# What a Python shell job has not: docs.aws.amazon.com/glue/latest/dg/add-job-python.html
SHELL_ONLY = {"--job-bookmark-option": ("job-bookmark-disable",)}
MODULES = "--additional-python-modules"
LAKES = "--datalake-formats"
REFUSED = frozenset(
    {
        "--job-bookmark-from",
        "--job-bookmark-to",
        "--python-modules-installer-option",
        "--class",
        "--customer-driver-env-vars",
        "--customer-executor-env-vars",
        "--enable-lakeformation-fine-grained-access",
        "--extra-files",
        "--python-virtual-env",
        "--user-jars-first",
        "--use-postgres-driver",
        "--write-shuffle-files-to-s3",
    }
)
# The other way to ask for the Data Catalog: the class that makes Hive's client.
# https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-data-catalog-hive.html
FACTORY = "hive.metastore.client.factory.class"
GLUE_FACTORY = "com.amazonaws.glue.catalog.metastore.AWSGlueDataCatalogHiveClientFactory"
OWN = frozenset({"--JOB_NAME", "--JOB_ID", "--JOB_RUN_ID"})


@dataclass(frozen=True)
class Arguments:
    """What a run starts with: the script's argv, the Spark properties and modules it asked for."""

    argv: tuple[str, ...]
    properties: dict[str, str]
    python_files: tuple[str, ...]  # s3 URIs
    jars: tuple[str, ...]  # s3 URIs
    modules: tuple[str, ...] = ()  # what pip is asked for: names, or s3 URIs of wheels
    script: str | None = None  # s3 URI, in place of the job's own
    event_logs: str | None = None  # the folder in S3 for the Spark UI's event logs, if it is on
    iceberg: bool = False
    catalog: bool = False  # whether Spark SQL's tables are those of the Data Catalog


def merged(job: Mapping[str, object], run: Mapping[str, str]) -> dict[str, str]:
    """Non-overridable arguments win over the run's, the run's over the defaults."""
    found: dict[str, str] = {}
    for each in (job.get("DefaultArguments"), run, job.get("NonOverridableArguments")):
        if isinstance(each, Mapping):
            found |= {str(name): str(value) for name, value in each.items()}
    return found


def check(operation: str, kind: str, given: Mapping[str, str]) -> None:
    """Raises InvalidInputException for too much of it, NotEmulated for an argument that would
    change what a job of the kind (`Command.Name`) does and that we lack."""
    size = sum(len(name.encode()) + len(value.encode()) for name, value in given.items())
    if size > MAXIMUM_BYTES:
        raise AwsError(
            "InvalidInputException", f"Arguments are {size} bytes; at most {MAXIMUM_BYTES} fit."
        )
    for name, value in given.items():
        name = f"--{name.removeprefix('--')}"
        allowed = (SHELL_ONLY if kind == "pythonshell" else {}).get(name, ONLY.get(name))
        if name in REFUSED or (allowed is not None and value.lower() not in allowed):
            detail = f"It accepts {', '.join(allowed)}." if allowed else ""
            raise NotEmulated("glue", operation, f"Arguments.{name}={value}", detail)
        if name == MODULES:
            _check_modules(operation, value)
        if name == LAKES:
            _check_lakes(operation, value)


def _check_lakes(operation: str, value: str) -> None:
    if _uris(value) != [iceberg.FORMAT]:
        raise NotEmulated("glue", operation, f"Arguments.{LAKES}={value}", "It accepts iceberg.")
    if iceberg.jar() is None:
        raise NotEmulated(
            *("glue", operation, f"Arguments.{LAKES}={value}"),
            f"Iceberg's runtime is not installed: pip install {iceberg.PACKAGE.replace('_', '-')}.",
        )


def _check_modules(operation: str, value: str) -> None:
    for module in _uris(value):
        if module.startswith("-") or (module.startswith("s3://") and not module.endswith(".whl")):
            raise NotEmulated(
                *("glue", operation, f"Arguments.{MODULES}={module}"),
                "It takes names with versions, and wheels (.whl) in S3.",
            )


def resolve(job_name: str, run_id: str, given: Mapping[str, str]) -> Arguments:
    """The arguments as Glue hands them on: its own first, then the job's, names with `--`."""
    argv = ["--JOB_ID", f"j_{run_id[3:]}", "--JOB_RUN_ID", run_id, "--JOB_NAME", job_name]
    properties: dict[str, str] = {}
    files: list[str] = []
    jars: list[str] = []
    modules: list[str] = []
    script = given.get("--scriptLocation")
    if script is not None and not script.startswith("s3://"):
        raise AwsError(
            "InvalidInputException", f"--scriptLocation is {script!r}; it must be s3://..."
        )
    for name, value in given.items():
        if name == "--conf":
            properties |= _properties(value)
        elif name == "--extra-py-files":
            files += _uris(value)
        elif name == "--extra-jars":
            jars += _uris(value)
        elif name == MODULES:
            modules += _uris(value)
        elif name not in OWN and name != "--scriptLocation":
            argv += [name if name.startswith("--") else f"--{name}", value]
    wanted = given.get("--enable-spark-ui", "").lower() == "true"
    logs = given.get("--spark-event-logs-path") if wanted else None
    if logs is not None and not logs.startswith("s3://"):
        raise AwsError(
            "InvalidInputException", f"--spark-event-logs-path is {logs!r}; it must be s3://..."
        )
    asked = given.get("--enable-glue-datacatalog", "false").lower() != "false"
    catalog = asked or properties.get(f"spark.hadoop.{FACTORY}") == GLUE_FACTORY
    return Arguments(
        *(tuple(argv), properties, tuple(files), tuple(jars), tuple(modules), script, logs),
        iceberg=LAKES in given,
        catalog=catalog,
    )


def _uris(value: str) -> list[str]:
    return [uri.strip() for uri in value.split(",") if uri.strip()]


def _properties(value: str) -> dict[str, str]:
    """`a=1 --conf b=2`, the documented way to give several."""
    found = {}
    for part in value.split("--conf"):
        name, equals, setting = part.strip().partition("=")
        if not equals:
            raise AwsError(
                "InvalidInputException", f"--conf is {value!r}; it must be like spark.x=1."
            )
        found[name.strip()] = setting.strip()
    return found

"""What rebuy needs to be told: read once at the edge, then passed down."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from configuration.database import Database
from configuration.errors import InputError
from configuration.mapping import Mapping, load

FILE = Path("rebuy.toml")
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProductionVariant.html: no key for
# machines with NVMe disks, which have a d behind their generation (or are of these families).
OWN_DISK = re.compile(r"ml\.(g5|g6|g6e|p4de?|p5e?|trn1n?|trn2|inf2|[a-z]+\d+[a-z]*d[a-z]*)\.")
Switch = Literal["ENABLED", "DISABLED"]


class Settings(BaseModel):
    """One deployment and how to reach it. Flags win over the environment, that over the file, and
    there a stage's own table over the rest."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    stage: str = ""
    """The table of the file that these are from; empty: none."""
    # 18 characters leave room for a run's name and try in SageMaker's 63.
    stack_name: str = Field("rebuy", pattern=r"^[a-z][a-z0-9-]{0,17}$")
    """Every name of the deployment begins with it: at most 18 small letters, digits, hyphens."""
    endpoint_url: str | None = None
    """Where the AWS API is; without it AWS itself."""
    profile: str | None = None
    """Profile of the AWS credentials."""
    region: str | None = None
    """Without it the profile's own."""

    # What starts a run
    upload_trigger: Switch = "ENABLED"
    """Whether files below `raw/` start a run."""
    settle_seconds: int = Field(60, ge=1, le=3600)
    """Quiet for so long, an upload is complete."""
    schedule_state: Switch = "ENABLED"
    """Whether the schedule starts runs."""
    schedule_expression: str = "cron(0 8 * * ? *)"
    """When: `cron(...)` or `rate(...)` of EventBridge Scheduler."""
    schedule_timezone: str = "UTC"
    """The time zone of that, such as `Europe/Berlin`."""
    notification_email: str = Field("", pattern=r"^([^@\s]+@[^@\s]+\.[^@\s]+)?$")
    """Where failed runs are told; without it on the topic `<stack>-notifications` alone."""

    training_instance_type: str = "ml.m5.xlarge"
    """The machine that trains."""
    endpoint: Literal["instance", "serverless"] = "instance"
    """A machine that stands, or `serverless`: billed by the request, with cold starts. SageMaker
    changes no endpoint from one to the other: delete it first."""
    endpoint_instance_type: str = "ml.m5.large"
    """The machine that answers, all the time."""
    endpoint_instances_min: int = Field(1, ge=1)
    """Machines that answer at least, of an endpoint of instances."""
    endpoint_instances_max: int = Field(1, ge=1)
    """At most: above the least the endpoint is scaled (Application Auto Scaling)."""
    endpoint_requests_per_minute: int = Field(1000, ge=1)
    """That each machine is to answer: with more a minute on average one more is started."""
    endpoint_canary_percent: int = Field(0, ge=0, le=50)
    """Of the requests, that a new model answers first while alarms watch its machines
    ([how](deploying.md#a-new-model-with-care)); 0: all at once. Takes two machines at least."""
    endpoint_canary_minutes: int = Field(15, ge=1, le=60)
    """So long, and as long again with all requests."""
    capture_percent: int = Field(0, ge=0, le=100)
    """Of requests and answers that are kept in the lake for 30 days
    ([what they tell](security.md#what-captured-requests-tell)); of an endpoint of instances."""
    endpoint_memory_megabytes: int = Field(2048, ge=1024, le=6144, multiple_of=1024)
    """Of a serverless endpoint: 1024 to 6144 in steps of 1024."""
    endpoint_concurrency: int = Field(5, ge=1, le=200)
    """Most requests at a time, of a serverless endpoint."""
    source: Mapping | None = None
    """A [mapping](mapping.md) of your own files: `[source]`, or the name of a file with it. Without
    it Instacart's files as they are."""

    database: Database | None = None
    """PostgreSQL with orders and their lines, beside the files of the other tables: `[database]`
    ([how](data.md#from-a-database))."""

    # What is reached from outside
    site: Literal["none", "website", "cloudfront"] = "website"
    """The page: a public website of S3 (no TLS), CloudFront before a closed bucket, or none."""
    api_authorizer: Literal["none", "iam", "jwt"] = "none"
    """Who may ask the API: everybody, signed requests, or a token of the two below. The page sends
    neither."""
    jwt_issuer: str = ""
    """With `jwt`: who issues the tokens."""
    jwt_audience: str = ""
    """With `jwt`: for whom they are."""
    api_concurrency: int = Field(0, ge=0)
    """Most requests at a time (reserved concurrency, of which an account must keep 100); 0: no cap
    but the API's throttle."""

    # The stack as a whole
    keep_runs_days: int = 0
    """Days after which what a run left (files, models, tables) goes, unless it was published, is
    live, went well last, or one of those has taken over its rows; more than the 14 days for which
    a run can be redriven. 0: nothing goes."""
    query_limit_bytes: int = Field(100_000_000_000, ge=10_000_000)
    """What one Athena statement may scan before it is cancelled."""
    permissions_boundary: str = Field("", pattern=r"^(arn:aws:iam::(\d{12}|aws):policy/\S+)?$")
    """ARN of a policy that bounds every role."""
    kms_key: str = Field("", pattern=r"^(arn:aws:kms:[a-z0-9-]+:\d{12}:key/[a-z0-9-]+)?$")
    """ARN of a KMS key that data, logs, messages and volumes lie under; else the services' own keys
    ([what it takes](security.md#a-key-of-your-own))."""
    vpc_subnets: tuple[str, ...] = ()
    """Subnets in which functions, Glue job, training and endpoint run
    ([what it takes](security.md#a-network-of-your-own))."""
    vpc_security_groups: tuple[str, ...] = ()
    """Their security groups."""
    vpc_availability_zone: str = ""
    """The zone of the first subnet, where the Glue job runs: `eu-west-1a`."""
    termination_protection: bool = False
    """Neither `rebuy destroy` nor anybody else deletes the stack."""
    tags: dict[str, str] = Field(default_factory=dict)
    """Of the stack and all in it, beside `application` and `stage`."""

    @property
    def database_name(self) -> str:
        """The catalog's name for this stack; the raw tables stand in `<this>_raw`."""
        return self.stack_name.replace("-", "_")

    @property
    def endpoint_scaling(self) -> tuple[int, int, int] | None:
        """Machines at least and at most, and requests a minute for each; None: not scaled."""
        least, most = self.endpoint_instances_min, self.endpoint_instances_max
        if self.endpoint == "serverless" or least == most:
            return None
        return least, most, self.endpoint_requests_per_minute

    @field_validator("stack_name")
    @classmethod
    def _unmistakable(cls, name: str) -> str:
        """`rebuy-dev` begins as `rebuy` does: so that no grant on names of one reaches the other,
        names that runs make have `--` after the stack's."""
        if name.endswith("-") or "--" in name:
            raise ValueError("it ends in no hyphen and has no two in a row")
        if name.endswith(("-raw", "-mapped")):
            raise ValueError("the database of its features would be one of another stack")
        return name

    @model_validator(mode="after")
    def _together(self) -> Settings:
        tokens = [self.jwt_issuer, self.jwt_audience]
        if (self.api_authorizer == "jwt") != all(tokens) or (any(tokens) and not all(tokens)):
            raise ValueError('jwt_issuer and jwt_audience go with api_authorizer = "jwt"')
        if self.endpoint_instances_max < self.endpoint_instances_min:
            raise ValueError("endpoint_instances_max is below endpoint_instances_min")
        if self.endpoint_canary_percent and self.endpoint == "serverless":
            raise ValueError("endpoint_canary_percent is of an endpoint of instances alone")
        if self.endpoint_canary_percent and self.endpoint_instances_min < 2:
            raise ValueError(
                "endpoint_canary_percent takes endpoint_instances_min of 2 or more: a canary is at"
                " most half of the machines"
            )
        if self.endpoint_canary_percent and self.endpoint_instance_type.startswith("ml.inf1."):
            raise ValueError(
                f"endpoint_canary_percent: SageMaker shifts no requests step by step to"
                f" {self.endpoint_instance_type}"
            )
        if self.capture_percent and self.endpoint == "serverless":
            raise ValueError(
                "capture_percent is of an endpoint of instances alone: SageMaker captures nothing"
                " of a serverless one"
            )
        if self.keep_runs_days and self.keep_runs_days <= 14:
            raise ValueError("keep_runs_days is 0 or more than 14: so long a run can be redriven")
        if self.database and self.source:
            raise ValueError("database and source are given: orders come from one of the two")
        network = [self.vpc_subnets, self.vpc_security_groups, self.vpc_availability_zone]
        if any(network) and not all(network):
            raise ValueError(
                "vpc_subnets, vpc_security_groups and vpc_availability_zone go together"
            )
        machines = {"training_instance_type": self.training_instance_type}
        if self.endpoint == "instance":
            machines["endpoint_instance_type"] = self.endpoint_instance_type
        for setting, machine in machines.items():
            if self.kms_key and OWN_DISK.match(machine):
                raise ValueError(
                    f"{setting} {machine} has disks of its own, which SageMaker encrypts itself and"
                    " takes no kms_key for"
                )
        if wrong := [name for name in self.tags if name.lower().startswith("aws:")]:
            raise ValueError(f"tags: {', '.join(wrong)}: names that begin with aws: are AWS's own")
        return self


# Environment variables as the AWS tools read them.
ENVIRONMENT = {
    "endpoint_url": ("AWS_ENDPOINT_URL",),
    "profile": ("AWS_PROFILE",),
    "region": ("AWS_REGION", "AWS_DEFAULT_REGION"),
}
STAGE_VARIABLE = "REBUY_STAGE"


def read(file: Path = FILE, stage: str | None = None, **flags: Any) -> Settings:
    """The settings of `rebuy.toml` (if there), the environment and the flags that are not None.

    `stage` chooses a table `[stages.<stage>]` of the file. Raises InputError naming each wrong
    value and where it came from.
    """
    given = _of_file(file, stage or os.environ.get(STAGE_VARIABLE) or None)
    for name, variables in ENVIRONMENT.items():
        value = next((os.environ[v] for v in variables if os.environ.get(v)), None)
        if value is not None:
            given[name] = value
    given |= {name: value for name, value in flags.items() if value is not None}
    if (
        flags.get("profile")
        and not flags.get("endpoint_url")
        and os.environ.get("AWS_ENDPOINT_URL")
    ):
        raise InputError(
            f"--profile {flags['profile']} is given, and AWS_ENDPOINT_URL="
            f"{os.environ['AWS_ENDPOINT_URL']} points elsewhere: unset it, or give --endpoint-url."
        )
    try:
        return Settings(**given)
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, fault['loc'])) or 'settings'} is {fault['input']!r}: "
            f"{fault['msg'].removeprefix('Value error, ')}"
            for fault in error.errors()
        )
        raise InputError(f"Settings ({file}, environment, flags): {wrong}") from error


def _of_file(file: Path, stage: str | None) -> dict[str, Any]:
    """What the file says for this stage: `<stack_name>-<stage>` unless it names the stack."""
    given: dict[str, Any] = {}
    if file.exists():
        try:
            given = tomllib.loads(file.read_text())
        except tomllib.TOMLDecodeError as error:
            raise InputError(f"{file} is no TOML: {error}") from error
    if isinstance(given.get("source"), str):
        given["source"] = load(file.parent / given["source"])
    stages = given.pop("stages", {})
    if not isinstance(stages, dict) or not all(isinstance(own, dict) for own in stages.values()):
        raise InputError(f"{file}: stages are tables, [stages.dev] for example.")
    if stage is None:
        return given
    if stage not in stages:
        known = ", ".join(sorted(stages)) or "none"
        raise InputError(f"There is no [stages.{stage}] in {file}; it has {known}.")
    named = {"stack_name": f"{given.get('stack_name', 'rebuy')}-{stage}", "stage": stage}
    return given | named | stages[stage]

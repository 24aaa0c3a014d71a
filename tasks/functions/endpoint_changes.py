"""How the endpoint gets from what it is to what it should be, one look at a time.

SageMaker has no `.sync` for endpoints. Each look decides on one call, or to wait; what was asked
for before comes in with the state, and counts in the same try of the execution alone.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from tasks.functions import canary, scaling

Json = dict[str, Any]

POLL_SECONDS = 30
LIMIT = timedelta(hours=1)  # SageMaker itself gives up on a container within that time
CHANGING = {"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"}


@dataclass(frozen=True)
class Endpoint:
    """The endpoint as DescribeEndpoint tells it; `status` None: there is none."""

    status: str | None
    config: str | None = None
    reason: str | None = None
    machines: int | None = None

    def __str__(self) -> str:
        if self.status is None:
            return "is not there"
        return f"is {self.status} with configuration {self.config}. {self.reason or ''}".rstrip()


@dataclass(frozen=True)
class Round:
    """What was asked of the endpoint so far, in this try, in putting live or in rolling back."""

    redrive_count: int
    began_at: str
    rolling_back: bool = False
    asked: bool = False

    def answer(self, endpoint: Endpoint, *, settled: bool, asked: bool) -> Json:
        """{settled, wait_seconds (until the next look), status, config, ...}: what the workflow
        chooses by, and what the next look goes on from."""
        return {
            "settled": settled,
            "wait_seconds": 0 if settled else POLL_SECONDS,
            "status": endpoint.status,
            "config": endpoint.config,
            **asdict(self),
            "asked": self.asked or asked,
        }


def look(sagemaker: Any, name: str) -> Endpoint:
    try:
        answer = sagemaker.describe_endpoint(EndpointName=name)
    except sagemaker.exceptions.ClientError as error:
        # DescribeEndpoint models no error of its own for this.
        if "Could not find" in error.response["Error"]["Message"]:
            return Endpoint(None)
        raise
    variants = answer.get("ProductionVariants") or [{}]
    return Endpoint(
        answer["EndpointStatus"],
        answer["EndpointConfigName"],
        answer.get("FailureReason"),
        variants[0].get("CurrentInstanceCount"),
    )


def current_round(state: Json, execution: Json, now: datetime, *, rolling_back: bool) -> Round:
    """The round that the last look's answer belongs to, or a new one: the first look of a try, also
    when the execution was redriven, and the first one of rolling back."""
    new = Round(execution.get("RedriveCount", 0), now.isoformat(), rolling_back)
    earlier = (state.get("endpoint") or {}).get("answer")
    if earlier is None or earlier["rolling_back"] is not rolling_back:
        return new
    if earlier["redrive_count"] != new.redrive_count:
        return new
    return Round(new.redrive_count, earlier["began_at"], rolling_back, earlier["asked"])


def next_call(endpoint: Endpoint, config: str, asked: bool) -> str:
    """Towards serving `config`: "done", "wait", "create", "update" or "delete"; "failed" when it
    was asked for and did not come about."""
    if endpoint.status == "InService" and endpoint.config == config:
        return "done"
    if endpoint.status in CHANGING:
        return "wait"
    if asked:
        return "failed"
    if endpoint.status is None:
        return "create"
    # What has failed can only be deleted; then there is none, and it is created.
    return "delete" if endpoint.status == "Failed" else "update"


def next_call_back(endpoint: Endpoint, config: str, before: str | None, asked: bool) -> str:
    """Away from `config`, to `before` or to no endpoint at all: "done", "wait", "update", "delete"
    or "failed". An endpoint that serves neither is not ours to change."""
    if endpoint.status in CHANGING:
        return "wait"
    if endpoint.status is None or endpoint.config != config:
        return "done"
    if asked:
        return "failed"
    return "delete" if before is None or endpoint.status == "Failed" else "update"


def call(
    clients: Any,
    name: str,
    operation: str,
    config: str | None,
    scaled: scaling.Bounds | None,
    *,
    guard: Json | None = None,
    machines: int | None = None,
) -> None:
    """Sends what was decided; the scaling that there should be is off while the endpoint changes.
    `clients`: the name of a service to its client; `guard`: the DeploymentConfig of an update,
    `machines`: that answer now."""
    sagemaker = clients("sagemaker")
    if scaled is not None and operation == "done":
        scaling.on(clients("application-autoscaling"), name, scaled)
    if scaled is not None and operation in ("update", "delete"):
        scaling.off(clients("application-autoscaling"), name)
    if operation == "delete":
        sagemaker.delete_endpoint(EndpointName=name)
    elif operation == "create":
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)
    elif operation == "update":
        more = _retained(scaled, machines) if scaled else {}
        if guard is not None:
            more["DeploymentConfig"] = guard
        sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config, **more)


def _retained(scaled: scaling.Bounds, machines: int | None) -> Json:
    """The machines that scaling has reached stay, unless they are too few; what the configuration
    says of data capture counts."""
    own = ["DataCaptureConfig"]
    if machines is not None and machines < scaled.least:
        own.append("DesiredInstanceCount")
    excluded = [{"VariantPropertyType": kind} for kind in own]
    return {"RetainAllVariantProperties": True, "ExcludeRetainedVariantProperties": excluded}


def out_of_time(now: datetime, began_at: str, guard: Json | None = None) -> bool:
    lasts = LIMIT + timedelta(seconds=canary.seconds(guard))
    return now > datetime.fromisoformat(began_at) + lasts


def utc_now() -> datetime:
    return datetime.now(timezone.utc)

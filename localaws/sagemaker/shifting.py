"""Deployment guardrails: how an update's requests go over to the new model, and back.

docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails.html and the pages below it,
.../APIReference/API_DeploymentConfig.html
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from localaws.core.aws import LocalAws
from localaws.sagemaker.deployment import EndpointServer
from localaws.sagemaker.names import validation
from localaws.shapes import Json

PARAMETERS = (
    *(f"DeploymentConfig.BlueGreenUpdatePolicy.{name}" for name in
      ("TrafficRoutingConfiguration", "TerminationWaitInSeconds",
       "MaximumExecutionTimeoutInSeconds")),
    "DeploymentConfig.AutoRollbackConfiguration.Alarms.AlarmName",
)  # fmt: skip
SIZES = {"CANARY": "CanarySize", "LINEAR": "LinearStepSize"}
LEAST_PERCENT = {"CANARY": 1, "LINEAR": 10}
MOST_PERCENT = 50
MOST_SECONDS = 3600
MOST_ALARMS = 10
TIMEOUT_SECONDS = (600, 28_800)
LOOK_SECONDS = 1.0


class RolledBack(Exception):
    """The update is given up; the text is its FailureReason."""


class Stopping(Exception):
    """The server stops; the next one begins the update again."""


@dataclass(frozen=True)
class Step:
    """`share` of the requests goes to the new machines, watched for so many seconds (unscaled)."""

    share: float
    seconds: int
    status: str
    message: str


def check(config: Json, variant: Json) -> None:
    """Raises what AWS refuses of a DeploymentConfig for the new variant."""
    if "ServerlessConfig" in variant:
        raise validation(
            "DeploymentConfig is not supported for serverless endpoints: deployment guardrails"
            " apply to real-time and asynchronous endpoints of instances."
        )
    alarms = config.get("AutoRollbackConfiguration", {}).get("Alarms", [])
    if len(alarms) > MOST_ALARMS:
        raise validation(f"AutoRollbackConfiguration has {len(alarms)} alarms, of {MOST_ALARMS}.")
    policy = config.get("BlueGreenUpdatePolicy")
    if policy is None:
        return
    routing = policy["TrafficRoutingConfiguration"]
    waits = {
        "WaitIntervalInSeconds": routing["WaitIntervalInSeconds"],
        "TerminationWaitInSeconds": policy.get("TerminationWaitInSeconds", 0),
    }
    for name, seconds in waits.items():
        if not 0 <= seconds <= MOST_SECONDS:
            raise validation(f"{name} is {seconds}; it goes from 0 to {MOST_SECONDS}.")
    limit = policy.get("MaximumExecutionTimeoutInSeconds")
    if limit is not None:
        least, most = TIMEOUT_SECONDS
        if not least <= limit <= most:
            raise validation(
                f"MaximumExecutionTimeoutInSeconds is {limit}; it goes from {least} to {most}."
            )
        if limit <= sum(waits.values()):
            raise validation(
                "MaximumExecutionTimeoutInSeconds must be larger than WaitIntervalInSeconds and"
                " TerminationWaitInSeconds together."
            )
    _check_size(routing, variant)


def _check_size(routing: Json, variant: Json) -> None:
    kind, machines = routing["Type"], variant["InitialInstanceCount"]
    for of, name in SIZES.items():
        if (name in routing) != (of == kind):
            verb = "must be" if of == kind else "cannot be"
            raise validation(f"{name} {verb} given with traffic routing {kind}.")
    if kind not in SIZES:
        return
    size, name = routing[SIZES[kind]], SIZES[kind]
    percent = 100 * _share(size, machines)
    if not LEAST_PERCENT[kind] <= percent <= MOST_PERCENT:
        raise validation(
            f"{name} is {size['Value']} ({size['Type']}), {percent:.0f}% of {machines}"
            f" instance(s); it goes from {LEAST_PERCENT[kind]}% to {MOST_PERCENT}% of the variant's"
            " total instance count."
        )
    if machines < 2:
        raise validation(f"{name} needs a variant of at least 2 instances; it has {machines}.")


def _share(size: Json, machines: int) -> float:
    """GUESSED: a percentage is of the requests as it is, not rounded to whole machines."""
    part = machines if size["Type"] == "INSTANCE_COUNT" else 100
    return float(size["Value"]) / part


def steps(config: Json, variant: Json) -> Iterator[Step]:
    """How the requests go over. Where guardrails do not apply, all at once without a watch:
    docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-exclusions.html"""
    policy = config.get("BlueGreenUpdatePolicy", {})
    routing = policy.get("TrafficRoutingConfiguration", {"Type": "ALL_AT_ONCE"})
    machines, baking = variant["InitialInstanceCount"], policy.get("TerminationWaitInSeconds", 0)
    if variant["InstanceType"].startswith("ml.inf1."):
        routing, baking = {"Type": "ALL_AT_ONCE"}, 0
    if routing["Type"] in SIZES:
        size = _share(routing[SIZES[routing["Type"]]], machines)
        last = 1 if routing["Type"] == "CANARY" else math.ceil(1 / size - 1e-9) - 1
        for number in range(1, last + 1):
            on = max(1, round(number * size * machines))
            yield Step(
                number * size,
                routing["WaitIntervalInSeconds"],
                "ActivatingTraffic",
                f"Activating traffic on canary capacity of {on} instance(s).",
            )
    yield Step(
        1.0,
        baking,
        "Baking",
        f"Baking for {baking} seconds (TerminationWaitInSeconds) with traffic enabled on full"
        f" capacity of {machines} instance(s).",
    )


class Traffic:
    """Which requests the new server gets: of each hundred as many as its share says."""

    def __init__(self, server: EndpointServer) -> None:
        self.server = server
        self.share = 0.0
        self._due = 0.0

    def takes_next(self) -> bool:
        self._due += self.share
        if self._due < 1 - 1e-9 or not self.server.alive():
            self._due = min(self._due, 1.0)
            return False
        self._due -= 1
        return True


class Shifting:
    """Shifts the requests of endpoints; `lock` guards who answers them."""

    def __init__(self, aws: LocalAws, lock: threading.Condition) -> None:
        self._aws = aws
        self._lock = lock
        self._traffic: dict[str, Traffic] = {}

    def chosen(self, name: str) -> EndpointServer | None:
        """The new server, if the next request is its. Under the lock."""
        traffic = self._traffic.get(name)
        return traffic.server if traffic is not None and traffic.takes_next() else None

    def end(self, name: str) -> None:
        """The shift is over: the new server is the only one, or gets nothing any more. Under the
        lock."""
        traffic = self._traffic.pop(name, None)
        if traffic is not None:
            traffic.server.new = False

    def run(
        self, name: str, server: EndpointServer, config: Json, tell: Callable[[Step], None]
    ) -> None:
        """Shifts all requests, step by step; `tell` is told of each. Raises RolledBack when an
        alarm is raised, the server ends or time runs out, and Stopping."""
        variant, traffic = server.plan["variant"], Traffic(server)
        policy = config.get("BlueGreenUpdatePolicy", {})
        limit = policy.get("MaximumExecutionTimeoutInSeconds", float("inf"))
        with self._lock:
            self._traffic[name] = traffic
            server.new = True
        waited = 0
        for step in steps(config, variant):
            waited += step.seconds
            if waited > limit:
                raise RolledBack(
                    f"The deployment did not end within {limit} seconds"
                    " (MaximumExecutionTimeoutInSeconds) and was rolled back."
                )
            tell(step)
            with self._lock:
                traffic.share = step.share
            self._watch(server, config, step.seconds * self._aws.clock.wait_scale)
            self._look(server, config)

    def _watch(self, server: EndpointServer, config: Json, seconds: float) -> None:
        end = self._aws.clock.monotonic() + seconds
        while (left := end - self._aws.clock.monotonic()) > 0:
            if self._aws.stopping.wait(min(left, LOOK_SECONDS)):
                raise Stopping
            self._look(server, config)

    def _look(self, server: EndpointServer, config: Json) -> None:
        if not server.alive():
            raise RolledBack("The new container ended while requests were shifted to it.")
        look(server.role, config)


def look(role: LocalAws, config: Json) -> None:
    """Raises RolledBack unless the alarms are there, and none is raised, as the execution role
    sees them: docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-configuration.html"""
    alarms = config.get("AutoRollbackConfiguration", {}).get("Alarms", [])
    names = [alarm["AlarmName"] for alarm in alarms]
    if not names:
        return
    # GUESSED: the words of the reasons of a roll back by alarms.
    try:
        answer = role.client("cloudwatch").describe_alarms(AlarmNames=names)
    except Exception as problem:
        raise RolledBack(f"The alarms could not be read with the role: {problem}") from problem
    states = {one["AlarmName"]: one["StateValue"] for one in answer["MetricAlarms"]}
    if missing := [name for name in names if name not in states]:
        raise RolledBack(f"There is no alarm {', '.join(missing)}, and no watch without it.")
    if raised := [name for name in names if states[name] == "ALARM"]:
        raise RolledBack(
            "The deployment was rolled back because an alarm of AutoRollbackConfiguration is"
            f" in ALARM: {', '.join(raised)}."
        )

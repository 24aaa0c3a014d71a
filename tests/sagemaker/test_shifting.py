"""Updates whose requests go over step by step, watched by alarms."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws.cloudwatch import watching
from localaws.errors import AwsError
from localaws.identity.authorization import Mode
from localaws.sagemaker import shifting
from localaws.sagemaker.principals import acting
from tasks.functions import canary
from tasks.functions import endpoint_changes as changes
from tests.cloudwatch.test_evaluation import alarm
from tests.identity.test_enforcement import allow, role, statement
from tests.sagemaker.test_endpoints import (
    ask,
    create,
    make_config,
    model_archive,
    settled,
    stocked,  # noqa: F401
)

NAMES = """
def model_fn(model_dir): return "{name}"
def transform_fn(model, body, content_type, accept): return model, accept
"""
TWO = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 2}


def routed(kind: str, wait: int = 60, **more: Any) -> dict[str, Any]:
    return {"Type": kind, "WaitIntervalInSeconds": wait, **more}


def percent(value: int) -> dict[str, Any]:
    return {"Type": "CAPACITY_PERCENT", "Value": value}


def guarded(routing: dict[str, Any], *alarms: str, **policy: Any) -> dict[str, Any]:
    """A DeploymentConfig."""
    config: dict[str, Any] = {
        "BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing, **policy}
    }
    if alarms:
        named = [{"AlarmName": name} for name in alarms]
        config["AutoRollbackConfiguration"] = {"Alarms": named}
    return config


# docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-blue-green-canary.html and
# .../deployment-guardrails-blue-green-linear.html
@pytest.mark.parametrize(
    ("machines", "routing", "shares"),
    [
        (1, routed("ALL_AT_ONCE"), [1.0]),
        (2, routed("CANARY", CanarySize=percent(10)), [0.1, 1.0]),
        (4, routed("CANARY", CanarySize={"Type": "INSTANCE_COUNT", "Value": 1}), [0.25, 1.0]),
        (4, routed("LINEAR", LinearStepSize=percent(25)), [0.25, 0.5, 0.75, 1.0]),
        (10, routed("LINEAR", LinearStepSize=percent(30)), [0.3, 0.6, 0.9, 1.0]),
        (10, routed("LINEAR", LinearStepSize=percent(10)), [n / 10 for n in range(1, 11)]),
    ],
)
def test_the_steps(machines: int, routing: dict[str, Any], shares: list[float]) -> None:
    variant = {"InstanceType": "ml.m5.large", "InitialInstanceCount": machines}
    config = guarded(routing, TerminationWaitInSeconds=30)
    shifting.check(config, variant)
    found = list(shifting.steps(config, variant))
    assert [step.share for step in found] == pytest.approx(shares)
    assert [step.seconds for step in found] == [60] * (len(shares) - 1) + [30]
    of_inferentia = list(shifting.steps(config, variant | {"InstanceType": "ml.inf1.xlarge"}))
    assert [(step.share, step.seconds) for step in of_inferentia] == [(1.0, 0)]


@pytest.mark.parametrize(
    ("variant", "config", "words"),
    [
        ({"ServerlessConfig": {}}, guarded(routed("ALL_AT_ONCE")), "serverless"),
        (TWO, guarded(routed("CANARY")), "CanarySize must be given"),
        (TWO, guarded(routed("ALL_AT_ONCE", CanarySize=percent(10))), "cannot be given"),
        (TWO, guarded(routed("CANARY", CanarySize=percent(51))), "1% to 50%"),
        (TWO, guarded(routed("LINEAR", LinearStepSize=percent(9))), "10% to 50%"),
        (
            TWO | {"InitialInstanceCount": 3},
            guarded(routed("CANARY", CanarySize={"Type": "INSTANCE_COUNT", "Value": 2})),
            "67% of 3 instance",
        ),
        (
            TWO | {"InitialInstanceCount": 1},
            guarded(routed("CANARY", CanarySize=percent(10))),
            "at least 2 instances",
        ),
        (TWO, guarded(routed("ALL_AT_ONCE", 3601)), "WaitIntervalInSeconds is 3601"),
        (
            TWO,
            guarded(routed("ALL_AT_ONCE"), MaximumExecutionTimeoutInSeconds=599),
            "from 600 to 28800",
        ),
        (TWO, guarded(routed("ALL_AT_ONCE"), *(f"a{n}" for n in range(11))), "11 alarms"),
    ],
)
def test_what_aws_refuses(variant: dict[str, Any], config: dict[str, Any], words: str) -> None:
    with pytest.raises(AwsError, match=words):
        shifting.check(config, variant)


# docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-configuration.html
def test_the_execution_role_must_be_allowed_to_see_the_alarms(tmp_path: Path) -> None:
    from localaws.core.aws import start
    from localaws.services import factories

    aws = start(tmp_path / "home", factories(), wait_scale=0, policies=Mode.ENFORCE)
    try:
        aws.client("cloudwatch").put_metric_alarm(**alarm(TreatMissingData="notBreaching"))
        execution = acting(aws, role(aws, "model", "sagemaker"))
        config = guarded(routed("ALL_AT_ONCE"), "errors")
        with pytest.raises(shifting.RolledBack, match="not authorized to perform"):
            shifting.look(execution, config)
        allow(aws, "model", statement("cloudwatch:DescribeAlarms"))
        shifting.look(execution, config)
        with pytest.raises(shifting.RolledBack, match="no alarm nobody"):
            shifting.look(execution, guarded(routed("ALL_AT_ONCE"), "nobody"))
    finally:
        aws.stop()


ERRS = """
def model_fn(model_dir): return ""
def transform_fn(model, body, content_type, accept): raise RuntimeError("no coffee left")
"""


@pytest.fixture
def half(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the product asks for: half of the requests go to the configuration `two`."""
    for name, value in {"CANARY_PERCENT": "50", "CANARY_MINUTES": "60"}.items():
        monkeypatch.setenv(f"ENDPOINT_{name}", value)
    config = canary.wanted("two")
    assert config is not None
    return config


def test_a_new_model_that_errs_is_gone_back_from(
    stocked: Any,  # noqa: F811
    half: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watching, "LOOK_SECONDS", 0.1)
    client, cloudwatch = stocked.client("sagemaker"), stocked.client("cloudwatch")
    make_config(stocked, "one", NAMES.format(name="one"), **TWO)
    make_config(stocked, "two", ERRS, **TWO)
    create(stocked, "one")
    stocked.clock.wait_scale = 0.05
    cloudwatch.put_metric_alarm(**alarm(AlarmName="two--earlier-errors"))
    canary.watch(cloudwatch, "e", "two--now")  # another run's, whose alarms go
    canary.watch(cloudwatch, "e", "two")
    client.update_endpoint(EndpointName="e", EndpointConfigName="two", DeploymentConfig=half)
    errors = 0
    deadline = time.monotonic() + 100
    while client.describe_endpoint(EndpointName="e")["EndpointStatus"] == "Updating":
        assert time.monotonic() < deadline
        try:
            assert ask(stocked) == "one"
        except ClientError as error:
            assert "Received server error (500)" in str(error)
            errors += 1
        time.sleep(0.05)
    back = client.describe_endpoint(EndpointName="e")
    assert (back["EndpointStatus"], back["EndpointConfigName"]) == ("InService", "one")
    assert errors and back["FailureReason"].endswith("is in ALARM: two-errors.")
    states = {one["AlarmName"]: one["StateValue"]
              for one in cloudwatch.describe_alarms()["MetricAlarms"]}  # fmt: skip
    assert states == {"two-errors": "ALARM", "two-slow": "OK"}
    assert {ask(stocked) for _ in range(4)} == {"one"}


def test_a_canary_is_watched_by_its_alarms(stocked: Any, half: dict[str, Any]) -> None:  # noqa: F811
    client, cloudwatch = stocked.client("sagemaker"), stocked.client("cloudwatch")
    for name in ("one", "two"):
        make_config(stocked, name, NAMES.format(name=name), **TWO)
    create(stocked, "one")
    stocked.clock.wait_scale = 0.01
    canary.watch(cloudwatch, "e", "two")

    # A raised alarm: back to what was.
    client.update_endpoint(EndpointName="e", EndpointConfigName="two", DeploymentConfig=half)
    seen = [ask(stocked)]
    deadline = time.monotonic() + 60
    while "two" not in seen and time.monotonic() < deadline:
        seen.append(ask(stocked))
    assert sorted(ask(stocked) for _ in range(8)) == ["one"] * 4 + ["two"] * 4
    pending = client.describe_endpoint(EndpointName="e")["PendingDeploymentSummary"]
    (status,) = pending["ProductionVariants"][0]["VariantStatus"]
    assert status["StatusMessage"] == "Activating traffic on canary capacity of 1 instance(s)."
    dimensions = alarm()["Dimensions"] + [{"Name": "EndpointConfigName", "Value": "two"}]
    cloudwatch.put_metric_alarm(
        **alarm(MetricName="Invocations", EvaluationPeriods=1, Dimensions=dimensions)
        | {"AlarmName": "canary-answers"}
    )
    (of_new,) = cloudwatch.describe_alarms(AlarmNames=["canary-answers"])["MetricAlarms"]
    assert of_new["StateValue"] == "ALARM"
    cloudwatch.set_alarm_state(AlarmName="two-errors", StateValue="ALARM", StateReason="a drill")
    back = settled(stocked)
    assert (back["EndpointStatus"], back["EndpointConfigName"]) == ("InService", "one")
    assert back["FailureReason"].endswith("is in ALARM: two-errors.")
    assert "PendingDeploymentSummary" not in back
    assert {ask(stocked) for _ in range(4)} == {"one"}
    told = changes.look(client, "e")
    assert changes.next_call(told, "two", asked=True) == "failed"
    assert "is InService with configuration one." in str(told) and "ALARM: two-errors" in str(told)

    # None: all of them. What the last update said is kept where the next one says so.
    cloudwatch.set_alarm_state(AlarmName="two-errors", StateValue="OK", StateReason="is over")
    assert back["LastDeploymentConfig"] == half
    stocked.clock.wait_scale = 0.0
    client.update_endpoint(EndpointName="e", EndpointConfigName="two", RetainDeploymentConfig=True)
    after = settled(stocked)
    assert (after["EndpointConfigName"], "FailureReason" in after) == ("two", False)
    assert after["LastDeploymentConfig"] == half
    assert ask(stocked) == "two"

    rolling = {"MaximumBatchSize": percent(50), "WaitIntervalInSeconds": 0}
    with pytest.raises(ClientError, match=r"does not emulate.*RollingUpdatePolicy"):
        client.update_endpoint(
            EndpointName="e",
            EndpointConfigName="one",
            DeploymentConfig={"RollingUpdatePolicy": rolling},
        )


def test_a_shift_that_a_stop_broke_off_begins_again(tmp_path: Path) -> None:
    from localaws.core.aws import start
    from localaws.services import factories

    def opened(scale: float) -> Any:
        url = "http://127.0.0.1:9"
        return start(tmp_path / "home", factories(), url=url, wait_scale=scale)

    first = opened(1)
    first.client("s3").create_bucket(Bucket="lake")
    first.objects.put("lake", "model.tar.gz", model_archive())
    for name in ("one", "two"):
        make_config(first, name, NAMES.format(name=name), **TWO)
    create(first, "one")
    first.client("sagemaker").update_endpoint(
        EndpointName="e",
        EndpointConfigName="two",
        DeploymentConfig=guarded(routed("CANARY", 3600, CanarySize=percent(50))),
    )
    deadline = time.monotonic() + 60
    while ask(first) != "two" and time.monotonic() < deadline:
        pass
    first.stop()
    second = opened(0)
    try:
        assert ask(second) in ("one", "two")
        seen = settled(second)
        assert (seen["EndpointStatus"], seen["EndpointConfigName"]) == ("InService", "two")
    finally:
        second.stop()

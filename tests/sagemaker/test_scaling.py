"""The endpoint's machines under Application Auto Scaling, as the functions put it on and off."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws.core.aws import LocalAws, start
from localaws.identity.authorization import Mode
from localaws.sagemaker.names import ENDPOINT
from localaws.services import factories
from tasks.functions import endpoint_changes, scaling
from tests.identity.test_enforcement import as_role, refused, role, statement

BOUNDS = scaling.Bounds(2, 4, 600)
R = "us-east-1:000000000000"
PREFIX = "application-autoscaling:"
OF_OTHERS = (
    "sagemaker:DescribeEndpoint",
    "sagemaker:UpdateEndpointWeightsAndCapacities",
    "iam:CreateServiceLinkedRole",
    "cloudwatch:PutMetricAlarm",
    "cloudwatch:DescribeAlarms",
    "cloudwatch:DeleteAlarms",
)


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[LocalAws]:
    local = start(tmp_path / "home", factories(), wait_scale=0, policies=Mode.ENFORCE)
    local.documents.put(ENDPOINT, "shop", {"describe": {}, "tags": []})
    yield local
    local.stop()


@pytest.fixture
def client(aws: LocalAws) -> Any:
    return aws.client("application-autoscaling")


def test_it_is_put_on_changed_and_taken_off(client: Any) -> None:
    scaling.off(client, "shop")  # is not on
    scaling.on(client, "shop", BOUNDS)
    scaling.on(client, "shop", scaling.Bounds(1, 3, 50))
    (target,) = client.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert target["ResourceId"] == "endpoint/shop/variant/live"
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 3)
    (policy,) = client.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    assert policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 50
    scaling.off(client, "shop")
    assert not scaling.is_on(client, "shop")
    assert client.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"] == []


@pytest.mark.parametrize("lacks", OF_OTHERS)
def test_whoever_scales_may_do_what_is_done_for_it(aws: LocalAws, lacks: str) -> None:
    """docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling-prerequisites.html"""
    others = (statement(action) for action in OF_OTHERS if action != lacks)
    role(aws, "poor", "lambda", statement(f"{PREFIX}*"), *others)
    client = as_role(aws, "poor").client("application-autoscaling")

    def on_and_off() -> None:
        scaling.on(client, "shop", BOUNDS)
        scaling.off(client, "shop")

    code, _, words = refused(on_and_off)
    assert code == "AccessDeniedException" and f"not authorized to perform: {lacks}" in words
    if lacks == "iam:CreateServiceLinkedRole":  # once there is a first target, nobody asks again
        scaling.on(aws.client("application-autoscaling"), "shop", BOUNDS)
        on_and_off()


def test_what_is_not_there_cannot_be_scaled(client: Any) -> None:
    with pytest.raises(ClientError, match="resource doesn't exist"):
        scaling.on(client, "other", BOUNDS)
    with pytest.raises(ClientError, match="ObjectNotFoundException"):
        client.deregister_scalable_target(**scaling.target("shop"))
    place = scaling.target("shop") | {"ServiceNamespace": "ecs"}
    with pytest.raises(ClientError, match=r"does not emulate.*ServiceNamespace"):
        client.register_scalable_target(**place, MinCapacity=1, MaxCapacity=2)


def test_a_role_is_held_to_its_own_target_by_the_tag(aws: LocalAws) -> None:
    everything = "arn:aws:application-autoscaling:" + R + ":scalable-target/*"
    for name in ("shop", "dev"):
        of = {"StringEquals": {"aws:RequestTag/endpoint": name}}
        on = {"StringEquals": {"aws:ResourceTag/endpoint": name}}
        make = [f"{PREFIX}RegisterScalableTarget", f"{PREFIX}TagResource"]
        change = [f"{PREFIX}{verb}ScalableTarget" for verb in ("Register", "Deregister")]
        role(
            *(aws, name, "lambda"),
            statement(f"{PREFIX}DescribeScalableTargets"),
            statement(make, everything, Condition=of),
            statement([*change, f"{PREFIX}PutScalingPolicy"], everything, Condition=on),
            *(statement(action) for action in OF_OTHERS),
        )
    own, other = (as_role(aws, name).client("application-autoscaling") for name in ("shop", "dev"))
    scaling.on(own, "shop", BOUNDS)
    scaling.on(own, "shop", BOUNDS)
    code, _, words = refused(scaling.off, client=other, endpoint="shop")
    assert code == "AccessDeniedException" and "DeregisterScalableTarget" in words
    scaling.off(own, "shop")


class Clients:
    """Notes the calls: (service, operation, named parameters)."""

    def __init__(self, on: bool) -> None:
        self.on, self.calls = on, []  # type: ignore[var-annotated]

    def __call__(self, service: str) -> Any:
        clients = self

        class Client:
            def __getattr__(self, operation: str) -> Any:
                def call(**given: Any) -> Any:
                    clients.calls.append((operation, given))
                    return {"ScalableTargets": [{}] if clients.on else []}

                return call

        return Client()


def test_a_change_takes_the_scaling_off_and_keeps_the_machines() -> None:
    clients = Clients(on=True)
    endpoint_changes.call(clients, "shop", "update", "new", BOUNDS)
    names = [operation for operation, _ in clients.calls]
    assert names == ["describe_scalable_targets", "deregister_scalable_target", "update_endpoint"]
    asked = clients.calls[-1][1]
    assert asked["RetainAllVariantProperties"]
    capture = {"VariantPropertyType": "DataCaptureConfig"}
    assert asked["ExcludeRetainedVariantProperties"] == [capture]
    # Fewer than the least: the configuration's own number.
    endpoint_changes.call(clients, "shop", "update", "new", BOUNDS, machines=1)
    machines = {"VariantPropertyType": "DesiredInstanceCount"}
    assert clients.calls[-1][1]["ExcludeRetainedVariantProperties"] == [capture, machines]

    clients = Clients(on=False)
    endpoint_changes.call(clients, "shop", "done", "new", BOUNDS)
    assert [name for name, _ in clients.calls][1:] == [
        "register_scalable_target",
        "put_scaling_policy",
    ]
    for operation in ("update", "done", "create", "wait"):
        clients = Clients(on=True)
        endpoint_changes.call(clients, "shop", operation, "new", None)
        assert all("scal" not in name for name, _ in clients.calls)
        assert all("RetainAllVariantProperties" not in given for _, given in clients.calls)


@pytest.mark.parametrize(
    ("variables", "bounds"),
    [
        ({}, None),
        ({"MIN": "2", "MAX": "2"}, None),
        ({"MIN": "2", "MAX": "4"}, BOUNDS),
    ],
)
def test_what_the_settings_say(monkeypatch: Any, variables: dict[str, str], bounds: Any) -> None:
    monkeypatch.setenv("ENDPOINT_REQUESTS_PER_MINUTE", "600")
    for name, value in variables.items():
        monkeypatch.setenv(f"ENDPOINT_INSTANCES_{name}", value)
    assert scaling.wanted() == bounds
    monkeypatch.setenv("ENDPOINT_KIND", "serverless")
    assert scaling.wanted() is None

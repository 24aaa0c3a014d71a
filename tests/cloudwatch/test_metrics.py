"""What an endpoint's invocations leave in CloudWatch, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws.cloudwatch.points import KEPT_SECONDS, Points
from tests.sagemaker.conftest import SERVE, lake  # noqa: F401
from tests.sagemaker.test_endpoints import ask, create, make_config, stocked  # noqa: F401

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def query(metric: str, statistic: str = "Sum", **more: Any) -> dict[str, Any]:
    dimensions = [
        {"Name": "EndpointName", "Value": "e"},
        {"Name": "VariantName", "Value": "live"},
    ]
    found = {"Namespace": "AWS/SageMaker", "MetricName": metric, "Dimensions": dimensions, **more}
    return {"Id": "q", "MetricStat": {"Metric": found, "Period": 60, "Stat": statistic}}


def values(aws: Any, metric: str, statistic: str = "Sum", **more: Any) -> list[float]:
    now = datetime.now(UTC)
    answer = aws.client("cloudwatch").get_metric_data(
        MetricDataQueries=[query(metric, statistic, **more)],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(minutes=1),
    )
    found: list[float] = answer["MetricDataResults"][0]["Values"]
    return found


def test_invocations_are_measured(stocked: Any) -> None:  # noqa: F811
    make_config(stocked, "one", SERVE.format(name="one"))
    create(stocked, "one")
    assert values(stocked, "Invocations") == []

    for _ in range(3):
        ask(stocked)
    with pytest.raises(ClientError, match="ModelError"):
        ask(stocked, kind="image/png")

    assert sum(values(stocked, "Invocations")) == 4
    # What input_fn raises is a 500 of the container's own stack.
    assert sum(values(stocked, "Invocation4XXErrors")) == 0
    assert sum(values(stocked, "Invocation5XXErrors")) == 1
    (slowest, *_) = values(stocked, "ModelLatency", "Maximum")
    (fastest, *_) = values(stocked, "ModelLatency", "Minimum")
    assert 10 < fastest <= slowest < 30_000_000  # microseconds


@pytest.mark.parametrize(
    ("more", "statistic", "named"),
    [
        ({"Namespace": "AWS/Lambda"}, "Sum", "AWS/Lambda"),
        ({"MetricName": "CPUUtilization"}, "Sum", "CPUUtilization"),
        ({"Dimensions": [{"Name": "EndpointName", "Value": "e"}]}, "Sum", "Dimensions"),
        ({}, "p99", "p99"),
    ],
)
def test_what_is_not_measured_is_refused(
    aws: Any, more: dict[str, Any], statistic: str, named: str
) -> None:
    with pytest.raises(ClientError, match="NotEmulated") as caught:
        values(aws, "Invocations", statistic, **more)
    assert named in str(caught.value)


def test_points_are_summed_by_minute_and_outlive_their_process(tmp_path: Path) -> None:
    points = Points(tmp_path / "points.sqlite")
    for second, latency in ((0, 10.0), (59, 30.0), (60, 5.0)):
        points.add("n", {"a": "b"}, {"Latency": latency}, NOON + timedelta(seconds=second))
    points.close()

    again = Points(tmp_path / "points.sqlite")
    at = int(NOON.timestamp())
    first, second = again.between("n", "Latency", {"a": "b"}, at, at + 120)
    assert (first.count, first.total, first.lowest, first.highest) == (2, 40.0, 10.0, 30.0)
    assert (second.at, second.count) == (at + 60, 1)
    again.add("n", {"a": "b"}, {"Latency": 1.0}, NOON + timedelta(seconds=KEPT_SECONDS + 60))
    assert list(again.between("n", "Latency", {"a": "b"}, at, at + 60)) == []
    again.close()

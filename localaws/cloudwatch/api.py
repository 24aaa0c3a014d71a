"""CloudWatch: GetMetricData over what endpoints have measured of their invocations; alarms and
dashboards, kept.

docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html names the metrics. Another
metric is refused, since no value would look like no event.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from localaws.cloudwatch.alarms import Alarms
from localaws.cloudwatch.points import FILE, MINUTE, Point, Points
from localaws.core.aws import LocalAws
from localaws.core.service import Call, Service
from localaws.errors import AwsError, NotEmulated
from localaws.shapes import Json

NAMESPACE = "AWS/SageMaker"
METRICS = (
    *("Invocations", "ModelLatency", "OverheadLatency"),
    *("Invocation4XXErrors", "Invocation5XXErrors"),
)
DIMENSIONS = {"EndpointName", "VariantName"}
STATISTICS: dict[str, Callable[[Point], float]] = {
    "SampleCount": lambda point: float(point.count),
    "Sum": lambda point: point.total,
    "Average": lambda point: point.total / point.count,
    "Minimum": lambda point: point.lowest,
    "Maximum": lambda point: point.highest,
}
MOST_VALUES = 100_800


class CloudWatch(Service):
    """The service "cloudwatch", with its measurements for the services that measure."""

    points: Points


def measure(aws: LocalAws, endpoint: str, variant: str, values: dict[str, float]) -> None:
    """One invocation of an endpoint: latencies in microseconds, the others 0 or 1."""
    service: Any = aws.gateway.services["cloudwatch"]
    dimensions = {"EndpointName": endpoint, "VariantName": variant}
    service.points.add(NAMESPACE, dimensions, values, aws.clock.now())


def service(aws: LocalAws) -> Service:
    built = CloudWatch("cloudwatch")
    built.points = Points(aws.home.file(FILE))
    built.on_stop(built.points.close)
    Metrics(built.points).register(built)
    Alarms(aws).register(built)
    return built


class Metrics:
    def __init__(self, points: Points) -> None:
        self._points = points

    def register(self, service: Service) -> None:
        statistic = "MetricDataQueries.MetricStat"
        service.operation(
            *("GetMetricData", "StartTime", "EndTime", "ScanBy"),
            *(f"MetricDataQueries.{name}" for name in ("Id", "Label", "ReturnData")),
            *(f"{statistic}.Metric.{name}" for name in ("Namespace", "MetricName", "Dimensions")),
            *(f"{statistic}.Period", f"{statistic}.Stat"),
        )(self.get_data)

    def get_data(self, call: Call) -> Json:
        params = call.params
        start, end = (_seconds(params[name]) for name in ("StartTime", "EndTime"))
        if start >= end:
            raise AwsError("ValidationError", "StartTime must be before EndTime.")
        return {
            "MetricDataResults": [
                _result(self._points, query, start, end, params.get("ScanBy", ""))
                for query in params["MetricDataQueries"]
                if query.get("ReturnData", True)
            ],
            "Messages": [],
        }


def _seconds(moment: datetime) -> int:
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _refuse(parameter: str, detail: str) -> NotEmulated:
    return NotEmulated(
        "cloudwatch", "GetMetricData", f"MetricDataQueries.MetricStat.{parameter}", detail
    )


def _result(points: Points, query: Json, start: int, end: int, order: str) -> Json:
    wanted = query.get("MetricStat")
    if wanted is None:
        raise AwsError("ValidationError", f"Query {query['Id']} has no MetricStat.")
    metric, period, statistic = wanted["Metric"], wanted["Period"], wanted["Stat"]
    name, dimensions = metric.get("MetricName"), metric.get("Dimensions", [])
    given = {item["Name"]: item["Value"] for item in dimensions}
    if metric.get("Namespace") != NAMESPACE or name not in METRICS:
        raise _refuse(
            f"Metric={metric.get('Namespace')} {name}",
            f"It has {NAMESPACE} {', '.join(METRICS)}.",
        )
    if set(given) != DIMENSIONS:
        raise _refuse("Metric.Dimensions", "They are EndpointName and VariantName.")
    if statistic not in STATISTICS:
        raise _refuse(f"Stat={statistic}", f"It has {', '.join(STATISTICS)}.")
    if period < MINUTE or period % MINUTE:
        raise AwsError("ValidationError", f"Period is {period}; it is a multiple of {MINUTE}.")
    found: dict[int, Point] = {}
    for point in points.between(NAMESPACE, name, given, start // period * period, end):
        at = point.at // period * period
        found[at] = _together(at, found[at], point) if at in found else point
    times = sorted(found, reverse=order != "TimestampAscending")
    if len(times) > MOST_VALUES:
        raise _refuse("Period", f"More than {MOST_VALUES} values; it gives one page.")
    return {
        "Id": query["Id"],
        "Label": query.get("Label", name),
        "Timestamps": [datetime.fromtimestamp(at, UTC) for at in times],
        "Values": [STATISTICS[statistic](found[at]) for at in times],
        "StatusCode": "Complete",
    }


def _together(at: int, one: Point, other: Point) -> Point:
    return Point(
        at,
        one.count + other.count,
        one.total + other.total,
        min(one.lowest, other.lowest),
        max(one.highest, other.highest),
    )

"""CloudWatch: what endpoints have measured of their invocations and training jobs of their models;
alarms and dashboards, kept.

docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html names the metrics. Another
metric is refused, since no value would look like no event.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from localaws.cloudwatch.alarms import Alarms
from localaws.cloudwatch.points import FILE, MINUTE, Point, Points
from localaws.core.aws import LocalAws
from localaws.core.service import Call, Service
from localaws.errors import AwsError, NotEmulated
from localaws.shapes import Json

ENDPOINTS = "AWS/SageMaker"
TRAININGS = "/aws/sagemaker/TrainingJobs"


@dataclass(frozen=True)
class Known:
    """The metrics of a namespace, as a pattern and in words, and what each is measured by."""

    metrics: re.Pattern[str]
    words: str
    dimensions: tuple[str, ...]


KNOWN = {
    ENDPOINTS: Known(
        re.compile("Invocations|(Model|Overhead)Latency|Invocation[45]XXErrors"),
        "Invocations, ModelLatency, OverheadLatency, Invocation4XXErrors, Invocation5XXErrors",
        ("EndpointName", "VariantName"),
    ),
    TRAININGS: Known(
        re.compile(r"(train|validation):\w+"),
        "train:auc, validation:auc, ...",
        ("TrainingJobName",),
    ),
}
STATISTICS: dict[str, Callable[[Point], float]] = {
    "SampleCount": lambda point: float(point.count),
    "Sum": lambda point: point.total,
    "Average": lambda point: point.total / point.count,
    "Minimum": lambda point: point.lowest,
    "Maximum": lambda point: point.highest,
}
MOST_VALUES = 100_800
MOST_POINTS = 1440  # of GetMetricStatistics
OF_DATA = "MetricDataQueries.MetricStat."


class CloudWatch(Service):
    """The service "cloudwatch", with its measurements for the services that measure."""

    points: Points


def measure(aws: LocalAws, endpoint: str, variant: str, values: dict[str, float]) -> None:
    """One invocation of an endpoint: latencies in microseconds, the others 0 or 1."""
    service: Any = aws.gateway.services["cloudwatch"]
    dimensions = {"EndpointName": endpoint, "VariantName": variant}
    service.points.add(ENDPOINTS, dimensions, values, aws.clock.now())


def measure_training(aws: LocalAws, job: str, values: dict[str, float]) -> None:
    """What a line of a training job's log tells of its model: `{"validation:auc": 0.8}`."""
    service: Any = aws.gateway.services["cloudwatch"]
    service.points.add(TRAININGS, {"TrainingJobName": job}, values, aws.clock.now())


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
        service.operation(
            *("GetMetricStatistics", "Namespace", "MetricName", "Dimensions", "StartTime"),
            *("EndTime", "Period", "Statistics"),
        )(self.get_statistics)

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

    def get_statistics(self, call: Call) -> Json:
        params = call.params
        start, end = (_seconds(params[name]) for name in ("StartTime", "EndTime"))
        if start >= end:
            raise AwsError("InvalidParameterValue", "StartTime must be less than EndTime.", 400)
        period, wanted = params["Period"], params.get("Statistics", [])
        if not wanted:
            raise AwsError("MissingParameter", "Statistics or ExtendedStatistics is required.", 400)
        if (end - start) / period > MOST_POINTS:
            raise AwsError(
                "InvalidParameterCombination",
                f"You have requested up to {(end - start) // period} datapoints, which exceeds the"
                f" limit of {MOST_POINTS}.",
            )
        for statistic in wanted:
            _check("GetMetricStatistics", "", params, period, statistic)
        found = _points(self._points, params, period, start, end)
        return {
            "Label": params["MetricName"],
            "Datapoints": [
                {"Timestamp": datetime.fromtimestamp(at, UTC), "Unit": "None"}
                | {statistic: STATISTICS[statistic](point) for statistic in wanted}
                for at, point in sorted(found.items())
            ],
        }


def _seconds(moment: datetime) -> int:
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _refuse(operation: str, parameter: str, detail: str) -> NotEmulated:
    return NotEmulated("cloudwatch", operation, parameter, detail)


def _check(operation: str, path: str, metric: Json, period: int, statistic: str) -> None:
    """Raises for a metric, a statistic or a period that is not here."""
    namespace, name = metric.get("Namespace"), metric.get("MetricName")
    of = f"{path}Metric." if path else ""
    known = KNOWN.get(str(namespace))
    if known is None or not known.metrics.fullmatch(str(name)):
        there = "; ".join(f"{key} {one.words}" for key, one in KNOWN.items())
        raise _refuse(operation, f"{path}Metric={namespace} {name}", f"It has {there}.")
    if {item["Name"] for item in metric.get("Dimensions", [])} != set(known.dimensions):
        told = f"They are {' and '.join(known.dimensions)}."
        raise _refuse(operation, f"{of}Dimensions", told)
    if statistic not in STATISTICS:
        told = f"It has {', '.join(STATISTICS)}."
        raise _refuse(operation, f"{path}Stat={statistic}", told)
    if period < MINUTE or period % MINUTE:
        raise AwsError("ValidationError", f"Period is {period}; it is a multiple of {MINUTE}.")


def _points(points: Points, metric: Json, period: int, start: int, end: int) -> dict[int, Point]:
    """What was measured, by the beginning of each period."""
    dimensions = {item["Name"]: item["Value"] for item in metric["Dimensions"]}
    found: dict[int, Point] = {}
    begin = start // period * period
    for point in points.between(metric["Namespace"], metric["MetricName"], dimensions, begin, end):
        at = point.at // period * period
        found[at] = _together(at, found[at], point) if at in found else point
    return found


def _result(points: Points, query: Json, start: int, end: int, order: str) -> Json:
    wanted = query.get("MetricStat")
    if wanted is None:
        raise AwsError("ValidationError", f"Query {query['Id']} has no MetricStat.")
    metric, period, statistic = wanted["Metric"], wanted["Period"], wanted["Stat"]
    _check("GetMetricData", OF_DATA, metric, period, statistic)
    found = _points(points, metric, period, start, end)
    times = sorted(found, reverse=order != "TimestampAscending")
    if len(times) > MOST_VALUES:
        raise _refuse(
            "GetMetricData",
            f"{OF_DATA}Period",
            f"More than {MOST_VALUES} values; it gives one page.",
        )
    return {
        "Id": query["Id"],
        "Label": query.get("Label", metric["MetricName"]),
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

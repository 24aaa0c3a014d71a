"""CloudWatch: what endpoints have measured of their invocations and training jobs of their models,
with the alarms over it; other alarms and dashboards are kept.

Values of another metric are refused, since no value would look like no event.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from localaws.cloudwatch.alarms import Alarms
from localaws.cloudwatch.metrics import (
    ENDPOINTS,
    KNOWN,
    STATISTICS,
    TRAININGS,
    by_period,
    has_dimensions,
    known,
)
from localaws.cloudwatch.points import FILE, MINUTE, Points
from localaws.cloudwatch.watching import Watch
from localaws.core.aws import LocalAws
from localaws.core.service import Call, Service
from localaws.errors import AwsError, NotEmulated
from localaws.shapes import Json

MOST_VALUES = 100_800
MOST_POINTS = 1440  # of GetMetricStatistics
OF_DATA = "MetricDataQueries.MetricStat."


class CloudWatch(Service):
    """The service "cloudwatch", with its measurements for the services that measure."""

    points: Points
    watch: Watch


def measure(
    aws: LocalAws, endpoint: str, variant: str, values: dict[str, float], config: str | None = None
) -> None:
    """One invocation of an endpoint: latencies in microseconds, the others 0 or 1. `config`: of
    the machines to which an update is shifting requests, which are measured by themselves too."""
    service: Any = aws.gateway.services["cloudwatch"]
    dimensions, now = {"EndpointName": endpoint, "VariantName": variant}, aws.clock.now()
    service.points.add(ENDPOINTS, dimensions, values, now)
    if config is not None:
        service.points.add(ENDPOINTS, dimensions | {"EndpointConfigName": config}, values, now)
    service.watch.stirred()


def measure_training(aws: LocalAws, job: str, values: dict[str, float]) -> None:
    """What a line of a training job's log tells of its model: `{"validation:auc": 0.8}`."""
    service: Any = aws.gateway.services["cloudwatch"]
    service.points.add(TRAININGS, {"TrainingJobName": job}, values, aws.clock.now())
    service.watch.stirred()


def service(aws: LocalAws) -> Service:
    built = CloudWatch("cloudwatch")
    built.points = Points(aws.home.store(FILE))
    built.watch = Watch(aws, built.points)
    built.on_stop(built.watch.stop)
    built.on_stop(built.points.close)
    Metrics(built.points).register(built)
    Alarms(aws, built.watch).register(built)
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
        found = by_period(self._points, params, period, start, end)
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
    found = known(metric)
    if found is None:
        there = "; ".join(f"{key} {one.words}" for key, one in KNOWN.items())
        raise _refuse(operation, f"{path}Metric={namespace} {name}", f"It has {there}.")
    if not has_dimensions(metric, found):
        sets = (" and ".join(sorted(names)) for names in found.dimensions)
        told = f"They are {', or '.join(sets)}."
        raise _refuse(operation, f"{of}Dimensions", told)
    if statistic not in STATISTICS:
        told = f"It has {', '.join(STATISTICS)}."
        raise _refuse(operation, f"{path}Stat={statistic}", told)
    if period < MINUTE or period % MINUTE:
        raise AwsError("ValidationError", f"Period is {period}; it is a multiple of {MINUTE}.")


def _result(points: Points, query: Json, start: int, end: int, order: str) -> Json:
    wanted = query.get("MetricStat")
    if wanted is None:
        raise AwsError("ValidationError", f"Query {query['Id']} has no MetricStat.")
    metric, period, statistic = wanted["Metric"], wanted["Period"], wanted["Stat"]
    _check("GetMetricData", OF_DATA, metric, period, statistic)
    found = by_period(points, metric, period, start, end)
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

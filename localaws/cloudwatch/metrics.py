"""The metrics that are measured here, and their statistics by period.

docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from localaws.cloudwatch.points import MINUTE, Point, Points
from localaws.shapes import Json

ENDPOINTS = "AWS/SageMaker"
TRAININGS = "/aws/sagemaker/TrainingJobs"


@dataclass(frozen=True)
class Known:
    """The metrics of a namespace, as a pattern and in words, and what each is measured by."""

    metrics: re.Pattern[str]
    words: str
    dimensions: tuple[frozenset[str], ...]  # one of these sets


KNOWN = {
    ENDPOINTS: Known(
        re.compile("Invocations|(Model|Overhead)Latency|Invocation[45]XXErrors"),
        "Invocations, ModelLatency, OverheadLatency, Invocation4XXErrors, Invocation5XXErrors",
        (
            frozenset(("EndpointName", "VariantName")),
            # Of the new machines alone, while an update shifts requests to them.
            frozenset(("EndpointName", "VariantName", "EndpointConfigName")),
        ),
    ),
    TRAININGS: Known(
        re.compile(r"(train|validation):\w+"),
        "train:auc, validation:auc, ...",
        (frozenset(("TrainingJobName",)),),
    ),
}
STATISTICS: dict[str, Callable[[Point], float]] = {
    "SampleCount": lambda point: float(point.count),
    "Sum": lambda point: point.total,
    "Average": lambda point: point.total / point.count,
    "Minimum": lambda point: point.lowest,
    "Maximum": lambda point: point.highest,
}


def known(metric: Json) -> Known | None:
    """What is known of a metric (Namespace, MetricName); None: nothing here measures it."""
    found = KNOWN.get(str(metric.get("Namespace")))
    return found if found and found.metrics.fullmatch(str(metric.get("MetricName"))) else None


def has_dimensions(metric: Json, known: Known) -> bool:
    return {item["Name"] for item in metric.get("Dimensions", [])} in known.dimensions


def is_measured(alarm: Json) -> bool:
    """Whether the alarm's metric is measured here, in its periods, with its statistic (of values
    of a minute no percentile is kept); another alarm is never evaluated."""
    found = known(alarm)
    return (
        found is not None
        and has_dimensions(alarm, found)
        and alarm.get("Statistic") in STATISTICS
        and "Unit" not in alarm
        and alarm["Period"] % MINUTE == 0
    )


def by_period(
    points: Points, metric: Json, period: int, start: int, end: int, origin: int = 0
) -> dict[int, Point]:
    """What was measured from `start` on and before `end`, by the beginning of each period; these
    are counted from `origin`."""
    dimensions = {item["Name"]: item["Value"] for item in metric["Dimensions"]}
    found: dict[int, Point] = {}
    begin = start - (start - origin) % period
    for point in points.between(metric["Namespace"], metric["MetricName"], dimensions, begin, end):
        at = point.at - (point.at - origin) % period
        found[at] = _together(at, found[at], point) if at in found else point
    return found


def _together(at: int, one: Point, other: Point) -> Point:
    return Point(
        at,
        one.count + other.count,
        one.total + other.total,
        min(one.lowest, other.lowest),
        max(one.highest, other.highest),
    )

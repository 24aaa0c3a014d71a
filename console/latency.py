"""How an endpoint has answered lately, from CloudWatch's metrics of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from console import sections
from console.sections import Section, note

Json = dict[str, Any]

HOURS = 3
PERIOD_SECONDS = 60
# name: (metric, statistic); latencies are in microseconds.
ASKED = {
    "model": ("ModelLatency", "Average"),
    "overhead": ("OverheadLatency", "Average"),
    "invocations": ("Invocations", "Sum"),
    "errors_4xx": ("Invocation4XXErrors", "Sum"),
    "errors_5xx": ("Invocation5XXErrors", "Sum"),
}


def section(cloudwatch: Any, endpoint: str, variant: str) -> Section:
    """{kind: "latency", series: {name: [[milliseconds since 1970, value], ...]}} of the last three
    hours, a value a minute; or a note."""
    end = datetime.now(UTC)
    dimensions = [
        {"Name": "EndpointName", "Value": endpoint},
        {"Name": "VariantName", "Value": variant},
    ]
    queries = [
        {
            "Id": name,
            "MetricStat": {
                "Metric": {
                    "Namespace": "AWS/SageMaker",
                    "MetricName": metric,
                    "Dimensions": dimensions,
                },
                "Period": PERIOD_SECONDS,
                "Stat": statistic,
            },
        }
        for name, (metric, statistic) in ASKED.items()
    ]
    try:
        answer = cloudwatch.get_metric_data(
            MetricDataQueries=queries,
            StartTime=end - timedelta(hours=HOURS),
            EndTime=end,
            ScanBy="TimestampAscending",
        )
    except (ClientError, BotoCoreError) as error:
        return note(f"No latencies: CloudWatch does not tell: {error}")
    series = {
        found["Id"]: [
            [round(at.timestamp() * 1000), value]
            for at, value in zip(found["Timestamps"], found["Values"], strict=True)
        ]
        for found in answer["MetricDataResults"]
    }
    if not any(series.values()):
        return note(f"CloudWatch has no invocation of {endpoint} in the last {HOURS} hours.")
    return sections.section("latency", f"Last {HOURS} hours", variant=variant, series=series)

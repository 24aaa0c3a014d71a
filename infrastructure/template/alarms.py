"""What a person hears of without looking: alarms on the topic, and a dashboard."""

from __future__ import annotations

import json

from infrastructure.names import ENDPOINT
from infrastructure.words import Json, attribute, ref, resource, sub

FIVE_MINUTES, DAY = 300, 86_400
SLOW_MICROSECONDS = 2_000_000  # of the model, on average: a page waits longer than people do
VARIANT = "live"


def conditions() -> Json:
    return {"HasSchedule": {"Fn::Equals": [ref("ScheduleState"), "ENABLED"]}}


def alarms() -> Json:
    machine = {"StateMachineArn": ref("StateMachine")}
    api, endpoint = {"ApiId": ref("Api")}, {"EndpointName": sub(ENDPOINT), "VariantName": VARIANT}
    queue = {"QueueName": attribute("Undelivered", "QueueName")}
    return {
        "RunFailedAlarm": _alarm(
            "run-failed", "A run failed", "AWS/States", "ExecutionsFailed", machine
        ),
        "RunTimedOutAlarm": _alarm(
            "run-timed-out", "A run ran out of time", "AWS/States", "ExecutionsTimedOut", machine
        ),
        # Also a run that finds nothing new goes well.
        "RunMissingAlarm": _alarm(
            "run-missing",
            "No run has gone well for two days, though there is a daily one",
            "AWS/States",
            "ExecutionsSucceeded",
            machine,
            period=DAY,
            periods=2,
            below=True,
            condition="HasSchedule",
        ),
        "UndeliveredAlarm": _alarm(
            "undelivered",
            "An event or a schedule could not be delivered",
            "AWS/SQS",
            "ApproximateNumberOfMessagesVisible",
            queue,
            statistic="Maximum",
        ),
        "ApiErrorsAlarm": _alarm(
            "api-errors", "The API answers with 5xx", "AWS/ApiGateway", "5xx", api, periods=3, of=2
        ),
        "EndpointErrorsAlarm": _alarm(
            "endpoint-errors",
            "The endpoint answers with 5xx",
            "AWS/SageMaker",
            "Invocation5XXErrors",
            endpoint,
            periods=3,
            of=2,
        ),
        "EndpointSlowAlarm": _alarm(
            "endpoint-slow",
            "The model takes over two seconds",
            "AWS/SageMaker",
            "ModelLatency",
            endpoint,
            statistic="Average",
            threshold=SLOW_MICROSECONDS,
            periods=3,
        ),
        "Dashboard": resource(
            "AWS::CloudWatch::Dashboard",
            {"DashboardName": sub("${AWS::StackName}"), "DashboardBody": sub(_dashboard())},
        ),
    }


def _alarm(
    name: str,
    description: str,
    namespace: str,
    metric: str,
    dimensions: Json,
    *,
    statistic: str = "Sum",
    threshold: int = 1,
    period: int = FIVE_MINUTES,
    periods: int = 1,
    of: int | None = None,
    below: bool = False,
    condition: str | None = None,
) -> Json:
    """At or above the threshold in `of` (default: all) of the periods; or `below` it, which no
    measurement at all is too."""
    more = {"Condition": condition} if condition else {}
    return resource(
        "AWS::CloudWatch::Alarm",
        {
            "AlarmName": sub(f"${{AWS::StackName}}-{name}"),
            "AlarmDescription": description,
            "Namespace": namespace,
            "MetricName": metric,
            "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
            "Statistic": statistic,
            "Period": period,
            "EvaluationPeriods": periods,
            "DatapointsToAlarm": of or periods,
            "Threshold": threshold,
            "ComparisonOperator": (
                "LessThanThreshold" if below else "GreaterThanOrEqualToThreshold"
            ),
            "TreatMissingData": "breaching" if below else "notBreaching",
            "AlarmActions": [ref("Notifications")],
        },
        **more,
    )


def _dashboard() -> str:
    """Text for `Fn::Sub`."""
    machine = ["StateMachineArn", "${StateMachine}"]
    endpoint = ["EndpointName", ENDPOINT, "VariantName", VARIANT]
    api = ["ApiId", "${Api}"]
    rows = [
        ("Runs", "Sum", [["AWS/States", f"Executions{end}", *machine] for end in
                         ("Started", "Succeeded", "Failed", "TimedOut", "Aborted")]),
        ("How long runs take, ms", "Maximum", [["AWS/States", "ExecutionTime", *machine]]),
        ("API", "Sum", [["AWS/ApiGateway", name, *api] for name in ("Count", "4xx", "5xx")]),
        ("API latency, ms", "p99", [["AWS/ApiGateway", "Latency", *api]]),
        ("Endpoint", "Sum", [["AWS/SageMaker", name, *endpoint] for name in
                             ("Invocations", "Invocation4XXErrors", "Invocation5XXErrors")]),
        ("Endpoint latency, us", "p99",
         [["AWS/SageMaker", name, *endpoint] for name in ("ModelLatency", "OverheadLatency")]),
        ("Undelivered", "Maximum", [["AWS/SQS", "ApproximateNumberOfMessagesVisible",
                                     "QueueName", "${Undelivered.QueueName}"]]),
    ]  # fmt: skip
    widgets = [
        {
            "type": "metric",
            "x": 12 * (number % 2),
            "y": 6 * (number // 2),
            "width": 12,
            "height": 6,
            "properties": {
                "title": title,
                "region": "${AWS::Region}",
                "stat": statistic,
                "period": FIVE_MINUTES,
                "metrics": metrics,
            },
        }
        for number, (title, statistic, metrics) in enumerate(rows)
    ]
    return json.dumps({"widgets": widgets})

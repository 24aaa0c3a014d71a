"""What state an alarm is in: the tables of CloudWatch's guide, and what it does with it here.

docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from localaws.cloudwatch.api import measure
from localaws.cloudwatch.evaluation import Value, evaluated
from localaws.core.aws import LocalAws, start
from localaws.services import factories

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
KEPT = "as it was"
TREATED = ("missing", "ignore", "breaching", "notBreaching")

# Values of five periods, oldest first (X breaches, 0 does not, - is missing), and the state for
# each way to treat missing ones, in the order of TREATED. Evaluation periods: 3.
ALL_OF_THREE = [
    ("0-X-X", ("OK", "OK", "OK", "OK")),
    ("----0", ("OK", "OK", "OK", "OK")),
    ("-----", ("INSUFFICIENT_DATA", KEPT, "ALARM", "OK")),
    ("0XX-X", ("ALARM", "ALARM", "ALARM", "ALARM")),
    ("--X--", ("ALARM", KEPT, "ALARM", "OK")),
]
TWO_OF_THREE = [
    ("0-X-X", ("ALARM", "ALARM", "ALARM", "ALARM")),
    ("00X0X", ("ALARM", "ALARM", "ALARM", "ALARM")),
    ("0-X--", ("OK", "OK", "ALARM", "OK")),
    ("----0", ("OK", "OK", "ALARM", "OK")),
    ("---X-", ("ALARM", KEPT, "ALARM", "OK")),
]


def alarm(**more: Any) -> dict[str, Any]:
    return {
        "AlarmName": "errors",
        "Namespace": "AWS/SageMaker",
        "MetricName": "Invocation5XXErrors",
        "Dimensions": [
            {"Name": "EndpointName", "Value": "e"},
            {"Name": "VariantName", "Value": "live"},
        ],
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 3,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        **more,
    }


@pytest.mark.parametrize(
    ("needed", "values", "states"),
    [(3, *case) for case in ALL_OF_THREE] + [(2, *case) for case in TWO_OF_THREE],
)
def test_the_guides_tables(needed: int, values: str, states: tuple[str, ...]) -> None:
    told = {"X": 2.0, "0": 0.0}
    found = [Value(60 * at, told[sign]) if sign in told else None for at, sign in enumerate(values)]
    assert states == tuple(
        state.value if state else KEPT
        for state in (
            evaluated(alarm(DatapointsToAlarm=needed, TreatMissingData=treated), found, NOW)
            for treated in TREATED
        )
    )


def test_the_reason_is_cloudwatchs() -> None:
    found = [None, None, None, Value(0, 0.0), Value(60, 3.0)]
    state = evaluated(alarm(DatapointsToAlarm=1), found, NOW)
    assert state is not None
    assert state.reason == (
        "Threshold Crossed: 1 out of the last 2 datapoints [3.0 (01/01/70 00:01:00)] was greater"
        " than or equal to the threshold (1.0) (minimum 1 datapoint for OK -> ALARM transition)."
    )
    assert json.loads(state.data)["recentDatapoints"] == [0.0, 3.0]
    quiet = evaluated(alarm(EvaluationPeriods=1, TreatMissingData="notBreaching"), [None] * 3, NOW)
    assert quiet is not None and quiet.reason == (
        "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was"
        " treated as [NonBreaching]."
    )


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[LocalAws]:
    local = start(tmp_path / "home", factories(), wait_scale=0)
    yield local
    local.stop()


def test_an_alarm_follows_its_metric_and_tells_its_topic(aws: LocalAws) -> None:
    sns, sqs, client = (aws.client(name) for name in ("sns", "sqs", "cloudwatch"))
    topic = sns.create_topic(Name="told")["TopicArn"]
    queue = sqs.create_queue(QueueName="told")["QueueUrl"]
    arn = "arn:aws:sqs:us-east-1:000000000000:told"
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    client.put_metric_alarm(
        **alarm(EvaluationPeriods=1, TreatMissingData="notBreaching"), AlarmActions=[topic]
    )

    def state() -> Any:
        (found,) = client.describe_alarms(AlarmNames=["errors"])["MetricAlarms"]
        return found

    assert state()["StateValue"] == "OK"
    measure(aws, "e", "live", {"Invocation5XXErrors": 1.0})
    assert "datapoints [1.0 (" in state()["StateReason"]
    assert state()["StateValue"] == "ALARM"
    assert client.describe_alarms(StateValue="OK")["MetricAlarms"] == []
    messages = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5)["Messages"]
    told = json.loads(json.loads(messages[0]["Body"])["Message"])
    assert (told["OldStateValue"], told["NewStateValue"]) == ("OK", "ALARM")

    client.set_alarm_state(AlarmName="errors", StateValue="OK", StateReason="tried")
    assert (state()["StateValue"], state()["StateReason"]) == ("OK", "tried")
    later = aws.clock.now() + timedelta(seconds=61)
    aws.clock.now = lambda: later  # type: ignore[method-assign]
    assert state()["StateValue"] == "ALARM"  # the value is in the minutes it looks at


def test_what_nothing_measures_says_so(aws: LocalAws) -> None:
    client = aws.client("cloudwatch")
    for name, more in {
        "runs": {"Namespace": "AWS/States", "MetricName": "ExecutionsFailed"},
        "seconds": {"Period": 10},
        "everything": {"Dimensions": []},
    }.items():
        given = alarm(TreatMissingData="notBreaching", **more)
        client.put_metric_alarm(**given | {"AlarmName": name})
    for found in client.describe_alarms()["MetricAlarms"]:
        assert found["StateValue"] == "INSUFFICIENT_DATA"
        assert found["StateReason"] == "Unchecked: Initial alarm creation"

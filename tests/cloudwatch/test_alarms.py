"""Alarms and dashboards: kept, told, refused where AWS refuses them; also as a stack's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from localaws.core.aws import LocalAws
from tests.cloudformation import conftest
from tests.cloudformation.conftest import Stack

aws = conftest.aws

ALARM: dict[str, Any] = {
    "AlarmName": "failed",
    "Namespace": "AWS/States",
    "MetricName": "ExecutionsFailed",
    "Statistic": "Sum",
    "Period": 300,
    "EvaluationPeriods": 1,
    "Threshold": 1.0,
    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"Period": 45}, "Period is 45"),
        ({"Period": 3600, "EvaluationPeriods": 24 * 8}, "more than 604800 seconds"),
        ({"Period": 60, "EvaluationPeriods": 24 * 61}, "more than 86400 seconds"),
        ({"DatapointsToAlarm": 2}, "less than or equal to EvaluationPeriods"),
        ({"ExtendedStatistic": "p99"}, "One of Statistic and ExtendedStatistic"),
        ({"TreatMissingData": "never"}, "TreatMissingData is one of"),
    ],
)
def test_an_alarm_that_aws_refuses_is_refused(
    aws: LocalAws, changes: dict[str, Any], words: str
) -> None:
    client = aws.client("cloudwatch")
    with pytest.raises(client.exceptions.ClientError, match=words):
        client.put_metric_alarm(**{**ALARM, **changes})
    assert client.describe_alarms()["MetricAlarms"] == []


def test_a_stack_has_alarms_and_a_dashboard(aws: LocalAws) -> None:
    stack, client = Stack(aws), aws.client("cloudwatch")
    body = {"widgets": [{"type": "text", "properties": {"markdown": "shop"}}]}

    def template(threshold: float) -> dict[str, Any]:
        return {
            "Resources": {
                "Failed": {
                    "Type": "AWS::CloudWatch::Alarm",
                    "Properties": {**ALARM, "Threshold": threshold},
                },
                "Board": {
                    "Type": "AWS::CloudWatch::Dashboard",
                    "Properties": {"DashboardName": "shop", "DashboardBody": json.dumps(body)},
                },
            }
        }

    assert stack.create(template(1)) == "CREATE_COMPLETE"
    (alarm,) = client.describe_alarms(AlarmNamePrefix="fai")["MetricAlarms"]
    assert (alarm["Threshold"], alarm["StateValue"]) == (1.0, "INSUFFICIENT_DATA")
    assert json.loads(client.get_dashboard(DashboardName="shop")["DashboardBody"]) == body
    assert stack.update(template(2)) == "UPDATE_COMPLETE"
    assert client.describe_alarms(AlarmNames=["failed"])["MetricAlarms"][0]["Threshold"] == 2.0
    assert stack.delete() == "DELETE_COMPLETE"
    assert client.describe_alarms()["MetricAlarms"] == []
    assert client.list_dashboards()["DashboardEntries"] == []
    with pytest.raises(client.exceptions.ClientError, match="not exist"):
        client.delete_alarms(AlarmNames=["failed"])

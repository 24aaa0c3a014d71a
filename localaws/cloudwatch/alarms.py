"""Alarms and dashboards. An alarm over a metric that is measured here has the state that the metric
says (watching.py), any other the one it was made with: INSUFFICIENT_DATA, with AWS's reason for one
that was just made.

docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
"""

from __future__ import annotations

import json
from typing import Any

from localaws.cloudwatch import evaluation, metrics
from localaws.cloudwatch.watching import ACTIONS, ALARM, SET_UNTIL, Watch
from localaws.core.aws import LocalAws
from localaws.core.pages import page
from localaws.core.service import Call, Service
from localaws.errors import AwsError
from localaws.shapes import Json

DASHBOARD = "cloudwatch-dashboard"
MEMBERS = (
    *("AlarmName", "AlarmDescription", "ActionsEnabled", "OKActions", "AlarmActions"),
    *("InsufficientDataActions", "MetricName", "Namespace", "Statistic", "ExtendedStatistic"),
    *("Dimensions", "Period", "Unit", "EvaluationPeriods", "DatapointsToAlarm", "Threshold"),
    *("ComparisonOperator", "TreatMissingData", "EvaluateLowSampleCountPercentile"),
)
MISSING = ("breaching", "notBreaching", "ignore", "missing")
MOST_ALARMS, MOST_NAMES = 100, 100


class Alarms:
    def __init__(self, aws: LocalAws, watch: Watch) -> None:
        self._aws = aws
        self._watch = watch
        self._documents = aws.documents

    def register(self, service: Service) -> None:
        service.operation("PutMetricAlarm", *MEMBERS, "Tags")(self.put)
        service.operation(
            *("DescribeAlarms", "AlarmNames", "AlarmNamePrefix", "StateValue", "MaxRecords"),
            *("NextToken", "AlarmTypes"),
        )(self.describe)
        service.operation("DeleteAlarms", "AlarmNames")(self.delete)
        service.operation(
            *("SetAlarmState", "AlarmName", "StateValue", "StateReason", "StateReasonData")
        )(self.set_state)
        service.operation("PutDashboard", "DashboardName", "DashboardBody")(self.put_dashboard)
        service.operation("GetDashboard", "DashboardName")(self.get_dashboard)
        service.operation("ListDashboards", "DashboardNamePrefix", "NextToken")(self.list)
        service.operation("DeleteDashboards", "DashboardNames")(self.delete_dashboards)

    def put(self, call: Call) -> Json:
        given = {name: call.params[name] for name in MEMBERS if name in call.params}
        _check(given)
        now, name = self._aws.clock.now(), given["AlarmName"]
        before = self._documents.get(ALARM, name) or {
            "StateValue": "INSUFFICIENT_DATA",
            "StateReason": "Unchecked: Initial alarm creation",
            "StateUpdatedTimestamp": now,
            "StateTransitionedTimestamp": now,
        }
        kept = {key: value for key, value in before.items() if key.startswith("State")}
        kept |= {"ActionsEnabled": True, "OKActions": [], "AlarmActions": [], "Dimensions": []}
        arn = f"arn:aws:cloudwatch:{self._aws.region}:{self._aws.account}:alarm:{name}"
        made = {"AlarmArn": arn, "AlarmConfigurationUpdatedTimestamp": now}
        self._documents.put(ALARM, name, {"InsufficientDataActions": [], **kept, **given, **made})
        return {}

    def describe(self, call: Call) -> Json:
        params = call.params
        if "MetricAlarm" not in params.get("AlarmTypes", ["MetricAlarm"]):
            return {"MetricAlarms": [], "CompositeAlarms": []}
        names, prefix = params.get("AlarmNames"), params.get("AlarmNamePrefix", "")
        if names is not None and "AlarmNamePrefix" in params:
            raise _invalid("AlarmNamePrefix and AlarmNames cannot be combined.")
        wanted = params.get("StateValue")
        asked = {
            name: alarm
            for name, alarm in self._documents.items(ALARM)
            if (names is None or name in names) and name.startswith(prefix)
        }
        for name, alarm in asked.items():
            if metrics.is_measured(alarm):
                self._watch.look(name, alarm)
        shown = (
            (name, {key: value for key, value in alarm.items() if key != SET_UNTIL})
            for name, alarm in self._documents.items(ALARM)
            if name in asked and wanted in (None, alarm["StateValue"])
        )
        most = int(params.get("MaxRecords", 50))
        if not 1 <= most <= MOST_ALARMS:
            raise _invalid(f"MaxRecords is {most}; it goes from 1 to {MOST_ALARMS}.")
        found = page(shown, params.get("NextToken"), most, invalid=_invalid_token)
        return {"MetricAlarms": found.items, "CompositeAlarms": [], **found.next()}

    def delete(self, call: Call) -> Json:
        names = call.params["AlarmNames"]
        if len(names) > MOST_NAMES:
            raise _invalid(f"At most {MOST_NAMES} alarms are deleted at once.")
        missing = [name for name in names if self._documents.get(ALARM, name) is None]
        if missing:
            raise AwsError("ResourceNotFound", f"Alarms {missing} do not exist", 404)
        for name in names:
            self._documents.delete(ALARM, name)
        return {}

    def set_state(self, call: Call) -> Json:
        name, state = call.params["AlarmName"], call.params["StateValue"]
        if self._documents.get(ALARM, name) is None:
            raise AwsError("ResourceNotFound", f"Alarm {name} does not exist", 404)
        if state not in ACTIONS:
            raise _invalid(f"StateValue is one of {', '.join(ACTIONS)}.")
        reason, data = call.params["StateReason"], call.params.get("StateReasonData", "")
        self._watch.turn(name, evaluation.State(state, reason, data))
        return {}

    def put_dashboard(self, call: Call) -> Json:
        name, body = call.params["DashboardName"], call.params["DashboardBody"]
        try:
            widgets = json.loads(body)["widgets"]
            if not all(isinstance(widget["type"], str) for widget in widgets):
                raise TypeError("type")
        except (ValueError, KeyError, TypeError) as error:
            raise AwsError(
                "InvalidParameterInput", f"The dashboard body is invalid: {error!r}"
            ) from error
        arn = f"arn:aws:cloudwatch::{self._aws.account}:dashboard/{name}"
        made = {"DashboardName": name, "DashboardArn": arn, "DashboardBody": body}
        self._documents.put(DASHBOARD, name, made | {"LastModified": self._aws.clock.now()})
        return {"DashboardValidationMessages": []}

    def get_dashboard(self, call: Call) -> Json:
        found = self._dashboard(call.params["DashboardName"])
        return {name: found[name] for name in ("DashboardName", "DashboardArn", "DashboardBody")}

    def list(self, call: Call) -> Json:
        prefix = call.params.get("DashboardNamePrefix", "")
        shown = (
            (
                name,
                {
                    **{key: one[key] for key in ("DashboardName", "DashboardArn", "LastModified")},
                    "Size": len(one["DashboardBody"].encode()),
                },
            )
            for name, one in self._documents.items(DASHBOARD)
            if name.startswith(prefix)
        )
        found = page(shown, call.params.get("NextToken"), 1000, invalid=_invalid_token)
        return {"DashboardEntries": found.items, **found.next()}

    def delete_dashboards(self, call: Call) -> Json:
        for name in call.params["DashboardNames"]:
            self._dashboard(name)
        for name in call.params["DashboardNames"]:
            self._documents.delete(DASHBOARD, name)
        return {}

    def _dashboard(self, name: str) -> Json:
        found = self._documents.get(DASHBOARD, name)
        if found is None:
            raise AwsError("ResourceNotFound", f"Dashboard {name} does not exist", 404)
        return found


def _check(given: Json) -> None:
    """What PutMetricAlarm refuses of an alarm over one metric."""
    needed = ("Namespace", "MetricName", "Period", "Threshold")
    if lacking := [name for name in needed if name not in given]:
        raise AwsError("ValidationError", f"{', '.join(lacking)} must be given for a metric alarm.")
    if ("Statistic" in given) == ("ExtendedStatistic" in given):
        raise AwsError("ValidationError", "One of Statistic and ExtendedStatistic must be given.")
    period, periods = given["Period"], given["EvaluationPeriods"]
    if period not in (10, 20, 30) and period % 60:
        raise AwsError("ValidationError", f"Period is {period}: 10, 20, 30 or a multiple of 60.")
    longest = 7 * 86_400 if period >= 3600 else 86_400
    if period * periods > longest:
        raise AwsError(
            "ValidationError",
            f"Metrics cannot be checked across more than {longest} seconds (EvaluationPeriods *"
            f" Period is {period * periods}).",
        )
    if given.get("DatapointsToAlarm", periods) > periods:
        raise AwsError(
            "ValidationError", "DatapointsToAlarm must be less than or equal to EvaluationPeriods."
        )
    if given.get("TreatMissingData", "missing") not in MISSING:
        raise AwsError("ValidationError", f"TreatMissingData is one of {', '.join(MISSING)}.")


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationError", message)


def _invalid_token(message: str) -> Any:
    return AwsError("InvalidNextToken", message)

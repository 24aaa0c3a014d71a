"""AWS::CloudWatch::Alarm and AWS::CloudWatch::Dashboard."""

from __future__ import annotations

from localaws.cloudformation.provider import (
    Made,
    Provider,
    ResourceRequest,
    document,
    ignoring_missing,
    picked,
)

SERVICE = "cloudwatch"


class Alarm(Provider):
    type = "AWS::CloudWatch::Alarm"
    name_property = "AlarmName"
    replaced_by = ("AlarmName",)
    attributes = ("Arn",)
    plain = (
        *("AlarmDescription", "ActionsEnabled", "OKActions", "AlarmActions", "Dimensions"),
        *("InsufficientDataActions", "MetricName", "Namespace", "Statistic", "ExtendedStatistic"),
        *("Period", "Unit", "EvaluationPeriods", "DatapointsToAlarm", "Threshold"),
        *("ComparisonOperator", "TreatMissingData", "EvaluateLowSampleCountPercentile"),
    )
    properties = ("AlarmName", "Tags", *plain)

    def create(self, request: ResourceRequest) -> Made:
        name = request.properties.get("AlarmName") or request.name(255)
        return self._put(request, name)

    def update(self, request: ResourceRequest) -> Made:
        return self._put(request, request.physical_id)

    def delete(self, request: ResourceRequest) -> None:
        with ignoring_missing():
            request.call(SERVICE, "delete_alarms", AlarmNames=[request.physical_id])

    def _put(self, request: ResourceRequest, name: str) -> Made:
        given = picked(request.properties, self.plain)
        request.call(SERVICE, "put_metric_alarm", AlarmName=name, Tags=request.tag_list(), **given)
        return Made(name, {"Arn": request.sub_arn(SERVICE, f"alarm:{name}")})


class Dashboard(Provider):
    type = "AWS::CloudWatch::Dashboard"
    name_property = "DashboardName"
    replaced_by = ("DashboardName",)
    properties = ("DashboardName", "DashboardBody")

    def create(self, request: ResourceRequest) -> Made:
        return self._put(request, request.properties.get("DashboardName") or request.name(255))

    def update(self, request: ResourceRequest) -> Made:
        return self._put(request, request.physical_id)

    def delete(self, request: ResourceRequest) -> None:
        with ignoring_missing():
            request.call(SERVICE, "delete_dashboards", DashboardNames=[request.physical_id])

    @staticmethod
    def _put(request: ResourceRequest, name: str) -> Made:
        body = document(request.properties["DashboardBody"])
        request.call(SERVICE, "put_dashboard", DashboardName=name, DashboardBody=body)
        return Made(name)


PROVIDERS = (Alarm(), Dashboard())

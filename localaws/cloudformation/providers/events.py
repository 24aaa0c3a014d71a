"""AWS::Events::Rule, AWS::Events::Connection and AWS::Scheduler::Schedule."""

from __future__ import annotations

from localaws.cloudformation.provider import (
    Made,
    Provider,
    ResourceRequest,
    document,
    ignoring_missing,
    picked,
)
from localaws.errors import AwsError
from localaws.shapes import Json


class Rule(Provider):
    type = "AWS::Events::Rule"
    name_property = "Name"
    replaced_by = ("Name", "EventBusName")
    attributes = ("Arn",)
    plain = ("Description", "ScheduleExpression", "State", "RoleArn", "EventBusName")
    properties = ("Name", "EventPattern", "Targets", "Tags", *plain)

    def create(self, request: ResourceRequest) -> Made:
        name = request.properties.get("Name") or request.name(64)
        arn = self._put(request, name)
        try:
            self._targets(request, name)
        except BaseException:
            self._delete(request, name, [])
            raise
        return Made(name, {"Arn": arn})

    def update(self, request: ResourceRequest) -> Made:
        arn = self._put(request, request.physical_id)
        self._targets(request, request.physical_id)
        return Made(request.physical_id, {"Arn": arn})

    def delete(self, request: ResourceRequest) -> None:
        with ignoring_missing():
            ids = [target["Id"] for target in request.properties.get("Targets", [])]
            self._delete(request, request.physical_id, ids)

    def _put(self, request: ResourceRequest, name: str) -> str:
        given = request.properties
        pattern = given.get("EventPattern")
        made = request.call(
            "events",
            "put_rule",
            Name=name,
            EventPattern=document(pattern) if pattern is not None else None,
            Tags=request.tag_list() if not request.physical_id else None,
            **picked(given, self.plain),
        )
        return str(made["RuleArn"])

    def _targets(self, request: ResourceRequest, name: str) -> None:
        bus = picked(request.properties, ("EventBusName",))
        targets: list[Json] = request.properties.get("Targets", [])
        before = {target["Id"] for target in request.previous.get("Targets", [])}
        gone = sorted(before - {target["Id"] for target in targets})
        if gone:
            request.call("events", "remove_targets", Rule=name, Ids=gone, **bus)
        if targets:
            answer = request.call("events", "put_targets", Rule=name, Targets=targets, **bus)
            for entry in answer.get("FailedEntries", []):
                raise AwsError(entry["ErrorCode"], entry["ErrorMessage"])

    @staticmethod
    def _delete(request: ResourceRequest, name: str, ids: list[str]) -> None:
        bus = picked(request.properties, ("EventBusName",))
        if ids:
            request.call("events", "remove_targets", Rule=name, Ids=ids, **bus)
        request.call("events", "delete_rule", Name=name, **bus)


class Connection(Provider):
    type = "AWS::Events::Connection"
    name_property = "Name"
    replaced_by = ("Name",)
    attributes = ("Arn", "SecretArn")
    plain = ("Description", "AuthorizationType", "AuthParameters")
    properties = ("Name", *plain)

    def create(self, request: ResourceRequest) -> Made:
        name = request.properties.get("Name") or request.name(64)
        given = picked(request.properties, self.plain)
        made = request.call("events", "create_connection", Name=name, **given)
        request.physical_id = name
        return Made(name, self._shown(request, name, made["ConnectionArn"]))

    def update(self, request: ResourceRequest) -> Made:
        given = picked(request.properties, self.plain)
        name = request.physical_id
        made = request.call("events", "update_connection", Name=name, **given)
        return Made(name, self._shown(request, name, made["ConnectionArn"]))

    def delete(self, request: ResourceRequest) -> None:
        with ignoring_missing():
            request.call("events", "delete_connection", Name=request.physical_id)

    @staticmethod
    def _shown(request: ResourceRequest, name: str, arn: str) -> Json:
        secret = request.call("events", "describe_connection", Name=name)["SecretArn"]
        return {"Arn": arn, "SecretArn": secret}


class Schedule(Provider):
    type = "AWS::Scheduler::Schedule"
    name_property = "Name"
    replaced_by = ("Name", "GroupName")
    attributes = ("Arn",)
    plain = (
        *("Description", "ScheduleExpression", "ScheduleExpressionTimezone", "State"),
        *("FlexibleTimeWindow", "StartDate", "EndDate", "GroupName", "Target"),
    )
    properties = ("Name", *plain)

    def create(self, request: ResourceRequest) -> Made:
        name = request.properties.get("Name") or request.name(64)
        given = picked(request.properties, self.plain)
        arn = request.call("scheduler", "create_schedule", Name=name, **given)["ScheduleArn"]
        return Made(name, {"Arn": arn})

    def update(self, request: ResourceRequest) -> Made:
        given = picked(request.properties, self.plain)
        request.call("scheduler", "update_schedule", Name=request.physical_id, **given)
        return Made(request.physical_id, request.attributes)

    def delete(self, request: ResourceRequest) -> None:
        group = picked(request.properties, ("GroupName",))
        with ignoring_missing():
            request.call("scheduler", "delete_schedule", Name=request.physical_id, **group)


PROVIDERS = (Rule(), Connection(), Schedule())

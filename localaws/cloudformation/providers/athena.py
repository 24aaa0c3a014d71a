"""AWS::Athena::WorkGroup and AWS::Athena::NamedQuery."""

from __future__ import annotations

from localaws.cloudformation.provider import (
    Made,
    Provider,
    ResourceRequest,
    ignoring_missing,
    picked,
)
from localaws.shapes import Json


class WorkGroup(Provider):
    type = "AWS::Athena::WorkGroup"
    name_property = "Name"
    replaced_by = ("Name",)
    attributes = ("CreationTime",)
    properties = (
        *("Name", "Description", "State", "Tags", "RecursiveDeleteOption"),
        *(
            f"WorkGroupConfiguration.{name}"
            for name in (
                *("EnforceWorkGroupConfiguration", "PublishCloudWatchMetricsEnabled"),
                *("ResultConfiguration", "BytesScannedCutoffPerQuery", "EngineVersion"),
                "RequesterPaysEnabled",
            )
        ),
    )

    def create(self, request: ResourceRequest) -> Made:
        given = request.properties
        name = given["Name"]
        request.call(
            "athena",
            "create_work_group",
            Name=name,
            Description=given.get("Description"),
            Configuration=given.get("WorkGroupConfiguration"),
            Tags=request.tag_list(),
        )
        if given.get("State", "ENABLED") != "ENABLED":
            request.call("athena", "update_work_group", WorkGroup=name, State=given["State"])
        return Made(name, {"CreationTime": ""})

    def update(self, request: ResourceRequest) -> Made:
        given = request.properties
        request.call(
            "athena",
            "update_work_group",
            WorkGroup=request.physical_id,
            Description=given.get("Description", ""),
            State=given.get("State", "ENABLED"),
            ConfigurationUpdates=_updates(
                given.get("WorkGroupConfiguration", {}),
                request.previous.get("WorkGroupConfiguration", {}),
            ),
        )
        return Made(request.physical_id, request.attributes)

    def delete(self, request: ResourceRequest) -> None:
        with ignoring_missing():
            request.call(
                "athena",
                "delete_work_group",
                WorkGroup=request.physical_id,
                RecursiveDeleteOption=request.properties.get("RecursiveDeleteOption", False),
            )


def _updates(new: Json, old: Json) -> Json | None:
    """The API's way to say a changed configuration: what is gone is removed by a flag."""
    updates = {name: value for name, value in new.items() if name != "ResultConfiguration"}
    if "BytesScannedCutoffPerQuery" in old and "BytesScannedCutoffPerQuery" not in new:
        updates["RemoveBytesScannedCutoffPerQuery"] = True
    result, before = new.get("ResultConfiguration", {}), old.get("ResultConfiguration", {})
    if result or before:
        removed = {f"Remove{name}": True for name in before if name not in result}
        updates["ResultConfigurationUpdates"] = {**result, **removed}
    return updates or None


class NamedQuery(Provider):
    type = "AWS::Athena::NamedQuery"
    plain = ("Name", "Database", "Description", "QueryString", "WorkGroup")
    properties = plain
    replaced_by = plain
    attributes = ("NamedQueryId",)

    def create(self, request: ResourceRequest) -> Made:
        given = picked(request.properties, self.plain)
        given.setdefault("Name", request.name(128))
        made = request.call("athena", "create_named_query", **given)["NamedQueryId"]
        return Made(made, {"NamedQueryId": made})

    def delete(self, request: ResourceRequest) -> None:
        with ignoring_missing():
            request.call("athena", "delete_named_query", NamedQueryId=request.physical_id)


PROVIDERS = (WorkGroup(), NamedQuery())

"""AWS::Glue::*: databases, tables, classifiers, crawlers, jobs, triggers, connections."""

from __future__ import annotations

from localaws.cloudformation.provider import (
    Made,
    Provider,
    ResourceRequest,
    ignoring_missing,
    picked,
)
from localaws.errors import AwsError
from localaws.shapes import Json

CLASSIFIERS = ("CsvClassifier", "GrokClassifier", "JsonClassifier", "XMLClassifier")


class Database(Provider):
    type = "AWS::Glue::Database"
    properties = (
        *("CatalogId", "DatabaseName", "DatabaseInput.Name", "DatabaseInput.Description"),
        *("DatabaseInput.LocationUri", "DatabaseInput.Parameters"),
    )

    def must_replace(self, new: Json, old: Json) -> list[str]:
        same = _database_name(new) == _database_name(old)
        return [] if same else ["DatabaseInput.Name"]

    def create(self, request: ResourceRequest) -> Made:
        name = _database_name(request.properties) or request.name(255, lower=True, joint="_")
        request.call("glue", "create_database", DatabaseInput=self._input(request, name))
        return Made(name)

    def update(self, request: ResourceRequest) -> Made:
        name = request.physical_id
        request.call("glue", "update_database", Name=name, DatabaseInput=self._input(request, name))
        return Made(name)

    def delete(self, request: ResourceRequest) -> None:
        with ignoring_missing():
            request.call("glue", "delete_database", Name=request.physical_id)

    @staticmethod
    def _input(request: ResourceRequest, name: str) -> Json:
        _check_catalog(request)
        return {**request.properties.get("DatabaseInput", {}), "Name": name}


def _database_name(properties: Json) -> str | None:
    name = properties.get("DatabaseName") or properties.get("DatabaseInput", {}).get("Name")
    return str(name) if name else None


def _check_catalog(request: ResourceRequest) -> None:
    catalog = request.properties.get("CatalogId", request.aws.account)
    if str(catalog) != request.aws.account:
        raise AwsError("InvalidInput", f"CatalogId is {catalog}; there is {request.aws.account}.")


class Table(Provider):
    type = "AWS::Glue::Table"
    replaced_by = ("DatabaseName",)
    properties = (
        *("CatalogId", "DatabaseName", "Name"),
        *(
            f"TableInput.{name}"
            for name in (
                *("Name", "Description", "Owner", "Parameters", "PartitionKeys", "Retention"),
                *("StorageDescriptor", "TableType", "ViewExpandedText", "ViewOriginalText"),
            )
        ),
    )

    def must_replace(self, new: Json, old: Json) -> list[str]:
        changed = super().must_replace(new, old)
        if new.get("TableInput", {}).get("Name") != old.get("TableInput", {}).get("Name"):
            changed.append("TableInput.Name")
        return changed

    def create(self, request: ResourceRequest) -> Made:
        _check_catalog(request)
        given = request.properties
        name = given["TableInput"].get("Name") or request.name(255, lower=True, joint="_")
        request.call(
            "glue",
            "create_table",
            DatabaseName=given["DatabaseName"],
            TableInput={**given["TableInput"], "Name": name},
        )
        return Made(name)

    def update(self, request: ResourceRequest) -> Made:
        given, name = request.properties, request.physical_id
        request.call(
            "glue",
            "update_table",
            DatabaseName=given["DatabaseName"],
            TableInput={**given["TableInput"], "Name": name},
        )
        return Made(name)

    def delete(self, request: ResourceRequest) -> None:
        database = request.properties["DatabaseName"]
        with ignoring_missing():
            request.call("glue", "delete_table", DatabaseName=database, Name=request.physical_id)


class Classifier(Provider):
    type = "AWS::Glue::Classifier"
    properties = CLASSIFIERS

    def must_replace(self, new: Json, old: Json) -> list[str]:
        for kind in CLASSIFIERS:
            if (kind in new) != (kind in old):
                return [kind]
            if new.get(kind, {}).get("Name") != old.get(kind, {}).get("Name"):
                return [f"{kind}.Name"]
        return []

    def create(self, request: ResourceRequest) -> Made:
        given = picked(request.properties, CLASSIFIERS)
        if len(given) != 1:
            raise AwsError("InvalidRequest", f"Give exactly one of {', '.join(CLASSIFIERS)}.")
        kind, members = next(iter(given.items()))
        name = members.get("Name") or request.name(255)
        request.call("glue", "create_classifier", **{kind: {**_columns(members), "Name": name}})
        return Made(name)

    def update(self, request: ResourceRequest) -> Made:
        kind, members = next(iter(picked(request.properties, CLASSIFIERS).items()))
        named = {**_columns(members), "Name": request.physical_id}
        request.call("glue", "update_classifier", **{kind: named})
        return Made(request.physical_id)

    def delete(self, request: ResourceRequest) -> None:
        with ignoring_missing():
            request.call("glue", "delete_classifier", Name=request.physical_id)


def _columns(members: Json) -> Json:
    """CloudFormation spells one member differently from the API."""
    names = {"ContainsCustomDatatype": "CustomDatatypes"}
    return {names.get(name, name): value for name, value in members.items()}


class Crawler(Provider):
    type = "AWS::Glue::Crawler"
    name_property = "Name"
    replaced_by = ("Name",)
    properties = (
        *("Name", "Role", "Targets", "DatabaseName", "Classifiers", "Configuration"),
        *("Description", "RecrawlPolicy", "SchemaChangePolicy", "TablePrefix", "Tags"),
        "Schedule.ScheduleExpression",
    )
    plain = (
        *("Role", "Targets", "DatabaseName", "Classifiers", "Configuration", "Description"),
        *("RecrawlPolicy", "SchemaChangePolicy", "TablePrefix"),
    )

    def create(self, request: ResourceRequest) -> Made:
        name = request.properties.get("Name") or request.name(255)
        request.call(
            "glue", "create_crawler", Name=name, Tags=request.tags() or None, **self._given(request)
        )
        return Made(name)

    def update(self, request: ResourceRequest) -> Made:
        request.call("glue", "update_crawler", Name=request.physical_id, **self._given(request))
        return Made(request.physical_id)

    def delete(self, request: ResourceRequest) -> None:
        with ignoring_missing():
            request.call("glue", "delete_crawler", Name=request.physical_id)

    def _given(self, request: ResourceRequest) -> Json:
        given = picked(request.properties, self.plain)
        expression = request.properties.get("Schedule", {}).get("ScheduleExpression")
        return given | ({"Schedule": expression} if expression else {})


class Job(Provider):
    type = "AWS::Glue::Job"
    name_property = "Name"
    replaced_by = ("Name",)
    plain = (
        *("Role", "Command", "DefaultArguments", "NonOverridableArguments", "GlueVersion"),
        *("WorkerType", "NumberOfWorkers", "MaxRetries", "Timeout", "ExecutionProperty"),
        *("MaxCapacity", "Description", "Connections", "ExecutionClass", "LogUri"),
        "JobRunQueuingEnabled",
    )
    properties = ("Name", "Tags", *plain)

    def create(self, request: ResourceRequest) -> Made:
        name = request.properties.get("Name") or request.name(255)
        given = picked(request.properties, self.plain)
        request.call("glue", "create_job", Name=name, Tags=request.tags() or None, **given)
        return Made(name)

    def update(self, request: ResourceRequest) -> Made:
        update = picked(request.properties, self.plain)
        request.call("glue", "update_job", JobName=request.physical_id, JobUpdate=update)
        return Made(request.physical_id)

    def delete(self, request: ResourceRequest) -> None:
        with ignoring_missing():
            request.call("glue", "delete_job", JobName=request.physical_id)


class Trigger(Provider):
    type = "AWS::Glue::Trigger"
    name_property = "Name"
    replaced_by = ("Name", "Type", "WorkflowName")
    plain = ("Description", "Schedule", "Predicate", "Actions")
    properties = ("Name", "Type", "WorkflowName", "StartOnCreation", "Tags", *plain)

    def create(self, request: ResourceRequest) -> Made:
        name = request.properties.get("Name") or request.name(255)
        given = picked(request.properties, (*self.plain, "Type", "WorkflowName", "StartOnCreation"))
        request.call("glue", "create_trigger", Name=name, Tags=request.tags() or None, **given)
        return Made(name)

    def update(self, request: ResourceRequest) -> Made:
        update = picked(request.properties, self.plain)
        request.call("glue", "update_trigger", Name=request.physical_id, TriggerUpdate=update)
        return Made(request.physical_id)

    def delete(self, request: ResourceRequest) -> None:
        request.call("glue", "delete_trigger", Name=request.physical_id)


class Workflow(Provider):
    type = "AWS::Glue::Workflow"
    name_property = "Name"
    replaced_by = ("Name",)
    plain = ("Description", "DefaultRunProperties", "MaxConcurrentRuns")
    properties = ("Name", "Tags", *plain)

    def create(self, request: ResourceRequest) -> Made:
        name = request.properties.get("Name") or request.name(255)
        given = picked(request.properties, self.plain)
        request.call("glue", "create_workflow", Name=name, Tags=request.tags() or None, **given)
        return Made(name)

    def update(self, request: ResourceRequest) -> Made:
        given = picked(request.properties, self.plain)
        request.call("glue", "update_workflow", Name=request.physical_id, **given)
        return Made(request.physical_id)

    def delete(self, request: ResourceRequest) -> None:
        request.call("glue", "delete_workflow", Name=request.physical_id)


class Connection(Provider):
    type = "AWS::Glue::Connection"
    properties = ("CatalogId", "ConnectionInput")

    def must_replace(self, new: Json, old: Json) -> list[str]:
        same = new["ConnectionInput"].get("Name") == old["ConnectionInput"].get("Name")
        return [] if same else ["ConnectionInput.Name"]

    def create(self, request: ResourceRequest) -> Made:
        name = request.properties["ConnectionInput"].get("Name") or request.name(255)
        request.call("glue", "create_connection", ConnectionInput=self._input(request, name))
        return Made(name)

    def update(self, request: ResourceRequest) -> Made:
        name = request.physical_id
        request.call(
            "glue", "update_connection", Name=name, ConnectionInput=self._input(request, name)
        )
        return Made(name)

    def delete(self, request: ResourceRequest) -> None:
        with ignoring_missing():
            request.call("glue", "delete_connection", ConnectionName=request.physical_id)

    @staticmethod
    def _input(request: ResourceRequest, name: str) -> Json:
        _check_catalog(request)
        return {**request.properties["ConnectionInput"], "Name": name}


PROVIDERS = (
    *(Database(), Table(), Classifier(), Crawler(), Job(), Trigger(), Workflow(), Connection()),
)

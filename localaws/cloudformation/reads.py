"""The operations that show stacks, their resources, events and templates."""

from __future__ import annotations

from collections.abc import Callable

from localaws.cloudformation.lists import page
from localaws.cloudformation.principals import forward
from localaws.cloudformation.requests import template_body
from localaws.cloudformation.shapes import (
    capabilities,
    described,
    listed,
    records,
    resource,
    summary,
    template_parameters,
)
from localaws.cloudformation.stacks import GONE, Stacks
from localaws.cloudformation.template import document_of, invalid, read
from localaws.cloudformation.transform import declared, processed
from localaws.core.aws import LocalAws
from localaws.core.service import Call, Service
from localaws.shapes import Json


class StackReads:
    def __init__(self, aws: LocalAws, stacks: Stacks) -> None:
        self._aws = aws
        self._stacks = stacks

    def register(self, service: Service) -> None:
        service.operation("DescribeStacks", "StackName", "NextToken")(self.describe_stacks)
        service.operation("ListStacks", "NextToken", "StackStatusFilter")(self.list_stacks)
        service.operation("DescribeStackEvents", "StackName", "NextToken")(
            self.describe_stack_events
        )
        service.operation(
            "DescribeStackResources", "StackName", "LogicalResourceId", "PhysicalResourceId"
        )(self.describe_stack_resources)
        service.operation("DescribeStackResource", "StackName", "LogicalResourceId")(
            self.describe_stack_resource
        )
        service.operation("ListStackResources", "StackName", "NextToken")(self.list_stack_resources)
        service.operation("GetTemplate", "StackName", "ChangeSetName", "TemplateStage")(
            self.get_template
        )
        service.operation("GetTemplateSummary", "StackName", "TemplateBody", "TemplateURL")(
            self.get_template_summary
        )
        service.operation("ValidateTemplate", "TemplateBody", "TemplateURL")(self.validate_template)
        service.operation("ListExports", "NextToken")(self.list_exports)

    def describe_stacks(self, call: Call) -> Json:
        if "StackName" in call.params:
            return {"Stacks": [described(self._stacks.get(call.params["StackName"]))]}
        found = page(self._numbered(lambda stack: stack["status"] != GONE), call, newest_first=True)
        return {"Stacks": [described(stack) for stack in found.items], **found.next()}

    def list_stacks(self, call: Call) -> Json:
        wanted = call.params.get("StackStatusFilter")
        stacks = self._numbered(lambda stack: not wanted or stack["status"] in wanted)
        found = page(stacks, call, newest_first=True)
        return {"StackSummaries": [listed(stack) for stack in found.items], **found.next()}

    def _numbered(self, chosen: Callable[[Json], bool]) -> list[tuple[int, Json]]:
        """The chosen stacks, each with its number among all there ever were."""
        return [pair for pair in enumerate(reversed(self._stacks.all())) if chosen(pair[1])]

    def describe_stack_events(self, call: Call) -> Json:
        events = self._stacks.events(self._stacks.get(call.params["StackName"]))
        found = page(enumerate(reversed(events)), call, newest_first=True)
        return {"StackEvents": found.items, **found.next()}

    def describe_stack_resources(self, call: Call) -> Json:
        params = call.params
        if "StackName" in params:
            found = [self._stacks.get(params["StackName"])]
        else:
            wanted = params.get("PhysicalResourceId")
            found = [
                stack
                for stack in self._stacks.all()
                if any(r["physical_id"] == wanted for r in stack["resources"].values())
            ]
            if not found:
                raise invalid(f"Stack for {wanted} does not exist")
        stack = found[0]
        logical = params.get("LogicalResourceId")
        shown = [
            resource(stack, record)
            for record in records(stack)
            if logical in (None, record["logical_id"])
        ]
        return {"StackResources": shown}

    def describe_stack_resource(self, call: Call) -> Json:
        stack = self._stacks.get(call.params["StackName"])
        for record in records(stack):
            if record["logical_id"] == call.params["LogicalResourceId"]:
                metadata = {"Metadata": "{}"}
                return {"StackResourceDetail": summary(stack, record) | metadata}
        raise invalid(
            f"Resource {call.params['LogicalResourceId']} does not exist for stack {stack['name']}"
        )

    def list_stack_resources(self, call: Call) -> Json:
        stack = self._stacks.get(call.params["StackName"])
        found = page(((record["logical_id"], record) for record in records(stack)), call)
        shown = [summary(stack, record) for record in found.items]
        for item in shown:
            del item["StackId"], item["StackName"]
        return {"StackResourceSummaries": shown, **found.next()}

    def get_template(self, call: Call) -> Json:
        if "ChangeSetName" in call.params:
            found = self._stacks.change_set(
                call.params["ChangeSetName"], call.params.get("StackName")
            )
            kept = found["target"]
        else:
            kept = self._stacks.get(call.params["StackName"])
        body = kept.get("template", "")
        if call.params.get("TemplateStage", "Original") == "Original":
            body = kept.get("original") or body
        return {"TemplateBody": body, "StagesAvailable": ["Original", "Processed"]}

    def get_template_summary(self, call: Call) -> Json:
        if "StackName" in call.params:
            kept = self._stacks.get(call.params["StackName"])
            body = kept.get("original") or kept["template"]
        else:
            body = template_body(forward(self._aws, call), call.params)
        template = read(processed(body, [], {}, self._aws.region))
        needed = capabilities(template)
        shown: Json = {
            "Parameters": template_parameters(template),
            "Description": template.description or "",
            "ResourceTypes": sorted({found["Type"] for found in template.resources.values()}),
            "Version": "2010-09-09",
            "DeclaredTransforms": declared(document_of(body)),
        }
        if needed:
            shown |= {"Capabilities": needed, "CapabilitiesReason": "The template has IAM types."}
        return shown

    def validate_template(self, call: Call) -> Json:
        body = template_body(forward(self._aws, call), call.params)
        template = read(processed(body, [], {}, self._aws.region))
        shown: Json = {
            "Parameters": [
                {
                    name: item[source]
                    for name, source in (
                        ("ParameterKey", "ParameterKey"),
                        ("DefaultValue", "DefaultValue"),
                        ("NoEcho", "NoEcho"),
                        ("Description", "Description"),
                    )
                    if source in item
                }
                for item in template_parameters(template)
            ],
            "Description": template.description or "",
            "DeclaredTransforms": declared(document_of(body)),
        }
        if needed := capabilities(template):
            shown |= {"Capabilities": needed, "CapabilitiesReason": "The template has IAM types."}
        return shown

    def list_exports(self, call: Call) -> Json:
        exports = [
            {
                "ExportingStackId": stack["id"],
                "Name": output["ExportName"],
                "Value": output["OutputValue"],
            }
            for stack in self._stacks.all()
            if stack["status"] != GONE
            for output in stack["outputs"]
            if "ExportName" in output
        ]
        found = page(((export["Name"], export) for export in exports), call)
        return {"Exports": found.items, **found.next()}

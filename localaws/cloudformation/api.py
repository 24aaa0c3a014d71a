"""AWS CloudFormation, by an engine of our own: every type is made, or refused by name."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from localaws.cloudformation import change_sets
from localaws.cloudformation.change_sets import check_updatable, same_target
from localaws.cloudformation.custom import PREFIX, Responses
from localaws.cloudformation.engine import Engine
from localaws.cloudformation.plan import plan
from localaws.cloudformation.principals import doing, forward
from localaws.cloudformation.registry import Registry
from localaws.cloudformation.requests import check_name, target_of, template_body
from localaws.cloudformation.shapes import (
    capabilities,
    described,
    listed,
    records,
    resource,
    summary,
    template_parameters,
)
from localaws.cloudformation.stacks import Stacks, now
from localaws.cloudformation.template import invalid, read
from localaws.core.aws import LocalAws
from localaws.core.service import Call, Service

Json = dict[str, Any]
_TEMPLATE = ("StackName", "TemplateBody", "TemplateURL", "Parameters", "Capabilities", "Tags")


def service(aws: LocalAws) -> Service:
    """CloudFormation over the other services of `aws`."""
    cloudformation = Service("cloudformation")
    stacks = Stacks(aws.documents, aws.account, aws.region)
    responses = Responses()
    registry = Registry(responses)
    engine = Engine(aws, stacks, registry)
    cloudformation.routes[PREFIX] = responses.receive
    cloudformation.on_start(engine.recover)
    _register_writes(cloudformation, aws, stacks, engine, registry)
    _register_reads(cloudformation, aws, stacks)
    change_sets.register(cloudformation, aws, stacks, engine, registry)
    return cloudformation


def _register_writes(
    service: Service, aws: LocalAws, stacks: Stacks, engine: Engine, registry: Registry
) -> None:
    @service.operation(
        *("CreateStack", *_TEMPLATE, "DisableRollback", "OnFailure", "ClientRequestToken"),
        *("RoleARN", "EnableTerminationProtection"),
    )
    def create_stack(call: Call) -> Json:
        params = call.params
        check_name(params["StackName"])
        if "OnFailure" in params and "DisableRollback" in params:
            raise invalid("You can specify either DisableRollback or OnFailure, but not both.")
        target = target_of(forward(aws, call), registry, "CreateStack", params, None)
        stack = stacks.new(
            params["StackName"],
            "CREATE_IN_PROGRESS",
            **target.members,
            on_failure="DO_NOTHING" if params.get("DisableRollback") else params.get("OnFailure"),
            protected=params.get("EnableTerminationProtection", False),
            role=params.get("RoleARN"),
            caller=asdict(call.caller),
        )
        stacks.event(stack, "CREATE_IN_PROGRESS", "User Initiated")
        engine.run(engine.create, stack)
        return {"StackId": stack["id"]}

    @service.operation(
        *("UpdateStack", *_TEMPLATE, "UsePreviousTemplate", "DisableRollback", "RoleARN"),
        "ClientRequestToken",
    )
    def update_stack(call: Call) -> Json:
        stack = stacks.get(call.params["StackName"])
        check_updatable(stack)
        target = target_of(forward(aws, call), registry, "UpdateStack", call.params, stack)
        changes = plan(stack, target.members, target.template, aws, registry)
        if not changes and same_target(stack, target.members):
            raise invalid("No updates are to be performed.")
        stack.update(
            next=target.members,
            status="UPDATE_IN_PROGRESS",
            reason="User Initiated",
            updated=now(),
            on_failure="DO_NOTHING" if call.params.get("DisableRollback") else None,
            **doing(stack, call),
        )
        stacks.put(stack)
        stacks.event(stack, "UPDATE_IN_PROGRESS", "User Initiated")
        engine.run(engine.update, stack)
        return {"StackId": stack["id"]}

    @service.operation(
        "DeleteStack", "StackName", "RetainResources", "RoleARN", "ClientRequestToken"
    )
    def delete_stack(call: Call) -> Json:
        stack = stacks.find(call.params["StackName"])
        if stack is None or stack["status"] in ("DELETE_COMPLETE", "DELETE_IN_PROGRESS"):
            return {}
        if stack.get("protected"):
            raise invalid(
                f"Stack [{stack['name']}] cannot be deleted while TerminationProtection is enabled"
            )
        if stack["status"].endswith("_IN_PROGRESS") and stack["status"] != "REVIEW_IN_PROGRESS":
            raise invalid(f"Stack [{stack['name']}] is {stack['status']}; wait until it is done.")
        if "RetainResources" in call.params and stack["status"] != "DELETE_FAILED":
            raise invalid("RetainResources can only be given for a stack that is DELETE_FAILED.")
        stack["retain"] = call.params.get("RetainResources", [])
        stack.update(status="DELETE_IN_PROGRESS", reason="User Initiated", **doing(stack, call))
        for found in stacks.change_sets(stack):
            stacks.delete_change_set(found)
        stacks.put(stack)
        stacks.event(stack, "DELETE_IN_PROGRESS", "User Initiated")
        engine.run(engine.delete, stack)
        return {}

    @service.operation("UpdateTerminationProtection", "StackName", "EnableTerminationProtection")
    def update_termination_protection(call: Call) -> Json:
        stack = stacks.get(call.params["StackName"])
        stack["protected"] = call.params["EnableTerminationProtection"]
        stacks.put(stack)
        return {"StackId": stack["id"]}


def _register_reads(service: Service, aws: LocalAws, stacks: Stacks) -> None:
    @service.operation("DescribeStacks", "StackName", "NextToken")
    def describe_stacks(call: Call) -> Json:
        if "StackName" in call.params:
            return {"Stacks": [described(stacks.get(call.params["StackName"]))]}
        return {
            "Stacks": [
                described(stack) for stack in stacks.all() if stack["status"] != "DELETE_COMPLETE"
            ]
        }

    @service.operation("ListStacks", "NextToken", "StackStatusFilter")
    def list_stacks(call: Call) -> Json:
        wanted = call.params.get("StackStatusFilter")
        found = [stack for stack in stacks.all() if not wanted or stack["status"] in wanted]
        return {"StackSummaries": [listed(stack) for stack in found]}

    @service.operation("DescribeStackEvents", "StackName", "NextToken")
    def describe_stack_events(call: Call) -> Json:
        return {"StackEvents": stacks.events(stacks.get(call.params["StackName"]))}

    @service.operation(
        "DescribeStackResources", "StackName", "LogicalResourceId", "PhysicalResourceId"
    )
    def describe_stack_resources(call: Call) -> Json:
        params = call.params
        if "StackName" in params:
            found = [stacks.get(params["StackName"])]
        else:
            wanted = params.get("PhysicalResourceId")
            found = [
                stack
                for stack in stacks.all()
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

    @service.operation("DescribeStackResource", "StackName", "LogicalResourceId")
    def describe_stack_resource(call: Call) -> Json:
        stack = stacks.get(call.params["StackName"])
        for record in records(stack):
            if record["logical_id"] == call.params["LogicalResourceId"]:
                metadata = {"Metadata": "{}"}
                return {"StackResourceDetail": summary(stack, record) | metadata}
        raise invalid(
            f"Resource {call.params['LogicalResourceId']} does not exist for stack {stack['name']}"
        )

    @service.operation("ListStackResources", "StackName", "NextToken")
    def list_stack_resources(call: Call) -> Json:
        stack = stacks.get(call.params["StackName"])
        shown = [summary(stack, record) for record in records(stack)]
        for item in shown:
            del item["StackId"], item["StackName"]
        return {"StackResourceSummaries": shown}

    @service.operation("GetTemplate", "StackName", "ChangeSetName", "TemplateStage")
    def get_template(call: Call) -> Json:
        if "ChangeSetName" in call.params:
            found = stacks.change_set(call.params["ChangeSetName"], call.params.get("StackName"))
            body = found["target"]["template"]
        else:
            body = stacks.get(call.params["StackName"]).get("template", "")
        return {"TemplateBody": body, "StagesAvailable": ["Original", "Processed"]}

    @service.operation("GetTemplateSummary", "StackName", "TemplateBody", "TemplateURL")
    def get_template_summary(call: Call) -> Json:
        if "StackName" in call.params:
            body = stacks.get(call.params["StackName"])["template"]
        else:
            body = template_body(forward(aws, call), call.params)
        template = read(body)
        needed = capabilities(template)
        shown: Json = {
            "Parameters": template_parameters(template),
            "Description": template.description or "",
            "ResourceTypes": sorted({found["Type"] for found in template.resources.values()}),
            "Version": "2010-09-09",
            "DeclaredTransforms": [],
        }
        if needed:
            shown |= {"Capabilities": needed, "CapabilitiesReason": "The template has IAM types."}
        return shown

    @service.operation("ValidateTemplate", "TemplateBody", "TemplateURL")
    def validate_template(call: Call) -> Json:
        template = read(template_body(forward(aws, call), call.params))
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
            "DeclaredTransforms": [],
        }
        if needed := capabilities(template):
            shown |= {"Capabilities": needed, "CapabilitiesReason": "The template has IAM types."}
        return shown

    @service.operation("ListExports", "NextToken")
    def list_exports(_: Call) -> Json:
        return {
            "Exports": [
                {
                    "ExportingStackId": stack["id"],
                    "Name": output["ExportName"],
                    "Value": output["OutputValue"],
                }
                for stack in stacks.all()
                if stack["status"] != "DELETE_COMPLETE"
                for output in stack["outputs"]
                if "ExportName" in output
            ]
        }

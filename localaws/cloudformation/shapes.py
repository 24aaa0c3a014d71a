"""Stack documents as the API shows them."""

from __future__ import annotations

from localaws.cloudformation.registry import IAM_TYPES
from localaws.cloudformation.template import Template, read
from localaws.shapes import Json

HIDDEN = "****"  # the value of a NoEcho parameter


def shown_parameters(template: Template, stack: Json) -> list[Json]:
    """Of a stack, or of what it shall become; a name in the parameter store with its value."""
    resolved = stack.get("resolved", {})
    return [
        {
            "ParameterKey": name,
            "ParameterValue": HIDDEN
            if str(template.parameters.get(name, {}).get("NoEcho", "")).lower() == "true"
            else value,
            **({"ResolvedValue": resolved[name]} if name in resolved else {}),
        }
        for name, value in stack["parameters"].items()
    ]


def shown_tags(tags: dict[str, str]) -> list[Json]:
    return [{"Key": name, "Value": value} for name, value in tags.items()]


def described(stack: Json) -> Json:
    """A stack in DescribeStacks."""
    shown: Json = {
        "StackId": stack["id"],
        "StackName": stack["name"],
        "CreationTime": stack["created"],
        "StackStatus": stack["status"],
        "DisableRollback": stack.get("on_failure") == "DO_NOTHING",
        "RollbackConfiguration": {},
        "NotificationARNs": [],
        "Capabilities": stack.get("capabilities", []),
        "Outputs": stack["outputs"],
        "Tags": shown_tags(stack["tags"]),
        "Parameters": [],
        "EnableTerminationProtection": stack.get("protected", False),
        "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
    }
    if stack.get("template"):
        template = read(stack["template"])
        shown["Parameters"] = shown_parameters(template, stack)
        if template.description:
            shown["Description"] = template.description
    for member, name in (
        ("reason", "StackStatusReason"),
        ("updated", "LastUpdatedTime"),
        ("deleted", "DeletionTime"),
        ("change_set", "ChangeSetId"),
        ("role", "RoleARN"),
    ):
        if stack.get(member):
            shown[name] = stack[member]
    return shown


def listed(stack: Json) -> Json:
    """A stack in ListStacks."""
    full = described(stack)
    names = (
        *("StackId", "StackName", "CreationTime", "LastUpdatedTime", "DeletionTime"),
        *("StackStatus", "StackStatusReason", "DriftInformation"),
    )
    shown = {name: full[name] for name in names if name in full}
    if "Description" in full:
        shown["TemplateDescription"] = full["Description"]
    return shown


def records(stack: Json) -> list[Json]:
    """The resources there are, and after a delete or rollback those there were."""
    gone = stack.get("gone", {})
    return [
        *stack["resources"].values(),
        *(r for n, r in gone.items() if n not in stack["resources"]),
    ]


def resource(stack: Json, record: Json) -> Json:
    """A resource in DescribeStackResources."""
    shown = {
        "StackName": stack["name"],
        "StackId": stack["id"],
        "LogicalResourceId": record["logical_id"],
        "PhysicalResourceId": record["physical_id"],
        "ResourceType": record["type"],
        "Timestamp": record.get("changed", stack["created"]),
        "ResourceStatus": record.get("status", "CREATE_IN_PROGRESS"),
        "DriftInformation": {"StackResourceDriftStatus": "NOT_CHECKED"},
    }
    if record.get("reason"):
        shown["ResourceStatusReason"] = record["reason"]
    return shown


def summary(stack: Json, record: Json) -> Json:
    """A resource in ListStackResources and DescribeStackResource."""
    shown = resource(stack, record)
    shown["LastUpdatedTimestamp"] = shown.pop("Timestamp")
    return shown


def capabilities(template: Template) -> list[str]:
    kinds = {found["Type"] for found in template.resources.values()}
    return ["CAPABILITY_NAMED_IAM"] if kinds & set(IAM_TYPES) else []


def template_parameters(template: Template) -> list[Json]:
    """Parameters in GetTemplateSummary."""
    shown = []
    for name, about in template.parameters.items():
        item: Json = {
            "ParameterKey": name,
            "ParameterType": about.get("Type", "String"),
            "NoEcho": str(about.get("NoEcho", "")).lower() == "true",
            "ParameterConstraints": {},
        }
        if "Default" in about:
            item["DefaultValue"] = str(about["Default"])
        if "Description" in about:
            item["Description"] = about["Description"]
        if "AllowedValues" in about:
            allowed = [str(value) for value in about["AllowedValues"]]
            item["ParameterConstraints"] = {"AllowedValues": allowed}
        shown.append(item)
    return shown

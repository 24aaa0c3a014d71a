"""A stack's resources as it remembers them: made from the template, in order, and told."""

from __future__ import annotations

from botocore.exceptions import ClientError

from localaws.cloudformation.template import Template
from localaws.cloudformation.values import NO_VALUE, TemplateScope
from localaws.errors import AwsError
from localaws.shapes import Json


def outputs(template: Template, scope: TemplateScope) -> list[Json]:
    """The outputs whose condition holds, as DescribeStacks shows them."""
    found = []
    for name, output in template.outputs.items():
        if "Condition" in output and not scope.condition(output["Condition"]):
            continue
        value = scope.value(output["Value"])
        if value is NO_VALUE:
            continue
        shown = {"OutputKey": name, "OutputValue": str(value)}
        if "Description" in output:
            shown["Description"] = output["Description"]
        if "Export" in output:
            shown["ExportName"] = scope.value(output["Export"]["Name"])
        found.append(shown)
    return found


def reason_of(error: Exception) -> str:
    """What the resource's event says."""
    if isinstance(error, ClientError):
        code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
        return f"{error.operation_name}: {message} ({code})"
    if isinstance(error, AwsError):
        return f"{error.message} ({error.code})"
    if isinstance(error, KeyError):
        return f"Properties validation failed: required key [{error.args[0]}] not found"
    return f"{type(error).__name__}: {error}"


def record_of(template: Template, logical_id: str) -> Json:
    resource = template.resources[logical_id]
    return {
        "logical_id": logical_id,
        "physical_id": "",
        "type": resource["Type"],
        "properties": {},
        "attributes": {},
        "ref": "",
        **policies(template, logical_id),
    }


def policies(template: Template, logical_id: str) -> Json:
    resource = template.resources[logical_id]
    return {
        "depends": template.depends_on(logical_id),
        "deletion_policy": resource.get("DeletionPolicy", "Delete"),
        "replace_policy": resource.get("UpdateReplacePolicy", "Delete"),
    }


def in_order(records: Json) -> list[Json]:
    """Records with each after those it depends on."""
    order: list[Json] = []

    def visit(record: Json) -> None:
        if any(record is done for done in order):
            return
        for other in records.values():
            if other is not record and other["logical_id"] in record["depends"]:
                visit(other)
        order.append(record)

    for record in records.values():
        visit(record)
    return order

"""Change sets of type IMPORT: resources that exist become a stack's, as they are.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources.html
"""

from __future__ import annotations

from localaws.cloudformation.registry import Registry
from localaws.cloudformation.requests import StackTarget
from localaws.cloudformation.stacks import GONE, Stacks
from localaws.cloudformation.template import Template, invalid, read
from localaws.errors import NotEmulated
from localaws.shapes import Json


def imports_of(
    stacks: Stacks, registry: Registry, stack: Json | None, target: StackTarget, given: list[Json]
) -> dict[str, str]:
    """Logical id to the physical id of the resources to import.

    Raises ValidationError for what an import may not do: make or change resources, add outputs,
    take what has no DeletionPolicy or is another stack's.
    """
    template, there = target.template, (stack or {}).get("resources", {})
    before = read(stack["template"]).outputs if stack and stack.get("template") else {}
    if template.outputs != before:
        raise invalid("As part of the import operation, you cannot modify or add [Outputs]")
    named = [one["LogicalResourceId"] for one in given]
    if unknown := sorted(set(named) - set(template.resources)):
        raise invalid(f"Resources {unknown} are missing from the template.")
    if extra := sorted(set(template.resources) - set(named) - set(there)):
        raise invalid(f"Resources {extra} are missing from ResourceToImport list")
    if gone := sorted(set(there) - set(template.resources)):
        raise invalid(f"Resources {gone} cannot be removed by an import.")
    bare = [name for name in named if "DeletionPolicy" not in template.resources[name]]
    if bare:
        raise invalid(
            f"The following resources to import [{', '.join(bare)}] must have DeletionPolicy"
            " attribute specified in the template."
        )
    return {one["LogicalResourceId"]: _physical(stacks, registry, template, one) for one in given}


def _physical(stacks: Stacks, registry: Registry, template: Template, given: Json) -> str:
    kind = template.resources[given["LogicalResourceId"]]["Type"]
    if given["ResourceType"] != kind:
        raise invalid(f"{given['LogicalResourceId']} is {kind}, not {given['ResourceType']}.")
    identifier = registry.provider(kind).identifier
    if identifier is None:
        raise NotEmulated("cloudformation", "CreateChangeSet", f"ResourcesToImport of {kind}")
    if list(given["ResourceIdentifier"]) != [identifier]:
        raise invalid(f"{kind} is identified by {identifier}.")
    physical = str(given["ResourceIdentifier"][identifier])
    for stack in stacks.all():
        owned = [r["physical_id"] for r in stack["resources"].values() if r["type"] == kind]
        if stack["status"] != GONE and physical in owned:
            raise invalid(f"{kind} {physical} is already in stack {stack['id']}.")
    return physical


def imported(template: Template, imports: dict[str, str]) -> list[Json]:
    """The changes as DescribeChangeSet shows them."""
    return [
        {
            "Type": "Resource",
            "ResourceChange": {
                "Action": "Import",
                "LogicalResourceId": logical,
                "PhysicalResourceId": physical,
                "ResourceType": template.resources[logical]["Type"],
                "Scope": [],
                "Details": [],
            },
        }
        for logical, physical in imports.items()
    ]

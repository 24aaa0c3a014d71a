"""What an update would do to each resource: pure, from the stack as it is and a new template."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from localaws.cloudformation.registry import Registry
from localaws.cloudformation.template import Template, check_order, invalid
from localaws.cloudformation.values import TemplateScope, Unknown
from localaws.core.aws import LocalAws
from localaws.shapes import Json


@dataclass(frozen=True)
class Planned:
    """`action`: none, create, update, replace, maybe-replace, remove. `changed`: property names."""

    logical_id: str
    type: str
    action: str
    properties: Json = field(default_factory=dict)
    changed: tuple[str, ...] = ()
    physical_id: str = ""


def pseudo(stack: Json, aws: LocalAws) -> Json:
    """The pseudo parameters of a stack."""
    return {
        "AWS::AccountId": aws.account,
        "AWS::Region": aws.region,
        "AWS::Partition": "aws",
        "AWS::URLSuffix": "amazonaws.com",
        "AWS::StackName": stack["name"],
        "AWS::StackId": stack["id"],
        "AWS::NotificationARNs": [],
    }


def scope_of(stack: Json, template: Template, aws: LocalAws) -> TemplateScope:
    """The names of a stack, whose resources are read from its document as it is at the time."""

    def resource(logical_id: str, attribute: str | None) -> Any:
        record = stack["resources"].get(logical_id)
        if record is None or not record["physical_id"]:
            raise invalid(f"Unresolved resource dependencies [{logical_id}]")
        if attribute is None:
            return record["ref"]
        if attribute not in record["attributes"]:
            raise invalid(
                f"{record['type']} {logical_id} has no attribute {attribute}; it has"
                f" {', '.join(record['attributes']) or 'none'}."
            )
        return record["attributes"][attribute]

    return TemplateScope(template, _parameters(stack), pseudo(stack, aws), resource)


def _parameters(stack: Json) -> Json:
    """What Ref gives of each parameter: of a name in the parameter store, the value there."""
    return stack["parameters"] | stack.get("resolved", {})


def plan_resource(
    stack: Json,
    template: Template,
    scope: TemplateScope,
    registry: Registry,
    logical_id: str,
    old: Json,
) -> Planned:
    """What becomes of a resource that is there."""
    kind = template.resources[logical_id]["Type"]
    properties = scope.value(template.resources[logical_id].get("Properties", {}))
    before = old["properties"]
    changed = tuple(
        name for name in sorted({*properties, *before}) if properties.get(name) != before.get(name)
    )
    if kind != old["type"]:
        return Planned(logical_id, kind, "replace", properties, changed, old["physical_id"])
    retagged = stack["tags"] != old.get("tags", {})
    provider = registry.provider(kind)
    if not changed:
        tagged = retagged and "Tags" in provider.properties
        action = "update" if tagged else "none"
        return Planned(logical_id, kind, action, properties, ("Tags",) if tagged else ())
    must = provider.must_replace(properties, before)
    action = "replace" if must else "update"
    if must and any(_unknown(properties.get(name.split(".")[0])) for name in must):
        action = "maybe-replace"
    return Planned(logical_id, kind, action, properties, changed, old["physical_id"])


def plan(
    stack: Json, target: Json, template: Template, aws: LocalAws, registry: Registry
) -> list[Planned]:
    """The changes that bring `stack` to `target` (its new parameters and tags), in order."""
    planned: dict[str, Planned] = {}
    after = stack | target

    def resource(logical_id: str, attribute: str | None) -> Any:
        record = stack["resources"].get(logical_id)
        found = planned.get(logical_id)
        if record is None or (found is not None and found.action in ("create", "replace")):
            return Unknown(logical_id, attribute)
        changing = registry.provider(record["type"]).changing
        updated = found is not None and found.action != "none"
        if updated and found is not None and found.action == "maybe-replace":
            return Unknown(logical_id, attribute)
        if attribute is None:
            return record["ref"]
        if updated and (attribute in changing or "*" in changing):
            return Unknown(logical_id, attribute)
        return record["attributes"].get(attribute, Unknown(logical_id, attribute))

    scope = TemplateScope(template, _parameters(after), pseudo(stack, aws), resource)
    for logical_id in check_order(template):
        if not scope.included(logical_id):
            continue
        old = stack["resources"].get(logical_id)
        if old is None:
            kind = template.resources[logical_id]["Type"]
            planned[logical_id] = Planned(logical_id, kind, "create")
        else:
            planned[logical_id] = plan_resource(after, template, scope, registry, logical_id, old)
    removed = [
        Planned(logical_id, record["type"], "remove", physical_id=record["physical_id"])
        for logical_id, record in stack["resources"].items()
        if logical_id not in planned
    ]
    return [item for item in [*planned.values(), *removed] if item.action != "none"]


def _unknown(value: Any) -> bool:
    if isinstance(value, Unknown):
        return True
    if isinstance(value, dict):
        return any(_unknown(member) for member in value.values())
    return isinstance(value, list) and any(_unknown(item) for item in value)

"""Which resource types there are, and the check of a template against them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from localaws.cloudformation.custom import CustomResource, Responses
from localaws.cloudformation.provider import Provider
from localaws.cloudformation.providers import (
    athena,
    cloudwatch,
    databrew,
    events,
    functions,
    glue,
    http_api,
    iam,
    messaging,
    s3,
    stepfunctions,
    tools,
)
from localaws.cloudformation.template import Template, function_of, invalid, references
from localaws.cloudformation.values import TemplateScope
from localaws.errors import AwsError, NotEmulated

MODULES = (
    *(s3, iam, glue, databrew, athena, functions, http_api, stepfunctions, events, messaging),
    *(cloudwatch, tools),
)
IAM_TYPES = ("AWS::IAM::Role", "AWS::IAM::ManagedPolicy", "AWS::IAM::Policy")


class Registry:
    """Provider by resource type."""

    def __init__(self, responses: Responses) -> None:
        self._responses = responses
        self.providers: dict[str, Provider] = {
            provider.type: provider for module in MODULES for provider in module.PROVIDERS
        }
        self.providers[CustomResource.type] = CustomResource(responses)

    def get(self, type_name: str) -> Provider | None:
        if type_name.startswith("Custom::"):
            return CustomResource(self._responses, type_name)
        return self.providers.get(type_name)

    def provider(self, type_name: str) -> Provider:
        found = self.get(type_name)
        if found is None:
            raise NotEmulated("cloudformation", "CreateStack", f"resource type {type_name}")
        return found

    def check(self, operation: str, template: Template, scope: TemplateScope) -> None:
        """Refuses, before anything is made, each type, property and attribute we lack."""
        for logical_id, resource in template.resources.items():
            if not scope.included(logical_id):
                continue
            provider = self.get(resource["Type"])
            where = f"Resources.{logical_id}"
            if provider is None:
                raise NotEmulated("cloudformation", operation, f"{where}.Type {resource['Type']}")
            properties = resource.get("Properties", {})
            if not isinstance(provider, CustomResource):
                for path in given_paths(properties, ""):
                    if not _accepted(path, provider.properties):
                        parameter = f"{where}.Properties.{path} ({provider.type})"
                        raise NotEmulated("cloudformation", operation, parameter)
            self._check_attributes(template, where, properties)
        self._check_attributes(template, "Outputs", template.outputs)

    def _check_attributes(self, template: Template, where: str, value: Any) -> None:
        for logical_id, attribute in references(value):
            if attribute is None or logical_id not in template.resources:
                continue
            provider = self.get(template.resources[logical_id]["Type"])
            if provider is None or isinstance(provider, CustomResource):
                continue
            if attribute not in provider.attributes:
                raise invalid(
                    f"Template error: resource {logical_id} ({provider.type}) does not support"
                    f" attribute type {attribute} in Fn::GetAtt ({where}); it has"
                    f" {', '.join(provider.attributes) or 'none'}."
                )

    def check_capabilities(self, template: Template, capabilities: Iterable[str]) -> None:
        """IAM resources need an acknowledgement, named ones a stronger one."""
        given = set(capabilities)
        needed = set()
        for resource in template.resources.values():
            if resource["Type"] in IAM_TYPES:
                provider = self.providers[resource["Type"]]
                named = provider.named_iam and provider.name_property in resource.get(
                    "Properties", {}
                )
                needed.add("CAPABILITY_NAMED_IAM" if named else "CAPABILITY_IAM")
        if "CAPABILITY_NAMED_IAM" in needed:
            needed = {"CAPABILITY_NAMED_IAM"}
        if needed and not needed & given and "CAPABILITY_NAMED_IAM" not in given:
            raise AwsError(
                "InsufficientCapabilitiesException",
                f"Requires capabilities : [{', '.join(sorted(needed))}]",
            )


def given_paths(value: Any, path: str) -> Iterator[str]:
    """Dotted paths of the properties that carry a value; lists are transparent."""
    function = function_of(value)
    if function == "Fn::If" and isinstance(value[function], list):
        for branch in value[function][1:]:
            yield from given_paths(branch, path)
    elif function is None and isinstance(value, dict) and value:
        for name, member in value.items():
            yield from given_paths(member, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list) and value:
        for member in value:
            yield from given_paths(member, path)
    elif path:
        yield path


def _accepted(path: str, properties: tuple[str, ...]) -> bool:
    names = path.split(".")
    return any(".".join(names[:depth]) in properties for depth in range(1, len(names) + 1)) or any(
        name.startswith(path + ".") for name in properties
    )

"""Reading a template: JSON, or YAML with the short forms of the intrinsic functions."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from localaws.errors import AwsError, NotEmulated
from localaws.shapes import Json

SECTIONS = {
    *("AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Mappings"),
    *("Conditions", "Resources", "Outputs", "Transform", "Rules", "Hooks"),
}
RESOURCE_MEMBERS = {
    *("Type", "Properties", "DependsOn", "Condition", "DeletionPolicy", "UpdateReplacePolicy"),
    *("Metadata", "CreationPolicy", "UpdatePolicy"),
}
FUNCTIONS = {
    *("Ref", "Fn::GetAtt", "Fn::Sub", "Fn::Join", "Fn::If", "Fn::Equals", "Fn::And", "Fn::Or"),
    *("Fn::Not", "Fn::Select", "Fn::Split", "Fn::FindInMap", "Fn::Base64"),
}
POLICIES = ("Delete", "Retain", "RetainExceptOnCreate")
PSEUDO = {
    *("AWS::AccountId", "AWS::Region", "AWS::Partition", "AWS::StackName", "AWS::StackId"),
    *("AWS::URLSuffix", "AWS::NoValue", "AWS::NotificationARNs"),
}


# docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
LONGEST_BYTES = 1_000_000
MOST = {"Resources": 500, "Parameters": 200, "Mappings": 200, "Outputs": 200}
DEEPEST = 100  # ours: sections, properties and functions in one another; JSON and YAML


def invalid(message: str) -> AwsError:
    """The error CloudFormation gives for a template or parameter that is wrong."""
    return AwsError("ValidationError", message)


@dataclass(frozen=True)
class Template:
    """A parsed template whose references have been checked."""

    body: str
    description: str | None
    parameters: Json
    mappings: Json
    conditions: Json
    resources: Json
    outputs: Json
    metadata: Json = field(default_factory=dict)
    rules: Json = field(default_factory=dict)

    def depends_on(self, logical_id: str) -> list[str]:
        """The resources that must be there before this one, in the order of the template."""
        resource = self.resources[logical_id]
        explicit = resource.get("DependsOn", [])
        named = set([explicit] if isinstance(explicit, str) else explicit)
        for name, _ in references(resource.get("Properties", {})):
            if name in self.resources:
                named.add(name)
        return [name for name in self.resources if name in named]


class _Loader(yaml.CSafeLoader):
    """YAML 1.1 without dates: `Version: 2012-10-17` is text."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, expression) for tag, expression in resolvers if not tag.endswith(":timestamp")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _short_form(loader: _Loader, suffix: str, node: yaml.Node) -> Any:
    """`!Sub x` is `{"Fn::Sub": x}`; `!GetAtt a.b` is `{"Fn::GetAtt": ["a", "b"]}`."""
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    if suffix in ("Ref", "Condition"):
        return {suffix: value}
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_form)


@functools.lru_cache(maxsize=16)
def read(body: str) -> Template:
    """Parses and checks a template body. Raises ValidationError or NotEmulated.

    Whoever follows a stack asks for it ten times a second: the same body is read once, and what
    comes back is not to be changed.
    """
    document = document_of(body)
    unknown = sorted(set(document) - SECTIONS)
    if unknown:
        raise invalid(f"Invalid template property or properties {unknown}")
    for section in ("Transform", "Hooks"):
        if section in document:
            raise NotEmulated("cloudformation", "CreateStack", f"TemplateBody.{section}")
    for section, most in MOST.items():
        held = document.get(section)
        count = len(held) if isinstance(held, dict) else 0
        if count > most:
            raise invalid(
                f"Template format error: Number of {section.lower()}, {count}, is greater than"
                f" maximum allowed, {most}"
            )
    resources = document.get("Resources")
    if not isinstance(resources, dict) or not resources:
        raise invalid("At least one Resources member must be defined.")
    template = Template(
        body=body,
        description=document.get("Description"),
        parameters=document.get("Parameters") or {},
        mappings=document.get("Mappings") or {},
        conditions=document.get("Conditions") or {},
        resources=resources,
        outputs=document.get("Outputs") or {},
        metadata=document.get("Metadata") or {},
        rules=document.get("Rules") or {},
    )
    _check(template)
    return template


def document_of(body: str) -> Json:
    """The sections of a template, as they stand. Raises ValidationError."""
    if len(body.encode()) > LONGEST_BYTES:
        raise invalid(f"Template may not exceed {LONGEST_BYTES} bytes in size.")
    try:
        document = _json(body) if body.lstrip().startswith("{") else _yaml(body)
    except (ValueError, yaml.YAMLError) as error:
        raise invalid(f"Template format error: {error}") from error
    if not isinstance(document, dict):
        raise invalid("Template format error: the template is no mapping of sections.")
    return document


def _json(body: str) -> Any:
    try:
        document = json.loads(body)
    except RecursionError:
        raise _too_deep() from None
    level = [document]
    for _ in range(DEEPEST):
        level = [
            inner
            for value in level
            if isinstance(value, dict | list)
            for inner in (value.values() if isinstance(value, dict) else value)
        ]
    if level:
        raise _too_deep()
    return document


def _yaml(body: str) -> Any:
    """Depth and aliases are looked at in the parser's events, before anything is built of them."""
    depth = 0
    for event in yaml.parse(body, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise invalid(
                "Template error: YAML aliases are not allowed in CloudFormation templates"
            )
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEEPEST:
            raise _too_deep()
    return yaml.load(body, _Loader)


def _too_deep() -> AwsError:
    return invalid(f"Template format error: it is nested more than {DEEPEST} levels deep.")


def _check(template: Template) -> None:
    for name, resource in template.resources.items():
        if not isinstance(resource, dict) or not isinstance(resource.get("Type"), str):
            raise invalid(f"Template format error: [/Resources/{name}] has no Type.")
        _check_policies(name, resource)
        _check_resource(template, name, resource)
    for name, output in template.outputs.items():
        if not isinstance(output, dict) or "Value" not in output:
            raise invalid(f"Template format error: [/Outputs/{name}] has no Value.")
        _check_references(template, f"Outputs/{name}", output)
    check_order(template)


def _check_policies(name: str, resource: Json) -> None:
    for member in ("CreationPolicy", "UpdatePolicy"):
        if member in resource:
            raise NotEmulated("cloudformation", "CreateStack", f"Resources.{name}.{member}")
    for member in ("DeletionPolicy", "UpdateReplacePolicy"):
        policy = resource.get(member, "Delete")
        if policy == "Snapshot" or not isinstance(policy, str):
            raise NotEmulated("cloudformation", "CreateStack", f"Resources.{name}.{member}")
        if policy not in POLICIES:
            raise invalid(f"{member} of {name} is {policy!r}; it takes {', '.join(POLICIES)}.")


def _check_resource(template: Template, name: str, resource: Json) -> None:
    unknown = sorted(set(resource) - RESOURCE_MEMBERS)
    if unknown:
        raise invalid(f"Invalid template resource property {unknown[0]!r} of {name}")
    condition = resource.get("Condition")
    if condition is not None and condition not in template.conditions:
        raise invalid(f"Template format error: Unresolved condition {condition} of {name}")
    depends = resource.get("DependsOn", [])
    for other in [depends] if isinstance(depends, str) else depends:
        if other not in template.resources:
            raise invalid(f"Unresolved resource dependencies [{other}] in DependsOn of {name}")
    _check_references(template, f"Resources/{name}", resource.get("Properties", {}))


def _check_references(template: Template, where: str, value: Any) -> None:
    for name, attribute in references(value):
        if name in template.resources:
            continue
        if attribute is not None or (name not in template.parameters and name not in PSEUDO):
            raise invalid(
                f"Template error: unresolved resource dependencies [{name}] in the {where} block"
                " of the template"
            )


def check_order(template: Template) -> list[str]:
    """The logical ids, each after those it depends on. Raises for a circle, naming it."""
    order: list[str] = []
    open_ids: list[str] = []

    def visit(name: str) -> None:
        if name in order:
            return
        if name in open_ids:
            circle = [*open_ids[open_ids.index(name) :], name]
            raise invalid(f"Circular dependency between resources: {' -> '.join(circle)}")
        open_ids.append(name)
        for other in template.depends_on(name):
            visit(other)
        open_ids.pop()
        order.append(name)

    for name in template.resources:
        visit(name)
    return order


def function_of(value: Any) -> str | None:
    """The intrinsic function that a template value calls; None for plain data."""
    if isinstance(value, dict) and len(value) == 1:
        name = str(next(iter(value)))
        if name == "Ref" or name.startswith("Fn::"):
            return name
    return None


def references(value: Any) -> Iterator[tuple[str, str | None]]:
    """(logical id or parameter, attribute or None) of everything that a value refers to.

    Raises NotEmulated for a function that is not done here.
    """
    name = function_of(value)
    if name is not None and name not in FUNCTIONS:
        raise NotEmulated("cloudformation", "CreateStack", f"TemplateBody {name}")
    if name == "Ref":
        yield str(value["Ref"]), None
    elif name == "Fn::GetAtt":
        yield get_att(value["Fn::GetAtt"])
    elif name == "Fn::Sub":
        text, names = sub_parts(value["Fn::Sub"])
        for part in placeholders(text):
            if part not in names:
                logical_id, dot, attribute = part.partition(".")
                yield logical_id, attribute if dot else None
        yield from references(list(names.values()))
    elif name == "Fn::FindInMap":
        yield from references(value[name][1:])
    elif isinstance(value, dict):
        for member in value.values():
            yield from references(member)
    elif isinstance(value, list):
        for member in value:
            yield from references(member)
    elif isinstance(value, str) and "{{resolve:" in value:
        raise NotEmulated("cloudformation", "CreateStack", "dynamic reference", value)


def get_att(argument: Any) -> tuple[str, str]:
    """Logical id and attribute of a Fn::GetAtt."""
    parts = argument.split(".", 1) if isinstance(argument, str) else argument
    if not (isinstance(parts, list) and len(parts) == 2 and all(isinstance(p, str) for p in parts)):
        raise invalid(f"Template error: every Fn::GetAtt has two texts, not {argument!r}")
    return parts[0], parts[1]


def sub_parts(argument: Any) -> tuple[str, Json]:
    """Text and own names of a Fn::Sub."""
    if isinstance(argument, str):
        return argument, {}
    if isinstance(argument, list) and len(argument) == 2 and isinstance(argument[1], dict):
        return str(argument[0]), argument[1]
    raise invalid("Template error: One or more Fn::Sub intrinsic functions don't specify a text.")


def placeholders(text: str) -> Iterator[str]:
    """The names in `${...}`; `${!x}` is the text `${x}`."""
    for piece in text.split("${")[1:]:
        name, closing, _ = piece.partition("}")
        if not closing:
            raise invalid(f"Template error: a ${{ is not closed in {text!r}")
        if not name.startswith("!"):
            yield name.strip()

"""Working out template values: parameters, conditions, intrinsic functions."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from localaws.cloudformation.template import (
    Template,
    function_of,
    get_att,
    invalid,
    sub_parts,
)
from localaws.errors import NotEmulated
from localaws.expressions import BadExpression, Expression
from localaws.shapes import Json

STORED = re.compile(r"AWS::SSM::Parameter::Value<(.+)>")  # the value is a parameter's name
PARAMETER_TYPES = (
    *("String", "Number", "CommaDelimitedList", "List<Number>", "List<String>"),
    *("AWS::SSM::Parameter::Name", "AWS::SSM::Parameter::Value<String>"),
    *("AWS::SSM::Parameter::Value<List<String>>", "AWS::SSM::Parameter::Value<CommaDelimitedList>"),
)
PLAIN = ("String", "Number", "AWS::SSM::Parameter::Name", "AWS::SSM::Parameter::Value<String>")
PARAMETER_MEMBERS = {
    *("Type", "Default", "AllowedValues", "AllowedPattern", "ConstraintDescription", "NoEcho"),
    *("Description", "MinLength", "MaxLength", "MinValue", "MaxValue"),
}


class _NoValue:
    """What AWS::NoValue gives: the member that has it is left out."""


NO_VALUE = _NoValue()


@dataclass(frozen=True)
class Unknown:
    """A value that will be known when the resource has been made; only plans have them."""

    logical_id: str
    attribute: str | None


def parameter_values(template: Template, given: list[Json], previous: dict[str, str]) -> Json:
    """The text of every parameter. Raises ValidationError naming parameter, value and rule."""
    by_key = {item["ParameterKey"]: item for item in given}
    unknown = sorted(set(by_key) - set(template.parameters))
    if unknown:
        raise invalid(f"Parameters: {unknown} do not exist in the template")
    values = {}
    missing = []
    for name, about in template.parameters.items():
        item = by_key.get(name, {})
        if item.get("UsePreviousValue"):
            if name not in previous:
                raise invalid(f"Parameter {name} has no previous value.")
            values[name] = previous[name]
        elif "ParameterValue" in item:
            values[name] = str(item["ParameterValue"])
        elif "Default" in about:
            default = about["Default"]
            values[name] = (
                ",".join(map(_text, default)) if isinstance(default, list) else _text(default)
            )
        else:
            missing.append(name)
            continue
        _check_parameter(name, about, values[name])
    if missing:
        raise invalid(f"Parameters: {missing} must have values")
    return values


def stored_values(template: Template, values: Json, look_up: Callable[[str], str]) -> Json:
    """The values that stand in the parameter store, by the template's name of each.

    `look_up` gives the value of one there. Raises ValidationError where there is none.
    """
    found = {}
    for name, about in template.parameters.items():
        if STORED.fullmatch(str(about.get("Type"))):
            found[name] = look_up(values[name])
    return found


def _fits(name: str, pattern: str, value: str) -> bool:
    try:
        return Expression(pattern).fullmatch(value) is not None
    except BadExpression as error:
        raise invalid(f"AllowedPattern of the parameter {name}: {error}") from None


def _check_parameter(name: str, about: Json, value: str) -> None:
    kind = about.get("Type")
    if kind not in PARAMETER_TYPES:
        raise NotEmulated("cloudformation", "CreateStack", f"Parameters.{name}.Type {kind}")
    unknown = sorted(set(about) - PARAMETER_MEMBERS)
    if unknown:
        raise invalid(f"Invalid template parameter property {unknown[0]!r} of {name}")
    explanation = about.get("ConstraintDescription")
    items = [value] if kind in PLAIN else [item.strip() for item in value.split(",")]
    if "AllowedValues" in about:
        allowed = [_text(item) for item in about["AllowedValues"]]
        for item in items:
            if item not in allowed:
                raise invalid(
                    (
                        explanation
                        and f"Parameter {name} failed to satisfy constraint: {explanation}"
                    )
                    or f"Parameter {name} is {item!r}; it takes one of {', '.join(allowed)}."
                )
    if "AllowedPattern" in about and not _fits(name, str(about["AllowedPattern"]), value):
        raise invalid(
            f"Parameter {name} failed to satisfy constraint:"
            f" {explanation or 'must match pattern ' + str(about['AllowedPattern'])}"
        )
    if kind in ("Number", "List<Number>"):
        for item in items:
            try:
                number = float(item)
            except ValueError as error:
                raise invalid(f"Parameter {name} is {item!r}, which is no number.") from error
            if (
                not float(about.get("MinValue", "-inf"))
                <= number
                <= float(about.get("MaxValue", "inf"))
            ):
                raise invalid(
                    f"Parameter {name} is {item}; it goes from {about.get('MinValue', 'any')}"
                    f" to {about.get('MaxValue', 'any')}."
                )
    elif kind == "String" and not (
        int(about.get("MinLength", 0)) <= len(value) <= int(about.get("MaxLength", 1 << 30))
    ):
        raise invalid(
            f"Parameter {name} has {len(value)} characters; it takes"
            f" {about.get('MinLength', 0)} to {about.get('MaxLength', 'any number')}."
        )


@dataclass
class TemplateScope:
    """What names mean while a template is worked out.

    `resource` gives Ref (attribute None) and GetAtt of a resource of the stack.
    """

    template: Template
    parameters: Json
    pseudo: Json
    resource: Callable[[str, str | None], Any]

    def __post_init__(self) -> None:
        self.conditions: dict[str, bool] = {}
        for name in self.template.conditions:
            self.condition(name, ())

    def condition(self, name: str, above: tuple[str, ...] = ()) -> bool:
        """Whether a condition of the template holds."""
        if name not in self.conditions:
            if name not in self.template.conditions or name in above:
                raise invalid(f"Template format error: Unresolved condition {name}")
            outcome = self._test(self.template.conditions[name], (*above, name))
            self.conditions[name] = outcome
        return self.conditions[name]

    def included(self, logical_id: str) -> bool:
        """Whether the resource's condition holds."""
        condition = self.template.resources[logical_id].get("Condition")
        return condition is None or self.condition(condition)

    def _test(self, value: Any, above: tuple[str, ...]) -> bool:
        if isinstance(value, dict) and len(value) == 1:
            name, argument = next(iter(value.items()))
            if name == "Condition":
                return self.condition(argument, above)
            if name == "Fn::Equals":
                left, right = (self.value(item) for item in argument)
                return bool(_text(left) == _text(right))
            if name == "Fn::Not":
                return not self._test(argument[0], above)
            if name == "Fn::And":
                return all(self._test(item, above) for item in argument)
            if name == "Fn::Or":
                return any(self._test(item, above) for item in argument)
        raise invalid(f"Template error: {value!r} is no condition.")

    def value(self, value: Any) -> Any:
        """The value with every function worked out; NO_VALUE members are gone."""
        function = function_of(value)
        if function is not None:
            work = FUNCTIONS.get(function)
            if work is None:
                raise NotEmulated("cloudformation", "CreateStack", f"TemplateBody {function}")
            return work(self, value[function])
        if isinstance(value, dict):
            members = {name: self.value(member) for name, member in value.items()}
            return {name: item for name, item in members.items() if item is not NO_VALUE}
        if isinstance(value, list):
            return [item for item in map(self.value, value) if item is not NO_VALUE]
        return value

    def ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in self.pseudo:
            return self.pseudo[name]
        if name in self.template.parameters:
            return self.parameter(name)
        return self.resource(name, None)

    def parameter(self, name: str) -> Any:
        text = self.parameters[name]
        if self.template.parameters[name]["Type"] in PLAIN:
            return text
        return [item.strip() for item in text.split(",")]

    def sub(self, argument: Any) -> Any:
        text, names = sub_parts(argument)
        head, *pieces = text.split("${")
        result = [head]
        for piece in pieces:
            name, _, tail = piece.partition("}")
            if name.startswith("!"):
                result.append("${" + name[1:] + "}" + tail)
                continue
            name = name.strip()
            if name in names:
                found = self.value(names[name])
            elif "." in name and name not in self.template.parameters:
                found = self.resource(*name.split(".", 1))
            else:
                found = self.ref(name)
            if isinstance(found, Unknown):
                return found
            result.append(_text(found) + tail)
        return "".join(result)

    def join(self, argument: Any) -> Any:
        if not (isinstance(argument, list) and len(argument) == 2):
            raise invalid("Template error: every Fn::Join object requires two parameters.")
        items = self.value(argument[1])
        if isinstance(items, Unknown):
            return items
        if not isinstance(items, list):
            raise invalid(f"Template error: Fn::Join takes a list, not {items!r}.")
        for item in items:
            if isinstance(item, Unknown):
                return item
        return str(argument[0]).join(_text(item) for item in items)

    def choose(self, argument: Any) -> Any:
        if not (isinstance(argument, list) and len(argument) == 3):
            raise invalid("Template error: Fn::If takes [condition, value, other value].")
        return self.value(argument[1] if self.condition(argument[0]) else argument[2])

    def select(self, argument: Any) -> Any:
        index, items = self.value(argument[0]), self.value(argument[1])
        if isinstance(items, Unknown):
            return items
        try:
            return items[int(index)] if int(index) >= 0 else items[len(items)]
        except (IndexError, ValueError, TypeError) as error:
            raise invalid(
                f"Template error: Fn::Select cannot select nonexistent value at index {index}"
            ) from error

    def split(self, argument: Any) -> Any:
        text = self.value(argument[1])
        return text if isinstance(text, Unknown) else _text(text).split(str(argument[0]))

    def find_in_map(self, argument: Any) -> Any:
        if not (isinstance(argument, list) and len(argument) == 3):
            raise invalid("Template error: Fn::FindInMap takes [map, key, second key].")
        name, first, second = (self.value(item) for item in argument)
        try:
            return self.template.mappings[name][_text(first)][_text(second)]
        except KeyError as error:
            raise invalid(
                f"Template error: Unable to get mapping for {name}::{first}::{second}"
            ) from error

    def base64(self, argument: Any) -> Any:
        text = self.value(argument)
        return text if isinstance(text, Unknown) else base64.b64encode(text.encode()).decode()


def _no_condition_here(_: TemplateScope, __: Any) -> Any:
    raise invalid("Template error: a condition function stands outside Conditions.")


FUNCTIONS: dict[str, Callable[[TemplateScope, Any], Any]] = {
    "Ref": TemplateScope.ref,
    "Fn::GetAtt": lambda scope, argument: scope.resource(*get_att(argument)),
    "Fn::Sub": TemplateScope.sub,
    "Fn::Join": TemplateScope.join,
    "Fn::If": TemplateScope.choose,
    "Fn::Select": TemplateScope.select,
    "Fn::Split": TemplateScope.split,
    "Fn::FindInMap": TemplateScope.find_in_map,
    "Fn::Base64": TemplateScope.base64,
    "Fn::Equals": _no_condition_here,
    "Fn::And": _no_condition_here,
    "Fn::Or": _no_condition_here,
    "Fn::Not": _no_condition_here,
}


def _text(value: Any) -> str:
    """As CloudFormation writes numbers and booleans where a text is wanted."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)

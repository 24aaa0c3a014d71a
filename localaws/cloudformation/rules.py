"""A template's Rules: assertions about its parameters, checked before anything is made.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/rules-section-structure.html
"""

from __future__ import annotations

from typing import Any

from localaws.cloudformation.template import Template, invalid
from localaws.cloudformation.values import TemplateScope
from localaws.errors import NotEmulated
from localaws.shapes import Json


def check_rules(template: Template, scope: TemplateScope) -> None:
    """Raises ValidationError with the description of the first assertion that does not hold."""
    for name, rule in template.rules.items():
        if "RuleCondition" in rule and not _holds(scope, rule["RuleCondition"]):
            continue
        for assertion in rule.get("Assertions", []):
            if not _holds(scope, assertion.get("Assert")):
                about = assertion.get("AssertDescription", "it does not hold")
                raise invalid(f"Template validation error: Rule {name}: {about}")


def _holds(scope: TemplateScope, value: Any) -> bool:
    if not (isinstance(value, dict) and len(value) == 1):
        raise invalid(f"Template validation error: {value!r} is no assertion of a rule.")
    function, argument = next(iter(value.items()))
    if function == "Fn::And":
        return all(_holds(scope, item) for item in argument)
    if function == "Fn::Or":
        return any(_holds(scope, item) for item in argument)
    if function == "Fn::Not":
        return not _holds(scope, argument[0])
    if function not in COMPARISONS:
        raise NotEmulated("cloudformation", "CreateStack", f"TemplateBody.Rules {function}")
    left, right = (scope.value(item) for item in argument)
    return COMPARISONS[function](left, right)


def _each_is_in(values: Any, allowed: Any) -> bool:
    return set(values) <= set(allowed)


COMPARISONS: Json = {
    "Fn::Equals": lambda left, right: str(left) == str(right),
    "Fn::Contains": lambda values, value: value in values,
    "Fn::EachMemberEquals": lambda values, value: all(item == value for item in values),
    "Fn::EachMemberIn": _each_is_in,
}

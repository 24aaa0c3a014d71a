"""A policy document, compiled: statements that know whether they match a request.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from localaws.identity.policy.conditions import (
    Condition,
    IsNull,
    PolicyError,
    compile_conditions,
    listed,
)
from localaws.identity.policy.patterns import ArnPattern
from localaws.identity.policy.principals import Principals
from localaws.identity.policy.request import Context, Request
from localaws.shapes import Json
from localaws.wildcards import expression, pieces

VARIABLES = "2012-10-17"  # the version of the language that has them


@dataclass(frozen=True)
class Statement:
    """One statement. `number` counts from 0 in its document; `text` is the statement as JSON."""

    sid: str | None
    number: int
    allows: bool
    text: str
    actions: re.Pattern[str]
    not_actions: bool
    resources: tuple[ArnPattern, ...]
    not_resources: bool
    principals: Principals | None
    conditions: tuple[Condition | IsNull, ...]

    def matches(self, request: Request) -> bool:
        """Whether it speaks of the request; whose it is, is the principals' question."""
        return (
            self.covers_action(request.action)
            and self._covers(request.resource, request.context)
            and all(condition.holds(request.context) for condition in self.conditions)
        )

    def covers_action(self, action: str) -> bool:
        """Action names have no case."""
        return (self.actions.fullmatch(action.lower()) is not None) != self.not_actions

    def _covers(self, resource: str, context: Context) -> bool:
        if not self.resources:  # a trust policy: it stands on the role that it speaks of
            return True
        found = any(pattern.matches(resource, context) for pattern in self.resources)
        return found != self.not_resources


@dataclass(frozen=True)
class Policy:
    """A compiled document. `name` is for people: an inline policy's name, or an ARN."""

    name: str
    statements: tuple[Statement, ...]

    def without(self, number: int) -> Policy:
        """The policy as if the statement of this number were not there."""
        kept = tuple(one for one in self.statements if one.number != number)
        return Policy(self.name, kept)


@lru_cache(maxsize=2048)
def compile_policy(name: str, text: str) -> Policy:
    """Reads a document. Raises PolicyError."""
    try:
        document = json.loads(text)
    except ValueError as error:
        raise PolicyError(f"The policy {name} is no JSON.") from error
    if not isinstance(document, dict):
        raise PolicyError(f"The policy {name} is no JSON object.")
    variables = document.get("Version") == VARIABLES
    statements = listed(document.get("Statement", []))
    return Policy(
        name,
        tuple(_statement(given, number, variables) for number, given in enumerate(statements)),
    )


def _statement(given: Json, number: int, variables: bool) -> Statement:
    effect = given.get("Effect")
    if effect not in ("Allow", "Deny"):
        raise PolicyError(f"A statement's Effect is Allow or Deny, not {effect!r}.")
    actions, not_actions = _either(given, "Action")
    resources, not_resources = _either(given, "Resource")
    if not actions:
        raise PolicyError("A statement has an Action or a NotAction.")
    principals = None
    if "Principal" in given or "NotPrincipal" in given:
        principals = Principals.read(*_either_raw(given, "Principal"))
    return Statement(
        sid=given.get("Sid"),
        number=number,
        allows=effect == "Allow",
        text=json.dumps(given),
        actions=action_pattern(actions),
        not_actions=not_actions,
        resources=tuple(ArnPattern(text, variables=variables) for text in resources),
        not_resources=not_resources,
        principals=principals,
        conditions=compile_conditions(given.get("Condition"), variables),
    )


def _either(given: Json, element: str) -> tuple[list[str], bool]:
    value, negated = _either_raw(given, element)
    return ([] if value is None else [str(one) for one in listed(value)]), negated


def _either_raw(given: Json, element: str) -> tuple[Any, bool]:
    """The element, or its negation; a statement has one of them."""
    if element in given and f"Not{element}" in given:
        raise PolicyError(f"A statement has {element} or Not{element}, not both.")
    if f"Not{element}" in given:
        return given[f"Not{element}"], True
    return given.get(element), False


def action_pattern(actions: list[str]) -> re.Pattern[str]:
    """What the names of the actions match, in lower case."""
    return re.compile("|".join(expression(pieces(action.lower())) for action in actions))

"""What an operation is authorised as: AWS's actions, on AWS's resources."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from infrastructure import template
from localaws.core.aws import LocalAws
from localaws.identity.actions.asked import Place
from localaws.identity.actions.table import PREFIXES, asked, authorization

CASES = json.loads((Path(__file__).parents[1] / "cases" / "iam_actions.json").read_text())
PLACE = Place("us-east-1", "123456789012")


class Anything(dict[str, Any]):
    """Parameters of which those are there that cannot be left out."""

    def __missing__(self, name: str) -> str:
        return "x"


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['call']} {case['why']}")
def test_an_operation_asks_for(case: dict[str, Any]) -> None:
    service, operation = case["call"].split(":")
    found = [
        [one.action, one.resource, *([one.keys] if one.keys else [])]
        for one in asked(service, operation, case["params"], PLACE)
    ]
    expected = [[*one[:2], *one[2:]] for one in case["asks"]]
    assert json.loads(json.dumps(found)) == expected


def test_every_operation_asks_for_actions_that_aws_has(aws: LocalAws) -> None:
    """Of the whole support matrix; a new operation that has an action of another name is found."""
    unknown = []
    for service in aws.gateway.services.values():
        prefix = PREFIXES.get(service.name, service.name)
        known = {name.lower() for name in authorization().get(prefix, {})}
        for operation in service.operations:
            for one in asked(service.name, operation, Anything(), PLACE):
                name = one.action.partition(":")[2]
                if name.lower() not in known and service.name != "apigatewayv2":
                    unknown.append(one.action)
    assert unknown == []


def test_the_product_grants_an_action_without_a_resource_on_all() -> None:
    """Such an action is asked on `*`: a name in its statement would allow nothing."""
    wrong = [
        f"{role}: {action}"
        for role, one in template.template()["Resources"].items()
        if one["Type"] == "AWS::IAM::Role"
        for policy in one["Properties"]["Policies"]
        for statement in policy.get("Fn::If", [0, policy])[1]["PolicyDocument"]["Statement"]
        for action in statement["Action"]
        if takes_no_resource(action) and statement["Resource"] != ["*"]
    ]
    assert wrong == []


def takes_no_resource(action: str) -> bool:
    prefix, _, name = action.partition(":")
    actions = authorization().get(prefix, {})
    return name in actions and actions[name] is None

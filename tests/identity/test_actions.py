"""What an operation is authorised as: AWS's actions, on AWS's resources."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import create_loader
from botocore.model import ServiceModel

from infrastructure import template
from localaws import support
from localaws.core.aws import LocalAws
from localaws.identity.actions.asked import Place
from localaws.identity.actions.passing import PASSES
from localaws.identity.actions.table import asked, authorization

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
        for operation in service.operations:
            for one in asked(service.name, operation, Anything(), PLACE):
                prefix, _, name = one.action.partition(":")
                known = {name.lower() for name in authorization().get(prefix, {})}
                if name.lower() not in known and service.name != "apigatewayv2":
                    unknown.append(one.action)
    assert unknown == []


HANDS_NO_ROLE_OVER = {("sts", "AssumeRole")}  # its caller takes the role on


def roles_within(shape: Any, path: str = "") -> Iterator[str]:
    """The members that name a role by its ARN, as PASSES writes them."""
    if shape.type_name == "list":
        yield from roles_within(shape.member, path)
    elif shape.type_name == "structure":
        for name, member in shape.members.items():
            yield from roles_within(member, f"{path}.{name}" if path else name)
    elif path.lower().endswith(("role", "rolearn", "credentialsarn")):
        yield path


def test_whatever_takes_a_role_asks_whether_it_may_be_passed(aws: LocalAws) -> None:
    """A new operation, or a parameter that is taken from now on, is found."""
    found, loader = {}, create_loader()
    services = aws.gateway.services.values()
    models = {
        one.name: ServiceModel(loader.load_service_model(one.name, "service-2")) for one in services
    }
    for row in support.matrix(services):
        shape = models[row.service].operation_model(row.operation).input_shape
        for path in roles_within(shape) if shape is not None else ():
            if any(path == taken or path.startswith(f"{taken}.") for taken in row.takes):
                found[row.service, row.operation] = path
    assert {call: path for call, (path, _) in PASSES.items()} == {
        call: path for call, path in found.items() if call not in HANDS_NO_ROLE_OVER
    }


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

"""In whose name a stack's resources are made."""

from __future__ import annotations

from dataclasses import asdict

from localaws.core.aws import LocalAws
from localaws.core.service import Call
from localaws.identity.caller import Caller, root
from localaws.shapes import Json

CLOUDFORMATION = "cloudformation.amazonaws.com"
SESSION = "AWSCloudFormation"


def acting(aws: LocalAws, stack: Json) -> LocalAws:
    """The AWS as the stack's role sees it, or, without one, as who asked for the operation does.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-iam-servicerole.html
    """
    if stack.get("role"):
        name = stack.get("name", "*")
        source = f"arn:aws:cloudformation:{aws.region}:{aws.account}:stack/{name}/*"
        return aws.acting_as_role(stack["role"], SESSION, CLOUDFORMATION, source)
    caller = Caller.read(stack["caller"]) if "caller" in stack else root(aws.account)
    return aws.acting(caller.on_behalf(CLOUDFORMATION))


def forward(aws: LocalAws, call: Call) -> LocalAws:
    """The AWS as the caller sees it, through CloudFormation: for reading a template."""
    return aws.acting(call.caller.on_behalf(CLOUDFORMATION))


def doing(stack: Json, call: Call) -> Json:
    """Members of the stack that say in whose name the operation runs. A role stays a stack's until
    another one is given."""
    return {
        "role": call.params.get("RoleARN") or stack.get("role"),
        "caller": asdict(call.caller),
    }

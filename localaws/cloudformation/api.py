"""AWS CloudFormation, by an engine of our own: every type is made, or refused by name."""

from __future__ import annotations

from localaws.cloudformation.change_sets import ChangeSets
from localaws.cloudformation.custom import PREFIX, Responses
from localaws.cloudformation.drift import Drift
from localaws.cloudformation.engine import StackEngine
from localaws.cloudformation.reads import StackReads
from localaws.cloudformation.registry import Registry
from localaws.cloudformation.requests import check_options
from localaws.cloudformation.stacks import Stacks
from localaws.cloudformation.writes import StackWrites
from localaws.core.aws import LocalAws
from localaws.core.service import Service

NOTES = (
    "Templates may have `Rules`, parameters of the types of the parameter store, and the transform"
    " AWS::Serverless-2016-10-31 (SAM), done by AWS's own translator; other transforms are refused."
    " ImportExistingResources imports nothing: where a resource of that name is there already, its"
    " creation fails and says so."
)


def service(aws: LocalAws) -> Service:
    """CloudFormation over the other services of `aws`."""
    stacks = Stacks(aws.documents, aws.clock, aws.account, aws.region)
    responses = Responses()
    registry = Registry(responses)
    engine = StackEngine(aws, stacks, registry)
    built = Service("cloudformation", check=check_options, notes=NOTES)
    for part in (
        StackWrites(aws, stacks, engine, registry),
        StackReads(aws, stacks),
        ChangeSets(aws, stacks, engine, registry),
        Drift(aws, stacks, registry),
    ):
        part.register(built)
    built.routes[PREFIX] = responses.receive
    aws.authorize.lookups["cloudformation"] = stacks.with_stack
    built.on_start(engine.recover)
    return built

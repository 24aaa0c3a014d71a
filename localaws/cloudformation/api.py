"""AWS CloudFormation, by an engine of our own: every type is made, or refused by name."""

from __future__ import annotations

from localaws.cloudformation.change_sets import ChangeSets
from localaws.cloudformation.custom import PREFIX, Responses
from localaws.cloudformation.engine import StackEngine
from localaws.cloudformation.reads import StackReads
from localaws.cloudformation.registry import Registry
from localaws.cloudformation.stacks import Stacks
from localaws.cloudformation.writes import StackWrites
from localaws.core.aws import LocalAws
from localaws.core.service import Service


def service(aws: LocalAws) -> Service:
    """CloudFormation over the other services of `aws`."""
    stacks = Stacks(aws.documents, aws.clock, aws.account, aws.region)
    responses = Responses()
    registry = Registry(responses)
    engine = StackEngine(aws, stacks, registry)
    built = Service("cloudformation")
    for part in (
        StackWrites(aws, stacks, engine, registry),
        StackReads(aws, stacks),
        ChangeSets(aws, stacks, engine, registry),
    ):
        part.register(built)
    built.routes[PREFIX] = responses.receive
    built.on_start(engine.recover)
    return built

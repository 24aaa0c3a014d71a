"""Amazon EventBridge: the default bus, its rules and their targets."""

from __future__ import annotations

from localaws.core.aws import LocalAws
from localaws.core.service import Service
from localaws.core.signals import EventSent
from localaws.events.bus import Bus
from localaws.events.connections import Connections
from localaws.events.delivery import Deliveries
from localaws.events.rules import Rules
from localaws.events.runner import Runner
from localaws.events.targets import Targets


def service(aws: LocalAws) -> Service:
    """EventBridge; it takes the events that services publish as signals."""
    rules = Rules(aws)
    deliveries = Deliveries(aws, "events")
    bus = Bus(aws, rules, deliveries)
    runner = Runner(aws, "rules", rules.scheduled, bus.tick)
    rules.on_change = runner.changed
    built = Service("events")
    for part in (rules, Targets(rules), bus, Connections(aws)):
        part.register(built)
    aws.signals.subscribe(EventSent, bus.receive)
    for starter in (deliveries.start, runner.start):
        built.on_start(starter)
    for stopper in (deliveries.stop, runner.stop):
        built.on_stop(stopper)
    return built

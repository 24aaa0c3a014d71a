"""Amazon EventBridge Scheduler."""

from __future__ import annotations

from localaws.core.aws import LocalAws
from localaws.core.service import Service
from localaws.events.delivery import Deliveries
from localaws.events.runner import Runner
from localaws.scheduler.groups import Groups
from localaws.scheduler.schedules import Schedules


def service(aws: LocalAws) -> Service:
    """Scheduler with a thread that fires for real."""
    deliveries = Deliveries(aws, "scheduler")
    groups = Groups(aws)
    schedules = Schedules(aws, groups, deliveries)
    runner = Runner(aws, "schedules", schedules.due_items, schedules.fire)
    schedules.on_change = runner.changed
    built = Service("scheduler")
    for part in (schedules, groups):
        part.register(built)
    for starter in (deliveries.start, runner.start):
        built.on_start(starter)
    for stopper in (runner.stop, deliveries.stop):
        built.on_stop(stopper)
    return built

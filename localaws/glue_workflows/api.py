"""The operations of triggers and workflows, added to the Glue service."""

from __future__ import annotations

from localaws.core.aws import LocalAws
from localaws.core.service import Service
from localaws.core.signals import JobEnded
from localaws.events.runner import Runner
from localaws.glue_workflows.chains import Chains, Startable
from localaws.glue_workflows.triggers import Triggers
from localaws.glue_workflows.workflows import Workflows, exists


def register(service: Service, aws: LocalAws, jobs: Startable, crawlers: Startable) -> None:
    """After the jobs and the crawlers, which are taken up before what has started them."""
    triggers = Triggers(aws, lambda name: exists(aws, name))
    chains = Chains(aws, triggers, {"JOB": jobs, "CRAWLER": crawlers})
    workflows = Workflows(aws, triggers, chains)
    clock = Runner(aws, "triggers", triggers.scheduled, workflows.fire_on_time)
    triggers.on_change, triggers.fire = clock.changed, workflows.fire
    triggers.register(service)
    workflows.register(service)
    aws.signals.subscribe(JobEnded, chains.noticed)
    service.on_start(chains.recover)
    service.on_start(clock.start)
    service.on_stop(clock.stop)

"""Amazon CloudWatch Logs: groups, streams, events, and who may write them.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/Welcome.html
"""

from __future__ import annotations

from localaws.core.aws import LocalAws
from localaws.core.service import Service
from localaws.logs import adoption
from localaws.logs.events import Events
from localaws.logs.groups import Groups
from localaws.logs.policies import Policies
from localaws.logs.store import FILE, LogStore


def service(aws: LocalAws) -> Service:
    built = Service("logs")
    store = LogStore(aws.home.store(FILE))
    built.on_stop(aws.logs.stop)  # writes what is queued, for which the store must be open
    built.on_stop(store.close)
    groups, policies = Groups(aws, store), Policies(aws)
    aws.authorize.resource_policies["logs"] = policies.in_force
    for part in (groups, Events(store, groups), policies):
        part.register(built)
    built.on_start(lambda: adoption.adopt(aws.home.directory("moto"), aws, store))
    return built

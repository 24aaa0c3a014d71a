"""Amazon SNS: topics that deliver to queues and functions.

https://docs.aws.amazon.com/sns/latest/api/welcome.html
"""

from __future__ import annotations

from localaws.core.aws import LocalAws
from localaws.core.service import Service
from localaws.events.delivery import Deliveries
from localaws.sns import adoption
from localaws.sns.publishing import Publishing
from localaws.sns.subscriptions import Subscriptions
from localaws.sns.topics import Topics


def service(aws: LocalAws) -> Service:
    built = Service("sns")
    topics = Topics(aws)
    aws.authorize.resource_policies["sns"] = topics.policy_of
    subscriptions = Subscriptions(aws, topics)
    deliveries = Deliveries(aws, "sns")
    for part in (topics, subscriptions, Publishing(aws, topics, subscriptions, deliveries)):
        part.register(built)
    built.on_start(lambda: adoption.adopt(aws.home.root / "moto" / "sns.pickle", aws.documents))
    built.on_start(deliveries.start)
    built.on_stop(deliveries.stop)
    return built

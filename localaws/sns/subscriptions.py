"""Who gets what is published: queues and functions of this account."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from localaws.core.aws import LocalAws
from localaws.core.pages import page
from localaws.core.service import Call, Service
from localaws.errors import NotEmulated
from localaws.events.delivery import kind_of
from localaws.shapes import Json
from localaws.sns.topics import FIFO, Topics, invalid, missing

# Documents: ARN -> the subscription as ListSubscriptions shows it, and "raw".
KIND = "sns-subscription"
PROTOCOLS = {"sqs": "sqs", "lambda": "lambda"}  # protocol -> service of its endpoints
RAW = "RawMessageDelivery"
SHOWN = ("SubscriptionArn", "Owner", "Protocol", "Endpoint", "TopicArn")
PAGE = 100


class Subscriptions:
    def __init__(self, aws: LocalAws, topics: Topics) -> None:
        self._documents = aws.documents
        self._account = aws.account
        self._topics = topics

    def register(self, service: Service) -> None:
        service.operation(
            *("Subscribe", "TopicArn", "Protocol", "Endpoint", "Attributes"),
            "ReturnSubscriptionArn",
        )(self.subscribe)
        service.operation("Unsubscribe", "SubscriptionArn")(self.unsubscribe)
        service.operation("ListSubscriptions", "NextToken")(self.list_all)
        service.operation("ListSubscriptionsByTopic", "TopicArn", "NextToken")(self.list_of_topic)
        service.operation("GetSubscriptionAttributes", "SubscriptionArn")(self.attributes)
        service.operation(
            *("SetSubscriptionAttributes", "SubscriptionArn", "AttributeName", "AttributeValue")
        )(self.set_attribute)

    def of_topic(self, arn: str) -> list[Json]:
        return [one for _, one in self._documents.items(KIND) if one["TopicArn"] == arn]

    def subscribe(self, call: Call) -> Json:
        """The same endpoint of the same topic is the same subscription."""
        params = call.params
        arn, protocol, endpoint = params["TopicArn"], params["Protocol"], params.get("Endpoint", "")
        if protocol not in PROTOCOLS:
            raise NotEmulated(
                *("sns", call.operation, f"Protocol={protocol}", "It delivers to sqs and lambda.")
            )
        if kind_of(endpoint) != PROTOCOLS[protocol]:
            raise invalid(f"{'SQS' if protocol == 'sqs' else 'Lambda'} endpoint ARN")
        raw = "false"
        for name, value in params.get("Attributes", {}).items():
            raw = _checked(call, name, value)
        topic = self._topics.get(arn)
        fifo = topic["attributes"].get(FIFO) == "true"
        if fifo and protocol != "sqs":
            raise invalid(f"Invalid protocol type: {protocol}")
        if endpoint.endswith(".fifo") and not fifo:
            raise invalid("Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be"
                          " subscribed to standard SNS topics")  # fmt: skip
        with self._documents.transaction():
            for known in self.of_topic(arn):
                if (known["Protocol"], known["Endpoint"]) == (protocol, endpoint):
                    if "Attributes" in params and known["raw"] != raw:
                        raise invalid(
                            "Attributes Reason: Subscription already exists with different"
                            " attributes"
                        )
                    return {"SubscriptionArn": known["SubscriptionArn"]}
            subscription = {
                "SubscriptionArn": f"{arn}:{uuid.uuid4()}",
                "Owner": self._account,
                "Protocol": protocol,
                "Endpoint": endpoint,
                "TopicArn": arn,
                "raw": raw,
            }
            self._documents.put(KIND, subscription["SubscriptionArn"], subscription)
        return {"SubscriptionArn": subscription["SubscriptionArn"]}

    def unsubscribe(self, call: Call) -> Json:
        """One that is not there is no error."""
        self._documents.delete(KIND, call.params["SubscriptionArn"])
        return {}

    def list_all(self, call: Call) -> Json:
        return self._listed(call, lambda _: True)

    def list_of_topic(self, call: Call) -> Json:
        arn = call.params["TopicArn"]
        self._topics.get(arn)
        return self._listed(call, lambda one: one["TopicArn"] == arn)

    def _listed(self, call: Call, wanted: Callable[[Json], bool]) -> Json:
        shown = (
            (arn, {name: one[name] for name in SHOWN})
            for arn, one in self._documents.items(KIND)
            if wanted(one)
        )
        found = page(
            *(shown, call.params.get("NextToken"), PAGE),
            invalid=lambda text: invalid(f"NextToken Reason: {text}"),
        )
        return {"Subscriptions": found.items, **found.next()}

    def attributes(self, call: Call) -> Json:
        one = self._documents.get(KIND, call.params["SubscriptionArn"])
        if one is None:
            raise missing("Subscription")
        shown = {name: one[name] for name in SHOWN}
        return {
            "Attributes": shown
            | {
                "PendingConfirmation": "false",
                "ConfirmationWasAuthenticated": "true",
                "SubscriptionPrincipal": f"arn:aws:iam::{self._account}:root",
                RAW: one["raw"],
            }
        }

    def set_attribute(self, call: Call) -> Json:
        name, value = call.params["AttributeName"], call.params.get("AttributeValue", "")
        raw = _checked(call, name, value)
        arn = call.params["SubscriptionArn"]
        with self._documents.changing(KIND, arn, missing("Subscription")) as one:
            one["raw"] = raw
        return {}


def _checked(call: Call, name: str, value: str) -> str:
    if name != RAW:
        raise NotEmulated("sns", call.operation, f"attribute {name}", f"It has {RAW}.")
    if value not in ("true", "false"):
        raise invalid(f"Attributes Reason: {RAW}: Invalid value [{value}]. Must be true or false.")
    return value

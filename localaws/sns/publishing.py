"""Publish: one message to every subscription of a topic, at least once, over restarts."""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from localaws.core.aws import LocalAws
from localaws.core.service import Call, Service
from localaws.errors import NotEmulated
from localaws.events.delivery import Deliveries
from localaws.shapes import Json
from localaws.sns.subscriptions import Subscriptions
from localaws.sns.topics import DEDUPLICATION, FIFO, Topics, invalid

MOST_BYTES = 256 * 1024
MOST_SUBJECT = 100
ONCE = timedelta(minutes=5)  # in which a FIFO topic takes the same message once
FIRST_NUMBER = 10**19  # sequence numbers have 20 digits and grow
# Where AWS's signature is; there is no key here that anybody could check one with.
SIGNATURE = base64.b64encode(b"The local AWS signs no messages.").decode()


class Publishing:
    def __init__(
        self, aws: LocalAws, topics: Topics, subscriptions: Subscriptions, deliveries: Deliveries
    ) -> None:
        self._topics = topics
        self._subscriptions = subscriptions
        self._deliveries = deliveries
        self._clock = aws.clock
        self._url = aws.url

    def register(self, service: Service) -> None:
        service.operation(
            *("Publish", "TopicArn", "TargetArn", "Message", "Subject", "MessageStructure"),
            *("MessageAttributes", "MessageDeduplicationId", "MessageGroupId"),
        )(self.publish)

    def publish(self, call: Call) -> Json:
        params = call.params
        arn = params.get("TopicArn", params.get("TargetArn"))
        if arn is None:
            raise invalid("TopicArn or TargetArn Reason: no value for required parameter")
        if arn.count(":") != 5 or not arn.startswith("arn:"):
            raise invalid("TopicArn Reason: An ARN must have at least 6 elements, not"
                          f" {arn.count(':') + 1}")  # fmt: skip
        if ":endpoint/" in arn:
            raise NotEmulated("sns", call.operation, "TargetArn", "It has topics, no devices.")
        texts = _texts(params)
        topic = self._topics.get(arn)
        message = {
            "Type": "Notification",
            "MessageId": str(uuid.uuid4()),
            "TopicArn": arn,
            "Timestamp": _shown(self._clock.now()),
        }
        answer: Json = {"MessageId": message["MessageId"]}
        fifo: Json = {}
        if topic["attributes"].get(FIFO) == "true":
            fifo = _fifo(params, topic["attributes"].get(DEDUPLICATION) == "true")
            known = self._number(arn, fifo["MessageDeduplicationId"], message)
            answer["SequenceNumber"] = message["SequenceNumber"]
            if known is not None:
                return known
        elif "MessageDeduplicationId" in params:
            raise invalid(
                "MessageDeduplicationId Reason: The request includes MessageDeduplicationId"
                " parameter that is not valid for this topic type"
            )
        elif "MessageGroupId" in params:
            fifo = {"MessageGroupId": params["MessageGroupId"]}
        for one in self._subscriptions.of_topic(arn):
            text = texts.get(one["Protocol"]) or texts["default"]
            self._deliver(one, message, text, params, fifo)
        return answer

    def _number(self, arn: str, identifier: str, message: Json) -> Json | None:
        """Gives the message of a FIFO topic its number; the answer to the first of its like, where
        this is a repetition."""
        now = self._clock.now()
        with self._topics.changing(arn) as topic:
            recent: Json = topic["recent"]
            for old in [key for key, one in recent.items() if one["time"] < now - ONCE]:
                del recent[old]
            if identifier in recent:
                message["SequenceNumber"] = recent[identifier]["answer"]["SequenceNumber"]
                known: Json = recent[identifier]["answer"]
                return known
            topic["sequence"] += 1
            number = str(FIRST_NUMBER + topic["sequence"] * 1000)
            message["SequenceNumber"] = number
            answer = {"MessageId": message["MessageId"], "SequenceNumber": number}
            recent[identifier] = {"time": now, "answer": answer}
        return None

    def _deliver(self, one: Json, message: Json, text: str, params: Json, fifo: Json) -> None:
        given = params.get("MessageAttributes", {})
        target: Json = {"Arn": one["Endpoint"], "SqsParameters": fifo}
        subject = params.get("Subject")
        attributes = {name: _attribute(value) for name, value in given.items()}
        unsubscribe = (
            f"{self._url}/?Action=Unsubscribe&SubscriptionArn={quote(one['SubscriptionArn'], ':')}"
        )
        body: Json | str
        if one["Protocol"] == "lambda":
            body = _event(one, message, text, subject, attributes, unsubscribe)
        elif one["raw"] == "true":
            body = text
            target["MessageAttributes"] = _jsonable(given)
        else:
            body = {
                **{name: message[name] for name in message if name != "Timestamp"},
                **({} if subject is None else {"Subject": subject}),
                "Message": text,
                "Timestamp": message["Timestamp"],
                "SignatureVersion": "1",
                "Signature": SIGNATURE,
                "SigningCertURL": f"{self._url}/SimpleNotificationService-none.pem",
                "UnsubscribeURL": unsubscribe,
                **({"MessageAttributes": attributes} if attributes else {}),
            }
        whole = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
        self._deliveries.add(target, whole, {"TOPIC_ARN": one["TopicArn"]})


def _event(
    one: Json, message: Json, text: str, subject: str | None, attributes: Json, unsubscribe: str
) -> Json:
    """https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html"""
    told = {
        **message,
        "Subject": subject,
        "Message": text,
        "SignatureVersion": "1",
        "Signature": SIGNATURE,
        "SigningCertUrl": "",
        "UnsubscribeUrl": unsubscribe,
        "MessageAttributes": attributes,
    }
    record = {
        "EventSource": "aws:sns",
        "EventVersion": "1.0",
        "EventSubscriptionArn": one["SubscriptionArn"],
        "Sns": told,
    }
    return {"Records": [record]}


def _texts(params: Json) -> dict[str, str]:
    """The text for each protocol. Raises for what is no message."""
    text = params["Message"]
    if not text:
        raise invalid("Empty message")
    if len(text.encode()) > MOST_BYTES:
        raise invalid("Message too long")
    subject = params.get("Subject")
    if subject is not None and not (
        0 < len(subject) <= MOST_SUBJECT and subject.isascii() and subject.isprintable()
    ):
        raise invalid("Subject")
    structure = params.get("MessageStructure")
    if structure is None:
        return {"default": text}
    if structure != "json":
        raise invalid("MessageStructure")
    try:
        texts = json.loads(text)
    except ValueError as error:
        raise invalid("Message Structure - JSON message body failed to parse") from error
    if not isinstance(texts, dict) or not isinstance(texts.get("default"), str):
        raise invalid("Message Structure - No default entry in JSON message body")
    return {key: value for key, value in texts.items() if isinstance(value, str)}


def _fifo(params: Json, by_content: bool) -> Json:
    group = params.get("MessageGroupId")
    if not group:
        raise invalid("The MessageGroupId parameter is required for FIFO topics")
    identifier = params.get("MessageDeduplicationId")
    if identifier is None and by_content:
        identifier = hashlib.sha256(params["Message"].encode()).hexdigest()
    if identifier is None:
        raise invalid(
            "The topic should either have ContentBasedDeduplication enabled or"
            " MessageDeduplicationId provided explicitly"
        )
    return {"MessageGroupId": group, "MessageDeduplicationId": identifier}


def _attribute(value: Json) -> Json:
    shown = value.get("StringValue")
    if shown is None:
        shown = base64.b64encode(value.get("BinaryValue", b"")).decode()
    return {"Type": value["DataType"], "Value": shown}


def _jsonable(attributes: Json) -> Json:
    """Message attributes as a document can keep them."""

    def kept(value: Any) -> Any:
        return base64.b64encode(value).decode() if isinstance(value, bytes) else value

    return {
        name: {member: kept(value) for member, value in one.items()}
        for name, one in attributes.items()
    }


def _shown(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.") + f"{time.microsecond // 1000:03d}Z"

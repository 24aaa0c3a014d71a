"""Topics and their attributes."""

from __future__ import annotations

import json
import re
from contextlib import AbstractContextManager
from typing import Any

from localaws.core.aws import LocalAws
from localaws.core.pages import page
from localaws.core.service import Call, Service
from localaws.errors import AwsError, NotEmulated
from localaws.identity.actions.asked import Asked
from localaws.kms import api as kms
from localaws.shapes import Json

KIND = "sns-topic"  # documents: ARN -> {"attributes", "tags", "sequence", "recent"}
NAME = re.compile(r"[\w-]{1,256}|[\w-]{1,251}\.fifo", re.ASCII)
FIFO, DEDUPLICATION = "FifoTopic", "ContentBasedDeduplication"
KEY = "KmsMasterKeyId"
# Attributes that a topic may be given. Others (delivery policies, logs) are refused.
TAKEN = ("DisplayName", "Policy", KEY, FIFO, DEDUPLICATION)
LATER = ("DisplayName", "Policy", KEY, DEDUPLICATION)
PAGE = 100


class Topics:
    def __init__(self, aws: LocalAws) -> None:
        self._documents = aws.documents
        self._account = aws.account
        self._prefix = f"arn:aws:sns:{aws.region}:{aws.account}:"
        self._aws = aws
        aws.authorize.more["sns"] = self._keys_asked

    def register(self, service: Service) -> None:
        service.operation("CreateTopic", "Name", "Attributes", "Tags")(self.create)
        service.operation("DeleteTopic", "TopicArn")(self.delete)
        service.operation("ListTopics", "NextToken")(self.list_topics)
        service.operation("GetTopicAttributes", "TopicArn")(self.attributes)
        service.operation("SetTopicAttributes", "TopicArn", "AttributeName", "AttributeValue")(
            self.set_attribute
        )
        service.operation("TagResource", "ResourceArn", "Tags")(self.tag)
        service.operation("UntagResource", "ResourceArn", "TagKeys")(self.untag)
        service.operation("ListTagsForResource", "ResourceArn")(self.tags)

    # --- for subscriptions and publishing ------------------------------------------------------

    def get(self, arn: str) -> Json:
        """Raises NotFound."""
        topic = self._documents.get(KIND, arn)
        if topic is None:
            raise missing("Topic")
        return topic

    def policy_of(self, arn: str) -> str | None:
        """The topic's policy; None where there is no topic."""
        topic = self._documents.get(KIND, arn)
        return str(topic["attributes"]["Policy"]) if topic else None

    def _keys_asked(self, operation: str, params: Json) -> list[Asked]:
        """Who publishes to an encrypted topic uses its key.
        https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html"""
        topic = self._documents.get(KIND, str(params.get("TopicArn") or params.get("TargetArn")))
        key = topic["attributes"].get(KEY) if topic else None
        if not key or operation not in ("Publish", "PublishBatch"):
            return []
        return kms.uses(self._aws, key, "GenerateDataKey", "Decrypt")

    def changing(self, arn: str) -> AbstractContextManager[Json]:
        return self._documents.changing(KIND, arn, missing("Topic"))

    # --- operations ----------------------------------------------------------------------------

    def create(self, call: Call) -> Json:
        """A topic of that name with the same attributes is the same topic."""
        name = call.params["Name"]
        given = call.params.get("Attributes", {})
        for attribute, value in given.items():
            _check_attribute(call, attribute, value, TAKEN)
        fifo = given.get(FIFO) == "true"
        if not NAME.fullmatch(name) or name.endswith(".fifo") != fifo:
            rule = "Fifo Topic names must end with .fifo and" if fifo else "Topic names"
            raise invalid(
                f"Topic Name Reason: {rule} must be made up of only uppercase and lowercase ASCII"
                " letters, numbers, underscores, and hyphens, and must be between 1 and 256"
                " characters long."
            )
        arn = self._prefix + name
        tags = {tag["Key"]: tag["Value"] for tag in call.params.get("Tags", [])}
        attributes = {"Policy": self._policy(arn), "DisplayName": "", **given}
        topic = {"attributes": attributes, "tags": tags, "sequence": 0, "recent": {}}
        if not self._documents.insert(KIND, arn, topic):
            known = self.get(arn)
            if any(known["attributes"].get(key) != value for key, value in given.items()):
                raise invalid("Attributes Reason: Topic already exists with different attributes")
            if tags and known["tags"] != tags:
                raise invalid("Tags Reason: Topic already exists with different tags")
        return {"TopicArn": arn}

    def delete(self, call: Call) -> Json:
        """Deleting a topic that is not there is no error."""
        self._documents.delete(KIND, call.params["TopicArn"])
        return {}

    def list_topics(self, call: Call) -> Json:
        found = page(
            ((arn, {"TopicArn": arn}) for arn, _ in self._documents.items(KIND)),
            *(call.params.get("NextToken"), PAGE),
            invalid=lambda text: invalid(f"NextToken Reason: {text}"),
        )
        return {"Topics": found.items, **found.next()}

    def attributes(self, call: Call) -> Json:
        arn = call.params["TopicArn"]
        shown = {"TopicArn": arn, "Owner": self._account, **self.get(arn)["attributes"]}
        confirmed = sum(
            subscription["TopicArn"] == arn
            for _, subscription in self._documents.items("sns-subscription")
        )
        counts = {"Pending": 0, "Confirmed": confirmed, "Deleted": 0}
        shown |= {f"Subscriptions{name}": str(count) for name, count in counts.items()}
        return {"Attributes": shown}

    def set_attribute(self, call: Call) -> Json:
        name, value = call.params["AttributeName"], call.params.get("AttributeValue", "")
        _check_attribute(call, name, value, LATER)
        with self.changing(call.params["TopicArn"]) as topic:
            if name == DEDUPLICATION and topic["attributes"].get(FIFO) != "true":
                raise invalid(f"AttributeName Reason: {name} is only for FIFO topics")
            topic["attributes"][name] = value
        return {}

    def tag(self, call: Call) -> Json:
        with self._tagged(call) as topic:
            topic["tags"] |= {tag["Key"]: tag["Value"] for tag in call.params["Tags"]}
        return {}

    def untag(self, call: Call) -> Json:
        with self._tagged(call) as topic:
            for key in call.params["TagKeys"]:
                topic["tags"].pop(key, None)
        return {}

    def tags(self, call: Call) -> Json:
        topic = self._documents.get(KIND, call.params["ResourceArn"])
        if topic is None:
            raise _no_resource()
        return {"Tags": [{"Key": key, "Value": value} for key, value in topic["tags"].items()]}

    def _tagged(self, call: Call) -> Any:
        return self._documents.changing(KIND, call.params["ResourceArn"], _no_resource())

    def _policy(self, arn: str) -> str:
        """What a new topic has: its account may do everything with it."""
        actions = (
            *("GetTopicAttributes", "SetTopicAttributes", "AddPermission", "RemovePermission"),
            *("DeleteTopic", "Subscribe", "ListSubscriptionsByTopic", "Publish"),
        )
        statement = {
            "Sid": "__default_statement_ID",
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": [f"SNS:{action}" for action in actions],
            "Resource": arn,
            "Condition": {"StringEquals": {"AWS:SourceOwner": self._account}},
        }
        policy = {"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement]}
        return json.dumps(policy, separators=(",", ":"))


def _check_attribute(call: Call, name: str, value: str, taken: tuple[str, ...]) -> None:
    if name not in taken:
        raise NotEmulated("sns", call.operation, f"attribute {name}", f"It has {', '.join(taken)}.")
    if name in (FIFO, DEDUPLICATION) and value not in ("true", "false"):
        raise invalid(f"Attributes Reason: {name}: Invalid value [{value}]. Must be true or false.")
    if name == KEY and value:
        kms.check_arn("sns", call.operation, KEY, value)
    if name == "Policy":
        try:
            json.loads(value)
        except ValueError as error:
            raise invalid("Policy Error: null") from error


def missing(what: str) -> AwsError:
    return AwsError("NotFound", f"{what} does not exist", 404)


def _no_resource() -> AwsError:
    return AwsError("ResourceNotFound", "Resource does not exist", 404)


def invalid(message: str) -> AwsError:
    return AwsError("InvalidParameter", f"Invalid parameter: {message}")

"""AWS::DynamoDB::Table, AWS::SNS::Topic, AWS::SNS::Subscription, AWS::SQS::Queue and
AWS::SQS::QueuePolicy."""

from __future__ import annotations

from localaws.cloudformation.provider import (
    Made,
    Provider,
    ResourceRequest,
    document,
    ignoring_missing,
    picked,
)
from localaws.shapes import Json


class Table(Provider):
    type = "AWS::DynamoDB::Table"
    name_property = "TableName"
    replaced_by = ("TableName", "KeySchema")
    attributes = ("Arn",)
    plain = ("AttributeDefinitions", "KeySchema", "BillingMode", "ProvisionedThroughput")
    properties = ("TableName", "Tags", "TimeToLiveSpecification", "GlobalSecondaryIndexes", *plain)

    def create(self, request: ResourceRequest) -> Made:
        given = request.properties
        name = given.get("TableName") or request.name(255)
        arn = request.call(
            "dynamodb",
            "create_table",
            TableName=name,
            Tags=request.tag_list(),
            **picked(given, (*self.plain, "GlobalSecondaryIndexes")),
        )["TableDescription"]["TableArn"]
        request.physical_id = name  # there already, should it not settle

        def active() -> bool:
            table = request.call("dynamodb", "describe_table", TableName=name)["Table"]
            return bool(table["TableStatus"] == "ACTIVE")

        request.wait(active, f"Table {name} is not active")
        self._time_to_live(request, name)
        return Made(name, {"Arn": arn})

    def update(self, request: ResourceRequest) -> Made:
        names = ("AttributeDefinitions", "BillingMode", "ProvisionedThroughput")
        if picked(request.properties, names) != picked(request.previous, names):
            given = picked(request.properties, names)
            request.call("dynamodb", "update_table", TableName=request.physical_id, **given)
        self._time_to_live(request, request.physical_id)
        return Made(request.physical_id, request.attributes)

    def delete(self, request: ResourceRequest) -> None:
        with ignoring_missing():
            request.call("dynamodb", "delete_table", TableName=request.physical_id)

    def must_replace(self, new: Json, old: Json) -> list[str]:
        return [
            name
            for name in (*self.replaced_by, "GlobalSecondaryIndexes")
            if new.get(name) != old.get(name)
        ]

    @staticmethod
    def _time_to_live(request: ResourceRequest, name: str) -> None:
        wanted = request.properties.get("TimeToLiveSpecification")
        if wanted != request.previous.get("TimeToLiveSpecification") and wanted is not None:
            request.call(
                "dynamodb", "update_time_to_live", TableName=name, TimeToLiveSpecification=wanted
            )


class Topic(Provider):
    type = "AWS::SNS::Topic"
    name_property = "TopicName"
    replaced_by = ("TopicName",)
    attributes = ("TopicArn", "TopicName")
    settable = ("DisplayName", "KmsMasterKeyId")
    properties = ("TopicName", "Tags", *settable)

    def create(self, request: ResourceRequest) -> Made:
        name = request.properties.get("TopicName") or request.name(256)
        arn = request.call("sns", "create_topic", Name=name, Tags=request.tag_list())["TopicArn"]
        request.physical_id = arn
        self._set(request, arn)
        return Made(arn, {"TopicArn": arn, "TopicName": name})

    def update(self, request: ResourceRequest) -> Made:
        self._set(request, request.physical_id)
        return Made(request.physical_id, request.attributes)

    def delete(self, request: ResourceRequest) -> None:
        with ignoring_missing():
            request.call("sns", "delete_topic", TopicArn=request.physical_id)

    def _set(self, request: ResourceRequest, arn: str) -> None:
        for name in self.settable:
            value = request.properties.get(name, "")
            if value != request.previous.get(name, ""):
                request.call(
                    *("sns", "set_topic_attributes"),
                    TopicArn=arn,
                    AttributeName=name,
                    AttributeValue=value,
                )


class Subscription(Provider):
    type = "AWS::SNS::Subscription"
    replaced_by = ("TopicArn", "Protocol", "Endpoint")
    attributes = ("Arn",)
    properties = ("TopicArn", "Protocol", "Endpoint", "RawMessageDelivery")

    def create(self, request: ResourceRequest) -> Made:
        given = request.properties
        arn = request.call(
            *("sns", "subscribe"),
            TopicArn=given["TopicArn"],
            Protocol=given["Protocol"],
            Endpoint=given.get("Endpoint"),
            Attributes=picked(given, ("RawMessageDelivery",)) or None,
        )["SubscriptionArn"]
        return Made(arn, {"Arn": arn})

    def update(self, request: ResourceRequest) -> Made:
        raw = picked(request.properties, ("RawMessageDelivery",)).get("RawMessageDelivery", "false")
        request.call(
            *("sns", "set_subscription_attributes"),
            SubscriptionArn=request.physical_id,
            AttributeName="RawMessageDelivery",
            AttributeValue=raw,
        )
        return Made(request.physical_id, request.attributes)

    def delete(self, request: ResourceRequest) -> None:
        request.call("sns", "unsubscribe", SubscriptionArn=request.physical_id)


class Queue(Provider):
    type = "AWS::SQS::Queue"
    name_property = "QueueName"
    replaced_by = ("QueueName", "FifoQueue")
    attributes = ("Arn", "QueueName", "QueueUrl")
    plain = (
        *("VisibilityTimeout", "MessageRetentionPeriod", "DelaySeconds", "MaximumMessageSize"),
        *("ReceiveMessageWaitTimeSeconds", "RedrivePolicy", "FifoQueue"),
        *("ContentBasedDeduplication", "SqsManagedSseEnabled"),
        "KmsMasterKeyId",
    )
    properties = ("QueueName", "Tags", *plain)

    def create(self, request: ResourceRequest) -> Made:
        name = request.properties.get("QueueName") or request.name(80)
        url = request.call(
            "sqs",
            "create_queue",
            QueueName=name,
            Attributes=picked(request.properties, self.plain) or None,
            tags=request.tags() or None,
        )["QueueUrl"]
        arn = request.sub_arn("sqs", name)
        return Made(url, {"Arn": arn, "QueueName": name, "QueueUrl": url})

    def update(self, request: ResourceRequest) -> Made:
        given = picked(request.properties, self.plain)
        if given:
            request.call(
                "sqs", "set_queue_attributes", QueueUrl=request.physical_id, Attributes=given
            )
        return Made(request.physical_id, request.attributes)

    def delete(self, request: ResourceRequest) -> None:
        with ignoring_missing():
            request.call("sqs", "delete_queue", QueueUrl=request.physical_id)


class QueuePolicy(Provider):
    type = "AWS::SQS::QueuePolicy"
    properties = ("Queues", "PolicyDocument")

    def create(self, request: ResourceRequest) -> Made:
        self._put(request, document(request.properties["PolicyDocument"]))
        return Made(request.physical_id or request.name(80))

    update = create

    def delete(self, request: ResourceRequest) -> None:
        with ignoring_missing():
            self._put(request, "")

    @staticmethod
    def _put(request: ResourceRequest, policy: str) -> None:
        for url in request.properties["Queues"]:
            request.call("sqs", "set_queue_attributes", QueueUrl=url, Attributes={"Policy": policy})


PROVIDERS = (Table(), Topic(), Subscription(), Queue(), QueuePolicy())

"""What starts the workflow by itself: uploads, and the daily schedule (docs/triggers.md)."""

from __future__ import annotations

from infrastructure import roles
from infrastructure.names import (
    DAILY,
    RAW,
    SETTLE,
    TRIGGER_TABLE,
    UNDELIVERED,
    UPLOAD_RULE,
)
from infrastructure.template import schedules
from infrastructure.template.protection import KEY, NOTHING
from infrastructure.words import Json, attribute, ref, resource, sub, when

ENDINGS = ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"]
FOURTEEN_DAYS = 14 * 24 * 3600


def parameters() -> Json:
    """Of both triggers."""

    def switch(description: str) -> Json:
        return {
            "Type": "String",
            "Description": description,
            "Default": "ENABLED",
            "AllowedValues": ["ENABLED", "DISABLED"],
        }

    return {
        "UploadTrigger": switch("Whether an upload below raw/ starts a run"),
        "SettleSeconds": {
            "Type": "Number",
            "Description": "How long nothing more may come before an upload counts as complete",
            "Default": 60,
            "MinValue": 1,
            "MaxValue": 3600,
        },
        "ScheduleState": switch("Whether the daily run is on"),
        "ScheduleExpression": {
            "Type": "String",
            "Description": "When the daily run starts",
            "Default": "cron(0 8 * * ? *)",
        },
        "ScheduleTimezone": {
            "Type": "String",
            "Description": "Time zone of the schedule (IANA)",
            "Default": "UTC",
        },
    }


def environment() -> Json:
    """Of the function that starts runs after uploads."""
    return {
        "RAW_BUCKET": sub(RAW),
        "TRIGGER_TABLE": ref("TriggerTable"),
        "SETTLE_SECONDS": ref("SettleSeconds"),
        "SETTLE_SCHEDULE": sub(SETTLE),
        "STATE_MACHINE": ref("StateMachine"),
        "LIVE_ALIAS": ref("StateMachineAlias"),
    }


def triggers() -> Json:
    return {**upload(), **schedule()}


def undelivered(*rules: str) -> Json:
    """Where an event goes that could not be delivered; `rules` are those that may send there."""
    return {
        "Undelivered": resource(
            "AWS::SQS::Queue",
            {
                "QueueName": sub(UNDELIVERED),
                "MessageRetentionPeriod": FOURTEEN_DAYS,
                "SqsManagedSseEnabled": when("HasKey", NOTHING, True),
                "KmsMasterKeyId": KEY,
            },
        ),
        # Rules send under this policy; a schedule sends under its own role.
        "UndeliveredPolicy": resource(
            "AWS::SQS::QueuePolicy",
            {
                "Queues": [ref("Undelivered")],
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"Service": "events.amazonaws.com"},
                            "Action": "sqs:SendMessage",
                            "Resource": attribute("Undelivered", "Arn"),
                            "Condition": {
                                "ArnEquals": {
                                    "aws:SourceArn": [attribute(rule, "Arn") for rule in rules]
                                }
                            },
                        }
                    ],
                },
            },
        ),
    }


def upload() -> Json:
    """Two rules and a schedule that call one function, and the table in which it remembers."""
    starter = attribute("StartOnUpload", "Arn")
    return {
        "TriggerTable": resource(
            "AWS::DynamoDB::Table",
            {
                "TableName": sub(TRIGGER_TABLE),
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            },
            # A few numbers about one upload; a new table begins as a new stack does.
            DeletionPolicy="Delete",
            UpdateReplacePolicy="Delete",
        ),
        **_rule(
            "UploadRule",
            UPLOAD_RULE,
            "Something was put below raw/",
            {
                "source": ["aws.s3"],
                "detail-type": ["Object Created"],
                "detail": {
                    "bucket": {"name": [sub(RAW)]},
                    # A bucket in which no role of this stack can write. No folder markers.
                    "object": {"key": [{"prefix": "raw/"}], "size": [{"numeric": [">", 0]}]},
                },
            },
        ),
        **_rule(
            "RunEndedRule",
            "${AWS::StackName}-run-ended",
            "An upload that came during a run need not wait for the next minute",
            {
                "source": ["aws.states"],
                "detail-type": ["Step Functions Execution Status Change"],
                "detail": {"stateMachineArn": [ref("StateMachine")], "status": ENDINGS},
            },
        ),
        "SettleRole": roles.settle_role(),
        "SettleSchedule": schedules.look(
            SETTLE,
            "Looks at raw/; every minute while an upload is pending",
            state=ref("UploadTrigger"),
            rate="rate(1 hour)",  # at rest: the function sets it, and sets it back
            function=starter,
            role="SettleRole",
            late_seconds=60,
        ),
    }


def _rule(name: str, rule: str, description: str, pattern: Json) -> Json:
    starter = attribute("StartOnUpload", "Arn")
    return {
        name: resource(
            "AWS::Events::Rule",
            {
                "Name": sub(rule),
                "Description": description,
                "State": ref("UploadTrigger"),
                "EventPattern": pattern,
                "Targets": [
                    {
                        "Id": "start-on-upload",
                        "Arn": starter,
                        "DeadLetterConfig": {"Arn": attribute("Undelivered", "Arn")},
                    }
                ],
            },
        ),
        f"{name}Permission": resource(
            "AWS::Lambda::Permission",
            {
                "Action": "lambda:InvokeFunction",
                "FunctionName": ref("StartOnUpload"),
                "Principal": "events.amazonaws.com",
                "SourceArn": attribute(name, "Arn"),
            },
        ),
    }


def schedule() -> Json:
    """Starts the live version every day. When nothing is new, the run itself notices."""
    return {
        "ScheduleRole": roles.schedule_role(),
        "Schedule": resource(
            "AWS::Scheduler::Schedule",
            {
                "Name": sub(DAILY),
                "State": ref("ScheduleState"),
                "ScheduleExpression": ref("ScheduleExpression"),
                "ScheduleExpressionTimezone": ref("ScheduleTimezone"),
                "FlexibleTimeWindow": {"Mode": "OFF"},
                "Target": {
                    "Arn": ref("StateMachineAlias"),
                    "RoleArn": attribute("ScheduleRole", "Arn"),
                    "Input": '{"schedule": {"arn": "<aws.scheduler.schedule-arn>",'
                    ' "time": "<aws.scheduler.scheduled-time>"}}',
                    "RetryPolicy": {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 10},
                    "DeadLetterConfig": {"Arn": attribute("Undelivered", "Arn")},
                },
            },
        ),
    }

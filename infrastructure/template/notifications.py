"""Every run that does not end well, and every one that does not begin, is recorded and told; so is
what was decided about a new model."""

from __future__ import annotations

from infrastructure import roles
from infrastructure.names import NOTIFICATIONS, NOTIFY, RAW, WATCH
from infrastructure.template import schedules
from infrastructure.template.protection import KEY
from infrastructure.words import Json, attribute, ref, resource, sub

UNSUCCESSFUL = ["FAILED", "TIMED_OUT", "ABORTED"]


def parameters() -> Json:
    return {
        "NotificationEmail": {
            "Type": "String",
            "Description": "Where failed runs are told; empty: the topic alone",
            "Default": "",
        }
    }


def conditions() -> Json:
    return {"HasEmail": {"Fn::Not": [{"Fn::Equals": [ref("NotificationEmail"), ""]}]}}


def environment() -> Json:
    """Of the function that tells."""
    return {
        "TOPIC": ref("Notifications"),
        "QUEUE_URL": ref("Undelivered"),
        "RAW_BUCKET": sub(RAW),
        "STATE_MACHINE": ref("StateMachine"),
        "UPLOAD_TRIGGER": ref("UploadTrigger"),
    }


def notifications() -> Json:
    """The topic, the rule of unsuccessful ends, and the hourly look for what no event tells."""
    return {
        "Notifications": resource(
            "AWS::SNS::Topic", {"TopicName": sub(NOTIFICATIONS), "KmsMasterKeyId": KEY}
        ),
        "NotificationEmailSubscription": resource(
            "AWS::SNS::Subscription",
            {
                "TopicArn": ref("Notifications"),
                "Protocol": "email",
                "Endpoint": ref("NotificationEmail"),
            },
            Condition="HasEmail",
        ),
        "RunFailedRule": resource(
            "AWS::Events::Rule",
            {
                "Name": sub("${AWS::StackName}-run-failed"),
                "Description": "A run that did not end well can call nothing itself any more",
                "State": "ENABLED",
                "EventPattern": {
                    "source": ["aws.states"],
                    "detail-type": ["Step Functions Execution Status Change"],
                    "detail": {"stateMachineArn": [ref("StateMachine")], "status": UNSUCCESSFUL},
                },
                "Targets": [
                    _target("write-audit", "WriteAudit"),
                    _target("notify", "Notify"),
                ],
            },
        ),
        "RunFailedRuleAuditPermission": _permission("WriteAudit", "RunFailedRule"),
        "RunFailedRuleNotifyPermission": _permission("Notify", "RunFailedRule"),
        "ModelJudgedRule": resource(
            "AWS::Events::Rule",
            {
                "Name": sub("${AWS::StackName}-model-judged"),
                "Description": "A run that trained a model tells whether it was published, and why",
                "State": "ENABLED",
                "EventPattern": {
                    "source": ["aws.states"],
                    "detail-type": ["Step Functions Execution Status Change"],
                    "detail": {"stateMachineArn": [ref("StateMachine")], "status": ["SUCCEEDED"]},
                },
                "Targets": [_target("notify", "Notify")],
            },
        ),
        "ModelJudgedRuleNotifyPermission": _permission("Notify", "ModelJudgedRule"),
        "WatchRole": roles.calling_role(NOTIFY),
        "WatchSchedule": schedules.look(
            WATCH,
            "Looks for runs that should have begun",
            state="ENABLED",
            rate="rate(1 hour)",
            function=attribute("Notify", "Arn"),
            role="WatchRole",
            late_seconds=600,
        ),
    }


def _target(name: str, function: str) -> Json:
    return {
        "Id": name,
        "Arn": attribute(function, "Arn"),
        "DeadLetterConfig": {"Arn": attribute("Undelivered", "Arn")},
    }


def _permission(function: str, rule: str) -> Json:
    return resource(
        "AWS::Lambda::Permission",
        {
            "Action": "lambda:InvokeFunction",
            "FunctionName": ref(function),
            "Principal": "events.amazonaws.com",
            "SourceArn": attribute(rule, "Arn"),
        },
    )

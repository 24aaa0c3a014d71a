"""Small words of the template language, and names that several resources agree on."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def sub(text: str) -> Json:
    return {"Fn::Sub": text}


def ref(name: str) -> Json:
    return {"Ref": name}


def attribute(name: str, member: str) -> Json:
    return {"Fn::GetAtt": [name, member]}


def resource(kind: str, properties: Json, **more: Any) -> Json:
    return {"Type": kind, "Properties": properties, **more}


# Names are given rather than generated wherever a policy or a state has to know them.
LAKE = "${AWS::StackName}-lake-${AWS::AccountId}-${AWS::Region}"
SITE = "${AWS::StackName}-site-${AWS::AccountId}-${AWS::Region}"
CODE = "${AWS::StackName}-code-${AWS::AccountId}-${AWS::Region}"
LAKE_ARN = "arn:${AWS::Partition}:s3:::" + LAKE
RAW_DATABASE = "${DatabaseName}_raw"
DATABASE = "${DatabaseName}"
WORK_GROUP = "${AWS::StackName}"
ENDPOINT = "${AWS::StackName}"
STATE_MACHINE = "${AWS::StackName}-purchase-prediction"
JOIN_FEATURES = "${AWS::StackName}-join-features"
CRAWLER = "${AWS::StackName}-raw"
START_ON_UPLOAD = "${AWS::StackName}-start-on-upload"
TRIGGER_TABLE = "${AWS::StackName}-upload-trigger"
UPLOAD_RULE = "${AWS::StackName}-upload"
SETTLE = "${AWS::StackName}-settle"
DAILY = "${AWS::StackName}-daily"
UNDELIVERED = "${AWS::StackName}-undelivered"
NOTIFICATIONS = "${AWS::StackName}-notifications"
NOTIFY = "${AWS::StackName}-notify"
WATCH = "${AWS::StackName}-watch"
# What a run makes in DataBrew ends in the run's name; the start of a later run clears it away.
RUNS_DATABREW = "${AWS::StackName}-run-"


def arn(service: str, rest: str) -> str:
    """An ARN of this account and region, to be used inside `Fn::Sub`."""
    return f"arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:{rest}"


def filled(text: str, stack: str, account: str, region: str) -> str:
    """One of these texts as `Fn::Sub` fills it in."""
    partition = "aws-cn" if region.startswith("cn-") else "aws"
    partition = "aws-us-gov" if region.startswith("us-gov-") else partition
    values = {"StackName": stack, "AccountId": account, "Region": region, "Partition": partition}
    for name, value in values.items():
        text = text.replace(f"${{AWS::{name}}}", value)
    return text


def databrew_name(name: str) -> str:
    return f"${{AWS::StackName}}-{name}"

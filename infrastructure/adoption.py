"""What an earlier stack of the same name kept, and how a new one takes it over.

The buckets of raw files and results outlive their stack, and their names derive from it: a new
stack cannot create them again, so it imports them. ImportExistingResources would do so only for
names that stand in the template as they are (ours are put together), hence a change set of type
IMPORT: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from configuration.connection import Connection
from infrastructure import names
from infrastructure.code_bucket import exists
from infrastructure.preview import json_of
from infrastructure.stack import find_stack
from infrastructure.words import Json

KEPT = {"Raw": names.RAW, "Lake": names.LAKE}  # logical id to name


@dataclass(frozen=True)
class Kept:
    logical_id: str
    bucket: str


def kept(connection: Connection) -> list[Kept]:
    """The buckets that are there, and no part of the stack."""
    cloudformation, s3 = connection.client("cloudformation"), connection.client("s3")
    name = connection.settings.stack_name
    owned: set[str] = set()
    if find_stack(cloudformation, name) is not None:
        pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=name)
        owned = {
            entry["LogicalResourceId"] for page in pages for entry in page["StackResourceSummaries"]
        }
    return [
        Kept(logical, bucket)
        for logical, text in KEPT.items()
        if logical not in owned
        and exists(s3, bucket := names.named(text, connection), connection.account)
    ]


def request(connection: Connection, adopted: list[Kept]) -> tuple[Json, bytes]:
    """The change set's request, and the template that it lacks: the stack as it is, and these
    buckets with nothing but a name, so that the update which follows sees, and sets, whatever else
    they should have."""
    cloudformation, name = connection.client("cloudformation"), connection.settings.stack_name
    stack = find_stack(cloudformation, name)
    template: Json = {"Resources": {}}
    parameters: list[Json] = []
    if stack is not None and stack["StackStatus"] != "REVIEW_IN_PROGRESS":
        found = cloudformation.get_template(StackName=name, TemplateStage="Original")
        template = json_of(found["TemplateBody"])
        parameters = [
            {"ParameterKey": one["ParameterKey"], "UsePreviousValue": True}
            for one in stack.get("Parameters", [])
        ]
    for one in adopted:
        template["Resources"][one.logical_id] = {
            "Type": "AWS::S3::Bucket",
            "Properties": {"BucketName": one.bucket},
            "DeletionPolicy": "Retain",
        }
    return {
        "StackName": name,
        "Parameters": parameters,
        "Capabilities": ["CAPABILITY_IAM"],
        "ResourcesToImport": [
            {
                "ResourceType": "AWS::S3::Bucket",
                "LogicalResourceId": one.logical_id,
                "ResourceIdentifier": {"BucketName": one.bucket},
            }
            for one in adopted
        ],
    }, json.dumps(template).encode()

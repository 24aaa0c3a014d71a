"""Tags of Glue resources, by ARN."""

from __future__ import annotations

from localaws.core.aws import LocalAws
from localaws.core.service import Call, Service
from localaws.shapes import Json

_KIND = "glue-tags"


def write(aws: LocalAws, arn: str, tags: dict[str, str]) -> None:
    """Replaces the tags of a resource."""
    aws.documents.put(_KIND, arn, tags)


def arn(aws: LocalAws, kind: str, name: str) -> str:
    return f"arn:aws:glue:{aws.region}:{aws.account}:{kind}/{name}"


def register(service: Service, aws: LocalAws) -> None:
    @service.operation("GetTags", "ResourceArn")
    def get_tags(call: Call) -> Json:
        return {"Tags": aws.documents.get(_KIND, call.params["ResourceArn"]) or {}}

    @service.operation("TagResource", "ResourceArn", "TagsToAdd")
    @aws.documents.atomic
    def tag_resource(call: Call) -> Json:
        place = call.params["ResourceArn"]
        write(aws, place, {**(aws.documents.get(_KIND, place) or {}), **call.params["TagsToAdd"]})
        return {}

    @service.operation("UntagResource", "ResourceArn", "TagsToRemove")
    @aws.documents.atomic
    def untag_resource(call: Call) -> Json:
        place = call.params["ResourceArn"]
        gone = set(call.params["TagsToRemove"])
        kept = aws.documents.get(_KIND, place) or {}
        write(aws, place, {key: value for key, value in kept.items() if key not in gone})
        return {}

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


class Tags:
    def __init__(self, aws: LocalAws) -> None:
        self._aws = aws

    def register(self, service: Service) -> None:
        service.operation("GetTags", "ResourceArn")(self.get)
        service.operation("TagResource", "ResourceArn", "TagsToAdd")(self.tag)
        service.operation("UntagResource", "ResourceArn", "TagsToRemove")(self.untag)

    def get(self, call: Call) -> Json:
        return {"Tags": self._of(call)}

    def tag(self, call: Call) -> Json:
        with self._aws.documents.transaction():
            write(self._aws, call.params["ResourceArn"], self._of(call) | call.params["TagsToAdd"])
        return {}

    def untag(self, call: Call) -> Json:
        gone = call.params["TagsToRemove"]
        with self._aws.documents.transaction():
            kept = {key: value for key, value in self._of(call).items() if key not in gone}
            write(self._aws, call.params["ResourceArn"], kept)
        return {}

    def _of(self, call: Call) -> Json:
        return self._aws.documents.get(_KIND, call.params["ResourceArn"]) or {}

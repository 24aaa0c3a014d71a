"""Tags of every kind of definition, by its ARN."""

from __future__ import annotations

from collections.abc import Iterable

from localaws.core.aws import LocalAws
from localaws.core.service import Call, Service
from localaws.databrew.documents import not_found
from localaws.shapes import Json

KINDS = ("dataset", "job", "project", "recipe", "ruleset", "schedule")


class Tags:
    def __init__(self, aws: LocalAws) -> None:
        self._aws = aws

    def register(self, service: Service) -> None:
        service.operation("TagResource", "ResourceArn", "Tags")(self.tag)
        service.operation("UntagResource", "ResourceArn", "TagKeys")(self.untag)
        service.operation("ListTagsForResource", "ResourceArn")(self.list)

    def tag(self, call: Call) -> Json:
        self._change(call.params["ResourceArn"], call.params["Tags"], ())
        return {}

    def untag(self, call: Call) -> Json:
        self._change(call.params["ResourceArn"], {}, call.params["TagKeys"])
        return {}

    def list(self, call: Call) -> Json:
        kind, name = _named(call.params["ResourceArn"])
        document = self._aws.documents.get(kind, name)
        if document is None:
            raise not_found("Resource", call.params["ResourceArn"])
        return {"Tags": document.get("working", document).get("Tags", {})}

    def _change(self, arn: str, more: Json, gone: Iterable[str]) -> None:
        kind, name = _named(arn)
        with self._aws.documents.changing(kind, name, not_found("Resource", arn)) as document:
            owner = document.get("working", document)  # a recipe's tags are those of all versions
            kept = {key: value for key, value in owner.get("Tags", {}).items() if key not in gone}
            owner["Tags"] = kept | more
            for version in document.get("published", []):
                version["Tags"] = owner["Tags"]


def _named(arn: str) -> tuple[str, str]:
    """(kind of document, name)."""
    kind, _, name = arn.rpartition(":")[2].partition("/")
    if kind not in KINDS or not name:
        raise not_found("Resource", arn)
    return f"databrew-{kind}", name

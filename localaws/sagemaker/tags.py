"""Tags of every SageMaker resource that exists here, by its ARN."""

from __future__ import annotations

from localaws.core.aws import LocalAws
from localaws.core.pages import Pages
from localaws.core.service import Call, Service
from localaws.sagemaker.names import WORDS, arn, validation
from localaws.shapes import Json

page = Pages(100, validation).page


class Tags:
    """AddTags, DeleteTags, ListTags."""

    def __init__(self, aws: LocalAws) -> None:
        self._aws = aws

    def register(self, service: Service) -> None:
        service.operation("AddTags", "ResourceArn", "Tags")(self.add)
        service.operation("DeleteTags", "ResourceArn", "TagKeys")(self.delete)
        service.operation("ListTags", "ResourceArn", "NextToken", "MaxResults")(self.list)

    def add(self, call: Call) -> Json:
        with self._aws.documents.transaction():
            kind, name, document = self._find(call)
            given = {tag["Key"]: tag for tag in [*document["tags"], *call.params["Tags"]]}
            document["tags"] = list(given.values())
            self._aws.documents.put(kind, name, document)
        return {"Tags": document["tags"]}

    def delete(self, call: Call) -> Json:
        gone = call.params["TagKeys"]
        with self._aws.documents.transaction():
            kind, name, document = self._find(call)
            document["tags"] = [tag for tag in document["tags"] if tag["Key"] not in gone]
            self._aws.documents.put(kind, name, document)
        return {}

    def list(self, call: Call) -> Json:
        _, _, document = self._find(call)
        shown, more = page(((tag["Key"], tag) for tag in document["tags"]), call.params)
        return {"Tags": shown, **more}

    def _find(self, call: Call) -> tuple[str, str, Json]:
        wanted = call.params["ResourceArn"]
        for kind in WORDS:
            for name, document in self._aws.documents.items(kind):
                if arn(self._aws, kind, name) == wanted:
                    return kind, name, document
        raise validation(f"No resource has the ARN {wanted!r}.")

"""Tags of every SageMaker resource that exists here, by its ARN."""

from __future__ import annotations

from localaws.core.aws import LocalAws
from localaws.core.service import Call, Service
from localaws.sagemaker.names import WORDS, arn, validation
from localaws.shapes import Json


def register_tags(service: Service, aws: LocalAws) -> None:
    """AddTags, DeleteTags, ListTags."""

    def locate(call: Call) -> tuple[str, str, Json]:
        wanted = call.params["ResourceArn"]
        for kind in WORDS:
            for name, document in aws.documents.items(kind):
                if arn(aws, kind, name) == wanted:
                    return kind, name, document
        raise validation(f"No resource has the ARN {wanted!r}.")

    @service.operation("AddTags", "ResourceArn", "Tags")
    @aws.documents.atomic
    def add_tags(call: Call) -> Json:
        kind, name, document = locate(call)
        given = {tag["Key"]: tag for tag in [*document["tags"], *call.params["Tags"]]}
        document["tags"] = list(given.values())
        aws.documents.put(kind, name, document)
        return {"Tags": document["tags"]}

    @service.operation("DeleteTags", "ResourceArn", "TagKeys")
    @aws.documents.atomic
    def delete_tags(call: Call) -> Json:
        kind, name, document = locate(call)
        gone = call.params["TagKeys"]
        document["tags"] = [tag for tag in document["tags"] if tag["Key"] not in gone]
        aws.documents.put(kind, name, document)
        return {}

    @service.operation("ListTags", "ResourceArn", "NextToken", "MaxResults")
    def list_tags(call: Call) -> Json:
        return {"Tags": locate(call)[2]["tags"]}

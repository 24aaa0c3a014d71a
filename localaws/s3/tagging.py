"""Tags of objects."""

from __future__ import annotations

from localaws.core.service import Call, Service
from localaws.s3.objects import Objects
from localaws.s3.properties import WHERE, version
from localaws.shapes import Json


class Tagging:
    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def register(self, service: Service) -> None:
        service.operation("GetObjectTagging", *WHERE, "VersionId")(self.get)
        service.operation(
            "PutObjectTagging", *WHERE, "VersionId", "Tagging", "ContentMD5", "ChecksumAlgorithm"
        )(self.put)
        service.operation("DeleteObjectTagging", *WHERE, "VersionId")(self.delete)

    def get(self, call: Call) -> Json:
        stored = self._objects.head(
            call.params["Bucket"], call.params["Key"], call.params.get("VersionId")
        )
        tags = stored.properties.get("Tags", {})
        tag_set = [{"Key": name, "Value": value} for name, value in tags.items()]
        return {"TagSet": tag_set, **version(stored)}

    def put(self, call: Call) -> Json:
        tag_set = call.params["Tagging"]["TagSet"]
        return self._change(call, {tag["Key"]: tag["Value"] for tag in tag_set})

    def delete(self, call: Call) -> Json:
        return self._change(call, {})

    def _change(self, call: Call, tags: dict[str, str]) -> Json:
        stored = self._objects.update(
            *(call.params["Bucket"], call.params["Key"], call.params.get("VersionId")), Tags=tags
        )
        return version(stored)

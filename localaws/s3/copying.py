"""CopyObject, and what it shares with UploadPartCopy: the source and its conditions."""

from __future__ import annotations

from urllib.parse import unquote

from localaws.core.object_store import telling_missing
from localaws.core.service import Call, Service
from localaws.errors import AwsError
from localaws.identity.authorization import Authorizer
from localaws.s3 import encryption
from localaws.s3.bodies import wanted_algorithms
from localaws.s3.buckets import Buckets
from localaws.s3.conditions import check_read, write_check
from localaws.s3.objects import Objects
from localaws.s3.properties import (
    KEPT,
    WRITE,
    checksum_members,
    kept_properties,
    version,
)
from localaws.s3.stored import NULL_VERSION, StoredObject
from localaws.shapes import Json

SOURCE = (
    *("CopySource", "CopySourceIfMatch", "CopySourceIfNoneMatch", "CopySourceIfModifiedSince"),
    *("CopySourceIfUnmodifiedSince", "ExpectedSourceBucketOwner"),
)


class Copies:
    def __init__(self, objects: Objects, authorize: Authorizer) -> None:
        self._objects = objects
        self._authorize = authorize

    def register(self, service: Service) -> None:
        service.operation(
            *("CopyObject", *WRITE, *SOURCE, "MetadataDirective", "TaggingDirective"),
            *("ChecksumAlgorithm", "IfMatch", "IfNoneMatch"),
        )(self.copy)

    def copy(self, call: Call) -> Json:
        params = call.params
        source, exact = copy_source(self._objects, self._authorize, call)
        self._objects.buckets.get(params["Bucket"])
        properties = _properties(self._objects.buckets, params, source, exact)
        algorithms = wanted_algorithms(params, source.properties.get("Checksums", {}))
        data = self._objects.receive(source.stream(), algorithms)
        if data.checksums:
            properties["Checksums"] = data.checksums
        stored = self._objects.commit(
            params["Bucket"],
            params["Key"],
            data,
            properties,
            reason="CopyObject",
            unless=write_check(params),
        )
        result = {
            "ETag": f'"{stored.etag}"',
            "LastModified": stored.last_modified,
            **checksum_members(stored.properties),
        }
        return {
            "CopyObjectResult": result,
            **encryption.shown(stored.properties),
            **version(stored),
            **source_version(source),
        }


def _properties(buckets: Buckets, params: Json, source: StoredObject, exact: bool) -> Json:
    """What the copy keeps: the source's, or what the request gives instead."""
    replaced = params.get("MetadataDirective") == "REPLACE"
    requested = kept_properties(buckets, "CopyObject", params)
    same = (source.bucket, source.key) == (params["Bucket"], params["Key"])
    changed = replaced or "StorageClass" in requested or encryption.MEMBER in params
    if same and not exact and not changed:
        raise AwsError(
            "InvalidRequest",
            "This copy request is illegal because it is trying to copy an object to itself"
            " without changing the object's metadata, storage class, website redirect location"
            " or encryption attributes.",
        )
    inherited = {name: value for name, value in source.properties.items() if name in KEPT}
    inherited.pop("StorageClass", None)
    if "StorageClass" in requested:
        inherited["StorageClass"] = requested["StorageClass"]
    properties = requested if replaced else inherited | encryption.shown(requested)
    if params.get("TaggingDirective") == "REPLACE":
        properties["Tags"] = requested.get("Tags", {})
    elif "Tags" in source.properties:
        properties["Tags"] = source.properties["Tags"]
    return properties


def copy_source(objects: Objects, authorize: Authorizer, call: Call) -> tuple[StoredObject, bool]:
    """The version that CopySource names, and whether it names one.

    Raises PreconditionFailed for each condition that does not hold, as S3 does for copies.
    """
    bucket, key, version_id = source_of(call.params["CopySource"])
    with telling_missing(authorize, call.caller, bucket, key):
        source = objects.head(bucket, key, version_id)
    conditions = {
        name.removeprefix("CopySource"): value
        for name, value in call.params.items()
        if name.startswith("CopySourceIf")
    }
    try:
        check_read(source, conditions)
    except AwsError as error:
        raise AwsError("PreconditionFailed", error.message, 412) from error
    return source, version_id is not None


def source_version(source: StoredObject) -> Json:
    if source.version_id == NULL_VERSION:
        return {}
    return {"CopySourceVersionId": source.version_id}


def source_of(text: str) -> tuple[str, str, str | None]:
    """Bucket, key and version of a CopySource."""
    path, _, query = text.partition("?versionId=")
    bucket, _, key = unquote(path).removeprefix("/").partition("/")
    if not key:
        raise AwsError("InvalidArgument", f"CopySource is bucket/key, not {text!r}.")
    return bucket, key, query or None

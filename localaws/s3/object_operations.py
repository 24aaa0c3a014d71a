"""Objects: put, get, head, delete, attributes."""

from __future__ import annotations

from localaws.core.object_store import telling_missing
from localaws.core.service import Call, Service
from localaws.errors import AwsError
from localaws.identity.actions import s3 as asked
from localaws.identity.authorization import Authorizer
from localaws.s3 import encryption
from localaws.s3.answers import S3Answer
from localaws.s3.bodies import receive
from localaws.s3.conditions import byte_range, check_read, write_check
from localaws.s3.objects import Objects, Removed
from localaws.s3.properties import (
    CHECKSUMS,
    KEPT,
    WHERE,
    WRITE,
    checksum_members,
    kept_properties,
    version,
    written,
)
from localaws.s3.stored import StoredObject, pieces
from localaws.shapes import Json

CONDITIONS = ("IfMatch", "IfNoneMatch", "IfModifiedSince", "IfUnmodifiedSince")
RESPONSE = tuple(
    f"Response{name}"
    for name in (
        *("ContentType", "ContentEncoding", "ContentDisposition", "ContentLanguage"),
        *("CacheControl", "Expires"),
    )
)
READ = (*WHERE, *CONDITIONS, *RESPONSE, "VersionId", "Range", "PartNumber", "ChecksumMode")


class ObjectOperations:
    def __init__(self, objects: Objects, authorize: Authorizer) -> None:
        self._objects = objects
        self._authorize = authorize

    def register(self, service: Service) -> None:
        service.operation(
            *("PutObject", *WRITE, "Body", "ContentLength", "ContentMD5", *CHECKSUMS),
            *("IfMatch", "IfNoneMatch"),
        )(self.put_object)
        service.operation("GetObject", *READ)(self.get_object)
        service.operation("HeadObject", *READ)(self.head_object)
        service.operation(
            *("DeleteObject", *WHERE, "VersionId", "IfMatch", "BypassGovernanceRetention")
        )(self.delete_object)
        service.operation(
            *("DeleteObjects", "Bucket", "Delete", "RequestPayer", "ExpectedBucketOwner"),
            *("ChecksumAlgorithm", "BypassGovernanceRetention"),
        )(self.delete_objects)
        service.operation("GetObjectAttributes", *WHERE, "VersionId", "ObjectAttributes")(
            self.get_object_attributes
        )

    def put_object(self, call: Call) -> Json:
        params = call.params
        self._objects.buckets.get(params["Bucket"])
        properties = kept_properties(self._objects.buckets, "PutObject", params)
        received = receive(self._objects, call)
        if received.checksums:
            properties["Checksums"] = received.checksums
        check = write_check(params)
        stored = self._objects.commit(
            params["Bucket"], params["Key"], received, properties, unless=check
        )
        return written(stored)

    def _found(self, call: Call) -> StoredObject:
        bucket, key = call.params["Bucket"], call.params["Key"]
        with telling_missing(self._authorize, call.caller, bucket, key):
            return self._objects.head(bucket, key, call.params.get("VersionId"))

    def get_object(self, call: Call) -> Json:
        found = self._found(call)
        file = found.path.open("rb")  # read, and closed, while the answer goes out
        try:
            answer, start = _described(found, call.params)
        except BaseException:
            file.close()
            raise
        answer.body = pieces(file, start, answer["ContentLength"])
        return answer

    def head_object(self, call: Call) -> Json:
        try:
            found = self._found(call)
        except AwsError as error:  # a HEAD answer has no body, so a client sees the status only
            raise AwsError(str(error.status), error.message, error.status) from error
        return _described(found, call.params)[0]

    def delete_object(self, call: Call) -> Json:
        params = call.params
        check = write_check({"IfMatch": params["IfMatch"]} if "IfMatch" in params else {})
        removed = self._objects.remove(
            params["Bucket"], params["Key"], params.get("VersionId"), unless=check
        )
        return _removed(removed)

    def delete_objects(self, call: Call) -> Json:
        bucket = call.params["Bucket"]
        self._objects.buckets.get(bucket)
        deleted, errors = [], []
        for item in call.params["Delete"]["Objects"]:
            try:
                self._authorize.ask(call.caller, "s3", asked.deleted(bucket, item))
                removed = self._objects.remove(bucket, item["Key"], item.get("VersionId"))
            except AwsError as error:
                errors.append({"Key": item["Key"], "Code": error.code, "Message": error.message})
                continue
            entry: Json = {"Key": item["Key"]}
            if "VersionId" in item:
                entry["VersionId"] = item["VersionId"]
            if removed.marker:
                entry |= {"DeleteMarker": True, "DeleteMarkerVersionId": removed.version_id}
            deleted.append(entry)
        quiet = call.params["Delete"].get("Quiet", False)
        return {"Errors": errors} if quiet else {"Deleted": deleted, "Errors": errors}

    def get_object_attributes(self, call: Call) -> Json:
        found = self._found(call)
        return _attributes(found, call.params["ObjectAttributes"]) | version(found)


def _described(found: StoredObject, params: Json) -> tuple[S3Answer, int]:
    """The answer of GetObject or HeadObject without the body, and where that begins."""
    check_read(found, params)
    start, length, status = 0, found.bytes, 200
    part = byte_range(params.get("Range"), found.bytes)
    sizes = found.properties.get("Parts")
    if "PartNumber" in params:
        number = params["PartNumber"]
        known = sizes or [found.bytes]
        if not 1 <= number <= len(known):
            raise AwsError("InvalidPartNumber", f"There is no part {number}.", 416)
        part = (sum(known[: number - 1]), known[number - 1])
    members: Json = {
        "AcceptRanges": "bytes",
        "LastModified": found.last_modified,
        "ETag": f'"{found.etag}"',
        "ContentType": found.content_type,
        **encryption.shown(found.properties),
        **version(found),
        **{name: found.properties[name] for name in KEPT if name in found.properties},
    }
    if members.get("StorageClass") == "STANDARD":
        del members["StorageClass"]
    if tags := found.properties.get("Tags"):
        members["TagCount"] = len(tags)
    if sizes and "PartNumber" in params:
        members["PartsCount"] = len(sizes)
    if part is not None:
        start, length = part
        status = 206
        members["ContentRange"] = f"bytes {start}-{start + length - 1}/{found.bytes}"
    elif params.get("ChecksumMode") == "ENABLED":
        members |= checksum_members(found.properties)
    members["ContentLength"] = length
    for name in RESPONSE:
        if name in params:
            members[name.removeprefix("Response")] = str(params[name])
    return S3Answer(members, status=status, body=()), start


def _removed(removed: Removed) -> Json:
    answer: Json = {}
    if removed.version_id is not None:
        answer["VersionId"] = removed.version_id
    if removed.marker:
        answer["DeleteMarker"] = True
    return answer


def _attributes(found: StoredObject, wanted: list[str]) -> Json:
    sums = checksum_members(found.properties)
    parts = found.properties.get("Parts")
    members: Json = {
        "ETag": found.etag,
        "ObjectSize": found.bytes,
        "StorageClass": found.properties.get("StorageClass", "STANDARD"),
        "Checksum": sums or None,
        "ObjectParts": {"TotalPartsCount": len(parts)} if parts else None,
    }
    chosen = {name: members[name] for name in wanted if members.get(name) is not None}
    return chosen | {"LastModified": found.last_modified}

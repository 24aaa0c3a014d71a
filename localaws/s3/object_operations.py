"""Objects: put, get, head, copy, delete, tags, attributes."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, unquote

from localaws.core.errors import AwsError, NotEmulated
from localaws.core.service import Call, Service
from localaws.s3.answers import Answer
from localaws.s3.bodies import check_received, plain_body, sent_checksums, wanted_algorithms
from localaws.s3.bucket_operations import check_acl
from localaws.s3.conditions import byte_range, check_read, write_check
from localaws.s3.objects import Objects, Removed
from localaws.s3.stored import NULL_VERSION, PIECE, StoredObject, pieces

Json = dict[str, Any]

# What is kept of a write and comes back with a read, spelled as the API does.
KEPT = (
    *("ContentType", "ContentEncoding", "ContentDisposition", "ContentLanguage", "CacheControl"),
    *("Expires", "Metadata", "StorageClass"),
)
CHECKSUMS = (
    *("ChecksumCRC32", "ChecksumCRC32C", "ChecksumCRC64NVME", "ChecksumSHA1"),
    *("ChecksumSHA256", "ChecksumAlgorithm"),
)
WHERE = ("Bucket", "Key", "RequestPayer", "ExpectedBucketOwner")
WRITE = (*WHERE, *KEPT, "ACL", "Tagging", "ServerSideEncryption")
CONDITIONS = ("IfMatch", "IfNoneMatch", "IfModifiedSince", "IfUnmodifiedSince")
RESPONSE = tuple(
    f"Response{name}"
    for name in (
        *("ContentType", "ContentEncoding", "ContentDisposition", "ContentLanguage"),
        *("CacheControl", "Expires"),
    )
)
READ = (*WHERE, *CONDITIONS, *RESPONSE, "VersionId", "Range", "PartNumber", "ChecksumMode")
CLASSES = ("STANDARD", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "REDUCED_REDUNDANCY")


def kept_properties(operation: str, params: Json) -> Json:
    """What a write keeps beside the bytes. Raises for storage classes and encryption we lack."""
    check_acl(operation, params)
    if params.get("StorageClass", "STANDARD") not in CLASSES:
        raise NotEmulated("s3", operation, "StorageClass", f"Taken are {', '.join(CLASSES)}.")
    if params.get("ServerSideEncryption", "AES256") != "AES256":
        raise NotEmulated("s3", operation, "ServerSideEncryption", "There is no KMS; AES256 is.")
    kept = {name: params[name] for name in KEPT if name in params}
    if "Metadata" in kept:  # header names have no case; S3 gives them back in lower case
        kept["Metadata"] = {name.lower(): value for name, value in kept["Metadata"].items()}
    if "Expires" in kept:
        kept["Expires"] = str(kept["Expires"])
    if "Tagging" in params:
        tags = dict(parse_qsl(params["Tagging"], keep_blank_values=True))
        kept["Tags"] = tags
    return kept


def version(found: StoredObject) -> Json:
    return {} if found.version_id == NULL_VERSION else {"VersionId": found.version_id}


def checksum_members(properties: Json) -> Json:
    sums = properties.get("Checksums", {})
    members = {f"Checksum{name}": value for name, value in sums.items()}
    return members | {"ChecksumType": properties.get("ChecksumType", "FULL_OBJECT")} if sums else {}


def written(stored: StoredObject) -> Json:
    """The answer to a write."""
    return {
        "ETag": f'"{stored.etag}"',
        "ServerSideEncryption": "AES256",
        **checksum_members(stored.properties),
        **version(stored),
    }


def source_of(text: str) -> tuple[str, str, str | None]:
    """Bucket, key and version of a CopySource."""
    path, _, query = text.partition("?versionId=")
    bucket, _, key = unquote(path).removeprefix("/").partition("/")
    if not key:
        raise AwsError("InvalidArgument", f"CopySource is bucket/key, not {text!r}.")
    return bucket, key, query or None


def register(service: Service, objects: Objects) -> None:
    """Adds the object operations to the service."""

    @service.operation(
        *("PutObject", *WRITE, "Body", "ContentLength", "ContentMD5", *CHECKSUMS),
        *("IfMatch", "IfNoneMatch"),
    )
    def put_object(call: Call) -> Json:
        params = call.params
        objects.buckets.get(params["Bucket"])
        body, trailers = plain_body(params)
        properties = kept_properties("PutObject", params)
        sent = sent_checksums(params, trailers)
        received = objects.receive(_sliced(body), wanted_algorithms(params, sent))
        try:
            check_received(received, sent, params.get("ContentMD5"))
        except AwsError:
            received.path.unlink()
            raise
        if received.checksums:
            properties["Checksums"] = received.checksums
        check = write_check(params)
        stored = objects.commit(params["Bucket"], params["Key"], received, properties, unless=check)
        return written(stored)

    @service.operation("GetObject", *READ)
    def get_object(call: Call) -> Json:
        found = objects.head(
            call.params["Bucket"], call.params["Key"], call.params.get("VersionId")
        )
        file = found.path.open("rb")  # read, and closed, while the answer goes out
        try:
            answer, start = _described(found, call.params)
        except BaseException:
            file.close()
            raise
        answer.body = pieces(file, start, answer["ContentLength"])
        return answer

    @service.operation("HeadObject", *READ)
    def head_object(call: Call) -> Json:
        try:
            found = objects.head(
                call.params["Bucket"], call.params["Key"], call.params.get("VersionId")
            )
        except AwsError as error:  # a HEAD answer has no body, so a client sees the status only
            raise AwsError(str(error.status), error.message, error.status) from error
        return _described(found, call.params)[0]

    @service.operation(
        *("CopyObject", *WRITE, "CopySource", "MetadataDirective", "TaggingDirective"),
        *("CopySourceIfMatch", "CopySourceIfNoneMatch", "CopySourceIfModifiedSince"),
        *("CopySourceIfUnmodifiedSince", "ChecksumAlgorithm", "ExpectedSourceBucketOwner"),
        *("IfMatch", "IfNoneMatch"),
    )
    def copy_object(call: Call) -> Json:
        return _copy(objects, call.params)

    @service.operation(
        *("DeleteObject", *WHERE, "VersionId", "IfMatch", "BypassGovernanceRetention")
    )
    def delete_object(call: Call) -> Json:
        params = call.params
        check = write_check({"IfMatch": params["IfMatch"]} if "IfMatch" in params else {})
        removed = objects.remove(
            params["Bucket"], params["Key"], params.get("VersionId"), unless=check
        )
        return _removed(removed)

    @service.operation(
        *("DeleteObjects", "Bucket", "Delete", "RequestPayer", "ExpectedBucketOwner"),
        *("ChecksumAlgorithm", "BypassGovernanceRetention"),
    )
    def delete_objects(call: Call) -> Json:
        bucket = call.params["Bucket"]
        objects.buckets.get(bucket)
        deleted, errors = [], []
        for item in call.params["Delete"]["Objects"]:
            try:
                removed = objects.remove(bucket, item["Key"], item.get("VersionId"))
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

    @service.operation("GetObjectTagging", *WHERE, "VersionId")
    def get_object_tagging(call: Call) -> Json:
        found = objects.head(
            call.params["Bucket"], call.params["Key"], call.params.get("VersionId")
        )
        tags = found.properties.get("Tags", {})
        tag_set = [{"Key": name, "Value": value} for name, value in tags.items()]
        return {"TagSet": tag_set, **version(found)}

    @service.operation(
        "PutObjectTagging", *WHERE, "VersionId", "Tagging", "ContentMD5", "ChecksumAlgorithm"
    )
    def put_object_tagging(call: Call) -> Json:
        found = objects.head(
            call.params["Bucket"], call.params["Key"], call.params.get("VersionId")
        )
        tags = {tag["Key"]: tag["Value"] for tag in call.params["Tagging"]["TagSet"]}
        objects.update(found, found.properties | {"Tags": tags})
        return version(found)

    @service.operation("DeleteObjectTagging", *WHERE, "VersionId")
    def delete_object_tagging(call: Call) -> Json:
        found = objects.head(
            call.params["Bucket"], call.params["Key"], call.params.get("VersionId")
        )
        objects.update(found, found.properties | {"Tags": {}})
        return version(found)

    @service.operation("GetObjectAttributes", *WHERE, "VersionId", "ObjectAttributes")
    def get_object_attributes(call: Call) -> Json:
        found = objects.head(
            call.params["Bucket"], call.params["Key"], call.params.get("VersionId")
        )
        return _attributes(found, call.params["ObjectAttributes"]) | version(found)


def _sliced(body: bytes) -> Any:
    view = memoryview(body)
    return (view[start : start + PIECE] for start in range(0, len(body), PIECE))


def _described(found: StoredObject, params: Json) -> tuple[Answer, int]:
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
        "ServerSideEncryption": "AES256",
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
    return Answer(members, status=status, body=()), start


def _copy(objects: Objects, params: Json) -> Json:
    bucket, key, source_version = source_of(params["CopySource"])
    source = objects.head(bucket, key, source_version)
    conditions = {
        name.removeprefix("CopySource"): value
        for name, value in params.items()
        if name.startswith("CopySourceIf")
    }
    try:
        check_read(source, conditions)
    except AwsError as error:
        raise AwsError("PreconditionFailed", error.message, 412) from error
    objects.buckets.get(params["Bucket"])
    replaced = params.get("MetadataDirective") == "REPLACE"
    given = kept_properties("CopyObject", params)
    same = (bucket, key) == (params["Bucket"], params["Key"])
    if same and source_version is None and not replaced and "StorageClass" not in given:
        raise AwsError(
            "InvalidRequest",
            "This copy request is illegal because it is trying to copy an object to itself"
            " without changing the object's metadata, storage class, website redirect location"
            " or encryption attributes.",
        )
    inherited = {name: value for name, value in source.properties.items() if name in KEPT}
    inherited.pop("StorageClass", None)
    properties = (
        given
        if replaced
        else inherited | {name: value for name, value in given.items() if name == "StorageClass"}
    )
    if params.get("TaggingDirective") == "REPLACE":
        properties["Tags"] = given.get("Tags", {})
    elif "Tags" in source.properties:
        properties["Tags"] = source.properties["Tags"]
    algorithms = wanted_algorithms(params, source.properties.get("Checksums", {}))
    data = objects.receive(source.stream(), algorithms)
    if data.checksums:
        properties["Checksums"] = data.checksums
    stored = objects.commit(
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
    answer: Json = {"CopyObjectResult": result, "ServerSideEncryption": "AES256", **version(stored)}
    if source.version_id != NULL_VERSION:
        answer["CopySourceVersionId"] = source.version_id
    return answer


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

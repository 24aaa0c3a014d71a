"""What is kept beside an object's bytes, and how answers show it."""

from __future__ import annotations

from urllib.parse import parse_qsl

from localaws.errors import NotEmulated
from localaws.s3 import encryption
from localaws.s3.bodies import content_encoding
from localaws.s3.bucket_operations import check_acl
from localaws.s3.buckets import Buckets
from localaws.s3.stored import NULL_VERSION, StoredObject
from localaws.shapes import Json

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
WRITE = (*WHERE, *KEPT, "ACL", "Tagging", encryption.MEMBER, encryption.KEY)
CLASSES = ("STANDARD", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "REDUCED_REDUNDANCY")


def kept_properties(buckets: Buckets, operation: str, params: Json) -> Json:
    """What a write keeps beside the bytes. Raises for storage classes and encryption we lack."""
    check_acl(operation, params)
    if params.get("StorageClass", "STANDARD") not in CLASSES:
        raise NotEmulated("s3", operation, "StorageClass", f"Taken are {', '.join(CLASSES)}.")
    kept = {name: params[name] for name in KEPT if name in params}
    kept |= encryption.asked(buckets, operation, params)
    if "ContentEncoding" in kept:
        kept["ContentEncoding"] = content_encoding(kept["ContentEncoding"])
        if not kept["ContentEncoding"]:
            del kept["ContentEncoding"]
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
        **encryption.shown(stored.properties),
        **checksum_members(stored.properties),
        **version(stored),
    }

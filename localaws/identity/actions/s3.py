"""S3's operations as actions: few have an action of their own name.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
"""

from __future__ import annotations

from urllib.parse import unquote

from localaws.identity.actions.asked import Asked, Place
from localaws.identity.policy.request import Value
from localaws.shapes import Json

BUCKET = {  # operation to action, on the bucket
    "HeadBucket": "ListBucket",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "DeleteBucketCors": "PutBucketCORS",
    "GetBucketCors": "GetBucketCORS",
    "PutBucketCors": "PutBucketCORS",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
    "DeleteBucketTagging": "PutBucketTagging",
}
OBJECT = {  # operation to (action, action of a version), on the object
    "GetObject": ("GetObject", "GetObjectVersion"),
    "HeadObject": ("GetObject", "GetObjectVersion"),
    "GetObjectAcl": ("GetObjectAcl", "GetObjectVersionAcl"),
    "GetObjectTagging": ("GetObjectTagging", "GetObjectVersionTagging"),
    "PutObjectTagging": ("PutObjectTagging", "PutObjectVersionTagging"),
    "DeleteObjectTagging": ("DeleteObjectTagging", "DeleteObjectVersionTagging"),
    "DeleteObject": ("DeleteObject", "DeleteObjectVersion"),
    "PutObject": ("PutObject", "PutObject"),
    "CreateMultipartUpload": ("PutObject", "PutObject"),
    "UploadPart": ("PutObject", "PutObject"),
    "CompleteMultipartUpload": ("PutObject", "PutObject"),
    "AbortMultipartUpload": ("AbortMultipartUpload", "AbortMultipartUpload"),
    "ListParts": ("ListMultipartUploadParts", "ListMultipartUploadParts"),
}
# Parameter to the condition key that it is.
KEYS = {
    "Prefix": "s3:prefix",
    "Delimiter": "s3:delimiter",
    "MaxKeys": "s3:max-keys",
    "VersionId": "s3:versionid",
    "ACL": "s3:x-amz-acl",
    "ServerSideEncryption": "s3:x-amz-server-side-encryption",
    "SSEKMSKeyId": "s3:x-amz-server-side-encryption-aws-kms-key-id",
    "StorageClass": "s3:x-amz-storage-class",
    "CopySource": "s3:x-amz-copy-source",
    "IfNoneMatch": "s3:if-none-match",
}


def asked(operation: str, params: Json, place: Place) -> list[Asked]:
    bucket = f"arn:aws:s3:::{params.get('Bucket', '*')}"
    keys = keys_of(operation, params)
    if operation == "ListBuckets":
        return [Asked("s3:ListAllMyBuckets")]
    if operation == "DeleteObjects":
        return [
            deleted(params["Bucket"], one)
            for one in (params.get("Delete") or {}).get("Objects", [])
        ]
    key = f"{bucket}/{params.get('Key', '*')}"
    if operation in ("CopyObject", "UploadPartCopy"):
        more = [Asked("s3:PutObjectTagging", key, keys)] if "Tagging" in params else []
        return [_source(params), Asked("s3:PutObject", key, keys), *more]
    if operation == "GetObjectAttributes":
        version = "Version" if "VersionId" in params else ""
        names = (f"s3:GetObject{version}", f"s3:GetObject{version}Attributes")
        return [Asked(name, key, keys) for name in names]
    if operation in OBJECT:
        plain, of_version = OBJECT[operation]
        found = [Asked(f"s3:{of_version if 'VersionId' in params else plain}", key, keys)]
        if operation in ("PutObject", "CreateMultipartUpload"):
            found += [Asked("s3:PutObjectAcl", key, keys)] if "ACL" in params else []
            found += [Asked("s3:PutObjectTagging", key, keys)] if "Tagging" in params else []
        return found
    found = [Asked(f"s3:{BUCKET.get(operation, operation)}", bucket, keys)]
    if operation == "CreateBucket":
        found += [Asked("s3:PutBucketAcl", bucket)] if "ACL" in params else []
        owned = "ObjectOwnership" in params
        found += [Asked("s3:PutBucketOwnershipControls", bucket)] if owned else []
    return found


def listing(bucket: str, key: str) -> Asked:
    """What must be allowed so that a missing key is told as missing, and not as forbidden: a
    condition on s3:prefix is held to the key.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html,
    https://github.com/ceph/ceph/pull/68577
    """
    return Asked("s3:ListBucket", f"arn:aws:s3:::{bucket}", {"s3:prefix": key})


def keys_of(operation: str, params: Json) -> dict[str, Value]:
    keys: dict[str, Value] = {
        key: str(params[name]) for name, key in KEYS.items() if name in params
    }
    if operation in ("ListObjects", "ListObjectsV2", "ListObjectVersions"):
        keys.setdefault("s3:prefix", "")
    return keys


def deleted(bucket: str, one: Json) -> Asked:
    """Of one of DeleteObjects' objects: {Key, VersionId}."""
    arn = f"arn:aws:s3:::{bucket}/{one['Key']}"
    if "VersionId" in one:
        return Asked("s3:DeleteObjectVersion", arn, {"s3:versionid": str(one["VersionId"])})
    return Asked("s3:DeleteObject", arn)


def copied_from(params: Json) -> Json:
    """{Bucket, Key, VersionId} of what is read to be copied: "bucket/key?versionId=v", or an object
    of these members already."""
    given = params.get("CopySource", "")
    if isinstance(given, dict):
        return given
    where, _, version = str(given).partition("?versionId=")
    bucket, _, key = unquote(where).lstrip("/").partition("/")
    return {"Bucket": bucket, "Key": key, **({"VersionId": version} if version else {})}


def _source(params: Json) -> Asked:
    source = copied_from(params)
    arn = f"arn:aws:s3:::{source['Bucket']}/{source['Key']}"
    if version := source.get("VersionId"):
        return Asked("s3:GetObjectVersion", arn, {"s3:versionid": version})
    return Asked("s3:GetObject", arn)

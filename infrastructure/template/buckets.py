"""Raw files, the lake of what runs make of them, and the public site."""

from __future__ import annotations

from infrastructure.names import LAKE, RAW, SITE
from infrastructure.words import Json, ref, resource, sub

# The data outlives the stack, but a stack that could not be created leaves nothing.
KEPT = {"DeletionPolicy": "RetainExceptOnCreate", "UpdateReplacePolicy": "Retain"}


def buckets() -> Json:
    closed = {
        "BlockPublicAcls": True,
        "BlockPublicPolicy": True,
        "IgnorePublicAcls": True,
        "RestrictPublicBuckets": True,
    }
    encrypted = {
        "ServerSideEncryptionConfiguration": [
            {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
        ]
    }
    return {
        # Only people write here, and only this bucket is watched: no output is ever an upload.
        "Raw": resource(
            "AWS::S3::Bucket",
            {
                "BucketName": sub(RAW),
                "BucketEncryption": encrypted,
                "PublicAccessBlockConfiguration": closed,
                # The audit names versions of raw files, and they must still be there.
                "VersioningConfiguration": {"Status": "Enabled"},
                "NotificationConfiguration": {
                    "EventBridgeConfiguration": {"EventBridgeEnabled": True}
                },
            },
            **KEPT,
        ),
        "Lake": resource(
            "AWS::S3::Bucket",
            {
                "BucketName": sub(LAKE),
                "BucketEncryption": encrypted,
                "PublicAccessBlockConfiguration": closed,
                "VersioningConfiguration": {"Status": "Enabled"},
                "LifecycleConfiguration": {
                    "Rules": [
                        _expire("results", "athena-results/", 7),
                        _expire("databrew", "databrew-temporary/", 1),
                    ]
                },
            },
            **KEPT,
        ),
        "Site": resource(
            "AWS::S3::Bucket",
            {
                "BucketName": sub(SITE),
                "BucketEncryption": encrypted,
                "WebsiteConfiguration": {
                    "IndexDocument": "index.html",
                    "ErrorDocument": "index.html",
                },
                # A website endpoint serves what everybody may read; nothing else lies here.
                "PublicAccessBlockConfiguration": {
                    "BlockPublicAcls": True,
                    "BlockPublicPolicy": False,
                    "IgnorePublicAcls": True,
                    "RestrictPublicBuckets": False,
                },
            },
        ),
        "SitePolicy": resource(
            "AWS::S3::BucketPolicy",
            {
                "Bucket": ref("Site"),
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": "*",
                            "Action": "s3:GetObject",
                            "Resource": sub("${Site.Arn}/*"),
                        }
                    ],
                },
            },
        ),
    }


def _expire(name: str, prefix: str, days: int) -> Json:
    return {
        "Id": name,
        "Prefix": prefix,
        "Status": "Enabled",
        "ExpirationInDays": days,
        "NoncurrentVersionExpiration": {"NoncurrentDays": 1},
    }

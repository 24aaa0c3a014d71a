"""Raw files, the lake of what runs make of them, and the page."""

from __future__ import annotations

from infrastructure.grants import over_tls
from infrastructure.names import CAPTURED, LAKE, RAW, SITE
from infrastructure.template.protection import ENCRYPTED, OF_S3
from infrastructure.words import Json, attribute, ref, resource, sub, when

# The data outlives the stack, but a stack that could not be created leaves nothing.
KEPT = {"DeletionPolicy": "RetainExceptOnCreate", "UpdateReplacePolicy": "Retain"}
CLOSED = {
    "BlockPublicAcls": True,
    "BlockPublicPolicy": True,
    "IgnorePublicAcls": True,
    "RestrictPublicBuckets": True,
}
UPLOAD_DAYS = 7  # after which an upload in parts that was never ended is given up
CAPTURED_DAYS = 30  # of what customers have bought, as they asked about it
NONCURRENT_DAYS = 30  # of what runs wrote over; of raw files every version stays


def parameters() -> Json:
    return {
        "SiteKind": {
            "Type": "String",
            "Description": "How the page is served",
            "AllowedValues": ["none", "website", "cloudfront"],
        },
    }


def conditions() -> Json:
    site = ref("SiteKind")
    return {
        "HasSite": {"Fn::Not": [{"Fn::Equals": [site, "none"]}]},
        "SiteIsWebsite": {"Fn::Equals": [site, "website"]},
        "SiteIsCloudFront": {"Fn::Equals": [site, "cloudfront"]},
    }


def site_url() -> Json:
    """Where the page is; only with the condition HasSite."""
    return when(
        "SiteIsCloudFront",
        sub("https://${Distribution.DomainName}"),
        attribute("Site", "WebsiteURL"),
    )


def buckets() -> Json:
    return {
        # Only people write here, and only this bucket is watched: no output is ever an upload.
        "Raw": resource(
            "AWS::S3::Bucket",
            {
                "BucketName": sub(RAW),
                "BucketEncryption": ENCRYPTED,
                "PublicAccessBlockConfiguration": CLOSED,
                # The audit names versions of raw files, and they must still be there.
                "VersioningConfiguration": {"Status": "Enabled"},
                "NotificationConfiguration": {
                    "EventBridgeConfiguration": {"EventBridgeEnabled": True}
                },
                "LifecycleConfiguration": {"Rules": [_unended()]},
            },
            **KEPT,
        ),
        "RawPolicy": _policy("Raw", [_over_tls(ref("Raw"))]),
        "Lake": resource(
            "AWS::S3::Bucket",
            {
                "BucketName": sub(LAKE),
                "BucketEncryption": ENCRYPTED,
                "PublicAccessBlockConfiguration": CLOSED,
                "VersioningConfiguration": {"Status": "Enabled"},
                "LifecycleConfiguration": {
                    "Rules": [
                        _unended(),
                        _expire("results", "athena-results/", 7),
                        _expire("incoming", "incoming/", 30),
                        _expire("captured", CAPTURED, CAPTURED_DAYS),
                        _expire("databrew", "databrew-temporary/", 1),
                        {
                            "Id": "written-over",
                            "Status": "Enabled",
                            "NoncurrentVersionExpiration": {"NoncurrentDays": NONCURRENT_DAYS},
                        },
                    ]
                },
            },
            **KEPT,
        ),
        "LakePolicy": _policy("Lake", [_over_tls(ref("Lake"))]),
        **_site(),
    }


def _over_tls(bucket: Json) -> Json:
    arn = {"Fn::Sub": ["arn:${AWS::Partition}:s3:::${Bucket}", {"Bucket": bucket}]}
    objects = {"Fn::Sub": ["arn:${AWS::Partition}:s3:::${Bucket}/*", {"Bucket": bucket}]}
    return over_tls(arn, objects)


def _policy(bucket: str, statements: list[Json], **more: str) -> Json:
    return resource(
        "AWS::S3::BucketPolicy",
        {
            "Bucket": ref(bucket),
            "PolicyDocument": {"Version": "2012-10-17", "Statement": statements},
        },
        **more,
    )


def _site() -> Json:
    """A bucket that everybody may read over its website endpoint, which knows no TLS; or a closed
    one behind CloudFront."""
    website = {"IndexDocument": "index.html", "ErrorDocument": "index.html"}
    open_to_all = {**CLOSED, "BlockPublicPolicy": False, "RestrictPublicBuckets": False}
    everybody = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": sub("${Site.Arn}/*"),
    }
    distribution = sub(
        "arn:${AWS::Partition}:cloudfront::${AWS::AccountId}:distribution/${Distribution}"
    )
    through_cloudfront = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Action": "s3:GetObject",
        "Resource": sub("${Site.Arn}/*"),
        "Condition": {"StringEquals": {"aws:SourceArn": distribution}},
    }
    return {
        "Site": resource(
            "AWS::S3::Bucket",
            {
                "BucketName": sub(SITE),
                # A page that everybody may read is under no key that somebody has to be allowed.
                "BucketEncryption": {
                    "ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": OF_S3}]
                },
                "WebsiteConfiguration": when("SiteIsWebsite", website, ref("AWS::NoValue")),
                # A website endpoint serves what everybody may read; nothing else lies here.
                "PublicAccessBlockConfiguration": when("SiteIsWebsite", open_to_all, CLOSED),
                "LifecycleConfiguration": {"Rules": [_unended()]},
            },
            Condition="HasSite",
        ),
        "SitePolicy": _policy(
            "Site",
            [
                when("SiteIsWebsite", everybody, through_cloudfront),
                when("SiteIsCloudFront", _over_tls(ref("Site")), ref("AWS::NoValue")),
            ],
            Condition="HasSite",
        ),
        "SiteAccess": resource(
            "AWS::CloudFront::OriginAccessControl",
            {
                "OriginAccessControlConfig": {
                    "Name": sub("${AWS::StackName}-site-${AWS::Region}"),
                    "OriginAccessControlOriginType": "s3",
                    "SigningBehavior": "always",
                    "SigningProtocol": "sigv4",
                }
            },
            Condition="SiteIsCloudFront",
        ),
        "Distribution": resource(
            "AWS::CloudFront::Distribution",
            {
                "DistributionConfig": {
                    "Enabled": True,
                    "Comment": sub("The page of ${AWS::StackName}"),
                    "DefaultRootObject": "index.html",
                    "HttpVersion": "http2",
                    "PriceClass": "PriceClass_100",
                    "Origins": [
                        {
                            "Id": "site",
                            "DomainName": attribute("Site", "RegionalDomainName"),
                            "OriginAccessControlId": ref("SiteAccess"),
                            "S3OriginConfig": {"OriginAccessIdentity": ""},
                        }
                    ],
                    "DefaultCacheBehavior": {
                        "TargetOriginId": "site",
                        "ViewerProtocolPolicy": "redirect-to-https",
                        # AWS's own: CachingOptimized, and SecurityHeadersPolicy.
                        "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
                        "ResponseHeadersPolicyId": "67f7725c-6f97-4210-82d7-5512b31e9d03",
                        "Compress": True,
                    },
                    "ViewerCertificate": {
                        "CloudFrontDefaultCertificate": True,
                        "MinimumProtocolVersion": "TLSv1.2_2021",
                    },
                }
            },
            Condition="SiteIsCloudFront",
        ),
    }


def _unended() -> Json:
    return {
        "Id": "uploads-without-an-end",
        "Status": "Enabled",
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": UPLOAD_DAYS},
    }


def _expire(name: str, prefix: str, days: int) -> Json:
    return {
        "Id": name,
        "Prefix": prefix,
        "Status": "Enabled",
        "ExpirationInDays": days,
        "NoncurrentVersionExpiration": {"NoncurrentDays": 1},
    }

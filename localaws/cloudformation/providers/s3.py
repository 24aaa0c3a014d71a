"""AWS::S3::Bucket and AWS::S3::BucketPolicy."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from localaws.cloudformation.provider import (
    Made,
    Provider,
    ResourceRequest,
    document,
    ignoring_missing,
    missing,
)
from localaws.errors import AwsError, NotEmulated
from localaws.shapes import Json


class Bucket(Provider):
    type = "AWS::S3::Bucket"
    name_property = identifier = "BucketName"
    replaced_by = ("BucketName",)
    attributes = (
        *("Arn", "WebsiteURL", "DomainName", "RegionalDomainName", "DualStackDomainName"),
    )
    properties = (
        *("BucketName", "VersioningConfiguration.Status", "PublicAccessBlockConfiguration"),
        "NotificationConfiguration.EventBridgeConfiguration.EventBridgeEnabled",
        *(
            f"LifecycleConfiguration.Rules.{name}"
            for name in (
                *("Id", "Prefix", "Status", "ExpirationInDays", "ExpirationDate"),
                *("ExpiredObjectDeleteMarker", "NoncurrentVersionExpirationInDays"),
                *("NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"),
                *("ObjectSizeGreaterThan", "ObjectSizeLessThan"),
            )
        ),
        "BucketEncryption.ServerSideEncryptionConfiguration",
        *("WebsiteConfiguration.IndexDocument", "WebsiteConfiguration.ErrorDocument"),
        *("OwnershipControls", "CorsConfiguration", "Tags", "AccessControl"),
    )

    def create(self, request: ResourceRequest) -> Made:
        access = request.properties.get("AccessControl", "Private")
        if access != "Private":
            raise NotEmulated("cloudformation", "CreateStack", f"AccessControl {access}")
        name = request.properties.get("BucketName") or request.name(63, lower=True)
        try:
            request.call("s3", "head_bucket", Bucket=name)
        except ClientError as error:
            if not missing(error):
                raise
        else:
            raise AwsError("AlreadyExists", f"{name} already exists")
        region = request.aws.region
        place = {"LocationConstraint": region} if region != "us-east-1" else None
        request.call("s3", "create_bucket", Bucket=name, CreateBucketConfiguration=place)
        try:
            self._configure(request, name, {})
        except BaseException:
            request.call("s3", "delete_bucket", Bucket=name)
            raise
        return self._made(request, name)

    def adopt(self, request: ResourceRequest) -> Made:
        request.call("s3", "head_bucket", Bucket=request.physical_id)
        return self._made(request, request.physical_id)

    def update(self, request: ResourceRequest) -> Made:
        self._configure(request, request.physical_id, request.previous)
        return self._made(request, request.physical_id)

    def delete(self, request: ResourceRequest) -> None:
        with ignoring_missing():
            request.call("s3", "delete_bucket", Bucket=request.physical_id)

    def _made(self, request: ResourceRequest, name: str) -> Made:
        return Made(
            name,
            {
                "Arn": f"arn:aws:s3:::{name}",
                "WebsiteURL": f"{request.aws.url}/_aws/website/{name}/",
                "DomainName": f"{name}.s3.amazonaws.com",
                "RegionalDomainName": f"{name}.s3.{request.aws.region}.amazonaws.com",
                "DualStackDomainName": f"{name}.s3.dualstack.{request.aws.region}.amazonaws.com",
            },
        )

    def _configure(self, request: ResourceRequest, bucket: str, old: Json) -> None:
        new = request.properties
        for name, (put, delete, member, shape) in CONFIGURATIONS.items():
            if name in new and new[name] != old.get(name):
                request.call("s3", put, Bucket=bucket, **{member: shape(new[name])})
            elif name in old and name not in new:
                if delete is not None:
                    request.call("s3", delete, Bucket=bucket)
                else:
                    request.call("s3", put, Bucket=bucket, **{member: shape({})})
        tags = request.tag_list()
        if tags:
            request.call("s3", "put_bucket_tagging", Bucket=bucket, Tagging={"TagSet": tags})
        elif old.get("Tags"):
            request.call("s3", "delete_bucket_tagging", Bucket=bucket)


def _versioning(given: Json) -> Json:
    return {"Status": given.get("Status", "Suspended")}


def _notification(given: Json) -> Json:
    enabled = given.get("EventBridgeConfiguration", {}).get("EventBridgeEnabled", bool(given))
    return {"EventBridgeConfiguration": {}} if str(enabled).lower() == "true" else {}


def _encryption(given: Json) -> Json:
    return {
        "Rules": [
            {
                "ApplyServerSideEncryptionByDefault": rule["ServerSideEncryptionByDefault"],
                "BucketKeyEnabled": rule.get("BucketKeyEnabled", False),
            }
            for rule in given["ServerSideEncryptionConfiguration"]
        ]
    }


def _cors(given: Json) -> Json:
    names = {"ExposedHeaders": "ExposeHeaders", "MaxAge": "MaxAgeSeconds", "Id": "ID"}
    return {
        "CORSRules": [
            {names.get(name, name): value for name, value in rule.items()}
            for rule in given["CorsRules"]
        ]
    }


def _lifecycle(given: Json) -> Json:
    return {"Rules": [_lifecycle_rule(rule) for rule in given["Rules"]]}


def _lifecycle_rule(rule: Json) -> Json:
    made: Json = {"Status": rule["Status"]}
    if "Id" in rule:
        made["ID"] = rule["Id"]
    filters = {
        name: rule[name]
        for name in ("Prefix", "ObjectSizeGreaterThan", "ObjectSizeLessThan")
        if name in rule
    }
    made["Filter"] = filters if len(filters) == 1 else {"And": filters} if filters else {}
    if len(filters) == 0:
        made["Filter"] = {"Prefix": ""}
    expiration = {
        target: rule[name]
        for name, target in (
            ("ExpirationInDays", "Days"),
            ("ExpirationDate", "Date"),
            ("ExpiredObjectDeleteMarker", "ExpiredObjectDeleteMarker"),
        )
        if name in rule
    }
    if expiration:
        made["Expiration"] = expiration
    if "NoncurrentVersionExpirationInDays" in rule:
        days = rule["NoncurrentVersionExpirationInDays"]
        made["NoncurrentVersionExpiration"] = {"NoncurrentDays": days}
    for name in ("NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"):
        if name in rule:
            made[name] = rule[name]
    return made


def _same(given: Json) -> Json:
    return given


# Property: (put operation, delete operation, its parameter, from the property to the parameter).
CONFIGURATIONS: dict[str, tuple[str, str | None, str, Any]] = {
    "VersioningConfiguration": (
        *("put_bucket_versioning", None, "VersioningConfiguration", _versioning),
    ),
    "NotificationConfiguration": (
        *("put_bucket_notification_configuration", None, "NotificationConfiguration"),
        _notification,
    ),
    "PublicAccessBlockConfiguration": (
        *("put_public_access_block", "delete_public_access_block"),
        *("PublicAccessBlockConfiguration", _same),
    ),
    "LifecycleConfiguration": (
        *("put_bucket_lifecycle_configuration", "delete_bucket_lifecycle"),
        *("LifecycleConfiguration", _lifecycle),
    ),
    "BucketEncryption": (
        *("put_bucket_encryption", "delete_bucket_encryption"),
        *("ServerSideEncryptionConfiguration", _encryption),
    ),
    "WebsiteConfiguration": (
        *("put_bucket_website", "delete_bucket_website", "WebsiteConfiguration"),
        lambda given: {
            **(
                {"IndexDocument": {"Suffix": given["IndexDocument"]}}
                if "IndexDocument" in given
                else {}
            ),
            **(
                {"ErrorDocument": {"Key": given["ErrorDocument"]}}
                if "ErrorDocument" in given
                else {}
            ),
        },
    ),
    "OwnershipControls": (
        *("put_bucket_ownership_controls", "delete_bucket_ownership_controls"),
        *("OwnershipControls", _same),
    ),
    "CorsConfiguration": (*("put_bucket_cors", "delete_bucket_cors", "CORSConfiguration", _cors),),
}


class BucketPolicy(Provider):
    type = "AWS::S3::BucketPolicy"
    properties = ("Bucket", "PolicyDocument")
    replaced_by = ("Bucket",)

    def create(self, request: ResourceRequest) -> Made:
        self._put(request)
        return Made(request.properties["Bucket"])

    def update(self, request: ResourceRequest) -> Made:
        self._put(request)
        return Made(request.physical_id)

    def delete(self, request: ResourceRequest) -> None:
        with ignoring_missing():
            request.call("s3", "delete_bucket_policy", Bucket=request.physical_id)

    def _put(self, request: ResourceRequest) -> None:
        policy = document(request.properties["PolicyDocument"])
        request.call("s3", "put_bucket_policy", Bucket=request.properties["Bucket"], Policy=policy)


PROVIDERS = (Bucket(), BucketPolicy())

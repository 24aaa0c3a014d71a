"""Bucket configurations that are kept as they are put: one table of Get, Put and Delete."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from localaws.core.service import Call, Service
from localaws.errors import AwsError, NotEmulated
from localaws.s3 import encryption
from localaws.s3.buckets import ENABLED, SUSPENDED, Buckets
from localaws.s3.cors import check_cors
from localaws.s3.policy import is_public
from localaws.shapes import Json


@dataclass(frozen=True)
class Configuration:
    """One kind. `member`: the Put parameter; `unset`: the error code of Get before any Put
    (or the answer itself); `shape`: from the stored document to Get's answer."""

    kind: str
    put: str
    get: str
    delete: str | None
    member: str
    unset: str | Json
    shape: Callable[[Any], Json] = lambda document: document
    accepted: tuple[str, ...] = ()  # members of the Put parameter; none: all of them
    check: Callable[[Buckets, str, Any], None] | None = None


def _wrapped(name: str) -> Callable[[Any], Json]:
    return lambda document: {name: document}


def check_versioning(_: Buckets, __: str, document: Json) -> None:
    if document.get("Status") not in (ENABLED, SUSPENDED):
        raise AwsError("IllegalVersioningConfigurationException", "Status: Enabled or Suspended.")


def check_policy(buckets: Buckets, bucket: str, text: str) -> None:
    """A JSON object whose statements are about this bucket; public only where that may be."""
    try:
        statements = json.loads(text)["Statement"]
    except (ValueError, KeyError, TypeError) as error:
        raise AwsError(
            "MalformedPolicy", "Policies must be valid JSON with a Statement."
        ) from error
    for statement in statements if isinstance(statements, list) else [statements]:
        missing = {"Effect", "Action", "Resource", "Principal"} - {
            name.removeprefix("Not") for name in statement
        }
        if missing:
            raise AwsError("MalformedPolicy", f"Missing required field {sorted(missing)[0]}")
        resources = statement.get("Resource", [])
        for resource in [resources] if isinstance(resources, str) else resources:
            name = resource.removeprefix("arn:aws:s3:::").split("/")[0]
            if name not in (bucket, "*"):
                raise AwsError("MalformedPolicy", f"Policy has invalid resource: {resource}")
    block = buckets.configuration(bucket, "publicAccessBlock") or {}
    if block.get("BlockPublicPolicy") and is_public(text):
        raise AwsError(
            "AccessDenied",
            "Access Denied: public policies are prevented by the BlockPublicPolicy setting in"
            f" Block Public Access of {bucket}.",
            403,
        )


def check_lifecycle(_: Buckets, __: str, document: Json) -> None:
    for rule in document["Rules"]:
        for action in ("Transitions", "NoncurrentVersionTransitions"):
            if rule.get(action):
                raise NotEmulated("s3", "PutBucketLifecycleConfiguration", action)


_LIFECYCLE = tuple(
    f"Rules.{name}"
    for name in (
        "ID",
        "Prefix",
        "Filter.Prefix",
        "Filter.And.Prefix",
        "Filter.And.ObjectSizeGreaterThan",
        "Filter.And.ObjectSizeLessThan",
        "Filter.ObjectSizeGreaterThan",
        "Filter.ObjectSizeLessThan",
        "Status",
        "Expiration",
        "NoncurrentVersionExpiration",
        "AbortIncompleteMultipartUpload",
        "Transitions",
        "NoncurrentVersionTransitions",
    )
)

_DEFAULT_ENCRYPTION: Json = {
    "ServerSideEncryptionConfiguration": {
        "Rules": [
            {
                "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"},
                "BucketKeyEnabled": False,
            }
        ]
    }
}

CONFIGURATIONS = (
    Configuration(
        kind="versioning",
        put="PutBucketVersioning",
        get="GetBucketVersioning",
        delete=None,
        member="VersioningConfiguration",
        unset={},
        accepted=("Status",),
        check=check_versioning,
    ),
    Configuration(
        kind="policy",
        put="PutBucketPolicy",
        get="GetBucketPolicy",
        delete="DeleteBucketPolicy",
        member="Policy",
        unset="NoSuchBucketPolicy",
        shape=_wrapped("Policy"),
        check=check_policy,
    ),
    Configuration(
        kind="tagging",
        put="PutBucketTagging",
        get="GetBucketTagging",
        delete="DeleteBucketTagging",
        member="Tagging",
        unset="NoSuchTagSet",
    ),
    Configuration(
        kind="notification",
        put="PutBucketNotificationConfiguration",
        get="GetBucketNotificationConfiguration",
        delete=None,
        member="NotificationConfiguration",
        unset={},
        accepted=("EventBridgeConfiguration",),
    ),
    Configuration(
        kind="publicAccessBlock",
        put="PutPublicAccessBlock",
        get="GetPublicAccessBlock",
        delete="DeletePublicAccessBlock",
        member="PublicAccessBlockConfiguration",
        unset="NoSuchPublicAccessBlockConfiguration",
        shape=_wrapped("PublicAccessBlockConfiguration"),
    ),
    Configuration(
        kind="website",
        put="PutBucketWebsite",
        get="GetBucketWebsite",
        delete="DeleteBucketWebsite",
        member="WebsiteConfiguration",
        unset="NoSuchWebsiteConfiguration",
        accepted=("IndexDocument", "ErrorDocument"),
    ),
    Configuration(
        kind=encryption.KIND,
        put="PutBucketEncryption",
        get="GetBucketEncryption",
        delete="DeleteBucketEncryption",
        member="ServerSideEncryptionConfiguration",
        unset=_DEFAULT_ENCRYPTION,
        shape=_wrapped("ServerSideEncryptionConfiguration"),
        check=encryption.check_default,
    ),
    Configuration(
        kind="lifecycle",
        put="PutBucketLifecycleConfiguration",
        get="GetBucketLifecycleConfiguration",
        delete="DeleteBucketLifecycle",
        member="LifecycleConfiguration",
        unset="NoSuchLifecycleConfiguration",
        accepted=_LIFECYCLE,
        check=check_lifecycle,
    ),
    Configuration(
        kind="cors",
        put="PutBucketCors",
        get="GetBucketCors",
        delete="DeleteBucketCors",
        member="CORSConfiguration",
        unset="NoSuchCORSConfiguration",
        check=check_cors,
    ),
    Configuration(
        kind="ownership",
        put="PutBucketOwnershipControls",
        get="GetBucketOwnershipControls",
        delete="DeleteBucketOwnershipControls",
        member="OwnershipControls",
        unset="OwnershipControlsNotFoundError",
        shape=_wrapped("OwnershipControls"),
    ),
)

# Members that clients may add to any Put and that change nothing here.
_IGNORED = (
    *("Bucket", "ContentMD5", "ChecksumAlgorithm", "ExpectedBucketOwner"),
    *("SkipDestinationValidation", "ConfirmRemoveSelfBucketAccess"),
    "TransitionDefaultMinimumObjectSize",
)


def register(service: Service, buckets: Buckets) -> None:
    """Adds the Get, Put and Delete operations of every configuration to the service."""
    for configuration in CONFIGURATIONS:
        ConfigurationOperations(buckets, configuration).register(service)


class ConfigurationOperations:
    """Get, Put and Delete of one kind of configuration."""

    def __init__(self, buckets: Buckets, about: Configuration) -> None:
        self._buckets = buckets
        self._about = about

    def register(self, service: Service) -> None:
        about = self._about
        members = [f"{about.member}.{name}" for name in about.accepted] or [about.member]
        service.operation(about.put, *members, *_IGNORED)(self.put)
        service.operation(about.get, "Bucket", "ExpectedBucketOwner")(self.get)
        if about.delete is not None:
            service.operation(about.delete, "Bucket", "ExpectedBucketOwner")(self.delete)

    def put(self, call: Call) -> Json:
        bucket = call.params["Bucket"]
        document = call.params.get(self._about.member, {})
        self._buckets.get(bucket)
        if self._about.check is not None:
            self._about.check(self._buckets, bucket, document)
        self._buckets.configure(bucket, self._about.kind, document)
        return {}

    def get(self, call: Call) -> Json:
        document = self._buckets.configuration(call.params["Bucket"], self._about.kind)
        if document is not None:
            return self._about.shape(document)
        if isinstance(self._about.unset, str):
            raise AwsError(
                self._about.unset, f"The bucket has no {self._about.kind} configuration.", 404
            )
        return self._about.unset

    def delete(self, call: Call) -> Json:
        self._buckets.configure(call.params["Bucket"], self._about.kind, None)
        return {}

"""How objects are said to be encrypted: with S3's key, with the account's own in KMS, or with one
that somebody made there.

Nothing is encrypted on this disk. What is asked is kept and shown again; who may read and write an
object under a key is held to the policies of that key, and to its state.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-bucket-encryption.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from localaws.core.aws import LocalAws
from localaws.errors import AwsError, NotEmulated
from localaws.identity.actions.asked import Asked
from localaws.identity.actions.s3 import copied_from
from localaws.kms import api as kms
from localaws.s3.buckets import Buckets
from localaws.shapes import Json

MEMBER = "ServerSideEncryption"
KEY = "SSEKMSKeyId"
BUCKET_KEY = "BucketKeyEnabled"
DEFAULT, KMS = "AES256", "aws:kms"
TAKEN = (DEFAULT, KMS)
KIND = "encryption"  # of the bucket's configuration
WRITES = ("PutObject", "CreateMultipartUpload", "CopyObject")
# GUESSED: HeadObject asks for kms:Decrypt as GetObject does; its guide does not say.
READS = ("GetObject", "HeadObject", "CopyObject", "UploadPartCopy")
Find = Callable[[str, str, str | None], Json]  # bucket, key, version to an object's properties


def asked(buckets: Buckets, operation: str, params: Json) -> Json:
    """The properties of a new object: what the request says, or else the bucket's default."""
    if KEY in params and params.get(MEMBER) != KMS:
        raise AwsError(
            "InvalidArgument",
            "Server Side Encryption with AWS KMS managed key requires HTTP header"
            " x-amz-server-side-encryption : aws:kms",
        )
    if MEMBER not in params:
        return of_bucket(buckets, params["Bucket"])
    _check(operation, MEMBER, params[MEMBER])
    key = {KEY: kms.check_arn("s3", operation, KEY, params[KEY])} if KEY in params else {}
    return {MEMBER: params[MEMBER], **key}


def of_bucket(buckets: Buckets, bucket: str) -> Json:
    """The properties that an object has by the bucket's default."""
    document = buckets.configuration(bucket, KIND)
    if not document:
        return {MEMBER: DEFAULT}
    rule = document["Rules"][0]
    default = rule.get("ApplyServerSideEncryptionByDefault", {})
    key = {KEY: default["KMSMasterKeyID"]} if "KMSMasterKeyID" in default else {}
    bucket_key = {BUCKET_KEY: True} if key and rule.get("BucketKeyEnabled") else {}
    return {MEMBER: default.get("SSEAlgorithm", DEFAULT), **key, **bucket_key}


def shown(properties: Json) -> Json:
    """The members of an answer; objects of older homes have no property."""
    more = {name: properties[name] for name in (KEY, BUCKET_KEY) if name in properties}
    return {MEMBER: properties.get(MEMBER, DEFAULT), **more}


def check_default(_: Buckets, __: str, document: Json) -> None:
    """Refuses a bucket's default with an algorithm that is not here."""
    for rule in document["Rules"]:
        default = rule.get("ApplyServerSideEncryptionByDefault", {})
        _check("PutBucketEncryption", "SSEAlgorithm", str(default.get("SSEAlgorithm", DEFAULT)))
        if "KMSMasterKeyID" in default:
            name = "KMSMasterKeyID"
            kms.check_arn("s3", "PutBucketEncryption", name, default[name])


class KeysAsked:
    """What a call asks of the keys that its objects lie under, or will."""

    def __init__(self, aws: LocalAws, buckets: Buckets, find: Find) -> None:
        self._aws = aws
        self._buckets = buckets
        self._find = find
        self._known = (-1, False)

    def __call__(self, operation: str, params: Json) -> Iterator[Asked]:
        if operation in WRITES:
            try:
                new = asked(self._buckets, operation, params)
            except AwsError:  # which the operation itself will tell
                return
            # https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html: what
            # completes an upload decrypts its parts.
            both = ("Decrypt",) if operation == "CreateMultipartUpload" else ()
            yield from self._of(new, "GenerateDataKey", *both)
        if operation in READS and self._any():
            given = copied_from(params) if "CopySource" in params else params
            found = self._find(given["Bucket"], given["Key"], given.get("VersionId"))
            yield from self._of(found, "Decrypt")

    def _of(self, properties: Json, *actions: str) -> Iterator[Asked]:
        if KEY in properties:
            yield from kms.uses(self._aws, properties[KEY], *actions)

    def _any(self) -> bool:
        """Whether there is any key: without one there is nothing to look up for each object."""
        changes = self._aws.documents.changes(kms.KIND)
        if self._known[0] != changes:
            self._known = (changes, bool(self._aws.documents.items(kms.KIND)))
        return self._known[1]


def _check(operation: str, parameter: str, algorithm: str) -> None:
    if algorithm not in TAKEN:
        raise NotEmulated("s3", operation, parameter, f"Taken are {', '.join(TAKEN)}.")

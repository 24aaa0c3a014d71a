"""How objects are said to be encrypted: with S3's key, or with the account's own in KMS.

Nothing is encrypted on this disk. What is asked is kept and shown again; keys that somebody made
in KMS are refused by name, as there is no KMS.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-bucket-encryption.html
"""

from __future__ import annotations

from localaws.errors import NotEmulated
from localaws.s3.buckets import Buckets
from localaws.shapes import Json

MEMBER = "ServerSideEncryption"
DEFAULT = "AES256"
TAKEN = (DEFAULT, "aws:kms")
KIND = "encryption"  # of the bucket's configuration


def asked(buckets: Buckets, operation: str, params: Json) -> Json:
    """The property of a new object: what the request says, or else the bucket's default."""
    algorithm = params.get(MEMBER) or _default(buckets, params["Bucket"])
    _check(operation, MEMBER, algorithm)
    return {MEMBER: algorithm}


def shown(properties: Json) -> Json:
    """The member of an answer; objects of older homes have no property."""
    return {MEMBER: properties.get(MEMBER, DEFAULT)}


def check_default(_: Buckets, __: str, document: Json) -> None:
    """Refuses a bucket's default with an algorithm that is not here."""
    for rule in document["Rules"]:
        _check("PutBucketEncryption", "SSEAlgorithm", _algorithm(rule))
        if "KMSMasterKeyID" in rule.get("ApplyServerSideEncryptionByDefault", {}):
            raise NotEmulated("s3", "PutBucketEncryption", "KMSMasterKeyID", "There is no KMS.")


def _default(buckets: Buckets, bucket: str) -> str:
    document = buckets.configuration(bucket, KIND)
    return _algorithm(document["Rules"][0]) if document else DEFAULT


def _algorithm(rule: Json) -> str:
    return str(rule.get("ApplyServerSideEncryptionByDefault", {}).get("SSEAlgorithm", DEFAULT))


def _check(operation: str, parameter: str, algorithm: str) -> None:
    if algorithm not in TAKEN:
        raise NotEmulated("s3", operation, parameter, f"Taken are {', '.join(TAKEN)}.")

"""The bucket of the packages: outside of the stack, whose parts are in it before there is one.

Lambda, Glue and SageMaker run what lies in it, so every call names the account that must own it:
a bucket of this predictable name that somebody else has made is refused.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from typing import Any

from configuration.connection import Connection
from configuration.errors import DeploymentError
from infrastructure import names, packages
from infrastructure.grants import over_tls
from infrastructure.stack import Say
from infrastructure.template.buckets import CLOSED


def ensure(connection: Connection) -> str:
    """The bucket's name; it is made when it is missing: private, encrypted, over TLS alone.

    Raises DeploymentError when it belongs to another account.
    """
    name = names.named(names.CODE, connection)
    s3 = connection.client("s3")
    if not exists(s3, name, connection.account):
        where = {}
        if connection.region != "us-east-1":  # which alone takes no location
            where = {"CreateBucketConfiguration": {"LocationConstraint": connection.region}}
        s3.create_bucket(Bucket=name, **where)
        s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=CLOSED)
        arn = f"arn:aws:s3:::{name}"
        policy = {"Version": "2012-10-17", "Statement": [over_tls(arn, f"{arn}/*")]}
        s3.put_bucket_policy(Bucket=name, Policy=json.dumps(policy))
    return name


def exists(s3: Any, bucket: str, account: str) -> bool:
    """Whether the account has this bucket. Raises DeploymentError when another one has it."""
    try:
        s3.head_bucket(Bucket=bucket, ExpectedBucketOwner=account)
        return True
    except s3.exceptions.ClientError as error:
        code = error.response["Error"]["Code"]
        if code in ("404", "NoSuchBucket"):
            return False
        if code in ("403", "AccessDenied"):
            raise DeploymentError(
                f"s3://{bucket} is not account {account}'s, or may not be read: another account may"
                " have made a bucket of this name. Choose another stack_name."
            ) from error
        raise


def upload(
    connection: Connection, bucket: str, built: Iterable[packages.Package], say: Say
) -> None:
    """Puts the packages that are not there yet; a key is the hash of its content."""
    s3, owner = connection.client("s3"), {"ExpectedBucketOwner": connection.account}
    listed = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, **owner)
    there = {entry["Key"] for page in listed for entry in page.get("Contents", [])}
    for package in built:
        if package.key in there:
            continue
        say(f"upload {package.name} ({len(package.content):,} bytes)")
        s3.put_object(
            Bucket=bucket,
            Key=package.key,
            Body=package.content,
            ChecksumSHA256=base64.b64encode(bytes.fromhex(package.sha256)).decode(),
            **owner,
        )


def url(connection: Connection, bucket: str, key: str) -> str:
    """Where CloudFormation finds the template: it is too large to be sent inline."""
    settings = connection.settings
    if settings.endpoint_url is not None:
        return f"{settings.endpoint_url.rstrip('/')}/{bucket}/{key}"
    return f"https://{bucket}.s3.{connection.region}.amazonaws.com/{key}"

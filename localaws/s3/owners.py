"""ExpectedBucketOwner: a bucket of another account than the caller believes is refused.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
"""

from __future__ import annotations

from dataclasses import replace

from localaws.core.service import Call, Handler, Service
from localaws.errors import AwsError
from localaws.s3.buckets import Buckets
from localaws.shapes import Json

MEMBERS = ("ExpectedBucketOwner", "ExpectedSourceBucketOwner")


def check_owners(service: Service, buckets: Buckets) -> None:
    """Has every operation of the service look at who should own the bucket."""
    for name, operation in service.operations.items():
        if operation.handler is not None:
            checked = _checked(operation.handler, buckets)
            service.operations[name] = replace(operation, handler=checked)


def _checked(handler: Handler, buckets: Buckets) -> Handler:
    def check(call: Call) -> Json | None:
        another = any(call.params.get(one, call.account) != call.account for one in MEMBERS)
        if another and any(bucket.name == call.params["Bucket"] for bucket in buckets.all()):
            code = "403" if call.operation == "HeadBucket" else "AccessDenied"
            raise AwsError(code, "Access Denied", 403)
        return handler(call)

    return check

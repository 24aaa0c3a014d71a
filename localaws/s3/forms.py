"""PostObject: what a browser's form, or a client with `generate_presigned_post`, uploads.

It is no operation of the API's model. The policy's conditions hold, and its signature is verified.
https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
"""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode, urlsplit
from xml.sax.saxutils import escape

from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Request, Response

from localaws.core.aws import LocalAws
from localaws.errors import AwsError
from localaws.s3 import checksums
from localaws.s3.answers import error_page
from localaws.s3.bodies import PREFIX, check_checksum
from localaws.s3.objects import Objects
from localaws.s3.properties import kept_properties
from localaws.s3.stored import PIECE, Received, StoredObject
from localaws.shapes import Json

META = "x-amz-meta-"
PARAMETERS = {
    "content-type": "ContentType",
    "content-encoding": "ContentEncoding",
    "content-disposition": "ContentDisposition",
    "cache-control": "CacheControl",
    "expires": "Expires",
    "acl": "ACL",
    "x-amz-storage-class": "StorageClass",
    "x-amz-server-side-encryption": "ServerSideEncryption",
    "x-amz-server-side-encryption-aws-kms-key-id": "SSEKMSKeyId",
}
# Fields that a policy need not name.
FREE = ("x-amz-signature", "file", "policy", "awsaccesskeyid", "signature")


class Forms:
    """Answers `POST /bucket` with a form."""

    def __init__(self, objects: Objects, aws: LocalAws) -> None:
        self._objects = objects
        self._aws = aws

    def __call__(self, request: Request) -> Response:
        bucket = request.path.strip("/")
        try:
            return self._answer(request, bucket)
        except AwsError as error:
            return error_page(error.code, error.message, error.status)

    def _answer(self, request: Request, bucket: str) -> Response:
        fields = {name.lower(): value for name, value in request.form.items()}
        file = request.files.get("file")
        if file is None:
            raise _invalid("POST requires exactly one file upload per request.")
        if "key" not in fields:
            raise _invalid("Bucket POST must contain a field named 'key'.")
        self._objects.buckets.get(bucket)
        if "policy" not in fields:
            raise _denied("Access Denied")
        caller = self._aws.gateway.authentication.form(fields, of_page="Origin" in request.headers)
        self._aws.authorize(caller, "s3", "PutObject", {"Bucket": bucket, "Key": fields["key"]})
        limits = self._check_policy(fields, bucket)
        name = (file.filename or "").replace("\\", "/").rpartition("/")[2]
        key = fields["key"].replace("${filename}", name)
        sums = {
            field[len(PREFIX) :].upper(): value
            for field, value in fields.items()
            if field.startswith(PREFIX) and field[len(PREFIX) :].upper() in checksums.ALGORITHMS
        }
        properties = kept_properties(
            self._objects.buckets, "PostObject", {"Bucket": bucket, **_parameters(fields)}
        )
        received = self._received(file, sums, limits)
        if received.checksums:
            properties["Checksums"] = received.checksums
        stored = self._objects.commit(bucket, key, received, properties, reason="PostObject")
        return _created(request, fields, stored)

    def _received(
        self, file: FileStorage, sums: dict[str, str], limits: tuple[int, int] | None
    ) -> Received:
        pieces = iter(lambda: file.stream.read(PIECE), b"")
        received = self._objects.receive(pieces, sorted(sums))
        try:
            for name, value in sums.items():
                check_checksum(name, value, received.checksums[name])
            if limits is not None and received.bytes < limits[0]:
                raise AwsError("EntityTooSmall", "Your proposed upload is smaller than the minimum")
            if limits is not None and received.bytes > limits[1]:
                raise AwsError("EntityTooLarge", "Your proposed upload exceeds the maximum size")
        except AwsError:
            received.path.unlink()
            raise
        return received

    def _check_policy(self, fields: dict[str, str], bucket: str) -> tuple[int, int] | None:
        """The allowed (least, most) bytes. Raises AccessDenied where the policy is not met."""
        try:
            policy = json.loads(base64.b64decode(fields["policy"]))
            expiration = datetime.fromisoformat(policy["expiration"])
            conditions = [_condition(condition) for condition in policy["conditions"]]
        except (ValueError, KeyError, TypeError) as error:
            raise AwsError(
                "InvalidPolicyDocument", f"Invalid Policy: Invalid JSON or condition: {error!r}"
            ) from error
        if (expiration if expiration.tzinfo else expiration.replace(tzinfo=UTC)) <= (
            self._aws.clock.now()
        ):
            raise _denied("Invalid according to Policy: Policy expired.")
        values = fields | {"bucket": bucket}
        limits = None
        named = {"bucket"}
        for kind, name, value in conditions:
            if kind == "content-length-range":
                limits = (int(name), int(value))
                continue
            named.add(name)
            actual = values.get(name, "")
            if actual != value if kind == "eq" else not actual.startswith(value):
                shown = json.dumps([kind, f"${name}", value])
                raise _denied(f"Invalid according to Policy: Policy Condition failed: {shown}")
        extra = [
            name
            for name in fields
            if name not in named and name not in FREE and not name.startswith("x-ignore-")
        ]
        if extra:
            raise _denied(f"Invalid according to Policy: Extra input fields: {min(extra)}")
        return limits


def _condition(condition: Any) -> tuple[str, str, str]:
    """(eq, starts-with or content-length-range, field, value)."""
    if isinstance(condition, dict):
        ((name, value),) = condition.items()
        return "eq", str(name).lower(), str(value)
    kind, name, value = condition
    kind = str(kind).lower()
    if kind not in ("eq", "starts-with", "content-length-range"):
        raise ValueError(f"unknown condition {kind!r}")
    return kind, str(name).lower().removeprefix("$"), str(value)


def _parameters(fields: dict[str, str]) -> Json:
    """The fields as PutObject's parameters."""
    params: Json = {PARAMETERS[name]: fields[name] for name in PARAMETERS if name in fields}
    metadata = {name[len(META) :]: value for name, value in fields.items() if name.startswith(META)}
    return params | ({"Metadata": metadata} if metadata else {})


def _created(request: Request, fields: dict[str, str], stored: StoredObject) -> Response:
    location = f"{request.host_url.rstrip('/')}/{stored.bucket}/{quote(stored.key)}"
    headers = {"ETag": f'"{stored.etag}"', "Location": location}
    if url := fields.get("success_action_redirect") or fields.get("redirect"):
        query = urlencode({"bucket": stored.bucket, "key": stored.key, "etag": f'"{stored.etag}"'})
        joint = "&" if urlsplit(url).query else "?"
        return Response(status=303, headers=headers | {"Location": f"{url}{joint}{query}"})
    status = fields.get("success_action_status", "204")
    if status != "201":
        return Response(status=200 if status == "200" else 204, headers=headers)
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<PostResponse>'
        f"<Location>{escape(location)}</Location><Bucket>{stored.bucket}</Bucket>"
        f'<Key>{escape(stored.key)}</Key><ETag>"{stored.etag}"</ETag></PostResponse>'
    )
    return Response(body, 201, headers=headers, content_type="application/xml")


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidArgument", message)


def _denied(message: str) -> AwsError:
    return AwsError("AccessDenied", message, 403)

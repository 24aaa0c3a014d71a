"""Static websites: `/_aws/website/<bucket>/...`, for buckets that are public websites.

As S3's website endpoints: the index document for a folder, the error document with its status,
https://docs.aws.amazon.com/AmazonS3/latest/userguide/WebsiteEndpoints.html
"""

from __future__ import annotations

import html
import mimetypes
from collections.abc import Callable
from typing import Any

from werkzeug.wrappers import Request, Response

from localaws.errors import AwsError
from localaws.s3.cors import Cors
from localaws.s3.objects import Objects
from localaws.s3.policy import allows_public
from localaws.s3.stored import DEFAULT_TYPE, StoredObject

PREFIX = "/_aws/website"


def route(objects: Objects, cors: Cors) -> Callable[[Request], Response]:
    """The handler of website requests. A page of another origin gets the bucket's CORS headers,
    where it has a rule for it; a GET is answered in any case, as S3 does."""

    def handle(request: Request) -> Response:
        bucket = request.path.removeprefix(PREFIX).lstrip("/").partition("/")[0]
        asked = None
        if "Origin" in request.headers:
            asked = cors.of(bucket, request, lambda: answer(request))
        return answer(request) if asked is None else asked

    def answer(request: Request) -> Response:
        bucket, slash, key = request.path.removeprefix(PREFIX).lstrip("/").partition("/")
        if request.method not in ("GET", "HEAD"):
            return _problem(405, "MethodNotAllowed", f"{request.method} is not allowed here.")
        try:
            website = objects.buckets.configuration(bucket, "website")
        except AwsError as error:
            return _problem(404, "NoSuchBucket", error.message)
        if website is None:
            return _problem(404, "NoSuchWebsiteConfiguration", f"{bucket} is no website.")
        if not slash:
            return Response(status=302, headers={"Location": f"{PREFIX}/{bucket}/"})
        index = website.get("IndexDocument", {}).get("Suffix", "index.html")
        wanted = key + index if key == "" or key.endswith("/") else key
        if not is_public(objects, bucket, wanted):
            return _error_document(objects, bucket, website, 403, "AccessDenied", "Access Denied")
        found = objects.find(bucket, wanted)
        if found is not None and not found.marker:
            return _file(request, found)
        folder = objects.find(bucket, f"{key}/{index}") if key and wanted == key else None
        if folder is not None and not folder.marker:
            return Response(status=302, headers={"Location": f"{PREFIX}/{bucket}/{key}/"})
        message = f"The specified key does not exist: {wanted}"
        return _error_document(objects, bucket, website, 404, "NoSuchKey", message)

    return handle


def is_public(objects: Objects, bucket: str, key: str | None, action: str = "s3:GetObject") -> bool:
    """Whether anyone may read the object, or with ListBucket and no key the bucket: its policy
    says so and no public access block forbids it."""
    block = objects.buckets.configuration(bucket, "publicAccessBlock") or {}
    policy = objects.buckets.configuration(bucket, "policy")
    if policy is None or block.get("RestrictPublicBuckets"):
        return False
    resource = f"arn:aws:s3:::{bucket}" + ("" if key is None else f"/{key}")
    return allows_public(policy, action, resource)


READS = {
    "GetObject": "s3:GetObject",
    "HeadObject": "s3:GetObject",
    "ListObjects": "s3:ListBucket",
    "ListObjectsV2": "s3:ListBucket",
    "HeadBucket": "s3:ListBucket",
}


def everyone_may(objects: Objects, operation: str, params: dict[str, Any]) -> bool:
    """Whether the bucket's policy lets somebody who did not sign do the call: reads only."""
    action, bucket = READS.get(operation), params.get("Bucket", "")
    if action is None or "VersionId" in params:
        return False
    try:
        return is_public(objects, bucket, params.get("Key"), action)
    except AwsError:  # there is no such bucket
        return False


def _file(request: Request, found: StoredObject, status: int = 200) -> Response:
    content_type = found.content_type
    if content_type == DEFAULT_TYPE:  # files that engines wrote carry no type
        content_type = mimetypes.guess_type(found.key)[0] or DEFAULT_TYPE
    headers = {"Content-Type": content_type, "Content-Length": str(found.bytes)}
    for name in ("CacheControl", "ContentEncoding", "ContentLanguage", "ContentDisposition"):
        if name in found.properties:
            header = "".join(f"-{letter}" if letter.isupper() else letter for letter in name)
            headers[header.removeprefix("-")] = found.properties[name]
    response = Response(found.stream(), status=status, headers=headers)
    response.set_etag(found.etag)
    response.last_modified = found.last_modified.replace(microsecond=0)
    if status == 200:
        response.make_conditional(request)
    return response


def _error_document(
    objects: Objects, bucket: str, website: dict[str, dict[str, str]], *why: object
) -> Response:
    status, code, message = why
    assert isinstance(status, int)
    key = website.get("ErrorDocument", {}).get("Key")
    found = objects.find(bucket, key) if key and is_public(objects, bucket, key) else None
    if found is None or found.marker:
        return _problem(status, str(code), str(message))
    return _file(Request({}), found, status)


def _problem(status: int, code: str, message: str) -> Response:
    text = (
        f"<html><head><title>{status} {code}</title></head><body><h1>{status} {code}</h1>"
        f"<p>{html.escape(message)}</p></body></html>"
    )
    return Response(text, status, headers={"Content-Type": "text/html; charset=utf-8"})

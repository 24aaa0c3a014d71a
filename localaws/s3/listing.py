"""ListObjects, ListObjectsV2 and ListObjectVersions: pages in the order of the keys' bytes."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

from localaws.core.service import Call, Service
from localaws.errors import AwsError
from localaws.s3.answers import S3Answer
from localaws.s3.index import successor
from localaws.s3.objects import Objects
from localaws.s3.stored import StoredObject
from localaws.shapes import Json

MOST = 1000
NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
OWNER = {"ID": "75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a"}
_BATCH = 1000


@dataclass
class ListPage:
    """One page: objects and common prefixes, at most `most` together; `last` is where it ended."""

    objects: list[StoredObject] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    last: str | None = None  # of an object the key, of a common prefix the prefix
    truncated: bool = False


def page(
    objects: Objects, bucket: str, prefix: str, delimiter: str, after: str, most: int
) -> ListPage:
    """The first `most` current keys or common prefixes greater than `after`."""
    found = ListPage()
    if most == 0:
        return found
    position, inclusive = (after, False) if after >= prefix else (prefix, True)
    if delimiter and position.startswith(prefix):
        cut = position.find(delimiter, len(prefix))
        if cut >= 0 and position == position[: cut + len(delimiter)] and not inclusive:
            position, inclusive = (
                successor(position) or position,
                True,
            )  # the page before ended here
    end = successor(prefix)
    while True:
        rows = objects.index.rows(
            "SELECT * FROM objects WHERE bucket = ? AND latest = 1 AND marker = 0 AND key"
            f" {'>=' if inclusive else '>'} ?{' AND key < ?' if end else ''} ORDER BY key LIMIT ?",
            *((bucket, position, end) if end else (bucket, position)),
            min(_BATCH, most + 1),
        )
        jumped = False
        for row in rows:
            key = row["key"]
            stored = objects.as_it_is(row)
            if stored is None:  # another program removed the file
                position, inclusive = key, False
                continue
            if len(found.objects) + len(found.prefixes) == most:
                found.truncated = True
                return found
            cut = key.find(delimiter, len(prefix)) if delimiter else -1
            if cut < 0:
                found.objects.append(stored)
                found.last = key
                position, inclusive = key, False
                continue
            common = key[: cut + len(delimiter)]
            found.prefixes.append(common)
            found.last = common
            position, inclusive, jumped = successor(common) or key, True, True
            break
        if not rows or (not jumped and len(rows) < min(_BATCH, most + 1)):
            return found


def _names(call: Call) -> tuple[str, str, int, Any]:
    params = call.params
    encode = quote if params.get("EncodingType") == "url" else str
    return (
        params.get("Prefix", ""),
        params.get("Delimiter", ""),
        min(int(params.get("MaxKeys", MOST)), MOST),
        encode,
    )


def _content(found: StoredObject, encode: Any, *, owner: bool) -> Json:
    content: Json = {
        "Key": encode(found.key),
        "LastModified": found.last_modified,
        "ETag": f'"{found.etag}"',
        "Size": found.bytes,
        "StorageClass": found.properties.get("StorageClass", "STANDARD"),
    }
    if sums := found.properties.get("Checksums"):
        content["ChecksumAlgorithm"] = sorted(sums)
        content["ChecksumType"] = found.properties.get("ChecksumType", "FULL_OBJECT")
    if owner:
        content["Owner"] = OWNER
    return content


class Listings:
    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def register(self, service: Service) -> None:
        service.operation(
            *("ListObjectsV2", "Bucket", "Prefix", "Delimiter", "MaxKeys", "ContinuationToken"),
            *("StartAfter", "EncodingType", "FetchOwner", "RequestPayer", "ExpectedBucketOwner"),
            "OptionalObjectAttributes",
        )(self.list_objects_v2)
        service.operation(
            *("ListObjects", "Bucket", "Prefix", "Delimiter", "MaxKeys", "Marker", "EncodingType"),
            *("RequestPayer", "ExpectedBucketOwner", "OptionalObjectAttributes"),
        )(self.list_objects)
        service.operation(
            *("ListObjectVersions", "Bucket", "Prefix", "Delimiter", "MaxKeys", "KeyMarker"),
            *("VersionIdMarker", "EncodingType", "RequestPayer", "ExpectedBucketOwner"),
            "OptionalObjectAttributes",
        )(self.list_object_versions)

    def list_objects_v2(self, call: Call) -> Json:
        bucket = call.params["Bucket"]
        self._objects.buckets.get(bucket)
        prefix, delimiter, most, encode = _names(call)
        token = call.params.get("ContinuationToken")
        if token is None:
            self._objects.look(bucket, prefix)
        after = _from_token(token) if token is not None else call.params.get("StartAfter", "")
        found = page(self._objects, bucket, prefix, delimiter, after, most)
        answer = _listed(call, found, encode, owner=bool(call.params.get("FetchOwner")))
        answer["KeyCount"] = len(found.objects) + len(found.prefixes)
        if token is not None:
            answer["ContinuationToken"] = token
        if "StartAfter" in call.params:
            answer["StartAfter"] = encode(call.params["StartAfter"])
        if found.truncated and found.last is not None:
            answer["NextContinuationToken"] = _to_token(found.last)
        return _xml("ListBucketResult", answer)

    def list_objects(self, call: Call) -> Json:
        bucket = call.params["Bucket"]
        self._objects.buckets.get(bucket)
        prefix, delimiter, most, encode = _names(call)
        marker = call.params.get("Marker", "")
        if not marker:
            self._objects.look(bucket, prefix)
        found = page(self._objects, bucket, prefix, delimiter, marker, most)
        answer = _listed(call, found, encode, owner=True) | {"Marker": encode(marker)}
        if found.truncated and delimiter and found.last is not None:
            answer["NextMarker"] = encode(found.last)
        return _xml("ListBucketResult", answer)

    def list_object_versions(self, call: Call) -> Json:
        return _versions(call, self._objects)


def _xml(root: str, answer: Json) -> S3Answer:
    """The answer as XML, written directly: a page of 1,000 keys takes moto's serialiser seconds."""
    text = "".join(_elements(answer))
    body = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{NAMESPACE}">{text}</{root}>'
    ).encode()
    return S3Answer({"ContentType": "application/xml"}, body=body)


def _elements(members: Json) -> Iterator[str]:
    for name, value in members.items():
        if isinstance(value, list):  # S3's lists are flattened
            for item in value:
                text = "".join(_elements(item)) if isinstance(item, dict) else _text(item)
                yield f"<{name}>{text}</{name}>"
        elif isinstance(value, dict):
            yield f"<{name}>{''.join(_elements(value))}</{name}>"
        else:
            yield f"<{name}>{_text(value)}</{name}>"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return escape(str(value), {"\r": "&#13;", "\n": "&#10;", "\t": "&#9;"})


def _listed(call: Call, found: ListPage, encode: Any, *, owner: bool) -> Json:
    prefix, delimiter, most, _ = _names(call)
    answer: Json = {
        "Name": call.params["Bucket"],
        "Prefix": encode(prefix),
        "MaxKeys": most,
        "IsTruncated": found.truncated,
        "Contents": [_content(item, encode, owner=owner) for item in found.objects],
        "CommonPrefixes": [{"Prefix": encode(name)} for name in found.prefixes],
    }
    if delimiter:
        answer["Delimiter"] = encode(delimiter)
    if "EncodingType" in call.params:
        answer["EncodingType"] = call.params["EncodingType"]
    return answer


def _versions(call: Call, objects: Objects) -> Json:
    """Newest version of a key first."""
    bucket = call.params["Bucket"]
    objects.buckets.get(bucket)
    prefix, delimiter, most, encode = _names(call)
    key_marker = call.params.get("KeyMarker", "")
    if not key_marker:
        objects.look(bucket, prefix)
    version_marker = call.params.get("VersionIdMarker")
    end = successor(prefix)
    rows = objects.index.rows(
        "SELECT * FROM objects WHERE bucket = ? AND key >= ?"
        + (" AND key < ?" if end else "")
        + " ORDER BY key, id DESC",
        *((bucket, max(prefix, key_marker), end) if end else (bucket, max(prefix, key_marker))),
    )
    answer = _listed(call, ListPage(), encode, owner=False)
    del answer["Contents"]
    answer |= {"Versions": [], "DeleteMarkers": [], "KeyMarker": encode(key_marker)}
    prefixes: list[str] = []
    passed = version_marker is None
    count = 0
    for position, row in enumerate(rows):
        key = row["key"]
        if key == key_marker and (version_marker is None or not passed):
            passed = passed or row["version_id"] == version_marker
            continue
        cut = key.find(delimiter, len(prefix)) if delimiter else -1
        common = key[: cut + len(delimiter)] if cut >= 0 else None
        if common is not None and (common in prefixes or common <= key_marker):
            continue
        if count == most:
            last = rows[position - 1]
            answer |= {"IsTruncated": True, "NextKeyMarker": encode(last["key"])}
            answer["NextVersionIdMarker"] = last["version_id"]
            break
        count += 1
        if common is not None:
            prefixes.append(common)
            continue
        content = _content(StoredObject.of(row, objects.root), encode, owner=True)
        content |= {"VersionId": row["version_id"], "IsLatest": bool(row["latest"])}
        if row["marker"]:
            for name in ("ETag", "Size", "StorageClass"):
                content.pop(name)
            answer["DeleteMarkers"].append(content)
        else:
            answer["Versions"].append(content)
    answer["CommonPrefixes"] = [{"Prefix": encode(name)} for name in prefixes]
    return answer


def _to_token(last: str) -> str:
    return base64.urlsafe_b64encode(last.encode("utf-8", "surrogatepass")).decode()


def _from_token(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token.encode()).decode("utf-8", "surrogatepass")
    except (binascii.Error, ValueError) as error:
        raise AwsError("InvalidArgument", "The continuation token provided is incorrect") from error

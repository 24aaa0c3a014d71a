"""Multipart uploads over the API."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from localaws.core.errors import AwsError
from localaws.core.service import Call, Service
from localaws.s3.bodies import check_received, plain_body, sent_checksums, wanted_algorithms
from localaws.s3.conditions import byte_range, write_check
from localaws.s3.listing import OWNER
from localaws.s3.memory import Bodies
from localaws.s3.multipart import Upload, Uploads
from localaws.s3.object_operations import (
    CHECKSUMS,
    WHERE,
    WRITE,
    _sliced,
    kept_properties,
    source_of,
    written,
)
from localaws.s3.objects import Objects
from localaws.s3.stored import Received

Json = dict[str, Any]


def register(service: Service, objects: Objects) -> None:
    """Adds the multipart operations to the service."""
    uploads = Uploads(objects)
    bodies = Bodies()

    def upload_of(call: Call) -> Upload:
        return uploads.get(call.params["Bucket"], call.params["Key"], call.params["UploadId"])

    @service.operation("CreateMultipartUpload", *WRITE, "ChecksumAlgorithm", "ChecksumType")
    def create_multipart_upload(call: Call) -> Json:
        params = call.params
        properties = kept_properties("CreateMultipartUpload", params)
        for name in ("ChecksumAlgorithm", "ChecksumType"):
            if name in params:
                properties[name] = params[name]
        wanted_algorithms(params, {})
        upload = uploads.start(params["Bucket"], params["Key"], properties)
        answer = {"Bucket": upload.bucket, "Key": upload.key, "UploadId": upload.id}
        if upload.algorithm is not None:
            answer |= {"ChecksumAlgorithm": upload.algorithm, "ChecksumType": upload.checksum_type}
        return answer | {"ServerSideEncryption": "AES256"}

    @service.operation(
        *("UploadPart", *WHERE, "UploadId", "PartNumber", "Body", "ContentLength", "ContentMD5"),
        *CHECKSUMS,
    )
    def upload_part(call: Call) -> Json:
        upload = upload_of(call)
        body, trailers = plain_body(call.params)
        sent = sent_checksums(call.params, trailers)
        algorithms = {*wanted_algorithms(call.params, sent)}
        if upload.algorithm is not None:
            algorithms.add(upload.algorithm)
        part = objects.receive(_sliced(body), sorted(algorithms))
        try:
            check_received(part, sent, call.params.get("ContentMD5"))
        except AwsError:
            part.path.unlink()
            raise
        bodies.took(part.bytes)
        return _keep(uploads, upload, call, part)

    @service.operation(
        *("UploadPartCopy", *WHERE, "UploadId", "PartNumber", "CopySource", "CopySourceRange"),
        "ExpectedSourceBucketOwner",
    )
    def upload_part_copy(call: Call) -> Json:
        upload = upload_of(call)
        bucket, key, version = source_of(call.params["CopySource"])
        source = objects.head(bucket, key, version)
        start, length = byte_range(call.params.get("CopySourceRange"), source.bytes) or (
            0,
            source.bytes,
        )
        algorithms = [upload.algorithm] if upload.algorithm else []
        part = objects.receive(source.stream(start, length), algorithms)
        result = _keep(uploads, upload, call, part)
        result.pop("ServerSideEncryption")
        return {"CopyPartResult": result | {"LastModified": objects.clock.now()}}

    @service.operation(
        *("CompleteMultipartUpload", *WHERE, "UploadId", "MultipartUpload", "IfMatch"),
        *("IfNoneMatch", *CHECKSUMS, "ChecksumType", "MpuObjectSize"),
    )
    def complete_multipart_upload(call: Call) -> Json:
        params = call.params
        listed = params.get("MultipartUpload", {}).get("Parts", [])
        stored = uploads.complete(upload_of(call), listed, write_check(params))
        answer = written(stored)
        return answer | {
            "Location": f"/{stored.bucket}/{stored.key}",
            "Bucket": stored.bucket,
            "Key": stored.key,
        }

    @service.operation("AbortMultipartUpload", *WHERE, "UploadId", "IfMatchInitiatedTime")
    def abort_multipart_upload(call: Call) -> Json:
        uploads.abort(upload_of(call))
        return {}

    @service.operation(
        *("ListMultipartUploads", "Bucket", "Prefix", "EncodingType", "MaxUploads", "KeyMarker"),
        *("UploadIdMarker", "ExpectedBucketOwner", "RequestPayer"),
    )
    def list_multipart_uploads(call: Call) -> Json:
        params = call.params
        marker = (params.get("KeyMarker", ""), params.get("UploadIdMarker", "~"))
        found = [
            upload
            for upload in uploads.all(params["Bucket"])
            if upload.key.startswith(params.get("Prefix", ""))
            and (upload.key, upload.id) > (marker if marker[0] else ("", ""))
        ]
        most = int(params.get("MaxUploads", 1000))
        answer: Json = {
            "Bucket": params["Bucket"],
            "MaxUploads": most,
            "IsTruncated": len(found) > most,
            "Uploads": [_listed(upload) for upload in found[:most]],
        }
        if len(found) > most > 0:
            last = found[most - 1]
            answer |= {"NextKeyMarker": last.key, "NextUploadIdMarker": last.id}
        return answer

    @service.operation("ListParts", *WHERE, "UploadId", "MaxParts", "PartNumberMarker")
    def list_parts(call: Call) -> Json:
        upload = upload_of(call)
        after = int(call.params.get("PartNumberMarker", 0))
        most = int(call.params.get("MaxParts", 1000))
        rows = uploads.parts(upload, after)
        answer: Json = {
            **{"Bucket": upload.bucket, "Key": upload.key, "UploadId": upload.id},
            **{"PartNumberMarker": after, "MaxParts": most, "IsTruncated": len(rows) > most},
            **{"Owner": OWNER, "Initiator": OWNER, "StorageClass": "STANDARD"},
            "Parts": [
                {
                    "PartNumber": row["number"],
                    "ETag": f'"{row["etag"]}"',
                    "Size": row["bytes"],
                    "LastModified": datetime.fromtimestamp(row["modified"], UTC),
                    **_sums(json.loads(row["checksums"])),
                }
                for row in rows[:most]
            ],
        }
        if upload.algorithm is not None:
            answer |= {"ChecksumAlgorithm": upload.algorithm, "ChecksumType": upload.checksum_type}
        if len(rows) > most > 0:
            answer["NextPartNumberMarker"] = rows[most - 1]["number"]
        return answer


def _keep(uploads: Uploads, upload: Upload, call: Call, part: Received) -> Json:
    number = call.params["PartNumber"]
    if not 1 <= number <= 10_000:
        part.path.unlink()
        raise AwsError("InvalidArgument", "Part number must be between 1 and 10000, inclusive")
    uploads.add(upload, number, part)
    return {"ETag": f'"{part.etag}"', "ServerSideEncryption": "AES256", **_sums(part.checksums)}


def _sums(checksums: Json) -> Json:
    return {f"Checksum{name}": value for name, value in checksums.items()}


def _listed(upload: Upload) -> Json:
    listed = {
        **{"Key": upload.key, "UploadId": upload.id, "Initiated": upload.started},
        **{"StorageClass": "STANDARD", "Owner": OWNER, "Initiator": OWNER},
    }
    if upload.algorithm is not None:
        listed |= {"ChecksumAlgorithm": upload.algorithm, "ChecksumType": upload.checksum_type}
    return listed

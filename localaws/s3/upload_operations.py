"""Multipart uploads over the API."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from localaws.core.service import Call, Service
from localaws.errors import AwsError
from localaws.identity.authorization import Authorizer
from localaws.s3 import encryption
from localaws.s3.bodies import receive, sent_checksums, wanted_algorithms
from localaws.s3.conditions import byte_range, write_check
from localaws.s3.copying import SOURCE, copy_source, source_version
from localaws.s3.listing import OWNER
from localaws.s3.multipart import Upload, Uploads
from localaws.s3.objects import Objects
from localaws.s3.properties import CHECKSUMS, WHERE, WRITE, kept_properties, written
from localaws.s3.stored import Received
from localaws.shapes import Json


class UploadOperations:
    def __init__(self, objects: Objects, authorize: Authorizer) -> None:
        self._objects = objects
        self._authorize = authorize
        self._uploads = Uploads(objects)

    def register(self, service: Service) -> None:
        service.operation("CreateMultipartUpload", *WRITE, "ChecksumAlgorithm", "ChecksumType")(
            self.create_multipart_upload
        )
        service.operation(
            *(
                "UploadPart",
                *WHERE,
                "UploadId",
                "PartNumber",
                "Body",
                "ContentLength",
                "ContentMD5",
            ),
            *CHECKSUMS,
        )(self.upload_part)
        service.operation(
            *("UploadPartCopy", *WHERE, *SOURCE, "UploadId", "PartNumber", "CopySourceRange"),
        )(self.upload_part_copy)
        service.operation(
            *("CompleteMultipartUpload", *WHERE, "UploadId", "MultipartUpload", "IfMatch"),
            *("IfNoneMatch", *CHECKSUMS, "ChecksumType", "MpuObjectSize"),
        )(self.complete_multipart_upload)
        service.operation("AbortMultipartUpload", *WHERE, "UploadId", "IfMatchInitiatedTime")(
            self.abort_multipart_upload
        )
        service.operation(
            *(
                "ListMultipartUploads",
                "Bucket",
                "Prefix",
                "EncodingType",
                "MaxUploads",
                "KeyMarker",
            ),
            *("UploadIdMarker", "ExpectedBucketOwner", "RequestPayer"),
        )(self.list_multipart_uploads)
        service.operation("ListParts", *WHERE, "UploadId", "MaxParts", "PartNumberMarker")(
            self.list_parts
        )

    def create_multipart_upload(self, call: Call) -> Json:
        params = call.params
        properties = kept_properties(self._objects.buckets, "CreateMultipartUpload", params)
        for name in ("ChecksumAlgorithm", "ChecksumType"):
            if name in params:
                properties[name] = params[name]
        wanted_algorithms(params, {})
        upload = self._uploads.start(params["Bucket"], params["Key"], properties)
        answer = {"Bucket": upload.bucket, "Key": upload.key, "UploadId": upload.id}
        if upload.algorithm is not None:
            answer |= {"ChecksumAlgorithm": upload.algorithm, "ChecksumType": upload.checksum_type}
        return answer | encryption.shown(properties)

    def upload_part(self, call: Call) -> Json:
        upload = self._upload_of(call)
        algorithms = [upload.algorithm] if upload.algorithm else []
        part = receive(self._objects, call, algorithms)
        if algorithms and not {*part.checksums} <= {*algorithms}:
            part.path.unlink()
            raise AwsError(
                "InvalidRequest",
                f"Checksum Type mismatch occurred, expected checksum Type: {upload.algorithm},"
                f" actual checksum Type: {', '.join({*part.checksums} - {*algorithms})}",
            )
        return _keep(self._uploads, upload, call, part)

    def upload_part_copy(self, call: Call) -> Json:
        upload = self._upload_of(call)
        source, _ = copy_source(self._objects, self._authorize, call)
        start, length = byte_range(call.params.get("CopySourceRange"), source.bytes) or (
            0,
            source.bytes,
        )
        algorithms = [upload.algorithm] if upload.algorithm else []
        part = self._objects.receive(source.stream(start, length), algorithms)
        result = _keep(self._uploads, upload, call, part)
        result.pop(encryption.MEMBER)
        copied = result | {"LastModified": self._objects.clock.now()}
        return {"CopyPartResult": copied, **source_version(source)}

    def complete_multipart_upload(self, call: Call) -> Json:
        params = call.params
        listed = params.get("MultipartUpload", {}).get("Parts", [])
        stored = self._uploads.complete(
            self._upload_of(call),
            listed,
            write_check(params),
            sent=sent_checksums(params),
            checksum_type=params.get("ChecksumType"),
            size=params.get("MpuObjectSize"),
        )
        answer = written(stored)
        return answer | {
            "Location": f"/{stored.bucket}/{stored.key}",
            "Bucket": stored.bucket,
            "Key": stored.key,
        }

    def abort_multipart_upload(self, call: Call) -> Json:
        self._uploads.abort(self._upload_of(call))
        return {}

    def list_multipart_uploads(self, call: Call) -> Json:
        params = call.params
        marker = (params.get("KeyMarker", ""), params.get("UploadIdMarker", "~"))  # ids are hex
        found = [
            upload
            for upload in self._uploads.all(params["Bucket"])
            if upload.key.startswith(params.get("Prefix", "")) and (upload.key, upload.id) > marker
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

    def list_parts(self, call: Call) -> Json:
        upload = self._upload_of(call)
        after = int(call.params.get("PartNumberMarker", 0))
        most = int(call.params.get("MaxParts", 1000))
        rows = self._uploads.parts(upload, after)
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

    def _upload_of(self, call: Call) -> Upload:
        return self._uploads.get(call.params["Bucket"], call.params["Key"], call.params["UploadId"])


def _keep(uploads: Uploads, upload: Upload, call: Call, part: Received) -> Json:
    number = call.params["PartNumber"]
    if not 1 <= number <= 10_000:
        part.path.unlink()
        raise AwsError("InvalidArgument", "Part number must be between 1 and 10000, inclusive")
    uploads.add(upload, number, part)
    return {
        "ETag": f'"{part.etag}"',
        **encryption.shown(upload.properties),
        **_sums(part.checksums),
    }


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

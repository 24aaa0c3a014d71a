"""Data capture: a share of an endpoint's requests and answers as JSON lines in S3.

docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html,
.../APIReference/API_DataCaptureConfig.html
"""

from __future__ import annotations

import base64
import json
import uuid
from dataclasses import dataclass
from datetime import datetime

from localaws.errors import NotEmulated
from localaws.sagemaker.names import validation
from localaws.shapes import Json

PARAMETERS = tuple(
    f"DataCaptureConfig.{name}"
    for name in (
        *("EnableCapture", "InitialSamplingPercentage", "DestinationS3Uri", "KmsKeyId"),
        *("CaptureOptions.CaptureMode", "CaptureContentTypeHeader"),
    )
)
LONGEST_URI = 512
BOTH = "InputAndOutput"


@dataclass(frozen=True)
class Side:
    """What came in, or what went out."""

    content_type: str
    body: bytes


def check(config: Json, serverless: bool) -> None:
    """Raises what AWS refuses of a DataCaptureConfig, and what is not done here."""
    if serverless:
        raise validation("DataCaptureConfig is not supported for serverless endpoints.")
    percent, uri = config["InitialSamplingPercentage"], config["DestinationS3Uri"]
    if not 0 <= percent <= 100:
        raise validation(f"InitialSamplingPercentage is {percent}; it goes from 0 to 100.")
    if uri.startswith("https://"):
        told = "It has s3:// addresses."
        of = "DataCaptureConfig.DestinationS3Uri"
        raise NotEmulated("sagemaker", "CreateEndpointConfig", of, told)
    if not uri.startswith("s3://") or len(uri) > LONGEST_URI:
        raise validation(f"DestinationS3Uri is {uri}; it is s3://bucket/prefix, {LONGEST_URI} long"
                         " at most.")  # fmt: skip


def on(config: Json) -> bool:
    return bool(config.get("EnableCapture", True))


def summary(config: Json) -> Json:
    """As DescribeEndpoint shows it."""
    return {
        "EnableCapture": on(config),
        "CaptureStatus": "Started" if on(config) else "Stopped",
        "CurrentSamplingPercentage": config["InitialSamplingPercentage"],
        "DestinationS3Uri": config["DestinationS3Uri"],
        "KmsKeyId": config.get("KmsKeyId", ""),
    }


def line(config: Json, request: Side, answer: Side, now: datetime) -> str:
    """One captured invocation."""
    modes = {option["CaptureMode"] for option in config["CaptureOptions"]}
    headers = config.get("CaptureContentTypeHeader", {})
    sides: Json = {}
    for name, mode, side in (("Input", "INPUT", request), ("Output", "OUTPUT", answer)):
        if modes & {name, BOTH}:
            sides[f"endpoint{name}"] = {
                "observedContentType": side.content_type,
                "mode": mode,
                **_encoded(side, headers),
            }
    told = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    return json.dumps(
        {
            "captureData": sides,
            "eventMetadata": {"eventId": str(uuid.uuid4()), "inferenceTime": told},
            "eventVersion": "0",
        }
    )


def _encoded(side: Side, headers: Json) -> Json:
    """As text where its type is declared, else in base64."""
    kind = side.content_type.partition(";")[0].strip().lower()
    for encoding, member in (("CSV", "CsvContentTypes"), ("JSON", "JsonContentTypes")):
        if kind in (one.lower() for one in headers.get(member, [])):
            return {"data": side.body.decode("utf-8", "replace"), "encoding": encoding}
    return {"data": base64.b64encode(side.body).decode(), "encoding": "BASE64"}

"""What endpoints keep in S3 of requests and answers.

docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from localaws.errors import AwsError
from localaws.sagemaker import capture
from tasks.states import every_state
from tests.sagemaker.conftest import wait
from tests.sagemaker.test_endpoints import ask, create, make_config, settled, stocked  # noqa: F401
from workflows import purchase_prediction
from workflows.protection import Protection, protected

# As the product has it: the definition of a deployment that captures.
OURS = next(
    state["Arguments"]["DataCaptureConfig"]
    for _, state in every_state(
        protected(purchase_prediction.definition(), Protection(capture_percent=100))["States"]
    )
    if state.get("Resource", "").endswith("sagemaker:createEndpointConfig")
)
ECHO = """
def model_fn(model_dir): return None
def transform_fn(model, body, content_type, accept): return "0.5", accept
"""
MACHINE = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def capturing(percent: int = 100, *modes: str, **more: Any) -> dict[str, Any]:
    return {
        "InitialSamplingPercentage": percent,
        "DestinationS3Uri": "s3://lake/captured/",
        "CaptureOptions": [{"CaptureMode": mode} for mode in modes or ("Input", "Output")],
        "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"]},
        **more,
    }


def captured(aws: Any, count: int) -> list[dict[str, Any]]:
    """The lines, when there are as many; each key is SageMaker's."""

    def lines() -> Any:
        found = []
        listed = aws.client("s3").list_objects_v2(Bucket="lake", Prefix="captured/")
        for one in listed.get("Contents", []):
            assert re.fullmatch(
                rf"captured/e/live/\d{{4}}(/\d\d){{3}}/\d\d-\d\d-\d{{3}}-{UUID}\.jsonl", one["Key"]
            )
            body = aws.client("s3").get_object(Bucket="lake", Key=one["Key"])["Body"].read()
            found += [json.loads(line) for line in body.splitlines()]
        return found

    result: list[dict[str, Any]] = wait(lines, lambda found: len(found) >= count)
    return result


def test_answers_are_captured_as_the_configuration_says(stocked: Any) -> None:  # noqa: F811
    client = stocked.client("sagemaker")
    ours = OURS | {"DestinationS3Uri": OURS["DestinationS3Uri"].replace("${LakeBucket}", "lake")}
    make_config(stocked, "all", ECHO, capture=ours, **MACHINE)
    make_config(stocked, "none", ECHO, capture=capturing(0), **MACHINE)
    seen = create(stocked, "all")
    assert seen["DataCaptureConfig"]["CaptureStatus"] == "Started"
    assert seen["DataCaptureConfig"]["CurrentSamplingPercentage"] == 100
    ask(stocked, b"1,2")
    ask(stocked, b"\x00\x01", kind="application/x-npy")
    (first, second) = captured(stocked, 2)
    assert first["captureData"] == {
        "endpointInput": {
            "observedContentType": "text/csv",
            "mode": "INPUT",
            "data": "1,2",
            "encoding": "CSV",
        },
        "endpointOutput": {
            "observedContentType": "text/csv; charset=utf-8",
            "mode": "OUTPUT",
            "data": "0.5",
            "encoding": "CSV",
        },
    }
    assert first["eventVersion"] == "0"
    assert re.fullmatch(UUID, first["eventMetadata"]["eventId"])
    assert second["captureData"]["endpointInput"]["data"] == "AAE="
    assert second["captureData"]["endpointInput"]["encoding"] == "BASE64"

    # What is excluded is as the new configuration has it, though the rest is retained.
    client.update_endpoint(
        EndpointName="e",
        EndpointConfigName="none",
        RetainAllVariantProperties=True,
        ExcludeRetainedVariantProperties=[{"VariantPropertyType": "DataCaptureConfig"}],
    )
    assert settled(stocked)["DataCaptureConfig"]["CurrentSamplingPercentage"] == 0
    ask(stocked, b"3,4")
    assert len(captured(stocked, 2)) == 2


@pytest.mark.parametrize(
    ("config", "serverless", "words"),
    [
        (capturing(101), False, "InitialSamplingPercentage is 101"),
        (
            capturing(DestinationS3Uri="https://lake/x"),
            False,
            "does not emulate .*DestinationS3Uri",
        ),
        (capturing(DestinationS3Uri="lake/captured"), False, "DestinationS3Uri is lake"),
        (capturing(), True, "not supported for serverless"),
    ],
)
def test_what_is_refused(config: dict[str, Any], serverless: bool, words: str) -> None:
    with pytest.raises(AwsError, match=words):
        capture.check(config, serverless)

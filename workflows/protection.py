"""What a deployment with a key, a network or data capture adds to the workflow's requests.

Step Functions has no member that may be left out of a request, and SageMaker takes no empty one: so
these are written into the definition of such a deployment, which has its own SHA-256 then.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tasks.states import every_state

Json = dict[str, Any]


@dataclass(frozen=True)
class Protection:
    """`kms_key` is an ARN; empty members add nothing. A serverless endpoint takes no key, and
    captures nothing. `capture_percent` of its requests are captured."""

    kms_key: str = ""
    subnets: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()
    serverless: bool = False
    capture_percent: int = 0

    def __bool__(self) -> bool:
        return bool(self.kms_key or self.subnets or self.capture_percent)

    @property
    def vpc(self) -> Json:
        groups, subnets = list(self.security_groups), list(self.subnets)
        return {"VpcConfig": {"SecurityGroupIds": groups, "Subnets": subnets}} if subnets else {}

    def key(self, member: str) -> Json:
        return {member: self.kms_key} if self.kms_key else {}


def protected(definition: Json, protection: Protection) -> Json:
    """The definition with the key and the network in each request that takes one."""
    made = copy.deepcopy(definition)
    for _, state in every_state(made["States"]):
        if state["Type"] != "Task":
            continue
        add = _ADDED.get(state["Resource"].rpartition(":states:::")[2])
        if add is not None:
            add(state["Arguments"], protection)
    return made


def _training(request: Json, protection: Protection) -> None:
    """Of CreateTrainingJob; a tuning job's definition of its trials is spelled alike."""
    request["OutputDataConfig"] |= protection.key("KmsKeyId")
    request["ResourceConfig"] |= protection.key("VolumeKmsKeyId")
    request |= protection.vpc


def _tuning(request: Json, protection: Protection) -> None:
    _training(request["TrainingJobDefinition"], protection)


def _model(request: Json, protection: Protection) -> None:
    request |= protection.vpc


def _endpoint_config(request: Json, protection: Protection) -> None:
    if not protection.serverless:
        request |= protection.key("KmsKeyId")
    if protection.capture_percent:
        request["DataCaptureConfig"] = {
            "EnableCapture": True,
            "InitialSamplingPercentage": protection.capture_percent,
            "DestinationS3Uri": "s3://${LakeBucket}/captured",
            "CaptureOptions": [{"CaptureMode": mode} for mode in ("Input", "Output")],
            "CaptureContentTypeHeader": {
                "CsvContentTypes": ["text/csv"],
                "JsonContentTypes": ["application/json"],
            },
            **protection.key("KmsKeyId"),
        }


_ADDED: dict[str, Callable[[Json, Protection], None]] = {
    "sagemaker:createTrainingJob.sync": _training,
    "sagemaker:createHyperParameterTuningJob.sync": _tuning,
    "sagemaker:createModel": _model,
    "sagemaker:createEndpointConfig": _endpoint_config,
}

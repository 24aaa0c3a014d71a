"""Writes what endpoints capture into S3."""

from __future__ import annotations

import logging
import random
import threading
import uuid
from dataclasses import dataclass

from localaws.core.aws import LocalAws
from localaws.core.on_demand import OnDemand
from localaws.s3.names import split_uri
from localaws.sagemaker import capture
from localaws.sagemaker.capture import Side
from localaws.sagemaker.deployment import EndpointServer
from localaws.shapes import Json

GATHER_SECONDS = 1.0  # for minutes on AWS

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Place:
    """Which lines go into one object."""

    endpoint: str
    server: EndpointServer
    hour: str  # 2026/11/30/12


class Captures:
    """Gathers lines and writes them with the execution role."""

    def __init__(self, aws: LocalAws) -> None:
        self._aws = aws
        self._lock = threading.Lock()
        self._lines: dict[Place, list[str]] = {}
        self._thread = OnDemand("captures", self._write_gathered)
        self._complained: set[str] = set()

    def add(self, endpoint: str, server: EndpointServer, request: Side, answer: Side) -> None:
        """GUESSED: only what the model answered well is captured."""
        config: Json = server.plan.get("capture") or {"EnableCapture": False}
        if not capture.on(config) or random.random() * 100 >= config["InitialSamplingPercentage"]:
            return
        now = self._aws.clock.now()
        place = Place(endpoint, server, now.strftime("%Y/%m/%d/%H"))
        with self._lock:
            self._lines.setdefault(place, []).append(capture.line(config, request, answer, now))
        self._thread.call()

    def stop(self) -> None:
        self._thread.stop()

    def _write_gathered(self) -> bool:
        self._aws.stopping.wait(GATHER_SECONDS)
        with self._lock:
            taken, self._lines = self._lines, {}
        for place, lines in taken.items():
            self._write(place, lines)
        return False

    def _write(self, place: Place, lines: list[str]) -> None:
        config, server = place.server.plan["capture"], place.server
        bucket, prefix = split_uri(config["DestinationS3Uri"])
        name = self._aws.clock.now().strftime("%M-%S-%f")[:-3] + f"-{uuid.uuid4()}.jsonl"
        folders = [prefix.strip("/"), place.endpoint, server.variant, place.hour, name]
        key = "/".join(folder for folder in folders if folder)
        under = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": config.get("KmsKeyId")}
        try:
            server.role.client("s3").put_object(
                Bucket=bucket,
                Key=key,
                Body="".join(f"{one}\n" for one in lines).encode(),
                ContentType="application/x-jsonlines",
                **(under if config.get("KmsKeyId") else {}),
            )
        except Exception as error:
            if place.endpoint not in self._complained:
                self._complained.add(place.endpoint)
                logger.warning("Endpoint %s captured nothing: %s", place.endpoint, error)

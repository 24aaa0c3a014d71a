"""boto3 clients that reach the gateway without a socket: same API, same errors."""

from __future__ import annotations

import threading
from io import BytesIO
from typing import TYPE_CHECKING, Any

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from moto.core.request import Request

if TYPE_CHECKING:
    from localaws.core.gateway import Gateway

CONFIG = Config(
    retries={"max_attempts": 0, "mode": "standard"},
    s3={"addressing_style": "path"},
    # boto3 checksums bodies by default; between two functions of one process that is waste.
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
)


class Clients:
    """One boto3 client per service and thread-safe, made on first use."""

    def __init__(self, url: str, region: str) -> None:
        self._url = url
        self._region = region
        self._gateway: Gateway | None = None
        self._lock = threading.Lock()
        self._clients: dict[str, Any] = {}
        self._session = boto3.session.Session(
            aws_access_key_id="localaws", aws_secret_access_key="localaws", region_name=region
        )

    def connect(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def get(self, service: str) -> Any:
        with self._lock:
            if service not in self._clients:
                client = self._session.client(service, endpoint_url=self._url, config=CONFIG)
                client.meta.events.register("before-send", self._send)
                self._clients[service] = client
            return self._clients[service]

    def _send(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        if self._gateway is None:
            raise RuntimeError("The local AWS is not running yet.")
        response = self._gateway.handle(
            Request.from_primitives(request.method, request.url, request.headers, request.body)
        )
        headers = HTTPHeaders.from_pairs(response.headers.items())
        return AWSResponse(request.url, response.status_code, headers, _Raw(response.get_data()))


class _Raw(BytesIO):
    """A body with the `stream` method that botocore expects of urllib3."""

    def stream(self, amt: int = 65536, **_: Any) -> Any:
        while chunk := self.read(amt):
            yield chunk

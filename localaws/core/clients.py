"""boto3 clients that reach the gateway without a socket: same API, same errors.

Such a client does not sign: the caller is said outright. One boto3 client a service is made, and
each caller gets a copy of it that differs in where it sends.
"""

from __future__ import annotations

import copy
import functools
import io
import threading
from typing import Any

import boto3
import botocore.session
import moto.core.utils
from botocore.auth import AUTH_TYPE_MAPS, SigV4Auth
from botocore.awsrequest import AWSPreparedRequest, AWSRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from moto.core.request import Request

from localaws.core.exchange import Handle
from localaws.core.streams import Pieces
from localaws.identity.caller import Caller
from localaws.identity.credentials import Credential

# What botocore reads of the services, and moto with additions of its own, is the same for all of
# their sessions: each reads it once.
botocore.session.create_loader = functools.cache(botocore.session.create_loader)
moto.core.utils.create_loader = functools.cache(moto.core.utils.create_loader)

CONFIG = Config(
    user_agent="localaws",  # botocore's own is put together anew for each call, twice
    retries={"max_attempts": 0, "mode": "standard"},
    s3={"addressing_style": "path"},
    # boto3 checksums bodies by default; between two functions of one process that is waste.
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
)


class Clients:
    """boto3 clients of one local AWS, for any caller; thread-safe."""

    def __init__(self, url: str, region: str, key: Credential) -> None:
        self._url = url
        self._region = region
        self._handle: Handle | None = None
        self._lock = threading.Lock()
        self._clients: dict[str, Any] = {}
        self._session = boto3.session.Session(
            aws_access_key_id=key.access_key_id,  # pre-signed URLs are signed with it
            aws_secret_access_key=key.secret_access_key,
            region_name=region,
        )

    def connect(self, handle: Handle) -> None:
        self._handle = handle

    def get(self, service: str, caller: Caller) -> Any:
        """A client of `service` whose calls are `caller`'s. Making one costs microseconds."""
        client = self._client(service)
        acting = object.__new__(type(client))
        acting.__dict__.update(client.__dict__)
        endpoint = copy.copy(client._endpoint)
        endpoint.http_session = _Line(self, caller)
        acting._endpoint = endpoint
        return acting

    def send(self, request: AWSPreparedRequest, caller: Caller) -> AWSResponse:
        if self._handle is None:
            raise RuntimeError("The local AWS is not running yet.")
        response = self._handle(
            Request.from_primitives(request.method, request.url, request.headers, request.body),
            caller,
        )
        headers = HTTPHeaders.from_pairs(response.headers.items())
        body = _Raw(Pieces(response.iter_encoded()))
        return AWSResponse(request.url, response.status_code, headers, body)

    def _client(self, service: str) -> Any:
        with self._lock:
            if service not in self._clients:
                client = self._session.client(service, endpoint_url=self._url, config=CONFIG)
                client.meta.events.register("choose-signer", _choose_signer)
                self._clients[service] = client
            return self._clients[service]


class _Line:
    """Where botocore has a session of connections, this has the gateway and the caller's name."""

    def __init__(self, clients: Clients, caller: Caller) -> None:
        self._clients = clients
        self._caller = caller

    def send(self, request: AWSPreparedRequest) -> AWSResponse:
        return self._clients.send(request, self._caller)

    def close(self) -> None:
        """Nothing is open."""


class _ScopeOnly(SigV4Auth):
    """Names service and region as a signature does, and signs nothing."""

    def add_auth(self, request: AWSRequest) -> None:
        scope = f"{self._region_name}/{self._service_name}/aws4_request"
        request.headers["Authorization"] = f"AWS4-HMAC-SHA256 Credential=inside/0/{scope}"


AUTH_TYPE_MAPS[_ScopeOnly.__name__] = _ScopeOnly


def _choose_signer(context: dict[str, Any], **_: Any) -> str | None:
    """Only a URL that goes outside (pre-signed) is signed."""
    return None if context.get("is_presign_request") else _ScopeOnly.__name__


class _Raw(io.BufferedReader):
    """A body with the `stream` method that botocore expects of urllib3."""

    def stream(self, amt: int = 65536, **_: Any) -> Any:
        while chunk := self.read(amt):
            yield chunk

"""The AWS API the console looks at: an account with the user's own credentials, or an endpoint."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

Json = dict[str, Any]

LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True)
class Target:
    """What to look at. `endpoint_url` None: AWS itself."""

    endpoint_url: str | None = None
    region: str | None = None
    profile: str | None = None

    @property
    def is_local(self) -> bool:
        url = self.endpoint_url
        return url is not None and urlsplit(url).hostname in LOOPBACK

    @property
    def poll_seconds(self) -> float:
        """Between two looks at a running execution. GetExecutionHistory and DescribeExecution
        refill at 15 to 20 a second for a whole account; a look takes one of each."""
        return 0.12 if self.is_local else 2.5


class Clients:
    """boto3 clients by service name, each made once; threads share them."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._lock = threading.Lock()
        self._session: Any = None
        self._made: dict[str, Any] = {}

    @property
    def region(self) -> str:
        with self._lock:
            return str(self._open().region_name)

    def __call__(self, service: str) -> Any:
        with self._lock:
            if service not in self._made:
                from botocore.config import Config

                config = Config(
                    retries={"mode": "standard", "max_attempts": 4},
                    connect_timeout=5,
                    read_timeout=60,
                    max_pool_connections=24,
                    s3={"addressing_style": "path"} if self.target.is_local else {},
                    user_agent_extra="rebuy-console",
                )
                self._made[service] = self._open().client(
                    service, endpoint_url=self.target.endpoint_url, config=config
                )
            return self._made[service]

    def _open(self) -> Any:
        if self._session is None:
            import boto3

            given: Json = {"region_name": self.target.region, "profile_name": self.target.profile}
            if self.target.is_local:
                # Real credentials are never sent to a local endpoint, nor missed by it.
                given = {
                    "region_name": self.target.region,
                    "aws_access_key_id": "localaws",
                    "aws_secret_access_key": "localaws",
                }
            session = boto3.Session(**given)
            if session.region_name is None:
                if not self.target.is_local:
                    raise ValueError("No AWS region: give --region, or set AWS_REGION.")
                session = boto3.Session(**{**given, "region_name": "us-east-1"})
            self._session = session
        return self._session

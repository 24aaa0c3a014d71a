"""boto3 clients: an AWS account with the user's own credentials, or another endpoint."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
LOCAL_REGION = "us-east-1"
MOST_ATTEMPTS = 5


class NoRegion(ValueError):
    """Nothing says which region is meant."""


@dataclass(frozen=True)
class Target:
    """Where the AWS API is. `endpoint_url` None: AWS itself; `region` None: the environment's,
    else the profile's own."""

    endpoint_url: str | None = None
    region: str | None = None
    profile: str | None = None

    @property
    def is_local(self) -> bool:
        """Whether the endpoint is on this machine, which has keys of its own."""
        url = self.endpoint_url
        return url is not None and urlsplit(url).hostname in LOOPBACK

    @property
    def poll_seconds(self) -> float:
        """Between two looks at a running execution. GetExecutionHistory and DescribeExecution
        refill at 15 to 20 a second for a whole account; a look takes one of each."""
        return 0.12 if self.is_local else 2.5


class Clients:
    """Clients by service name, each made once; threads share them. boto3 loads with the first."""

    def __init__(self, target: Target | None = None) -> None:
        self.target = target or Target()
        self._lock = threading.Lock()
        self._session: Any = None
        self._clients: dict[str, Any] = {}

    @property
    def region(self) -> str:
        """Raises NoRegion, and what botocore says of an unknown profile."""
        with self._lock:
            return str(self._open().region_name)

    def __call__(self, service: str) -> Any:
        with self._lock:
            if service not in self._clients:
                from botocore.config import Config

                config = Config(
                    retries={"mode": "standard", "max_attempts": MOST_ATTEMPTS},
                    connect_timeout=5,
                    read_timeout=60,
                    max_pool_connections=24,
                    s3={"addressing_style": "path"} if self.target.is_local else {},
                    proxies={} if self.target.is_local else None,
                    user_agent_extra="rebuy",
                )
                self._clients[service] = self._open().client(
                    service, endpoint_url=self.target.endpoint_url, config=config
                )
            return self._clients[service]

    def _open(self) -> Any:
        if self._session is None:
            import boto3

            from executions.endpoint_credentials import provided

            region = self.target.region or os.environ.get("AWS_REGION") or None
            if self.target.is_local:
                # Real credentials are never sent to a local endpoint, nor missed by it.
                ours = provided(str(self.target.endpoint_url))
                region = region or ours.get_config_variable("region") or LOCAL_REGION
                session = boto3.Session(region_name=region, botocore_session=ours)
            else:
                session = boto3.Session(region_name=region, profile_name=self.target.profile)
            if session.region_name is None:
                raise NoRegion(
                    "No AWS region: give --region, set AWS_REGION, or name one in the profile."
                )
            self._session = session
        return self._session

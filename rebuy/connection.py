"""boto3 clients for where the settings point: an AWS account or another endpoint."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from rebuy.settings import Settings

LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class Connection:
    """Makes clients, one a service; boto3 is loaded with the first."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._clients: dict[str, Any] = {}
        self._session: Any = None

    @property
    def is_local(self) -> bool:
        """Whether the endpoint is on this machine, where any credentials do."""
        url = self.settings.endpoint_url
        return url is not None and urlsplit(url).hostname in LOOPBACK

    def client(self, service: str) -> Any:
        if service not in self._clients:
            from botocore.config import Config

            config = Config(
                retries={"mode": "standard", "max_attempts": 5},
                s3={"addressing_style": "path"} if self.is_local else {},
                user_agent_extra="rebuy",
            )
            self._clients[service] = self.session().client(
                service, endpoint_url=self.settings.endpoint_url, config=config
            )
        return self._clients[service]

    def session(self) -> Any:
        if self._session is None:
            import boto3

            keys = {}
            if self.is_local:
                # Never send real credentials to a local endpoint, nor fail for want of them.
                keys = {"aws_access_key_id": "localaws", "aws_secret_access_key": "localaws"}
            self._session = boto3.Session(
                region_name=self.settings.region,
                profile_name=None if self.is_local else self.settings.profile,
                **keys,
            )
        return self._session

"""The settings, and boto3 clients for where they point: an AWS account or another endpoint."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from configuration.errors import NoRegionError
from configuration.settings import Settings
from executions.clients import Clients, NoRegion, Target


class Connection:
    """One deployment and the clients that reach it; boto3 is loaded with the first."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clients = Clients(Target(settings.endpoint_url, settings.region, settings.profile))

    @property
    def is_local(self) -> bool:
        """Whether the endpoint is on this machine, where any credentials do."""
        return self.clients.target.is_local

    @property
    def region(self) -> str:
        """Raises NoRegionError when neither settings nor profile have one."""
        try:
            return self.clients.region
        except NoRegion as error:
            raise NoRegionError(str(error)) from error

    @cached_property
    def account(self) -> str:
        """The account that the credentials are of."""
        return str(self.client("sts").get_caller_identity()["Account"])

    @property
    def where(self) -> str:
        """The endpoint in words."""
        return self.settings.endpoint_url or f"AWS, region {self.region}"

    def client(self, service: str) -> Any:
        """Raises NoRegionError when neither settings nor profile have a region."""
        try:
            return self.clients(service)
        except NoRegion as error:
            raise NoRegionError(str(error)) from error

"""What a service uses others with: clients and objects in somebody's name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from localaws.core.clients import Clients
from localaws.core.object_store import ObjectStore
from localaws.identity.caller import Caller


@dataclass(frozen=True)
class Acting:
    """The AWS as `caller` sees it."""

    caller: Caller
    objects: ObjectStore
    clients: Clients

    def client(self, service: str) -> Any:
        """A boto3 client, without a socket, whose calls are the caller's."""
        return self.clients.get(service, self.caller)

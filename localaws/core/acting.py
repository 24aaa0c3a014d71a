"""What a service uses others with: clients and objects in somebody's name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from localaws.core.clients import Clients
from localaws.core.object_store import ActingObjects, ObjectStore
from localaws.identity.authorization import Authorizer
from localaws.identity.caller import Caller


@dataclass(frozen=True)
class Acting:
    """The AWS as `caller` sees it."""

    caller: Caller
    _clients: Clients
    _authorize: Authorizer
    _store: Callable[[], ObjectStore]  # S3 sets it up when it starts

    def client(self, service: str) -> Any:
        """A boto3 client, without a socket, whose calls are the caller's."""
        return self._clients.get(service, self.caller)

    @property
    def objects(self) -> ObjectStore:
        """The objects, each use asked for as S3's API would."""
        return ActingObjects(self._store(), self.caller, self._authorize)

"""The key of a local endpoint, as botocore's credentials: asked for when the first call is signed.

A server may be starting when a client is made, or be started anew: a key that was guessed then
would be refused as long as the client lives.
"""

from __future__ import annotations

import threading
from typing import Any

from botocore.credentials import (
    CredentialProvider,
    CredentialResolver,
    Credentials,
    ReadOnlyCredentials,
)
from botocore.session import Session

from executions.endpoint_key import ANY_KEYS, known_keys


class EndpointKey(Credentials):
    """Of who answers at an address; any key until somebody does."""

    def __init__(self, endpoint_url: str) -> None:
        super().__init__(*ANY_KEYS.values(), method="local-endpoint")
        self._endpoint_url = endpoint_url
        self._known = False
        self._asking = threading.Lock()

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """Called for each signature, also of an attempt that is made again."""
        with self._asking:
            if not self._known and (found := known_keys(self._endpoint_url)) is not None:
                self.access_key, self.secret_key = found.values()
                self._known = True
            return ReadOnlyCredentials(self.access_key, self.secret_key, None)


class _Provider(CredentialProvider):
    METHOD = "local-endpoint"

    def __init__(self, endpoint_url: str) -> None:
        super().__init__()
        self._endpoint_url = endpoint_url

    def load(self) -> Any:
        return EndpointKey(self._endpoint_url)


def provided(endpoint_url: str) -> Session:
    """A botocore session that has the endpoint's key and looks for no other."""
    session = Session()
    session.register_component(
        "credential_provider", CredentialResolver(providers=[_Provider(endpoint_url)])
    )
    return session

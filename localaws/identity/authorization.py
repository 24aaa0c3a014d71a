"""May this caller do this? The one question that every call passes, also those made inside."""

from __future__ import annotations

from collections.abc import Callable

from localaws.identity.caller import Caller
from localaws.shapes import Json

Observer = Callable[[Caller, str, str, Json], None]


class Authorizer:
    """Decides about calls. Policies are not enforced yet: everything is allowed.

    `observers` see each call before it is done: (caller, service, operation, params), with
    botocore's names of the three.
    """

    def __init__(self) -> None:
        self.observers: list[Observer] = []

    def __call__(self, caller: Caller, service: str, operation: str, params: Json) -> None:
        """Raises the service's AccessDenied when the caller may not."""
        for observer in self.observers:
            observer(caller, service, operation, params)

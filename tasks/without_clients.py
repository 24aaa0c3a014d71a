"""Stand-ins for the clients that the SDKs make where nothing but JSON is written of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import boto3


@contextmanager
def without_clients() -> Iterator[None]:
    """This thread's new clients and resources are stand-ins; those of others are what they are."""
    here = threading.get_ident()

    def stand_in(make: Callable[..., Any]) -> Callable[..., Any]:
        def made(*given: Any, **named: Any) -> Any:
            mine = threading.get_ident() == here
            return mock.MagicMock() if mine else make(*given, **named)

        return made

    with (
        mock.patch.object(boto3.Session, "client", stand_in(boto3.Session.client)),
        mock.patch.object(boto3.Session, "resource", stand_in(boto3.Session.resource)),
    ):
        yield

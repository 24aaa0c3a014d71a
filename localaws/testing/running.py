"""One local AWS that runs in this process for tests, and the environment that leads to it."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Any key is the account's root here; these are no secret.
KEYS = {"AWS_ACCESS_KEY_ID": "localaws", "AWS_SECRET_ACCESS_KEY": "localaws"}
# What would lead a client elsewhere, or sign with something else.
AWAY = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
)
POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Options:
    """`region`: None is that of the environment, or us-east-1. `home`: where the state is kept; a
    temporary folder, which goes at the end, if None. `wait_scale` and `policies`: as of
    `rebuy local up`."""

    region: str | None = None
    wait_scale: float = 0.0
    policies: str = "off"
    home: Path | None = None


class Running:
    """A local AWS on a loopback port, from `start` to `stop`."""

    def __init__(self, options: Options) -> None:
        """The services are imported here: about a second, once a process."""
        from localaws.core import server

        self._options = options
        self.region = options.region or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
        self._listener = server.bind(0)
        self.url = f"http://{server.HOST}:{self._listener.server_port}"
        self._ending = ExitStack()
        self._aws: Any = None
        self.home = Path()

    def start(self) -> None:
        from localaws.core import server

        with ExitStack() as ending:
            ending.enter_context(environment(self.variables))
            self._open()
            ending.callback(self._close)
            serving = server.BackgroundServer(self._listener, self._aws.gateway, POLL_SECONDS)
            ending.enter_context(serving)
            self._ending = ending.pop_all()

    def stop(self) -> None:
        """Ends it and whatever it started; a temporary home is deleted."""
        self._ending.close()

    def reset(self) -> None:
        """A fresh account at the same address: everything that was made is gone."""
        self._close()
        if self._options.home is not None:
            from localaws.core.home import remove

            remove(self._options.home)
        self._open()
        self._listener.app = self._aws.gateway

    @property
    def variables(self) -> dict[str, str]:
        """The environment of a client, also in another process."""
        return {
            **KEYS,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
        }

    def client(self, service: str) -> Any:
        """A boto3 client of it."""
        import boto3

        return boto3.client(service)

    def _open(self) -> None:
        from localaws.core.aws import start
        from localaws.identity.authorization import Mode
        from localaws.services import SERVICES

        self.home = self._options.home or Path(tempfile.mkdtemp(prefix="localaws-")) / "home"
        self._aws = start(
            self.home,
            SERVICES,
            url=self.url,
            region=self.region,
            wait_scale=self._options.wait_scale,
            policies=Mode(self._options.policies),
        )

    def _close(self) -> None:
        self._aws.stop()
        if self._options.home is None:
            shutil.rmtree(self.home.parent, ignore_errors=True)


@contextmanager
def environment(variables: dict[str, str]) -> Iterator[None]:
    """The process's environment with these variables, and boto3 without what it remembers."""
    before = {name: os.environ.get(name) for name in (*variables, *AWAY, "NO_PROXY")}
    os.environ.update(variables)
    for name in AWAY:
        os.environ.pop(name, None)
    os.environ["NO_PROXY"] = ",".join(filter(None, ("127.0.0.1", before["NO_PROXY"])))
    _forget_session()
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        _forget_session()


def _forget_session() -> None:
    """boto3's default session has read the environment when it was made."""
    if "boto3" in sys.modules:
        vars(sys.modules["boto3"])["DEFAULT_SESSION"] = None

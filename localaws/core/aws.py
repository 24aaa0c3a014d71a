"""Everything a service may use, in one object; made once per server."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from localaws.core.clients import Clients
from localaws.core.clock import Clock
from localaws.core.documents import Documents
from localaws.core.home import Home
from localaws.core.moto_bridge import MotoBridge
from localaws.core.processes import Processes
from localaws.core.service import Service
from localaws.core.signals import Signals

if TYPE_CHECKING:
    from localaws.core.gateway import Gateway
    from localaws.s3.objects import Objects

ACCOUNT = "000000000000"
Factory = Callable[["LocalAws"], Service]


@dataclass
class LocalAws:
    """One local AWS account in one region, with its state under `home`.

    moto's backends are process-wide, so a process holds one of these at a time.
    """

    home: Home
    url: str
    region: str
    clock: Clock
    documents: Documents
    signals: Signals
    processes: Processes
    clients: Clients
    moto: MotoBridge
    account: str = ACCOUNT
    gateway: Gateway = field(init=False)
    objects: Objects = field(init=False)  # set by the S3 service
    stopping: threading.Event = field(default_factory=threading.Event)

    def client(self, service: str) -> Any:
        """A boto3 client of this AWS that needs no socket."""
        return self.clients.get(service)

    def stop(self) -> None:
        """Stops services in the reverse order, then every child process; state stays on disk."""
        self.stopping.set()
        for service in reversed(list(self.gateway.services.values())):
            for stopper in service.stoppers:
                stopper()
        self.processes.stop_all()
        self.moto.flush()
        self.moto.reset(moto_services(self.gateway.services.values()))
        self.documents.close()


def start(
    home: Path,
    factories: Iterable[Factory],
    *,
    url: str = "http://127.0.0.1:4566",
    region: str = "us-east-1",
    wait_scale: float = 1.0,
    clock: Clock | None = None,
) -> LocalAws:
    """Opens the home, brings its state back and starts the services, in the order given."""
    from localaws.core.gateway import Gateway

    place = Home(home)
    documents = Documents(place.file("documents.sqlite"))
    aws = LocalAws(
        home=place,
        url=url,
        region=region,
        clock=clock or Clock(wait_scale),
        documents=documents,
        signals=Signals(),
        processes=Processes(documents, url, region),
        clients=Clients(url, region),
        moto=MotoBridge(place.directory("moto")),
    )
    aws.processes.clean_up()
    services = [factory(aws) for factory in factories]
    aws.moto.load()
    aws.gateway = Gateway(services, aws.moto, aws.account, place.root)
    aws.clients.connect(aws.gateway)
    for service in services:
        for starter in service.starters:
            starter()
    return aws


def moto_services(services: Iterable[Service]) -> list[str]:
    """The services that keep state in moto."""
    return [
        service.name
        for service in services
        if any(operation.handler is None for operation in service.operations.values())
    ]

"""Everything a service may use, in one object; made once per server."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localaws.core.acting import Acting
from localaws.core.clients import Clients
from localaws.core.clock import Clock
from localaws.core.documents import Documents
from localaws.core.gateway import Gateway
from localaws.core.home import Home
from localaws.core.moto_bridge import MotoBridge
from localaws.core.object_store import ActingObjects, ObjectStore
from localaws.core.processes import Processes
from localaws.core.service import Service
from localaws.core.signals import Signals
from localaws.identity import caller as callers
from localaws.identity.authorization import Authorizer
from localaws.identity.caller import Caller

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
    authorize: Authorizer
    account: str = ACCOUNT
    gateway: Gateway = field(init=False)
    objects: ObjectStore = field(init=False)  # set by the S3 service
    stopping: threading.Event = field(default_factory=threading.Event)

    def client(self, service: str) -> Any:
        """A boto3 client of this AWS that needs no socket, for the account's root."""
        return self.clients.get(service, callers.root(self.account))

    def acting(self, caller: Caller) -> Acting:
        """Clients and objects for what is done in the caller's name."""
        objects = ActingObjects(self.objects, caller, self.authorize)
        return Acting(caller, objects, self.clients)

    def acting_as_role(self, role_arn: str, session_name: str, service_principal: str) -> Acting:
        """What a service does as a role that was handed to it (`glue.amazonaws.com` as a job's)."""
        return self.acting(callers.role_session(role_arn, session_name, service_principal))

    def acting_as_service(self, principal: str, source_arn: str | None = None) -> Acting:
        """What a service does as itself, on behalf of `source_arn` (a rule, a bucket)."""
        return self.acting(callers.service(principal, self.account, source_arn))

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
        authorize=Authorizer(),
    )
    aws.processes.clean_up()
    services = [factory(aws) for factory in factories]
    aws.moto.load()
    aws.gateway = Gateway(services, aws.moto, aws.authorize, aws.account, place.root)
    aws.clients.connect(aws.gateway.handle)
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

"""Everything a service may use, in one object; made once per server."""

from __future__ import annotations

import copy
import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from localaws.core.authentication import Authentication
from localaws.core.clients import Clients
from localaws.core.clock import Clock
from localaws.core.durability import Durability
from localaws.core.gateway import Gateway
from localaws.core.home import STORES, Home, write_whole
from localaws.core.jobs.limits import Limits
from localaws.core.jobs.limits import default as default_limits
from localaws.core.jobs.worker import Workers
from localaws.core.log_shipping import LogShipper
from localaws.core.moto_bridge import MotoBridge
from localaws.core.object_store import ActingObjects, ObjectStore
from localaws.core.processes import Processes
from localaws.core.service import Service
from localaws.core.signals import Signals, event
from localaws.documents import Documents
from localaws.identity import caller as callers
from localaws.identity import home_key
from localaws.identity.actions.asked import Place
from localaws.identity.authorization import Authorizer, Mode
from localaws.identity.caller import Caller
from localaws.identity.in_force import InForce
from localaws.identity.store import IdentityStore
from localaws.identity.uses import FILE, Uses

logger = logging.getLogger(__name__)

ACCOUNT = "000000000000"
Factory = Callable[["LocalAws"], Service]


@dataclass
class LocalAws:
    """One local AWS account in one region, with its state under `home`.

    Everything is done as `caller`. Of the object that `start` returns that is the account's root;
    services are made with one that has none, so what they do they must do in somebody's name:
    `acting` and its kin give the same AWS as that one. moto's backends are process-wide, so a
    process holds one AWS at a time.
    """

    home: Home
    url: str
    region: str
    clock: Clock
    documents: Documents
    durability: Durability
    signals: Signals
    processes: Processes
    workers: Workers
    clients: Clients
    moto: MotoBridge
    authorize: Authorizer
    identity: IdentityStore
    account: str = ACCOUNT
    gateway: Gateway = field(init=False)
    logs: LogShipper = field(init=False)
    object_store: ObjectStore = field(init=False)  # set by the S3 service
    acts_as: Caller | None = None
    stopping: threading.Event = field(default_factory=threading.Event)
    closing: ExitStack = field(default_factory=ExitStack)  # what `stop` does, last one first

    @property
    def caller(self) -> Caller:
        """In whose name things are done. Raises RuntimeError where nobody's was given."""
        if self.acts_as is None:
            raise RuntimeError("In whose name? A service works with aws.acting(...).")
        return self.acts_as

    def client(self, service: str) -> Any:
        """A boto3 client of this AWS that needs no socket, whose calls are the caller's."""
        return self.clients.get(service, self.caller)

    @property
    def objects(self) -> ObjectStore:
        """The objects as files; each use is asked for as S3's API would."""
        return ActingObjects(self.object_store, self.caller, self.authorize)

    def acting(self, caller: Caller) -> LocalAws:
        """This AWS for what is done in the caller's name."""
        view = copy.copy(self)
        view.acts_as = caller
        return view

    def acting_as_role(
        self, role: str, session_name: str, service_principal: str, source_arn: str | None = None
    ) -> LocalAws:
        """For what a service does as a role that was handed to it (`glue.amazonaws.com` as a
        job's), by its ARN or name; `source_arn` is what for: `aws:SourceArn` to its trust
        policy."""
        arn = callers.role_arn(self.account, role)
        return self.acting(callers.role_session(arn, session_name, service_principal, source_arn))

    def acting_as_service(self, principal: str, source_arn: str | None = None) -> LocalAws:
        """For what a service does as itself, on behalf of `source_arn` (a rule, a bucket)."""
        return self.acting(callers.service(principal, self.account, source_arn))

    def event(
        self,
        source: str,
        detail_type: str,
        detail: dict[str, Any],
        resources: Sequence[str] = (),
        time: datetime | None = None,
    ) -> dict[str, Any]:
        """An EventBridge event of this account, of now unless `time` is given."""
        return event(
            *(source, detail_type, detail),
            account=self.account,
            region=self.region,
            time=time or self.clock.now(),
            resources=resources,
        )

    def child_environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """The variables of one child process that works as the caller: with keys of its own,
        which are good until the process ends. `extra` goes on top."""
        session = self.identity.open_session(self.caller)
        return self.processes.environment(
            {
                "AWS_ACCESS_KEY_ID": session.access_key_id,
                "AWS_SECRET_ACCESS_KEY": session.secret_access_key,
                "AWS_SESSION_TOKEN": session.session_token or "",
                **(extra or {}),
            }
        )

    def stop(self) -> None:
        """Stops services in the reverse order, then every child process; state stays on disk.

        What fails to stop keeps nothing else from it; its exception is raised at the end.
        """
        self.stopping.set()
        self.closing.close()


def start(
    home: Path,
    factories: Mapping[str, Factory] | Iterable[Factory],
    *,
    url: str = "http://127.0.0.1:4566",
    region: str = "us-east-1",
    wait_scale: float = 1.0,
    clock: Clock | None = None,
    accept_any_key: bool = True,
    limits: Limits | None = None,
    policies: Mode = Mode.OFF,
    power_safe: bool = False,
) -> LocalAws:
    """Opens the home, brings its state back and starts the services, in the order given.

    `limits` are of every worker: what a query, a recipe or a crawl may use of the machine.
    `accept_any_key`: over HTTP, keys that this home did not issue are the account's root too
    (tests of a service need no key); its own keys are verified all the same. `policies`: whether
    they are enforced, as the server does (tests of a service need none either).

    `power_safe`: what was acknowledged outlives a power cut too (durability.py), for the price of
    its writing to the disk.

    A service that fails to start is there and answers every call with the reason
    (`Service.failure`). One that cannot even be made is so only where `factories` give its name;
    otherwise its exception is raised.
    """
    place = Home(home)
    time = clock or Clock(wait_scale)
    root_key = home_key.of(place.file(home_key.NAME), ACCOUNT)
    with ExitStack() as closing:
        documents = Documents(place.store("documents.sqlite"))
        closing.callback(documents.close)
        durability = Durability(documents, on=power_safe)
        processes = Processes(place.root, url, region)
        moto = MotoBridge(place, durability)
        identity = IdentityStore(documents, ACCOUNT, time.now, root_key)
        kept = place.file(FILE) if policies is not Mode.OFF else None
        uses = Uses(kept, write_whole, time.now)
        closing.callback(uses.flush)
        aws = LocalAws(
            home=place,
            url=url,
            region=region,
            clock=time,
            documents=documents,
            durability=durability,
            signals=Signals(),
            processes=processes,
            workers=Workers(processes, place.directory("run"), limits or default_limits()),
            clients=Clients(url, region, root_key),
            moto=moto,
            authorize=Authorizer(InForce(identity), Place(region, ACCOUNT), uses, policies),
            identity=identity,
        )
        aws.logs = LogShipper(lambda caller: aws.acting(caller).client("logs"), aws.clock)
        aws.processes.clean_up()
        aws.identity.forget_sessions()
        aws.processes.ended = aws.identity.close_session_of
        services = _made(aws, factories)
        closing.callback(moto.reset, [one.name for one in services if one.in_moto])
        closing.callback(durability.stop)
        closing.callback(aws.processes.stop_all)
        closing.callback(aws.workers.close)
        moto.load(services)
        authentication = Authentication(aws.identity, time.now, region, accept_any=accept_any_key)
        aws.gateway = Gateway(
            services, moto, aws.authorize, authentication, aws.account, place.root
        )
        aws.clients.connect(aws.gateway.handle)
        closing.callback(aws.logs.stop)
        for service in services:
            closing.callback(service.stop)
        for service in services:
            _start(service)
        durability.keep(place.file("documents.sqlite"))
        place.keep_stores(*STORES)
        durability.start()
        aws.closing = closing.pop_all()
    return aws.acting(callers.root(ACCOUNT))


def _made(aws: LocalAws, factories: Mapping[str, Factory] | Iterable[Factory]) -> list[Service]:
    if not isinstance(factories, Mapping):
        return [factory(aws) for factory in factories]
    services = []
    for name, factory in factories.items():
        try:
            services.append(factory(aws))
        except Exception as error:
            logger.exception("%s could not be made", name)
            services.append(Service(name, failure=str(error) or repr(error)))
    return services


def _start(service: Service) -> None:
    try:
        for starter in service.starters:
            starter()
    except Exception as error:
        logger.exception("%s did not start", service.name)
        service.failure = str(error) or repr(error)

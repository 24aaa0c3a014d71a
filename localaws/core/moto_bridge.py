"""moto behind the gateway: plain CRUD answered by its own code, its state kept on disk as JSON.

What of a backend is kept, and how it is made anew, says the service (`Service.records`).
"""

from __future__ import annotations

import io
import json
import logging
import threading
from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from moto import backends
from moto.core.base_backend import BackendDict
from moto.core.request import Request
from moto.moto_server.werkzeug_app import create_backend_app
from werkzeug.wrappers import Response

from localaws.core import moto_state
from localaws.core.durability import Durability
from localaws.core.home import MARK, Home, LostStore
from localaws.core.moto_state import UnreadableState
from localaws.core.service import Call, Service
from localaws.shapes import Json

logger = logging.getLogger(__name__)

FORMAT = 1  # of the files
ONE_AT_A_TIME = ("dynamodb",)
# How operations that change nothing begin: no state is written after them.
READS = ("Get", "List", "Describe", "BatchGet", "TransactGet", "Scan", "Query")


class MotoBridge:
    """Forwards requests to moto and writes a service's backends after each change.

    One per process, since moto's backends are process-wide.
    """

    def __init__(self, home: Home, durability: Durability) -> None:
        self._home = home
        self._durability = durability
        self._applications: dict[str, Any] = {}
        self._lock = threading.Lock()  # of the table; nothing else is taken under it
        self._saving = threading.Lock()  # a service's turn is taken under it, never it in a turn
        # A conditional write looks and then writes: moto itself keeps nobody out in between.
        self._turns = {service: threading.Lock() for service in ONE_AT_A_TIME}

    def perform(self, call: Call, request: Request, service: Service) -> Response:
        """moto's answer to a call whose body has been read already; what it changed is kept."""
        environ = request.environ
        environ["wsgi.input"] = io.BytesIO(request.get_data())
        # moto takes service and region from the signature, which a caller inside does not have.
        environ["HTTP_AUTHORIZATION"] = (
            "AWS4-HMAC-SHA256 Credential=localaws/20260101/"
            f"{call.region}/{call.service}/aws4_request, SignedHeaders=host, Signature=0"
        )
        application = self._application(call.service)
        with self._turns.get(call.service, nullcontext()):
            response = Response.from_app(application, environ)
        if response.status_code < 400:
            self.wrote(service, call.operation)
        return response

    def _application(self, service: str) -> Any:
        with self._lock:
            if service not in self._applications:
                self._applications[service] = create_backend_app(service)
            return self._applications[service]

    def wrote(self, service: Service, operation: str) -> None:
        """Keeps the state after `operation`, if that can have changed it."""
        if service.records is None or operation.startswith(READS):
            return
        self.save(service)

    def save(self, service: Service) -> None:
        """Writes the service's state beside the old file, then swaps them: never half a file."""
        if service.records is None:
            return
        with self._saving:
            with self._turns.get(service.name, nullcontext()):
                regions = [
                    {"account": account, "region": region, **service.records.keep(backend)}
                    for account, backends_of in list(_backends(service.name).items())
                    for region, backend in list(backends_of.items())
                ]
            name = self._name(service)
            file = self._home.root / name
            fresh, new = file.with_suffix(".new"), not file.exists()
            fresh.write_text(json.dumps({"format": FORMAT, "regions": regions}))
            self._durability.replace(fresh, file)
            if new:
                self._home.keep_stores(name)

    def load(self, services: Iterable[Service]) -> None:
        """Brings back the services' states that were saved in this home.

        One that cannot be read is that service's failure: it answers with the reason and the way
        out, and its file stays as it is.
        """
        for service in services:
            if service.records is None:
                continue
            name = self._name(service)
            file = self._home.root / name
            old = file.with_suffix(".pickle")  # of earlier versions
            try:
                if self._home.store(name).exists():
                    self._restore(service, json.loads(file.read_text()))
                elif old.exists():
                    file = old
                    self._take_over(service, old)
                self._home.keep_stores(name)
            except LostStore as lost:
                service.failure = str(lost)
            except Exception as error:
                logger.exception("%s cannot be read", file)
                _backends(service.name).reset()
                service.failure = (
                    f"its state in {file} cannot be read ({type(error).__name__}: {error}). Bring"
                    " back an older copy of the file, or move it away and take its name out of"
                    f" {MARK} to begin {service.name} anew, and start again."
                )

    @staticmethod
    def _restore(service: Service, saved: Json) -> None:
        assert service.records is not None
        if saved["format"] != FORMAT:
            raise UnreadableState(f"its format is {saved['format']}; this version reads {FORMAT}")
        for kept in saved["regions"]:
            backend = _backends(service.name)[kept["account"]][kept["region"]]
            service.records.restore(backend, kept)

    def _take_over(self, service: Service, old: Path) -> None:
        """A pickle becomes a file of ours, once; it stays under another name."""
        for (account, region), state in moto_state.load(service.name, old.read_bytes()).items():
            _backends(service.name)[account][region].__dict__.update(state)
        self.save(service)
        old.rename(old.with_suffix(".adopted"))

    @staticmethod
    def _name(service: Service) -> str:
        return f"moto/{service.name}.json"

    @staticmethod
    def reset(services: list[str]) -> None:
        """Forgets the named services' state in this process (not on disk)."""
        for service in services:
            _backends(service).reset()


def _backends(service: str) -> BackendDict[Any]:
    found: BackendDict[Any] = backends.get_backend(service)
    return found

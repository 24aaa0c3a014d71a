"""moto behind the gateway: plain CRUD answered by its own code, its state kept on disk.

The only module that knows how moto holds its state; the version is pinned for that reason.
"""

from __future__ import annotations

import io
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
from localaws.core.service import Call, Service

logger = logging.getLogger(__name__)

LATER_SECONDS = 1.0
ONE_AT_A_TIME = ("dynamodb",)
# How operations that change nothing begin: no state is written after them.
READS = ("Get", "List", "Describe", "BatchGet", "TransactGet", "Scan", "Query", "Filter")


class MotoBridge:
    """Forwards requests to moto and pickles a service's backends after each write.

    One per process, since moto's backends are process-wide.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._applications: dict[str, Any] = {}
        self._lock = threading.Lock()
        # A conditional write looks and then writes: moto itself keeps nobody out in between.
        self._turns = {service: threading.Lock() for service in ONE_AT_A_TIME}
        self._late: dict[str, threading.Timer] = {}

    def perform(self, call: Call, request: Request, service: Service) -> Response:
        """moto's answer to a call whose body has been read already; what it changed is kept."""
        environ = request.environ
        environ["wsgi.input"] = io.BytesIO(request.get_data())
        # moto takes service and region from the signature, which a caller inside does not have.
        environ["HTTP_AUTHORIZATION"] = (
            "AWS4-HMAC-SHA256 Credential=localaws/20260101/"
            f"{call.region}/{call.service}/aws4_request, SignedHeaders=host, Signature=0"
        )
        with self._turns.get(call.service, nullcontext()):
            response = Response.from_app(self._application(call.service), environ)
        if response.status_code < 400:
            self.wrote(call.service, call.operation, service.snapshot)
        return response

    def _application(self, service: str) -> Any:
        with self._lock:
            if service not in self._applications:
                self._applications[service] = create_backend_app(service)
            return self._applications[service]

    def wrote(self, service: str, operation: str, when: str) -> None:
        """Keeps the state after `operation`, if that can have changed it."""
        if when == "never" or operation.startswith(READS):
            return
        if when == "now":
            self.save(service)
            return
        with self._lock:
            if service not in self._late:
                timer = threading.Timer(LATER_SECONDS, self._save_late, (service,))
                timer.daemon = True
                self._late[service] = timer
                timer.start()

    def _save_late(self, service: str) -> None:
        with self._lock:
            self._late.pop(service, None)
        self.save(service)

    def save(self, service: str) -> None:
        """Writes the service's state beside the old file, then swaps them: never half a file."""
        with self._lock:
            file = self._file(service)
            fresh = file.with_suffix(".new")
            fresh.write_bytes(moto_state.dump(_state(service)))
            fresh.replace(file)

    def flush(self) -> None:
        """Writes what is due later, now."""
        with self._lock:
            due = list(self._late)
            for timer in self._late.values():
                timer.cancel()
            self._late.clear()
        for service in due:
            self.save(service)

    def load(self, services: Iterable[Service]) -> None:
        """Brings back the services' states that were saved in this home.

        One that cannot be read is that service's failure: it answers with the reason and the way
        out, and its file stays as it is.
        """
        for service in services:
            file = self._file(service.name)
            if not service.in_moto or not file.exists():
                continue
            try:
                for (account, region), state in moto_state.load(
                    service.name, file.read_bytes()
                ).items():
                    _backends(service.name)[account][region].__dict__.update(state)
            except Exception as error:
                logger.exception("%s cannot be read", file)
                _backends(service.name).reset()
                service.failure = (
                    f"its state in {file} cannot be read ({error}). Bring back an older copy of"
                    f" the file, or move it away to begin {service.name} anew, and start again."
                )

    def _file(self, service: str) -> Path:
        return self._folder / f"{service}.pickle"

    @staticmethod
    def reset(services: list[str]) -> None:
        """Forgets the named services' state in this process (not on disk)."""
        for service in services:
            _backends(service).reset()


def _backends(service: str) -> BackendDict[Any]:
    found: BackendDict[Any] = backends.get_backend(service)
    return found


def _state(service: str) -> dict[tuple[str, str], dict[str, Any]]:
    """(account, region) to the backend's attributes."""
    return {
        (account, region): dict(backend.__dict__)
        for account, regions in _backends(service).items()
        for region, backend in regions.items()
    }

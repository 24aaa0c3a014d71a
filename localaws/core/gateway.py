"""The one way in: a request becomes a call, the call is answered or refused by name."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from moto.core.request import Request
from werkzeug.wrappers import Response

from localaws.core import wire
from localaws.core.errors import AwsError, NotEmulated
from localaws.core.moto_bridge import MotoBridge
from localaws.core.service import Call, Service, check_parameters

logger = logging.getLogger(__name__)

HEALTH = "/_aws/health"
LOOPBACK = {"127.0.0.1", "localhost", "[::1]"}


class Gateway:
    """Serves the AWS API: `handle` for requests from inside, the instance itself as WSGI."""

    def __init__(
        self, services: Iterable[Service], moto: MotoBridge, account: str, home: Path
    ) -> None:
        self.services = {service.name: service for service in services}
        self.routes = {
            prefix: route
            for service in self.services.values()
            for prefix, route in service.routes.items()
        }
        self.routes[HEALTH] = self._health
        self._moto = moto
        self._home = home
        self._account = account

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = ServerRequest(environ)
        refusal = refuse_foreign(request)
        response = refusal if refusal is not None else self.handle(request)
        return response(environ, start_response)

    def handle(self, request: Request) -> Response:
        for prefix, route in self.routes.items():
            if request.path == prefix or request.path.startswith(prefix + "/"):
                return route(request)
        service_name, region = wire.identify(request)
        request_id = str(uuid.uuid4())
        operation = None
        try:
            operation, uri_parameters = wire.match_operation(service_name, request)
            service = self.services.get(service_name)
            supported = service.operations.get(operation.name) if service else None
            if service is None or supported is None:
                raise NotEmulated(service_name, operation.name)
            if supported.handler is None:
                wire.rewind(request)
                response = self._moto.forward(service_name, request)
                if response.status_code < 400:
                    self._moto.wrote(service_name, supported.name, service.snapshot)
                return response
            params = wire.parse(operation, uri_parameters, request)
            check_parameters(service_name, supported, params)
            call = Call(
                service_name,
                supported.name,
                params,
                region,
                self._account,
                request_id,
                request.headers,
            )
            result: Any = supported.handler(call) or {}
        except AwsError as error:
            result = error
        except Exception as error:  # a fault of ours: never a silent success
            logger.exception("%s:%s failed", service_name, operation.name if operation else "?")
            result = AwsError("InternalFailure", f"localaws failed: {error!r}", 500)
        return wire.respond(operation, service_name, request.content_type, result, request_id)

    def _health(self, _: Request) -> Response:
        """That we are up, and whose state this is."""
        body = {"status": "running", "home": str(self._home), "services": sorted(self.services)}
        return Response(json.dumps(body), mimetype="application/json")


class ServerRequest(Request):
    from_wsgi_server = True


def refuse_foreign(request: Request) -> Response | None:
    """A 403 for a request that did not mean this machine, or comes from a foreign web page.

    The Host check stops DNS rebinding, the Origin check keeps pages of other sites from using
    the API with a visitor's browser.
    """
    host = request.headers.get("Host", "").rsplit(":", 1)[0]
    origin = urlsplit(request.headers.get("Origin", "")).hostname
    if not (host in LOOPBACK or host.endswith(".localhost")):
        return Response(f"Host {host!r} is not this machine.\n", 403)
    if origin is not None and not (origin in LOOPBACK or origin.endswith(".localhost")):
        return Response(f"Origin {origin!r} may not use this API.\n", 403)
    return None

"""The one way in: a request becomes a call, the call is answered or refused by name."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from moto.core.request import Request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response

from localaws.core import door, refusals, wire
from localaws.core.authentication import Authentication
from localaws.core.code import loaded
from localaws.core.exchange import Exchange
from localaws.core.moto_bridge import MotoBridge
from localaws.core.service import Call, Service, check_parameters
from localaws.errors import AwsError, NotEmulated
from localaws.identity.authorization import Authorizer
from localaws.identity.caller import Caller
from localaws.identity.signature import Refused

logger = logging.getLogger(__name__)

HEALTH = "/_aws/health"
# The most that AWS takes of a body that is no object's, of CreateFunction with a package in it.
MOST_BODY_BYTES = 70_167_211
Step = Callable[[Exchange], None]


class Gateway:
    """Serves the AWS API: `handle` for requests from inside, the instance itself as WSGI.

    A request goes through `steps` in their order; each fills in its part of the Exchange, and
    the first AwsError is the answer.
    """

    def __init__(
        self,
        services: Iterable[Service],
        moto: MotoBridge,
        authorize: Authorizer,
        authentication: Authentication,
        account: str,
        home: Path,
    ) -> None:
        self._code = loaded()
        self.services = {service.name: service for service in services}
        self.routes = {
            prefix: (service, route)
            for service in self.services.values()
            for prefix, route in service.routes.items()
        }
        self.steps: tuple[Step, ...] = (
            self.identify,
            self.authenticate,
            self.match,
            self.parse,
            self.authorize,
            self.perform,
        )
        self._moto = moto
        self._authorize = authorize
        self.authentication = authentication
        self._home = home
        self._account = account

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = ServerRequest(environ)
        try:
            response = door.strange_host(request) or self._admitted(request)
        except AwsError as error:  # of a body that is no operation's
            response = Response(f"{error.message}\n", error.status)
        return response(environ, start_response)

    def _admitted(self, request: Request) -> Response:
        """What is public (websites, HTTP APIs) takes requests from any page, as on AWS; the AWS
        API and the control paths take none, but where a resource's own rules say so."""
        refused = None if self._is_public(request.path) else door.page(request)
        if refused is None:
            return self._routed(request) or self._form(request) or self.handle(request)
        return self._of_page(request) or refused

    def _of_page(self, request: Request) -> Response | None:
        """The answer to a page that rules of a service's own let in (a bucket's CORS)."""
        for name, service in self.services.items():
            if service.pages is not None and service.failure is None:

                def answer(name: str = name) -> Response:
                    return self._form(request) or self.handle(request, page_of=name)

                if (response := service.pages(request, answer)) is not None:
                    return response
        return None

    def handle(
        self, request: Request, inside: Caller | None = None, page_of: str | None = None
    ) -> Response:
        """The answer of the AWS API. `inside` is who calls within this process, unsigned;
        `page_of` the one service that let in a page."""
        exchange = Exchange(request, inside, page_of)
        try:
            for step in self.steps:
                step(exchange)
        except AwsError as error:
            exchange.result = error
        except RecursionError:
            logger.exception("%s: nested too deeply", exchange.service_name)
            exchange.result = AwsError(
                "SerializationException", "The request, or a document in it, is nested too deeply."
            )
        except Exception as error:  # a fault of ours: never a silent success
            name = exchange.model.name if exchange.model else "?"
            logger.exception("%s:%s failed", exchange.service_name, name)
            exchange.result = AwsError("InternalFailure", f"localaws failed: {error!r}", 500)
        return self.respond(exchange)

    def identify(self, exchange: Exchange) -> None:
        """Which service, in which region."""
        exchange.service_name, exchange.region = wire.identify(exchange.request)
        if exchange.page_of not in (None, exchange.service_name):
            raise AwsError("AccessDenied", "A page may not use this API.", 403)

    def authenticate(self, exchange: Exchange) -> None:
        """Who calls: whose key has signed."""
        exchange.caller = exchange.inside or self.authentication.caller(
            exchange.service_name, exchange.request, of_page=exchange.page_of is not None
        )

    def match(self, exchange: Exchange) -> None:
        """Which operation; NotEmulated for one that nobody registered."""
        try:
            self._match(exchange)
        except AwsError:
            if exchange.caller.is_anonymous:
                self._check_meant(exchange)
            raise

    def _match(self, exchange: Exchange) -> None:
        name = exchange.service_name
        exchange.model, exchange.uri_parameters = wire.match_operation(name, exchange.request)
        service = self.services.get(name)
        if service is not None:
            service.check_started()
        operation = service.operations.get(exchange.model.name) if service else None
        if service is None or operation is None:
            raise NotEmulated(name, exchange.model.name)
        exchange.service, exchange.operation = service, operation

    def parse(self, exchange: Exchange) -> None:
        """With which parameters; NotEmulated for one that the operation does not take."""
        assert exchange.model is not None  # match has set it, or raised
        exchange.params = wire.parse(exchange.model, exchange.uri_parameters, exchange.request)
        check_parameters(exchange.service_name, exchange.operation, exchange.params)

    def authorize(self, exchange: Exchange) -> None:
        """Whether the caller may; nobody in particular only where the service's own policy says."""
        if exchange.caller.is_anonymous and not exchange.service.lets_in(
            exchange.operation.name, exchange.params
        ):
            self._check_meant(exchange)
            raise AwsError("AccessDenied", "Access Denied", 403)
        self._authorize(
            exchange.caller, exchange.service_name, exchange.operation.name, exchange.params
        )

    def _check_meant(self, exchange: Exchange) -> None:
        """Raises another service's refusal of who did not sign, where its operation is meant."""
        if (other := wire.also_meant(exchange.request)) is not None:
            exchange.service_name, exchange.model = other
            raise refusals.error(Refused("missing"), exchange.service_name, "rest-json")

    def perform(self, exchange: Exchange) -> None:
        """Does it: our handler, or moto where moto keeps the service's records."""
        call = Call(
            exchange.service_name,
            exchange.operation.name,
            exchange.params,
            exchange.region,
            self._account,
            exchange.request_id,
            exchange.caller,
            exchange.request.headers,
        )
        exchange.service.check(call)
        if exchange.operation.handler is None:
            exchange.response = self._moto.perform(call, exchange.request, exchange.service)
        else:
            exchange.result = exchange.operation.handler(call) or {}

    def respond(self, exchange: Exchange) -> Response:
        """The answer as HTTP, in the protocol of the request."""
        if exchange.response is not None:
            return exchange.response
        return wire.respond(
            exchange.model,
            exchange.service_name,
            exchange.request.content_type,
            exchange.result,
            exchange.request_id,
        )

    def _is_public(self, path: str) -> bool:
        """Whether web pages of any site may use the path, as on AWS."""
        return any(
            path == prefix or path.startswith(prefix + "/")
            for service in self.services.values()
            for prefix in service.public
        )

    def _routed(self, request: Request) -> Response | None:
        """The answer to a plain HTTP path below one of the services' prefixes."""
        if request.path == HEALTH:
            return self._health()
        for prefix, (service, route) in self.routes.items():
            if request.path == prefix or request.path.startswith(prefix + "/"):
                try:
                    service.check_started()
                except AwsError as error:
                    return Response(f"{error.message}\n", error.status)
                return route(request)
        return None

    def _form(self, request: Request) -> Response | None:
        """The answer to a posted form, which is no operation."""
        if request.method == "POST" and request.mimetype == "multipart/form-data":
            for service in self.services.values():
                if service.form is not None:
                    return service.form(request)
        return None

    def _health(self) -> Response:
        """That we are up, our code, whose state this is, and which services did not start, with
        reasons."""
        failed = {name: made.failure for name, made in self.services.items() if made.failure}
        body = {
            "status": "running",
            "home": str(self._home),
            "code": self._code,
            "services": sorted(self.services.keys() - failed.keys()),
            "failed": failed,
        }
        return Response(json.dumps(body), mimetype="application/json")


class ServerRequest(Request):
    from_wsgi_server = True

    def get_data(self, *positional: Any, **named: Any) -> Any:
        """The body, held. Raises RequestEntityTooLargeException; what streams asks for none."""
        # Without a length, werkzeug cuts a body off there and says nothing.
        self.max_content_length = MOST_BODY_BYTES + 1
        try:
            data = super().get_data(*positional, **named)
        except RequestEntityTooLarge:
            data = None
        if data is None or len(data) > MOST_BODY_BYTES:
            raise AwsError(
                "RequestEntityTooLargeException",
                f"Request must be smaller than {MOST_BODY_BYTES} bytes",
                413,
            )
        return data

"""A request to an API: route, throttle, permission, function, answer."""

from __future__ import annotations

import json
import logging
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from botocore.exceptions import ClientError
from werkzeug.wrappers import Request, Response

from localaws.http_api import access_log, service_calls
from localaws.http_api import cors as cross_origin
from localaws.http_api.payload import MalformedError, Target, build_event, read_result
from localaws.http_api.resources import function_arn
from localaws.http_api.routing import Match, find_route, source_arn
from localaws.http_api.store import PREFIX, Apis
from localaws.http_api.throttle import Throttle
from localaws.shapes import Json

BODY_LIMIT_BYTES = 10 * 1024 * 1024
DEFAULT_STAGE = "$default"
SESSION = "BackplaneAssumeRoleSession"  # as API Gateway names it
API_GATEWAY = "apigateway.amazonaws.com"

Answer = TypeVar("Answer")

logger = logging.getLogger(__name__)


def message(status: int, text: str) -> Response:
    """An answer of API Gateway's own."""
    return Response(json.dumps({"message": text}), status, content_type="application/json")


class HttpApiServer:
    """Serves `/_aws/execute-api/<api id>/...`."""

    def __init__(self, apis: Apis) -> None:
        self._apis = apis
        self._aws = apis.aws
        self._throttle = Throttle(apis.aws.clock.monotonic)

    def __call__(self, request: Request) -> Response:
        request_id = str(uuid.uuid4())
        try:
            response = self._serve(request, request_id)
        except Exception:
            logger.exception("%s %s failed", request.method, request.path)
            response = message(500, "Internal Server Error")
        response.headers["Apigw-Requestid"] = request_id
        return response

    def _serve(self, request: Request, request_id: str) -> Response:
        api_id, _, rest = request.path.removeprefix(PREFIX).removeprefix("/").partition("/")
        document = self._apis.look(api_id)
        if document is None:
            return message(404, "Not Found")
        stage, path = choose_stage(document, "/" + rest)
        if stage is None:
            return message(404, "Not Found")
        cors: Json | None = document["api"].get("CorsConfiguration")
        if cors and cross_origin.is_preflight(request):
            return cross_origin.preflight(cors, request)
        target = Target(api_id, stage, "/" + rest, self._aws.account, self._aws.url, request_id)
        routes, integrations = deployed(document, stage)
        match = find_route(routes, request.method, path)
        response = self._answer(request, integrations, target, match)
        if cors:
            cross_origin.apply(cors, request, response)
        about = {"apiId": api_id, "requestId": request_id, "path": path}
        about["routeKey"] = match.route["RouteKey"] if match else "-"
        access_log.write(self._aws, stage, request, response, about)
        return response

    def _answer(
        self, request: Request, integrations: Json, target: Target, match: Match | None
    ) -> Response:
        if match is None:
            return message(404, "Not Found")
        key = match.route["RouteKey"]
        settings = target.stage["DefaultRouteSettings"] | target.stage["RouteSettings"].get(key, {})
        if not self._throttle.admits((target.api_id, target.stage["StageName"], key), settings):
            return message(429, "Too Many Requests")
        if (request.content_length or 0) > BODY_LIMIT_BYTES:
            return message(413, "Request Entity Too Large")
        body = request.get_data()
        if len(body) > BODY_LIMIT_BYTES:
            return message(413, "Request Entity Too Large")
        integration = integrations.get(match.route.get("Target", "").partition("/")[2])
        if integration is None:
            return message(500, "Internal Server Error")
        return self._integrate(request, body, target, match, integration)

    def _integrate(
        self, request: Request, body: bytes, target: Target, match: Match, integration: Json
    ) -> Response:
        seconds = integration["TimeoutInMillis"] / 1000
        if "IntegrationSubtype" in integration:
            role = integration["CredentialsArn"]
            acting = self._aws.acting_as_role(role, SESSION, API_GATEWAY)
            params = service_calls.request_of(integration, request, body, target, match)
            client = acting.client(
                service_calls.SUBTYPES[integration["IntegrationSubtype"]].service
            )
            served = within(seconds, lambda: service_calls.call(client, integration, params))
            return served or message(503, "Service Unavailable")
        function = function_arn(integration)
        source = source_arn(
            *(self._aws.region, self._aws.account, target.api_id),
            *(target.stage["StageName"], match.route["RouteKey"]),
        )
        gateway = self._aws.acting_as_service(API_GATEWAY, source)
        event = build_event(request, body, target, match, self._aws.clock.now())
        try:
            client, payload = gateway.client("lambda"), json.dumps(event).encode()
            answer: Json | None = within(
                seconds, lambda: client.invoke(FunctionName=function, Payload=payload)
            )
        except ClientError as problem:
            code = problem.response["Error"]["Code"]
            logger.warning(
                "API %s may not or cannot invoke %s: %s", target.api_id, function, problem
            )
            if code == "RequestTooLargeException":
                return message(413, "Request Entity Too Large")
            if code == "TooManyRequestsException":
                return message(503, "Service Unavailable")
            return message(500, "Internal Server Error")
        if answer is None:
            return message(503, "Service Unavailable")
        if "FunctionError" in answer:
            return message(500, "Internal Server Error")
        try:
            return read_result(answer["Payload"].read())
        except MalformedError as problem:
            logger.warning("API %s: the result of %s: %s", target.api_id, function, problem)
            return message(500, "Internal Server Error")


def within(seconds: float, call: Callable[[], Answer]) -> Answer | None:
    """What the call answers, or None after a time: what it began goes on, as on AWS.

    Raises what the call raises.
    """
    answer: Future[Answer] = Future()

    def run() -> None:
        try:
            answer.set_result(call())
        except BaseException as problem:
            answer.set_exception(problem)

    threading.Thread(target=run, daemon=True).start()
    try:
        return answer.result(seconds)
    except TimeoutError:
        return None


def choose_stage(document: Json, path: str) -> tuple[Json | None, str]:
    """(stage, path below it): a first segment that names a stage, else $default."""
    first, _, rest = path[1:].partition("/")
    stages: Json = document["stages"]
    if first in stages and first != DEFAULT_STAGE:
        return stages[first], "/" + rest
    return stages.get(DEFAULT_STAGE), path


def deployed(document: Json, stage: Json) -> tuple[list[Json], Json]:
    """(routes, integrations) that the stage serves."""
    source = document
    if not stage["AutoDeploy"]:
        source = document["deployments"].get(stage.get("DeploymentId", ""), {})
    return list(source.get("routes", {}).values()), source.get("integrations", {})

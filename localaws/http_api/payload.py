"""Payload format 2.0: the event a function gets and what its result means.

docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from werkzeug.wrappers import Request, Response

from localaws.http_api.routing import Match
from localaws.shapes import Json

# Measured on AWS: a body without a Content-Type, or with application/problem+json, is base64.
TEXT_TYPES = ("text/", "application/json", "application/xml", "application/javascript")


@dataclass(frozen=True)
class Target:
    """Where a request has arrived. `raw_path` has the stage's name in front unless $default."""

    api_id: str
    stage: Json
    raw_path: str
    account: str
    url: str
    request_id: str


def build_event(request: Request, body: bytes, target: Target, match: Match, now: datetime) -> Json:
    """The function's event."""
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        key = name.lower()
        if key != "cookie":
            headers[key] = f"{headers[key]},{value}" if key in headers else value
    host = urlsplit(target.url)
    source = request.remote_addr or "127.0.0.1"
    headers.setdefault("x-forwarded-for", source)
    headers.setdefault("x-forwarded-port", str(host.port or 80))
    headers.setdefault("x-forwarded-proto", host.scheme)
    domain = f"{target.api_id}.execute-api.localhost"
    event: Json = {
        "version": "2.0",
        "routeKey": match.route["RouteKey"],
        "rawPath": target.raw_path,
        "rawQueryString": request.query_string.decode("latin-1"),
        "headers": headers,
        "requestContext": {
            "accountId": target.account,
            "apiId": target.api_id,
            "domainName": domain,
            "domainPrefix": target.api_id,
            "http": {
                "method": request.method,
                "path": target.raw_path,
                "protocol": request.environ.get("SERVER_PROTOCOL", "HTTP/1.1"),
                "sourceIp": source,
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": target.request_id,
            "routeKey": match.route["RouteKey"],
            "stage": target.stage["StageName"],
            "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": int(now.timestamp() * 1000),
        },
        "isBase64Encoded": False,
    }
    cookies = request.headers.get("Cookie")
    if cookies:
        event["cookies"] = [cookie.strip() for cookie in cookies.split(";")]
    if request.args:
        event["queryStringParameters"] = {
            name: ",".join(values) for name, values in request.args.lists()
        }
    if match.path_parameters:
        event["pathParameters"] = match.path_parameters
    if target.stage.get("StageVariables"):
        event["stageVariables"] = target.stage["StageVariables"]
    if body:
        text = as_text(body, request)
        event["isBase64Encoded"] = text is None
        event["body"] = base64.b64encode(body).decode() if text is None else text
    return event


def as_text(body: bytes, request: Request) -> str | None:
    """The body as text; None for what goes into the event as base64."""
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if not kind.startswith(TEXT_TYPES):
        return None
    if "Content-Encoding" in request.headers:
        return None
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None


class MalformedError(ValueError):
    """The function returned something that is no response."""


def read_result(payload: bytes) -> Response:
    """The HTTP response that a function's result means. MalformedError when it means none."""
    result = json.loads(payload) if payload else None
    if not (isinstance(result, dict) and "statusCode" in result):
        # Without a statusCode the result itself is the body.
        text = result if isinstance(result, str) else json.dumps(result, separators=(",", ":"))
        return Response(text, 200, content_type="application/json")
    status, body = result["statusCode"], result.get("body")
    if isinstance(status, str) and status.isdigit():
        status = int(status)
    if not isinstance(status, int) or isinstance(status, bool) or not 100 <= status < 600:
        raise MalformedError(f"statusCode is {status!r}")
    headers = result.get("headers") or {}
    if not isinstance(headers, dict):
        raise MalformedError("headers is no object")
    data = read_body(body, encoded=bool(result.get("isBase64Encoded")))
    response = Response(data, status, content_type="text/plain;charset=UTF-8")
    for name, value in headers.items():
        if value is not None:
            text = str(value).lower() if isinstance(value, bool) else str(value)
            response.headers[str(name)] = text
    for cookie in result.get("cookies") or []:
        response.headers.add("Set-Cookie", str(cookie))
    return response


def read_body(body: object, *, encoded: bool) -> bytes:
    """A result's body; text, perhaps base64."""
    if body is None:
        return b""
    if not isinstance(body, str):
        raise MalformedError(f"body is {type(body).__name__}; a string was expected")
    if not encoded:
        return body.encode()
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError) as problem:
        raise MalformedError("body is not base64") from problem

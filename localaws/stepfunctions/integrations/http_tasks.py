"""HTTP Tasks (`http:invoke`, with an EventBridge connection) and `apigateway:invoke`.

Only this machine is called: an endpoint elsewhere is refused by name, before anything is sent.
https://docs.aws.amazon.com/step-functions/latest/dg/call-https-apis.html
https://docs.aws.amazon.com/step-functions/latest/dg/connect-api-gateway.html
"""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

from localaws.identity.actions.asked import Asked
from localaws.identity.policy.request import Value
from localaws.shapes import Json, without_nulls
from localaws.stepfunctions.errors import StateError, runtime_error
from localaws.stepfunctions.integrations.http_calls import Request, here, sent
from localaws.stepfunctions.integrations.http_connections import (
    Caller,
    authorization,
    connection,
    pairs,
)
from localaws.stepfunctions.integrations.resources import Resource
from localaws.stepfunctions.integrations.shapes import INVALID, REQUIRED, UNSUPPORTED, parse_json
from localaws.stepfunctions.payload import MAX_BYTES, dumps

METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD")
# Service to (required, optional) fields of Parameters.
FIELDS = {
    "http": (
        ("ApiEndpoint", "Method"),
        ("Authentication", "InvocationConfig", "Headers", "QueryParameters", "RequestBody",
         "Transform"),
    ),
    "apigateway": (
        ("ApiEndpoint", "Method"),
        ("Headers", "Stage", "Path", "QueryParameters", "RequestBody", "AllowNullValues",
         "AuthType"),
    ),
}  # fmt: skip
FORBIDDEN = frozenset(
    """
    authorization host connection content-encoding content-md5 date expect cache-control
    transfer-encoding te trailer upgrade via if-match if-modified-since if-none-match if-range
    if-unmodified-since origin referer pragma server warning forwarded from max-forwards
    accept-charset accept-datetime accept-encoding a-im http2-settings proxy-authorization
    """.split()  # noqa: SIM905 - a list a person can read
)
FORBIDDEN_PREFIXES = ("x-forwarded-", "x-amz-", "x-amzn-")

BINARY = ("application/octet-stream", "image/", "video/", "audio/")


def problems(resource: Resource, template: Any) -> Iterator[str]:
    """What is wrong with the Task's Parameters, as far as their fields' names say."""
    if not isinstance(template, dict):
        yield INVALID.format(name="Parameters")
        return
    required, optional = FIELDS[resource.service]
    given = {name.removesuffix(".$") for name in template}
    for name in sorted(given - {*required, *optional}):
        yield UNSUPPORTED.format(name=name)
    for name in required:
        if name not in given:
            yield REQUIRED.format(name=name)
    if resource.service == "http" and not given & {"Authentication", "InvocationConfig"}:
        yield REQUIRED.format(name="Authentication")
    method = template.get("Method")
    if isinstance(method, str) and not method.startswith("{%") and method not in METHODS:
        yield INVALID.format(name="Method")
    headers = template.get("Headers")
    if resource.service == "apigateway" and isinstance(headers, dict):
        dynamic = (isinstance(value, str) and value.startswith("{%") for value in headers.values())
        lists = (isinstance(value, list) or name.endswith(".$") for name, value in headers.items())
        if not all(a or b for a, b in zip(dynamic, lists, strict=True)):
            yield INVALID.format(name="Headers")


def invoke(resource: Resource, arguments: Json, caller: Caller) -> Json:
    """The Task's output."""
    base = caller.base
    if resource.service == "http":
        request = _http_request(arguments, caller)
        request.url = here(request.url, base)
        status, reason, headers, data = sent(request, "States.Http.Socket")
        if not 200 <= status < 300:
            raise StateError(f"States.Http.StatusCode.{status}", reason, from_task=True)
    else:
        request = _api_request(arguments, base)
        status, reason, headers, data = sent(request, "ApiGateway.SdkClientException")
        if not 200 <= status < 300:
            text = data.decode("utf-8", "replace")
            raise StateError(f"ApiGateway.{status}", text, from_task=True)
    output: Json = {"Headers": headers}
    if status != HTTPStatus.NO_CONTENT and request.method != "HEAD":
        output["ResponseBody"] = _body(headers, data)
    return {**output, "StatusCode": status, "StatusText": reason}


def _body(headers: dict[str, list[str]], data: bytes) -> Any:
    kind = next((v[0] for k, v in headers.items() if k.lower() == "content-type"), "").lower()
    if kind.startswith(BINARY):
        raise runtime_error(f"The response's content type {kind} is not a text.")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise runtime_error("The response could not be read as UTF-8.") from error
    return parse_json(text) if text else text


# --- apigateway:invoke ------------------------------------------------------------------------


def _api_request(arguments: Json, base: str) -> Request:
    stage, path = arguments.get("Stage"), str(arguments.get("Path", ""))
    url = here(f"https://{arguments['ApiEndpoint']}", base)
    url = "/".join(part.strip("/") for part in (url, stage or "", path) if part)
    request = Request(url, arguments["Method"])
    for name, values in (arguments.get("Headers") or {}).items():
        request.headers[name] = ",".join(str(value) for value in values)
    for name, values in (arguments.get("QueryParameters") or {}).items():
        request.query += [(name, str(value)) for value in values]
    body = arguments.get("RequestBody")
    if body is not None and request.method in ("PATCH", "POST", "PUT"):
        kept = body if arguments.get("AllowNullValues") else without_nulls(body)
        request.body = dumps(kept).encode()
        if not any(name.lower() == "content-type" for name in request.headers):
            request.headers["Content-Type"] = "application/json"
    return request


# --- http:invoke ------------------------------------------------------------------------------


def _http_request(arguments: Json, caller: Caller) -> Request:
    request = Request(str(arguments["ApiEndpoint"]), str(arguments["Method"]))
    keys: dict[str, Value] = {
        "states:httpendpoint": request.url,
        "states:httpmethod": request.method,
    }
    caller.check(
        Asked("states:InvokeHTTPEndpoint", caller.machine_arn, keys),
        "States.Http.AccessDenied",
        "AWS Step Functions is not authorized to perform states:InvokeHTTPEndpoint on API Endpoint"
        f" {request.url}. Ensure that the StateMachine role contains the states:InvokeHTTPEndpoint"
        " permission for the given API Endpoint",
    )
    request.headers = {
        "User-Agent": f"Amazon|StepFunctions|HttpInvoke|{caller.region}",
        "Range": f"bytes=0-{MAX_BYTES}",
        "Content-Type": "application/json; charset=UTF-8",
    }
    for name, value in (arguments.get("Headers") or {}).items():
        if name.lower() in FORBIDDEN or name.lower().startswith(FORBIDDEN_PREFIXES):
            raise runtime_error(f"The header '{name}' is not supported in an HTTP Task.")
        request.headers = {k: v for k, v in request.headers.items() if k.lower() != name.lower()}
        request.headers[name] = _header(value)
    query: Json = dict(arguments.get("QueryParameters") or {})
    secret = connection(arguments, caller)
    own = secret["AuthParameters"].get("InvocationHttpParameters", {})
    request.headers |= pairs(own.get("HeaderParameters"))
    query |= pairs(own.get("QueryStringParameters"))
    request.query = [
        (name, str(one))
        for name, value in query.items()
        for one in (value if isinstance(value, list) else [value])
    ]
    request.headers |= authorization(secret, caller.base)
    request.body = _request_body(arguments, pairs(own.get("BodyParameters")))
    return request


def _header(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(_header(one) for one in value)
    return value if isinstance(value, str) else dumps(value)


def _request_body(arguments: Json, own: dict[str, str]) -> bytes | None:
    body = arguments.get("RequestBody")
    if own:
        if isinstance(body, str):
            raise runtime_error("The RequestBody must be an object: the connection adds to it.")
        body = {**(body or {}), **own}
    if body is None:
        return None
    transform = arguments.get("Transform") or {}
    if transform.get("RequestBodyEncoding", "NONE") == "URL_ENCODED" and isinstance(body, dict):
        form = (transform.get("RequestEncodingOptions") or {}).get("ArrayFormat", "INDICES")
        return urlencode(list(_form(body, form)), quote_via=quote).encode()
    return body.encode() if isinstance(body, str) else dumps(body).encode()


def _form(body: Json, arrays: str) -> Iterator[tuple[str, str]]:
    """A JSON object as the fields of a form; `arrays` is the ArrayFormat."""
    for name, value in body.items():
        if not isinstance(value, list):
            yield name, _header(value)
        elif arrays == "COMMAS":
            yield name, ",".join(_header(one) for one in value)
        else:
            for index, one in enumerate(value):
                ending = {"INDICES": f"[{index}]", "BRACKETS": "[]"}.get(arrays, "")
                yield f"{name}{ending}", _header(one)

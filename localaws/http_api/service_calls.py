"""AWS service integrations: a route that calls Step Functions itself, as a role.

docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-aws-services.html
and ...-aws-services-reference.html; the mapping of parameters: http-api-parameter-mapping.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError, ParamValidationError
from werkzeug.wrappers import Request, Response

from localaws.errors import NotEmulated
from localaws.http_api.payload import Target
from localaws.http_api.routing import Match
from localaws.http_api.store import bad_request
from localaws.shapes import Json

ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/.+")
REFERENCE = re.compile(r"\$\{([^}]+)\}|(\$(?:request|context|stageVariables)\.[\w.$-]+)")
WHOLE = re.compile(r"\$(?:request|context|stageVariables)\.[\w.$-]+")


@dataclass(frozen=True)
class Action:
    """One subtype: the method of the service's client, and its parameters as the service spells
    them, by their names in RequestParameters."""

    service: str
    method: str
    required: Mapping[str, str]
    optional: Mapping[str, str]


STEP_FUNCTIONS = "stepfunctions"
_START = {"Name": "name", "Input": "input"}
_MACHINE = {"StateMachineArn": "stateMachineArn"}
SUBTYPES = {
    "StepFunctions-StartExecution": Action(STEP_FUNCTIONS, "start_execution", _MACHINE, _START),
    "StepFunctions-StartSyncExecution": Action(
        STEP_FUNCTIONS, "start_sync_execution", _MACHINE, _START | {"TraceHeader": "traceHeader"}
    ),
    "StepFunctions-StopExecution": Action(
        STEP_FUNCTIONS,
        "stop_execution",
        {"ExecutionArn": "executionArn"},
        {"Cause": "cause", "Error": "error"},
    ),
}


def check(operation: str, integration: Json, region: str) -> None:
    """Raises for what AWS does not take, and for what is not here, by name."""
    subtype = integration["IntegrationSubtype"]
    action = SUBTYPES.get(subtype)
    if action is None:
        raise NotEmulated("apigatewayv2", operation, f"IntegrationSubtype={subtype}",
                          f"It has {', '.join(SUBTYPES)}.")  # fmt: skip
    if integration.get("PayloadFormatVersion") != "1.0":
        raise bad_request("PayloadFormatVersion must be 1.0 for an AWS service integration")
    if not ROLE.fullmatch(integration.get("CredentialsArn", "")):
        raise bad_request("CredentialsArn must be the ARN of a role for an AWS service integration")
    given = integration.get("RequestParameters", {})
    for name in action.required:
        if not given.get(name):
            raise bad_request(f"RequestParameters of {subtype} must have {name}")
    for name in given:
        if name not in {*action.required, *action.optional, "Region"}:
            raise bad_request(f"RequestParameters of {subtype} cannot have {name}")
    if given.get("Region", region) != region:
        raise NotEmulated("apigatewayv2", operation, f"Region={given['Region']}",
                          f"It has {region}.")  # fmt: skip


def request_of(
    integration: Json, request: Request, body: bytes, target: Target, match: Match
) -> Json:
    """The parameters of the service's call for this request."""
    action = SUBTYPES[integration["IntegrationSubtype"]]
    names = {**action.required, **action.optional}
    known = _Known(request, body.decode("utf-8", "replace"), target, match)
    found = {
        names[name]: known.value(template)
        for name, template in integration.get("RequestParameters", {}).items()
        if name in names
    }
    return {name: value for name, value in found.items() if value is not None}


@dataclass(frozen=True)
class _Known:
    """What the values of RequestParameters may refer to."""

    request: Request
    body: str
    target: Target
    match: Match

    def value(self, template: str) -> str | None:
        """The text that a template means; None where it only refers to what is not there."""
        if WHOLE.fullmatch(template):
            return self._reference(template[1:])
        return REFERENCE.sub(
            lambda found: self._reference((found[1] or found[2]).removeprefix("$")) or "", template
        )

    def _reference(self, name: str) -> str | None:
        source, _, rest = name.partition(".")
        if source == "context":
            return self._context(rest)
        if source == "stageVariables":
            variables: dict[str, str] = self.target.stage.get("StageVariables", {})
            return variables.get(rest)
        part, _, key = rest.partition(".")
        if part == "header":
            return self.request.headers.get(key)
        if part == "querystring":
            return ",".join(self.request.args.getlist(key)) or None
        if part == "path":
            return self.match.path_parameters.get(key) if key else self.request.path
        if part == "body":
            return self.body if not key else _part(self.body, key)
        return None

    def _context(self, name: str) -> str | None:
        return {
            "apiId": self.target.api_id,
            "accountId": self.target.account,
            "requestId": self.target.request_id,
            "extendedRequestId": self.target.request_id,
            "stage": self.target.stage["StageName"],
            "routeKey": self.match.route["RouteKey"],
            "httpMethod": self.request.method,
            "path": self.target.raw_path,
        }.get(name)


def _part(body: str, path: str) -> str | None:
    """A member of a JSON body, as text."""
    try:
        value: Any = json.loads(body)
        for name in path.removeprefix("$.").split("."):
            value = value[name]
    except (ValueError, LookupError, TypeError):
        return None
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def call(client: Any, integration: Json, params: Json) -> Response:
    """Makes the call; what the service answers is the answer, its refusals too."""
    method = getattr(client, SUBTYPES[integration["IntegrationSubtype"]].method)
    try:
        answer: Json = method(**params)
    except ClientError as problem:
        error = problem.response["Error"]
        body = {"__type": error["Code"], "message": error["Message"]}
        return _json(body, problem.response["ResponseMetadata"]["HTTPStatusCode"])
    except ParamValidationError as problem:
        return _json({"__type": "ValidationException", "message": str(problem)}, 400)
    return _json({name: value for name, value in answer.items() if name != "ResponseMetadata"}, 200)


def _json(body: Json, status: int) -> Response:
    text = json.dumps(body, default=_plain, separators=(",", ":"))
    return Response(text, status, content_type="application/json")


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.timestamp()
    raise TypeError(f"Not JSON: {type(value).__name__}")

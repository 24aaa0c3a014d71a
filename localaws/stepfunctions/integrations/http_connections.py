"""What an EventBridge connection adds to a Task's request: its secret, read as the Task's role.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-target-connection-auth.html
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from botocore.exceptions import BotoCoreError, ClientError

from localaws.errors import AwsError
from localaws.identity.actions.asked import Asked
from localaws.shapes import Json
from localaws.stepfunctions.errors import StateError, runtime_error
from localaws.stepfunctions.integrations.http_calls import Request, here, sent
from localaws.stepfunctions.integrations.shapes import parse_json

CONNECTION = re.compile(r"arn:aws[\w-]*:events:[\w-]+:\d{12}:connection/([\w.-]+/[\w-]+)")
NOT_ALLOWED = "No permissions to call DescribeSecret and/or GetSecretValue on the secret associated"


@dataclass(frozen=True)
class Caller:
    """The Task's role: its boto3 clients by service, and what asks whether it may do more."""

    client: Callable[[str], Any]
    ask: Callable[[Asked], None]
    machine_arn: str

    @property
    def base(self) -> str:
        """The address of this local AWS."""
        return str(self.client("apigatewayv2").meta.endpoint_url)

    @property
    def region(self) -> str:
        return str(self.client("apigatewayv2").meta.region_name)

    def check(self, asked: Asked, error: str, cause: str) -> None:
        """Raises the StateError where the role may not."""
        try:
            self.ask(asked)
        except AwsError as refused:
            raise StateError(error, cause, from_task=True) from refused


def pairs(parameters: Iterable[Json] | None) -> dict[str, str]:
    return {one["Key"]: one.get("Value", "") for one in parameters or ()}


def connection(arguments: Json, caller: Caller) -> Json:
    """The connection's secret: {"AuthorizationType", "AuthParameters"}."""
    holder = arguments.get("InvocationConfig") or arguments.get("Authentication") or {}
    arn = str(holder.get("ConnectionArn", ""))
    match = CONNECTION.fullmatch(arn)
    if match is None:
        raise runtime_error(f"'{arn}' is not the ARN of an EventBridge connection.")
    caller.check(
        Asked("events:RetrieveConnectionCredentials", arn),
        "Events.ConnectionResource.AccessDenied",
        "No permissions to call RetrieveConnectionCredentials on the connection resource.",
    )
    try:
        secret = caller.client("secretsmanager").get_secret_value(
            SecretId=f"events!connection/{match[1]}"
        )
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            raise _refused("ResourceNotFound", f"Connection {arn} does not exist.") from error
        if "AccessDenied" in error.response["Error"]["Code"]:
            raise _refused(
                "AccessDenied", f"{NOT_ALLOWED} with the connection resource."
            ) from error
        raise _refused("InternalError", str(error)) from error
    except BotoCoreError as error:
        raise _refused("InternalError", str(error)) from error
    found: Json = json.loads(secret["SecretString"])
    return found


def _refused(what: str, cause: str) -> StateError:
    return StateError(f"Events.ConnectionResource.{what}", cause, from_task=True)


def authorization(secret: Json, base: str) -> dict[str, str]:
    parameters = secret["AuthParameters"]
    if secret["AuthorizationType"] == "BASIC":
        given = parameters["BasicAuthParameters"]
        pair = f"{given['Username']}:{given['Password']}".encode()
        return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
    if secret["AuthorizationType"] == "API_KEY":
        given = parameters["ApiKeyAuthParameters"]
        return {given["ApiKeyName"]: given["ApiKeyValue"]}
    return {"Authorization": f"Bearer {_token(parameters['OAuthParameters'], base)}"}


def _token(parameters: Json, base: str) -> str:
    """An access token by the client credentials grant (RFC 6749, 4.4)."""
    own = parameters.get("OAuthHttpParameters", {})
    form = {
        "grant_type": "client_credentials",
        "client_id": parameters["ClientParameters"]["ClientID"],
        "client_secret": parameters["ClientParameters"]["ClientSecret"],
        **pairs(own.get("BodyParameters")),
    }
    request = Request(here(parameters["AuthorizationEndpoint"], base), parameters["HttpMethod"])
    request.headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        **pairs(own.get("HeaderParameters")),
    }
    request.query = list(pairs(own.get("QueryStringParameters")).items())
    if request.method == "GET":
        request.query += form.items()
    else:
        request.body = urlencode(form).encode()
    status, _, _, data = sent(request, "Events.ConnectionResource.InternalError")
    answer = parse_json(data.decode("utf-8", "replace"))
    if not 200 <= status < 300 or not isinstance(answer, dict) or "access_token" not in answer:
        raise _refused(
            "InvalidConnectionState", f"The authorization endpoint answered with status {status}."
        )
    return str(answer["access_token"])

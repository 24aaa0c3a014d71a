"""Connections: how to authenticate at an HTTP endpoint. What is secret of one is a secret of
Secrets Manager, made as the one who makes the connection.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-target-connection.html
"""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

from localaws.core.aws import LocalAws
from localaws.core.service import Call, Service
from localaws.errors import AwsError
from localaws.events.rules import listed
from localaws.shapes import Json

KIND = "events-connection"
EVENTS = "events.amazonaws.com"
NAME = re.compile(r"[\w.-]{1,64}", re.ASCII)
PARAMETERS = {
    "BASIC": "BasicAuthParameters",
    "API_KEY": "ApiKeyAuthParameters",
    "OAUTH_CLIENT_CREDENTIALS": "OAuthParameters",
}
HIDDEN = {"BasicAuthParameters": "Password", "ApiKeyAuthParameters": "ApiKeyValue"}
SHOWN = ("ConnectionArn", "Name", "ConnectionState", "AuthorizationType", "CreationTime",
         "LastModifiedTime", "LastAuthorizedTime")  # fmt: skip


class Connections:
    def __init__(self, aws: LocalAws) -> None:
        self._aws = aws
        self._documents = aws.documents

    def register(self, service: Service) -> None:
        given = ("Name", "Description", "AuthorizationType")
        parameters = tuple(
            f"AuthParameters.{name}" for name in (*PARAMETERS.values(), "InvocationHttpParameters")
        )
        service.operation("CreateConnection", *given, *parameters)(self.create)
        service.operation("UpdateConnection", *given, *parameters)(self.update)
        service.operation("DescribeConnection", "Name")(self.describe)
        service.operation("DeleteConnection", "Name")(self.delete)
        service.operation("ListConnections", "NamePrefix", "ConnectionState", "NextToken", "Limit")(
            self.list
        )

    def create(self, call: Call) -> Json:
        params, now = call.params, self._aws.clock.now()
        name = params["Name"]
        if not NAME.fullmatch(name):
            raise _invalid(f"Connection name {name!r} must match [\\.\\-_A-Za-z0-9]+, 1 to 64.")
        _check(params["AuthorizationType"], params["AuthParameters"])
        if self._documents.get(KIND, name) is not None:
            raise _exists(name)
        identifier = str(uuid.uuid4())
        prefix = f"arn:aws:events:{self._aws.region}:{self._aws.account}:connection"
        secret = self._vault(call).create_secret(
            Name=f"events!connection/{name}/{identifier}", SecretString=_secret(params)
        )
        connection = {
            "ConnectionArn": f"{prefix}/{name}/{identifier}",
            "Name": name,
            "SecretArn": secret["ARN"],
            "CreationTime": now,
            "Description": params.get("Description", ""),
            **self._authorized(params),
        }
        if not self._documents.insert(KIND, name, connection):
            self._forget(call, connection)
            raise _exists(name)
        return _answer(connection)

    def update(self, call: Call) -> Json:
        params = call.params
        known = self._get(params["Name"])
        if "AuthParameters" in params or "AuthorizationType" in params:
            kind = params.get("AuthorizationType", known["AuthorizationType"])
            parameters = params.get("AuthParameters", {})
            _check(str(kind), parameters)
            changed = {"AuthorizationType": kind, "AuthParameters": parameters}
            self._vault(call).put_secret_value(
                SecretId=known["SecretArn"], SecretString=_secret(changed)
            )
        else:
            changed = {name: known[name] for name in ("AuthorizationType", "AuthParameters")}
        with self._documents.changing(KIND, known["Name"], _missing(known["Name"])) as connection:
            connection |= self._authorized(changed)
            connection["Description"] = params.get("Description", connection["Description"])
        return _answer(connection)

    def describe(self, call: Call) -> Json:
        return self._get(call.params["Name"])

    def delete(self, call: Call) -> Json:
        connection = self._get(call.params["Name"])
        self._forget(call, connection)
        self._documents.delete(KIND, connection["Name"])
        return {**_answer(connection), "ConnectionState": "DELETING"}

    def list(self, call: Call) -> Json:
        prefix, state = call.params.get("NamePrefix", ""), call.params.get("ConnectionState")
        found = [
            (name, {member: one[member] for member in SHOWN})
            for name, one in self._documents.items(KIND)
            if name.startswith(prefix) and state in (None, one["ConnectionState"])
        ]
        return listed(call, "Connections", found)

    def _authorized(self, params: Json) -> Json:
        now = self._aws.clock.now()
        return {
            "ConnectionState": "AUTHORIZED",
            "AuthorizationType": params["AuthorizationType"],
            "AuthParameters": _without_secrets(params["AuthParameters"]),
            "LastModifiedTime": now,
            "LastAuthorizedTime": now,
        }

    def _vault(self, call: Call) -> Any:
        return self._aws.acting(call.caller.on_behalf(EVENTS)).client("secretsmanager")

    def _forget(self, call: Call, connection: Json) -> None:
        self._vault(call).delete_secret(
            SecretId=connection["SecretArn"], ForceDeleteWithoutRecovery=True
        )

    def _get(self, name: str) -> Json:
        connection = self._documents.get(KIND, name)
        if connection is None:
            raise _missing(name)
        return connection


def _check(kind: str, parameters: Json) -> None:
    """The parameters must be those of the kind, and whole."""
    wanted = PARAMETERS.get(kind)
    if wanted is None:
        raise _invalid(f"AuthorizationType must be one of {', '.join(PARAMETERS)}, not {kind}.")
    for name in PARAMETERS.values():
        if (name in parameters) != (name == wanted):
            raise _invalid(f"AuthParameters of {kind} must have {wanted} and no others.")


def _secret(params: Json) -> str:
    kept = {name: params[name] for name in ("AuthorizationType", "AuthParameters")}
    return json.dumps(kept)


def _without_secrets(parameters: Json) -> Json:
    """The parameters as DescribeConnection shows them."""
    shown: Json = {}
    for name, value in parameters.items():
        if name == "InvocationHttpParameters":
            shown[name] = _public(value)
        elif name == "OAuthParameters":
            client = {"ClientID": value["ClientParameters"]["ClientID"]}
            shown[name] = {**value, "ClientParameters": client}
            if "OAuthHttpParameters" in value:
                shown[name]["OAuthHttpParameters"] = _public(value["OAuthHttpParameters"])
        else:
            shown[name] = {key: text for key, text in value.items() if key != HIDDEN[name]}
    return shown


def _public(lists: Json) -> Json:
    return {
        name: [
            {key: text for key, text in one.items() if key != "Value"}
            if one.get("IsValueSecret")
            else one
            for one in values
        ]
        for name, values in lists.items()
    }


def _answer(connection: Json) -> Json:
    names = ("ConnectionArn", "ConnectionState", "CreationTime", "LastModifiedTime")
    return {name: connection[name] for name in names}


def _missing(name: str) -> AwsError:
    return AwsError("ResourceNotFoundException", f"Connection {name} does not exist.")


def _exists(name: str) -> AwsError:
    return AwsError("ResourceAlreadyExistsException", f"Connection {name} already exists.")


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)

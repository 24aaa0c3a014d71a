"""The database behind a connection, for who has to ask it: address and credentials in one place."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

from localaws.core import postgres
from localaws.core.aws import LocalAws
from localaws.shapes import Json

SECONDS = 60.0  # the longest that one question may take


class ConnectionFailed(Exception):
    """The database cannot be reached by the connection; the message says why."""


def opened(aws: LocalAws, name: str, database: str | None = None) -> Any:
    """A pg8000.native.Connection by a connection of Glue's, to its own database or another one.

    `aws` is who asks: glue:GetConnection and, for SECRET_ID, secretsmanager:GetSecretValue have to
    be allowed. Raises ConnectionFailed.
    """
    try:
        connection = aws.client("glue").get_connection(Name=name)["Connection"]
        given = connection.get("ConnectionProperties") or {}
        user, password = _credentials(aws, given)
    except ClientError as error:
        raise ConnectionFailed(
            f"Connection {name}: {error.response['Error']['Message']}"
        ) from error
    try:
        return postgres.connect(_url(given, database), user, password, SECONDS)
    except postgres.PostgresError as error:
        raise ConnectionFailed(f"Connection {name}: {error}") from error


def _credentials(aws: LocalAws, given: Json) -> tuple[str | None, str | None]:
    if "SECRET_ID" not in given:
        return given.get("USERNAME"), given.get("PASSWORD")
    kept = aws.client("secretsmanager").get_secret_value(SecretId=given["SECRET_ID"])
    try:
        secret = json.loads(kept["SecretString"])
    except ValueError:
        raise ConnectionFailed(f"The secret {given['SECRET_ID']} is no JSON.") from None
    return secret.get("username"), secret.get("password")


def _url(given: Json, database: str | None) -> str:
    url = given.get("JDBC_CONNECTION_URL")
    if url is None:
        url = f"jdbc:{given['JDBC_ENGINE'].lower()}://{given['HOST']}:{given['PORT']}"
    if database is None:
        return str(url)
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}/{database}"

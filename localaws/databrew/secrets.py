"""The keys of cryptographic steps: secrets of Secrets Manager, read in the job role's name."""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Mapping

from botocore.exceptions import ClientError

from localaws.core.aws import LocalAws
from localaws.databrew.source import InputError
from localaws.shapes import Json

KEY_BYTES = 32


def resolve(aws: LocalAws, wanted: Mapping[str, bool]) -> Json:
    """Each secret's `arn`, `version` and `key`, base64 text, by the name that steps give it.

    `wanted` says of each whether a missing one is to be made (createSecretIfMissing). Raises
    InputError for one that is not there, or is no base64 text.
    """
    return {name: _secret(aws, name, create) for name, create in wanted.items()}


def _secret(aws: LocalAws, name: str, create: bool) -> Json:
    secret_id, version = json.loads(name)
    client = aws.client("secretsmanager")
    asked = {"SecretId": secret_id} | ({"VersionId": version} if version else {})
    try:
        found = client.get_secret_value(**asked)
    except ClientError as error:
        missing = error.response["Error"]["Code"] == "ResourceNotFoundException"
        if not (missing and create):
            message = error.response["Error"]["Message"]
            raise InputError(f"The secret {secret_id}: {message}") from error
        value = base64.b64encode(os.urandom(KEY_BYTES)).decode()
        client.create_secret(Name=secret_id, SecretString=value)
        found = client.get_secret_value(SecretId=secret_id)
    try:
        key = base64.b64decode(found.get("SecretString") or "", validate=True)
    except binascii.Error as error:
        raise InputError(f"The secret {secret_id} is no base64 text.") from error
    if not key:
        raise InputError(f"The secret {secret_id} is empty.")
    return {
        "arn": found["ARN"],
        "version": found["VersionId"],
        "key": base64.b64encode(key).decode(),
    }

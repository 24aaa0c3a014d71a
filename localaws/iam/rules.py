"""What IAM asks of names and documents, its errors, and its pages."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any
from urllib.parse import quote

from moto.iam.policy_validation import (
    IAMPolicyDocumentValidator,
    IAMTrustPolicyDocumentValidator,
)

from localaws.core import pages
from localaws.core.pages import Key
from localaws.errors import AwsError
from localaws.shapes import Json

PAGE = 100
NAME = re.compile(r"[\w+=,.@-]+", re.ASCII)
PATH = re.compile(r"/|/[\x21-\x7e]+/")
# docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html; white space does not count.
MANAGED_CHARACTERS = 6_144
TRUST_CHARACTERS = 2_048
# docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html
VERSION, OLD_VERSION = "2012-10-17", "2008-10-17"
INLINE_CHARACTERS = {"user": 2_048, "role": 10_240}


def no_such(message: str) -> AwsError:
    return AwsError("NoSuchEntity", message, 404)


def already(message: str) -> AwsError:
    return AwsError("EntityAlreadyExists", message, 409)


def conflict(message: str) -> AwsError:
    return AwsError("DeleteConflict", message, 409)


def limit(message: str) -> AwsError:
    return AwsError("LimitExceeded", message, 409)


def check_name(member: str, name: str, longest: int) -> None:
    if not NAME.fullmatch(name):
        raise AwsError(
            "ValidationError",
            f"The specified value for {member} is invalid. It must contain only alphanumeric"
            " characters and/or the following: +=,.@_-",
        )
    if len(name) > longest:
        raise AwsError(
            "ValidationError",
            f"1 validation error detected: Value '{name}' at '{member}' failed to satisfy"
            f" constraint: Member must have length less than or equal to {longest}",
        )


def path_of(params: Json) -> str:
    """The Path parameter. ValidationError for one that does not begin and end with a slash."""
    path = params.get("Path", "/")
    if not PATH.fullmatch(path) or len(path) > 512:
        raise AwsError(
            "ValidationError",
            "The specified value for path is invalid. It must begin and end with / and contain"
            " only alphanumeric characters and/or / characters.",
        )
    return str(path)


def check_policy(text: str, longest: int, what: str = "policy") -> None:
    """Raises MalformedPolicyDocument, LimitExceeded."""
    if len(re.sub(r"\s", "", text)) > longest:
        raise limit(f"Cannot exceed quota for {what}Size: {longest}")
    _validate(IAMPolicyDocumentValidator(text))


def check_inline(text: str, longest: int) -> None:
    """A policy within a user or role: it may be of the old version, which is the default."""
    check_policy(_of_any_version(text), longest)


def check_trust(text: str) -> None:
    """A role's trust policy. Raises MalformedPolicyDocument, LimitExceeded."""
    if len(re.sub(r"\s", "", text)) > TRUST_CHARACTERS:
        raise limit(f"Cannot exceed quota for ACLSizePerRole: {TRUST_CHARACTERS}")
    try:
        json.loads(text)
    except ValueError:
        raise AwsError("MalformedPolicyDocument", "This policy contains invalid Json") from None
    _validate(IAMTrustPolicyDocumentValidator(_of_any_version(text)))


def _of_any_version(text: str) -> str:
    """The policy, for moto's validators, which take the new version alone."""
    try:
        document = json.loads(text)
    except ValueError:
        return text  # they say what is wrong
    if isinstance(document, dict) and document.get("Version", OLD_VERSION) == OLD_VERSION:
        return json.dumps(document | {"Version": VERSION})
    return text


def _validate(validator: Any) -> None:
    """moto's validators know IAM's texts; their failure is IAM's."""
    try:
        validator.validate()
    except Exception as error:
        message = getattr(error, "message", None) or "Syntax errors in policy."
        raise AwsError("MalformedPolicyDocument", message) from error


def encoded(text: str) -> str:
    """A policy as IAM sends it: URL-encoded by RFC 3986. SDKs decode it."""
    return quote(text, safe="-_.~")


# By what each list is in order, and finds its next page.
_KEYS: dict[str, Callable[[Any], Key]] = {
    "AccessKeyMetadata": lambda key: (key["CreateDate"], key["AccessKeyId"]),
    "AttachedPolicies": lambda policy: (policy["PolicyName"], policy["PolicyArn"]),
    "Entities": lambda entity: (entity[0], entity[1][f"{entity[0]}Name"]),
    "EvaluationResults": lambda one: (one["EvalActionName"], one["EvalResourceName"]),
    "Policies": lambda policy: (policy["PolicyName"], policy["Arn"]),
    "PolicyNames": str,
    "Roles": itemgetter("RoleName"),
    "Tags": itemgetter("Key"),
    "Users": itemgetter("UserName"),
    "Versions": lambda version: int(version["VersionId"].removeprefix("v")),
}
_NEWEST_FIRST = ("Versions",)


def page(member: str, items: Sequence[Any], params: Json) -> Json:
    """`{member: [...], "IsTruncated": ...}` by Marker and MaxItems."""
    found = pages.page(
        ((_KEYS[member](item), item) for item in items),
        params.get("Marker"),
        int(params.get("MaxItems", PAGE)),
        invalid=lambda _: AwsError("ValidationError", "Invalid Marker."),
        newest_first=member in _NEWEST_FIRST,
    )
    return {member: found.items, "IsTruncated": found.token is not None, **found.next("Marker")}


def merged_tags(old: list[Json], fresh: list[Json], most: int = 50) -> list[Json]:
    """Tags with those of the same key replaced. Keys are told apart without case."""
    keys = [tag["Key"].lower() for tag in fresh]
    if len(set(keys)) < len(keys):
        raise AwsError(
            "InvalidInput",
            "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
        )
    for tag in fresh:
        if tag["Key"].lower().startswith("aws:"):
            raise AwsError("InvalidInput", "System tags cannot be added, changed or deleted.")
    tags = [tag for tag in old if tag["Key"].lower() not in keys] + fresh
    if len(tags) > most:
        raise limit(f"The number of tags has reached the maximum limit: {most}")
    return tags


def without_tags(old: list[Json], keys: list[str]) -> list[Json]:
    gone = {key.lower() for key in keys}
    return [tag for tag in old if tag["Key"].lower() not in gone]

"""What DataBrew's definitions have in common: names, ARNs, who and when, pages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from localaws.core import pages
from localaws.core.aws import LocalAws
from localaws.core.errors import AwsError
from localaws.core.pages import Key
from localaws.shapes import Json

Item = TypeVar("Item")

PAGE = 100


def not_found(what: str, name: str) -> AwsError:
    return AwsError("ResourceNotFoundException", f"{what} {name} not found.", 404)


def conflict(message: str) -> AwsError:
    return AwsError("ConflictException", message, 409)


def invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)


def arn(aws: LocalAws, kind: str, name: str) -> str:
    return f"arn:aws:databrew:{aws.region}:{aws.account}:{kind}/{name}"


def user(aws: LocalAws) -> str:
    return f"arn:aws:iam::{aws.account}:root"


def created(aws: LocalAws) -> Json:
    return {"CreateDate": aws.clock.now(), "CreatedBy": user(aws)} | modified(aws)


def modified(aws: LocalAws) -> Json:
    return {"LastModifiedDate": aws.clock.now(), "LastModifiedBy": user(aws)}


def page(
    items: Iterable[tuple[Key, Item]], params: Json, newest_first: bool = False
) -> tuple[list[Item], dict[str, str]]:
    """One page of (key, item) by key, and `{"NextToken": ...}` while there is more."""
    found = pages.page(
        items,
        params.get("NextToken"),
        int(params.get("MaxResults") or PAGE),
        invalid=invalid,
        newest_first=newest_first,
    )
    return found.items, found.next()
